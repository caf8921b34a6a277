"""The selftest: what it says of noise, what it keeps, and what it refuses."""

import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import interpreter
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.devices.host import HostDevice
from android_bench.floors import NoiseFloor, floor_of, store_floor, validations
from android_bench.jobs import YOUNGER_SETTINGS, Bench, make_cells
from android_bench.runners import open_runner
from android_bench.runners.litert_python import LitertPythonRunner
from android_bench.runners.litert_python_program import clock_resolution_ns
from android_bench.selftest import NOT_READ, Beside, SelftestBench, measure_beside, sensors_of
from android_bench.validity import judge, spread
from converters.tflite_reader import read_model
from mobilekit.cli import main
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import (
    BeforeAfter,
    Conditions,
    Kit,
    OutputCheck,
    RunConfig,
    Validity,
    Verdict,
    cell_id,
)
from mobilekit.core.records import to_json
from mobilekit.intervals import median_interval, smallest_shown
from mobilekit.selftest import BLOCKS, judge_selftest, run_selftest
from mobilekit.selftest_network import SIZE, selftest_macs, selftest_network
from mobilekit.selftest_rows import rows_of, title_of
from tests.harness_scene import CONFIG, REPETITIONS, Scene
from tests.sample_results import DEVICE, MEASUREMENT, RUN, run_of

ROOT = Path(__file__).parent.parent
KIT = Kit(version="0.1.0", commit=None)
PASSED = OutputCheck(against="ab", how="a rule", passed=True, detail="equal to the bit")


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


def bench_of(scene):
    device = HostDevice(workspace=scene.folder / "work")
    runner = runner_of(scene)
    return Bench(
        device=device,
        info=device.info(),
        runner=runner,
        runtime=runner.runtime(device),
        timeout_s=20,
    )


def runner_of(scene):
    python = Path(sys.executable)
    return LitertPythonRunner(runtime="ai-edge-litert", python=python, program=scene.program)


def bench_to_test(scene, *, repetitions=REPETITIONS):
    (job,) = scene.jobs(scene.models[:1], config=replace(CONFIG, repetitions=repetitions))
    bench = bench_of(scene)
    return SelftestBench(
        path=job.path, model=job.model, config=job.config, device=bench.device, runner=bench.runner
    )


# --- the network ----------------------------------------------------------------------------------


def test_every_call_writes_the_same_network():
    code = "import hashlib; from mobilekit.selftest_network import selftest_network as f;"
    code += "print(hashlib.sha256(f()).hexdigest())"
    shown = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        for _ in range(2)
    }
    assert len(shown) == 1


def test_the_network_has_the_size_that_the_docs_give():
    (millions,) = re.findall(
        r"of (\d+) million\s+multiply-accumulates", (ROOT / "docs" / "selftest.md").read_text()
    )
    assert round(selftest_macs() / 1e6) == int(millions)


def test_the_network_is_a_file_that_can_be_trusted_and_answers_its_input():
    content = selftest_network()
    assert read_model(content, "net").ops == {
        "CONV_2D": 8,
        "DEPTHWISE_CONV_2D": 7,
        "MEAN": 1,
        "FULLY_CONNECTED": 1,
    }
    made = interpreter.Interpreter(model_content=content)
    made.allocate_tensors()
    answers = []
    for seed in (0, 1):
        image = np.random.default_rng(seed).uniform(-1, 1, (1, SIZE, SIZE, 3)).astype(np.float32)
        made.set_tensor(made.get_input_details()[0]["index"], image)
        made.invoke()
        answers.append(made.get_tensor(made.get_output_details()[0]["index"]))
    assert np.isfinite(answers).all()
    assert 0.1 < np.std(answers[0]) < 10
    assert not np.allclose(answers[0], answers[1], atol=0.01)


# --- statistics -----------------------------------------------------------------------------------


def calm(rng, count):
    return rng.normal(0, 0.01, count)


def with_slow_starts(rng, count):
    return calm(rng, count) + (rng.random(count) < 0.05) * rng.uniform(0.4, 1, count)


def bimodal(rng, count):
    return calm(rng, count) + (rng.random(count) < 0.5) * 0.2


def side(log_latencies, order, cell):
    runs = tuple(
        replace(
            RUN,
            latencies_us=(14_000.0 * math.exp(value),),
            block=block,
            order=order,
            started=f"2026-01-01T00:{block:02d}:{order:02d}+00:00",
        )
        for block, value in enumerate(log_latencies)
    )
    return replace(MEASUREMENT, cell=cell * 16, runs=runs, label=cell)


def selftest_of(first, second, **more):
    return judge_selftest(side(first, 0, "a"), side(second, 1, "b"), None, **more)


def simulated(noise, count=200):
    rng = np.random.default_rng(0)
    return [selftest_of(noise(rng, 12), noise(rng, 12)) for _ in range(count)]


@pytest.mark.parametrize("noise", [calm, with_slow_starts, bimodal])
def test_equal_files_seldom_fail_whatever_the_noise(noise):
    failed = sum(bool(found.problems) for found in simulated(noise))
    assert failed <= 18  # 8 expected at a level of 96.1 %


@pytest.mark.parametrize(("noise", "least", "most"), [(calm, 0.008, 0.012), (bimodal, 0.1, 0.3)])
def test_the_floor_is_the_noise_of_a_start(noise, least, most):
    floors = [found.noise_floor for found in simulated(noise, 100)]
    assert least < np.median(floors) < most


def test_a_file_that_differs_from_itself_fails_and_keeps_nothing():
    rng = np.random.default_rng(1)
    found = selftest_of(calm(rng, 12), calm(rng, 12) + 0.05)
    (problem,) = found.problems
    assert "called different from itself" in problem
    assert "slower" in problem
    assert "run the selftest again" in problem
    assert found.floor() is None
    assert found.document()["passed"] is False


@pytest.mark.parametrize("noise", [calm, with_slow_starts])
@pytest.mark.parametrize("blocks", [12, 24])
def test_the_smallest_difference_is_shown_nine_times_in_ten(noise, blocks):
    rng = np.random.default_rng(2)
    shown = 0
    for _ in range(500):
        difference = smallest_shown(noise(rng, 12) - noise(rng, 12), blocks)
        logs = difference + noise(rng, blocks) - noise(rng, blocks)
        shown += median_interval(logs).low > 0
    assert 0.85 < shown / 500 < 0.95


@given(st.lists(st.floats(-1, 1), min_size=12, max_size=30), st.floats(0.125, 8))
@settings(max_examples=50)
def test_the_smallest_difference_has_the_scale_of_the_noise(noise, factor):
    scaled = [value * factor for value in noise]
    assert smallest_shown(scaled, 12) == pytest.approx(smallest_shown(noise, 12) * factor)
    assert smallest_shown([-value for value in noise], 12) == smallest_shown(noise, 12)


@pytest.mark.parametrize(
    ("noise", "blocks"), [([], 12), ([0.1] * 12, 5), ([0.1] * 12, 6), ([0.1] * 3, 12)]
)
def test_what_too_few_values_cannot_tell_is_not_told(noise, blocks):
    assert smallest_shown(noise, blocks) is None


# --- what is judged -------------------------------------------------------------------------------

QUIET = selftest_of([0.001 * k for k in range(12)], [0.001 * (11 - k) for k in range(12)])


def test_wrong_outputs_fail_before_any_latency():
    wrong = Verdict(status=Validity.INVALID, reasons=("the outputs are wrong: zeros",))
    first = replace(MEASUREMENT, cell="a" * 16, runs=(), validity=wrong)
    found = judge_selftest(first, replace(first, cell="b" * 16), None, not_beside="why not")
    assert found.problems == ("nothing it measures here counts: the outputs are wrong: zeros",)
    assert (found.noise_floor, found.comparison, found.floor()) == (None, None, None)
    assert json.dumps(to_json(found.document()))
    assert ["benchmark_model", "not compared: why not"] in rows_of(found)
    assert title_of(found) == "desk, mobilenet_v2_1.0_224 float32"


def test_a_doubt_is_kept_and_told_once():
    doubt = Verdict(status=Validity.SUSPECT, reasons=("the battery is low",))
    first, second = (replace(m, validity=doubt) for m in (QUIET.first, QUIET.second))
    found = judge_selftest(first, second, None)
    assert found.doubts == ("the battery is low",)
    assert found.problems == ()
    assert found.floor().doubts == found.doubts
    assert rows_of(found)[-1] == ["doubt", "the battery is low"]


@pytest.mark.parametrize(
    ("factor", "doubts"), [(1.0, 0), (1.049, 0), (0.96, 0), (1.2, 1), (0.8, 1)]
)
def test_runners_that_disagree_are_a_doubt(factor, doubts):
    theirs = tuple(1000.0 + k for k in range(12))
    ours = tuple(us * factor for us in theirs)
    beside = Beside(statistic="median", ours_us=ours, theirs_us=theirs)
    found = judge_selftest(QUIET.first, QUIET.second, beside)
    assert found.beside.ratio == pytest.approx(factor)
    assert len(found.doubts) == doubts


def test_the_rows_say_what_was_found():
    rows = {name: text for name, text in rows_of(QUIET)}
    assert rows["noise floor"].endswith("the spread of 24 run medians")
    assert all(f"with {blocks} blocks" in rows["shows, mostly"] for blocks in BLOCKS)
    assert rows["A against A"].endswith("no difference shown")
    assert rows["outputs"] == "right: 16 of 16 agree"
    assert rows["clock"] == "not known: the runner does not say"
    assert rows["temperature_c"] == f"not read: {NOT_READ}"


def test_a_sensor_that_one_start_could_read_is_readable():
    read = replace(
        RUN,
        conditions=BeforeAfter(before=Conditions(), after=Conditions(temperature_c=40.0)),
        unread={"conditions.plugged": "no power supply is readable"},
    )
    found = {sensor.name: sensor for sensor in sensors_of([RUN, read])}
    assert found["temperature_c"].readable
    assert found["plugged"].because == "no power supply is readable"
    assert found["thermal_status"].because == NOT_READ


def test_the_clock_of_this_computer_moves():
    unread = {}
    assert 0 < clock_resolution_ns(unread) < 1_000_000
    assert unread == {}


# --- one file as two cells ------------------------------------------------------------------------


def test_a_label_makes_another_cell_and_its_absence_leaves_the_name(scene):
    bench = bench_of(scene)
    plain = scene.jobs(scene.models[:1])
    labels = [None, "selftest A", "selftest B"]
    cells = make_cells([replace(job, label=label) for job in plain for label in labels], bench)
    assert len({cell.id for cell in cells}) == 3
    job = plain[0]
    before_labels_were = cell_id(
        model_sha256=job.model.sha256,
        recipe_digest=job.model.recipe_digest,
        runner_sha256=bench.runner.program().sha256,
        runtime=bench.runtime,
        context="host",
        device=bench.info,
        config={
            **{k: v for k, v in to_json(job.config).items() if k not in YOUNGER_SETTINGS},
            "inputs": (),
            "expected": None,
            "cpu": bench.info.model,
            "cpu_features": bench.info.cpu_features,
            "cpu_count": bench.info.cpu_count,
        },
    )
    assert cells[0].id == before_labels_were
    assert cells[1].job.title == "one static_wi8_ai8, 1 thread, selftest A"


# --- the whole, with a scripted runner ------------------------------------------------------------


def run_it(scene, **more):
    return run_selftest(
        bench_to_test(scene, **more),
        scene.results,
        benchmark_model=None,
        command="mobilekit selftest",
        progress=lambda done, total, text: scene.told.append(text),
    )


def test_a_device_is_unvalidated_until_a_selftest_was_passed(scene):
    (before,) = scene.measure(scene.jobs(scene.models[:1]))
    assert (before.noise_floor, before.label) == (None, None)
    found = run_it(scene)
    assert found.problems == ()
    assert {found.first.label, found.second.label} == {"selftest A", "selftest B"}
    assert found.first.cell != found.second.cell
    starts = len(scene.starts())
    (after,) = scene.measure(scene.jobs(scene.models[1:]))
    assert after.noise_floor == found.noise_floor
    assert len(scene.starts()) == starts + REPETITIONS


def test_a_selftest_is_measured_anew_every_time(scene):
    seeds = {run_it(scene).first.config.order_seed for _ in range(2)}
    assert len(seeds) == 2
    assert len(scene.starts()) == 2 * 2 * REPETITIONS


def test_a_device_with_wrong_outputs_stays_unvalidated(scene):
    found = run_it(scene)
    scene.order({found.first.model.sha256: "zeros"})
    folder = scene.folder / "state" / "floors"
    (kept,) = folder.iterdir()
    kept.unlink()
    again = run_it(scene)
    assert "the outputs are wrong" in again.problems[0]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"repetitions": 5}, "A selftest of 5 blocks could not show anything"),
        ({"repetitions": 1}, "A selftest of 1 block could not show anything"),
    ],
)
def test_too_few_blocks_are_refused_before_anything_starts(scene, more, words):
    with pytest.raises(UsageError, match=words):
        run_it(scene, **more)
    assert scene.starts() == []


# --- what is kept ---------------------------------------------------------------------------------


def floor_for(bench, **changes):
    made = NoiseFloor(
        device=bench.info,
        runner=bench.runner.program(),
        runtime=bench.runtime,
        kit=KIT,
        measured="2026-11-24T08:00:00+00:00",
        model_sha256="f0" * 32,
        noise_floor=0.008,
        medians_us=((1.0, 2.0), (1.5, 2.5)),
        smallest_shown={"12": 0.02},
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: {"device": replace(f.device, serial_hash="ff" * 32)},
        lambda f: {"device": replace(f.device, build_fingerprint="another")},
        lambda f: {"runner": replace(f.runner, sha256="00" * 32)},
        lambda f: {"runtime": replace(f.runtime, version="9")},
        lambda f: {"kit": Kit(version="9.9", commit=None)},
    ],
    ids=["device", "build", "runner", "runtime", "kit"],
)
def test_a_floor_belongs_to_one_device_build_runner_runtime_and_version(scene, change):
    bench = bench_of(scene)
    mine = floor_for(bench)
    store_floor(replace(mine, **change(mine)))
    assert floor_of(bench, KIT) is None
    store_floor(mine)
    assert floor_of(bench, KIT) == 0.008
    assert floor_of(bench, Kit(version="0.1.0", commit="another")) == 0.008


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text.replace('"noise_floor": 0.008', '"noise_floor": -1'),
        lambda text: text.replace('"noise_floor": 0.008', '"noise_floor": "none"'),
        lambda text: text.replace("2026-11-24T08", "yesterday"),
        lambda text: text.replace('"build_fingerprint": "', '"build_fingerprint": "x'),
        lambda text: text + " " * (1 << 20),
    ],
    ids=["empty", "torn", "newer", "negative", "text", "no time", "foreign", "huge"],
)
def test_a_floor_that_cannot_be_believed_counts_as_none(scene, damage):
    bench = bench_of(scene)
    path = store_floor(floor_for(bench))
    path.write_text(damage(path.read_text()))
    assert floor_of(bench, KIT) is None


def test_a_list_of_devices_has_the_newest_selftest_of_each_runner_and_runtime(scene):
    bench = bench_of(scene)
    mine = floor_for(bench)
    later = "2026-11-25T08:00:00+00:00"
    rebuilt = replace(mine.runner, sha256="00" * 32)
    store_floor(mine)
    store_floor(replace(mine, runner=rebuilt, measured=later, noise_floor=0.01))
    store_floor(replace(mine, runtime=replace(mine.runtime, version="9")))
    store_floor(replace(mine, device=replace(mine.device, serial_hash="ff" * 32)))
    found = validations(bench.info, KIT.version)
    assert [(row.measured, row.noise_floor) for row in found] == [
        (later, 0.01),
        (mine.measured, 0.008),
    ]
    assert found[1].runtime == "ai-edge-litert 9"
    assert validations(DEVICE, KIT.version) == ()


def test_devices_says_since_when_a_device_is_validated(scene, monkeypatch, capsys):
    info = HostDevice(workspace=scene.folder / "work").info()
    bench = bench_of(scene)
    poor = scene.folder / "poor"  # no adb, so no phones
    poor.mkdir()
    for name in ("sh", "cat"):
        (poor / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(poor))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    main(["devices"])
    assert "unvalidated: `mobilekit selftest --device host`" in squeezed(capsys)
    store_floor(replace(floor_for(bench), device=info))
    main(["devices"])
    assert "validated 2026-11-24, floor 0.8 % (litert_python" in squeezed(capsys)
    main(["devices", "--json"])
    (row, *_) = json.loads(capsys.readouterr().out)[0]["validated"]
    assert (row["measured"][:10], row["noise_floor"]) == ("2026-11-24", 0.008)


def squeezed(capsys):
    return " ".join(capsys.readouterr().out.split())


# --- a cell above the floor -----------------------------------------------------------------------


def verdict_of(log_latencies, floor):
    runs = [run_of([1000.0 * math.exp(value)]) for value in log_latencies]
    return judge(
        runs,
        config=RunConfig(num_threads=2),
        check=PASSED,
        output_sha256=RUN.output_sha256,
        failures=(),
        cpu_count=2,
        floor=floor,
    )


def scattered(share):
    """Twelve values whose robust spread is `share`."""
    values = [(-1) ** k * 1.0 for k in range(12)]
    now = spread([run_of([1000.0 * math.exp(0.01 * value)]) for value in values])
    return [0.01 * value * share / now for value in values]


@pytest.mark.parametrize(
    ("share", "floor", "words"),
    [
        (0.014, 0.005, None),
        (0.016, 0.005, r"noise floor: .* by 1\.6% \(limit 1\.5%\), by 0\.5% in the device's self"),
        (0.009, 0.0, None),
        (0.011, 0.0, "above the device's noise floor"),
        (0.04, None, None),
        (0.051, 0.001, r"^the runs differ: .*limit 5%"),
        (0.051, 0.04, r"^the runs differ: .*limit 5%"),
    ],
)
def test_variation_above_the_floor_is_suspect(share, floor, words):
    found = verdict_of(scattered(share), floor)
    assert found.status is (Validity.SUSPECT if words else Validity.VALID)
    assert len(found.reasons) == bool(words)
    assert all(re.search(words, reason) for reason in found.reasons)


def test_a_cell_with_the_noise_of_the_selftest_is_seldom_suspect():
    rng = np.random.default_rng(3)
    suspect = 0
    for _ in range(300):
        floor = spread([run_of([1000.0 * math.exp(value)]) for value in calm(rng, 24)])
        suspect += verdict_of(calm(rng, 12), floor).status is Validity.SUSPECT
    assert suspect <= 4  # less than one expected


# --- beside benchmark_model, with a program that prints what one prints ---------------------------

PRINTS = """#!{python}
import sys
flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
assert flags["num_threads"] == "1" and flags["graph"].endswith(".tflite"), flags
assert flags["num_runs"] == "4", flags
{body}
"""
TIMINGS = (
    "Inference timings in us: Init: 9, First inference: 9, Warmup (avg): 9, Inference (avg): 2.5"
)


def start_beside(scene, body, blocks):
    program = scene.folder / "benchmark_model"
    program.write_text(PRINTS.format(python=sys.executable, body=body))
    other = open_runner("benchmark_model", binary=program)
    told = []
    found = measure_beside(
        bench_to_test(scene),
        other,
        blocks=blocks,
        progress=lambda done, total, text: told.append(done),
    )
    return found, told


@pytest.mark.parametrize(
    ("printed", "statistic", "theirs_us"),
    [
        ("count=4 first=3 curr=1 min=1 max=9 avg=2.5 std=1 median=2 p95=8", "median", 2.0),
        ("count=4 first=3 curr=1 min=1 max=9 avg=2.5 std=1", "mean", 2.5),
    ],
)
def test_both_programs_are_started_in_every_block(scene, printed, statistic, theirs_us):
    body = f"print({f'count=1 curr=9{chr(10)}{printed}{chr(10)}{TIMINGS}'!r})"
    found, told = start_beside(scene, body, blocks=3)
    assert (found.statistic, found.theirs_us) == (statistic, (theirs_us,) * 3)
    assert found.ours_us == (1.0,) * 3  # 2 us less the half of each of its two I/O parts
    assert told == [0, 1, 2, 3, 4, 5]
    assert len(scene.starts()) == 3


def test_a_benchmark_model_that_fails_is_an_error(scene):
    with pytest.raises(RunnerError, match="no such model"):
        start_beside(scene, "sys.exit('no such model')", blocks=1)


def test_a_benchmark_model_that_fails_takes_nothing_of_what_was_measured(scene):
    program = scene.folder / "benchmark_model"
    program.write_text(PRINTS.format(python=sys.executable, body="sys.exit('no such model')"))
    found = run_selftest(
        bench_to_test(scene),
        scene.results,
        benchmark_model=program,
        command="selftest",
        progress=lambda done, total, text: None,
    )
    assert found.problems == ()
    assert found.beside is None
    assert "could not be held against it" in found.not_beside
    assert "no such model" in found.not_beside
    assert found.doubts[-1] == found.not_beside
    assert len(list((scene.folder / "state" / "floors").iterdir())) == 1


@pytest.mark.parametrize("median", ["", " median=2 p95=8"])
def test_a_runner_of_statistics_alone_can_be_tested_too(scene, median):
    printed = f"count=4 first=3 curr=1 min=1 max=9 avg=2.5 std=1{median}"
    program = scene.folder / "benchmark_model"
    body = f"print({f'count=1 curr=9{chr(10)}{printed}{chr(10)}{TIMINGS}'!r})"
    program.write_text(PRINTS.format(python=sys.executable, body=body))
    tested = replace(
        bench_to_test(scene, repetitions=6),
        runner=open_runner("benchmark_model", binary=program),
    )

    def run(benchmark_model):
        return run_selftest(
            tested,
            scene.folder / "results",
            benchmark_model=benchmark_model,
            command="selftest",
            progress=lambda done, total, text: None,
        )

    found = run(None)
    assert (found.noise_floor, found.beside, found.problems) == (0.0, None, ())
    assert "benchmark_model itself" in found.not_beside
    assert found.floor().medians_us == ((2.0 if median else 2.5,) * 6,) * 2
    assert any("no raw samples" in doubt for doubt in found.doubts)
    with pytest.raises(UsageError, match="held against our own runners"):
        run(program)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--repetitions", "3"], 2, "A selftest of 3 blocks could not show anything"),
        (["--benchmark-model", "nowhere"], 2, "There is no benchmark_model nowhere"),
        (["--device", "hots"], 2, "Did you mean 'host'?"),
        (["missing.tflite"], 2, "There is no file missing.tflite"),
    ],
)
def test_a_selftest_that_cannot_be_is_refused(scene, capsys, monkeypatch, words, code, sentence):
    monkeypatch.chdir(scene.folder)
    assert main(["selftest", *words]) == code
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_tests_this_computer_and_keeps_what_it_found(scene, capsys, monkeypatch):
    monkeypatch.chdir(scene.folder)
    code = main(["selftest", "--repetitions", "12", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["passed"] else 1)
    assert found["output_check"]["passed"]
    assert found["clock_resolution_ns"] > 0
    assert set(found["smallest_shown"]) == {str(blocks) for blocks in BLOCKS}
    assert "There is no benchmark_model for" in found["not_beside"]
    kept = list((scene.folder / "state" / "floors").glob("*.json"))
    assert len(kept) == found["passed"]
    documented = (ROOT / "docs" / "selftest.md").read_text()
    assert all(f"{key}" in documented for key in found)
