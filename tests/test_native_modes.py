"""Modes of the C++ runner: sensors between invocations, long runs, a load beside, profiles."""

import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.jobs import Bench
from android_bench.profiling import profile, profile_path
from android_bench.runners import MODES, PROFILE, RUNNERS, Start, check_modes, open_runner
from android_bench.runners.document import must_fit
from android_bench.runners.litert_python_program import EXIT_ERROR
from mobilekit.core.errors import RunnerError, StorageError, UsageError
from mobilekit.core.measurement import (
    Conditions,
    Kit,
    Run,
    RunConfig,
    Window,
)
from mobilekit.core.records import from_json, to_json
from tests.native_scene import ROOT, build_runner, run_native
from tests.phone_scene import FakePhone, is_start
from tests.sample_results import file_model, run_of
from tests.tiny_models import IMAGE, Network, pack, schema, tiny_float, tiny_int8

ONCE = ("--num-runs", 1, "--warmup-runs", 0)
QUICK = RunConfig(warmup_runs=1, num_runs=5, min_secs=0, repetitions=1)


STAYS_ON = "settings-global-stay_on_while_plugged_in"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tiny_int8(island="SIGN"))
    return path


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(tiny_float())
    return path


@pytest.fixture
def device(tmp_path):
    return HostDevice(workspace=tmp_path / "work")


def native():
    return open_runner("native", binary=build_runner())


def job_of(path, config=QUICK, load=None):
    if load is not None:
        config = replace(config, load_sha256=sha256(load.read_bytes()))
    model = file_model(path, "static_wi8_ai8", name="tiny")
    return Job(path=path, model=model, config=config, load=load)


def silent(done, total, text):
    pass


# --- sensors --------------------------------------------------------------------------------------


def phone(folder):
    """Files as a phone's /sys has them."""
    sys_ = folder / "phone" / "sys"
    for path, text in {
        "class/thermal/thermal_zone0/temp": "41500\n",
        "class/power_supply/battery/current_now": "-250000\n",
        "class/power_supply/usb/online": "0\n",
        "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
        "devices/system/cpu/cpu0/cpufreq/stats/time_in_state": "300000 12\n1800000 34\n",
    }.items():
        file = sys_ / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return sys_.parent


def test_sensors_are_read_between_invocations(model, tmp_path):
    words = ("--model", model, "--sysfs-root", phone(tmp_path), "--sensors", 0.05)
    code, document, _ = run_native(*words, "--sustained", 1)
    run = from_json(Run, document, ignore_unknown=True)
    assert code == 0
    assert 5 <= len(run.windows) <= 20
    indexes = [window.index for window in run.windows]
    assert indexes == sorted(set(indexes))
    assert 0 < indexes[0] < indexes[-1] < len(run.latencies_us)
    for window in run.windows:
        before = sum(run.latencies_us[: window.index])
        assert before <= window.at_us <= 1.1e6
    assert {window.conditions for window in map(hashable, run.windows)} == {
        hashable(run.windows[0]).conditions
    }
    seen = run.windows[0].conditions
    assert (seen.temperature_c, seen.battery_ua, seen.plugged) == (41.5, -250000, False)
    assert seen.frequencies_khz == {"0": 1800000}
    assert seen.time_in_state == {"0": {"300000": 12, "1800000": 34}}
    assert document["conditions"]["after"]["temperature_c"] == 41.5
    assert document["unread"]["conditions"].startswith("simulated")


def hashable(window):
    return dataclasses.replace(window, conditions=json.dumps(to_json(window.conditions)))


def test_a_short_run_with_sensors_has_no_windows(model, tmp_path):
    _, document, _ = run_native("--model", model, "--sysfs-root", phone(tmp_path), *ONCE)
    assert document["windows"] == []
    assert "windows" not in document["unread"]


def test_without_sensors_or_where_there_are_none_it_is_said(model, tmp_path):
    (tmp_path / "bare").mkdir()
    words = ("--model", model, "--sysfs-root")
    _, document, _ = run_native(*words, tmp_path / "bare", *ONCE)
    assert document["windows"] is None
    assert document["unread"]["windows"] == "no sensor is readable here"
    _, document, _ = run_native(*words, phone(tmp_path), "--sensors", "off", *ONCE)
    assert document["windows"] is None
    assert document["unread"]["windows"] == "--sensors off was asked for"


@pytest.mark.parametrize(
    "windows",
    [[(3, 1.0)], [(1, 2.0), (0, 3.0)], [(0, 2.0), (1, 1.0)], [(-1, 1.0)], [(1, -1.0)]],
)
def test_windows_that_do_not_lie_between_invocations_are_refused(windows):
    made = tuple(Window(index=i, at_us=us, conditions=Conditions()) for i, us in windows)
    run = run_of([10.0, 10.0], windows=made)
    config = RunConfig(num_threads=2, num_runs=2)
    start = Start(model="x", model_sha256=run.model_sha256, config=config)
    must_fit(replace(run, windows=()), start, "phone", {})
    with pytest.raises(RunnerError, match="the order of windows"):
        must_fit(run, start, "phone", {})


# --- long and paced runs --------------------------------------------------------------------------


def test_a_sustained_run_lasts_as_long_as_was_asked_for(device, model):
    config = replace(QUICK, sustained_s=1.0, num_runs=7, max_secs=0.1)
    start = Start(model=str(model), model_sha256=sha256(model.read_bytes()), config=config)
    run = native().start(device, start, timeout_s=60)
    assert run.error is None
    assert len(run.latencies_us) > 7
    assert 0.5e6 < sum(run.latencies_us) < 1.1e6


def test_more_invocations_than_can_be_brought_back_are_an_error_at_once(model):
    code, document, _ = run_native("--model", model, "--sustained", 86_400)
    assert code == EXIT_ERROR
    assert "more than 2000000 measured invocations cannot be kept" in document["error"]
    assert document["latencies_us"] == []


def test_missed_deadlines_come_back(device, model):
    config = replace(QUICK, paced_fps=200.0, num_runs=10)
    start = Start(model=str(model), model_sha256=sha256(model.read_bytes()), config=config)
    run = native().start(device, start, timeout_s=60)
    assert run.paced.fps == 200
    assert 0 <= run.paced.missed_deadlines <= 10


@pytest.mark.parametrize(
    ("config", "more_s"),
    [
        (RunConfig(), 0),
        (RunConfig(max_secs=10), 0),
        (RunConfig(max_secs=450), 300),
        (RunConfig(sustained_s=1800), 1650),
    ],
)
def test_a_long_start_has_a_longer_limit(device, config, more_s):
    bench = Bench(device=device, info=None, runner=None, runtime=None, timeout_s=20)
    assert bench.start_timeout_s(config) == 20 + more_s


# --- a load beside it -----------------------------------------------------------------------------


def test_a_load_runs_beside_the_measured_model(model, other):
    words = ("--model", model, "--load", other, "--min-secs", 0.2)
    code, document, _ = run_native(*words, "--num-threads", 1)
    run = from_json(Run, document, ignore_unknown=True)
    assert code == 0
    assert run.load.sha256 == sha256(tiny_float())
    assert run.load.invocations > 10
    assert 0 < run.load.median_us < 1e5
    assert run.threads == 1  # the load's has ended
    _, alone, _ = run_native("--model", model, *ONCE)
    assert alone["output_sha256"] == document["output_sha256"]
    assert "load" not in alone


def test_a_model_may_be_its_own_load(model):
    _, document, _ = run_native("--model", model, "--load", model, *ONCE)
    assert document["error"] is None
    assert document["load"]["invocations"] >= 1


def test_a_load_that_cannot_run_is_the_runs_error(model, tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(tiny_float()[:900])
    code, document, _ = run_native("--model", model, "--load", bad, *ONCE)
    assert code == EXIT_ERROR
    assert document["error"].startswith("the load: ")
    assert "truncated or damaged" in document["error"]
    assert "load" not in document


def test_the_harness_brings_the_load_and_names_it_in_the_cell(device, model, other, tmp_path):
    jobs = [job_of(model), job_of(model, load=other)]
    alone, beside = measure(
        jobs,
        device,
        native(),
        tmp_path / "results",
        seed=0,
        command="x",
        kit=Kit(version="0", commit=None),
        progress=silent,
    )
    assert alone.cell != beside.cell
    assert alone.config.load_sha256 is alone.runs[0].load is None
    assert beside.config.load_sha256 == beside.runs[0].load.sha256 == sha256(tiny_float())
    assert beside.output_check.passed


@pytest.mark.parametrize("named", [True, False])
def test_a_load_that_is_not_the_one_of_the_settings_is_refused(device, model, other, named):
    job = job_of(model, load=other)
    wrong = replace(job, load=model if named else None)
    with pytest.raises(UsageError, match=r"the model that runs beside it .* is not the one"):
        profile([wrong], device, native(), model.parent, progress=silent)


# --- profiles -------------------------------------------------------------------------------------


def branches():
    """Two branches of one input, each with a node that XNNPACK does not take, that are added."""
    net, shape = Network(), (1, 16, 16, 8)
    image, left, left_end, right, right_end, out = (net.tensor(name, shape) for name in "iabcdo")
    net.operator("ABS", [image], [left])
    net.operator("SIGN", [left], [left_end])
    net.operator("NEG", [image], [right])
    net.operator("SIGN", [right], [right_end])
    net.operator("ADD", [left_end, right_end], [out], schema.AddOptionsT())
    return net.finish([image], [out])


def loop():
    """Counts to three in a WHILE."""
    net = Network()
    x, y = net.tensor("x", (1,)), net.tensor("y", (1,))
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    net.operator("WHILE", [x], [y], options)
    net.graph.inputs, net.graph.outputs = [x], [y]
    for name, dtype, operator, value in (("c", "bool", "LESS", 3.0), ("b", "float32", "ADD", 1.0)):
        net.subgraph()
        x, y = net.tensor(f"{name}x", (1,)), net.tensor(f"{name}y", (1,), dtype)
        constant = net.tensor(f"{name}k", (1,), data=np.array([value], np.float32))
        net.operator(operator, [x, constant], [y], getattr(schema, f"{operator.title()}OptionsT")())
        net.graph.inputs, net.graph.outputs = [x], [y]
    return pack(net.model)


def rows_of(content, tmp_path, *more):
    path = tmp_path / "profiled.tflite"
    path.write_bytes(content)
    words = ("--model", path, "--profile", "--warmup-runs", 3, "--num-runs", 8, *more)
    code, document, _ = run_native(*words)
    assert code == 0, document["error"]
    run = from_json(Run, document, ignore_unknown=True)
    total = sum(row.us for row in run.profile)
    assert 0 <= total <= sum(run.latencies_us) / len(run.latencies_us)
    assert len(run.latencies_us) == 8
    return [(row.node, row.op, row.delegate, row.partition) for row in run.profile]


def test_a_profile_names_delegates_operators_and_nodes(tmp_path):
    rows = rows_of(tiny_int8(island="SIGN"), tmp_path)
    assert (2, "SIGN", None, None) in rows
    names = [op for _, op, _, _ in rows]
    assert "Convolution (NHWC, QC8) IGEMM" in names  # XNNPACK's, with its commas and spaces
    assert "Fully Connected (NC, QS8, QC8W) GEMM" in names
    assert [row[0] for row in rows if row[3] == 0] == [0, 1]
    assert [row[0] for row in rows if row[3] == 1] == [0, 1, 2, 3]


def test_a_profile_of_two_branches_has_each_operator_once(tmp_path):
    rows = rows_of(branches(), tmp_path)
    assert sorted(op for _, op, _, _ in rows) == [
        *("Abs (NC)", "Add (ND)", "Negate (NC)", "SIGN", "SIGN"),
    ]
    assert {row[3] for row in rows} == {None, 0, 1}
    assert {node for node, op, _, _ in rows if op == "SIGN"} == {1, 3}


def test_a_profile_without_a_delegate_has_the_files_nodes(tmp_path):
    rows = rows_of(branches(), tmp_path, "--delegate", "none")
    assert [(node, op) for node, op, _, _ in rows] == [
        *((0, "ABS"), (1, "SIGN"), (2, "NEG"), (3, "SIGN"), (4, "ADD")),
    ]


def test_a_loop_is_one_operator_of_a_profile(tmp_path):
    assert rows_of(loop(), tmp_path) == [(0, "WHILE", None, None)]


def test_a_profile_is_stored_beside_the_measurements_and_found_again(device, model, tmp_path):
    results, told = tmp_path / "results", []

    def note(done, total, text):
        told.append(text)

    (run,) = profile([job_of(model)], device, native(), results, progress=note)
    assert run.profile
    assert len(run.latencies_us) == QUICK.num_runs
    (path,) = (results / "profiles").iterdir()
    assert from_json(Run, json.loads(path.read_text())) == run
    assert list(results.iterdir()) == [results / "profiles"]  # no measurement
    assert told == ["tiny static_wi8_ai8, 1 thread: timing its operators"]
    assert profile([job_of(model)], device, native(), results, progress=note) == [run]
    assert len(told) == 1
    (other,) = profile([job_of(model)], device, native(), results, progress=note, again=True)
    assert other.started != run.started
    path.write_text(json.dumps({**to_json(run), "profile": None}))
    with pytest.raises(StorageError, match="no profile of this file"):
        profile([job_of(model)], device, native(), results, progress=note)
    path.write_text("{}")
    with pytest.raises(StorageError, match="no profile that can be read"):
        profile([job_of(model)], device, native(), results, progress=note)
    assert path == profile_path(results, path.stem)


def test_the_screen_of_a_phone_stays_on_while_it_is_profiled(model, tmp_path):
    fake, seen = FakePhone(tmp_path), []

    def look(words):
        if is_start(words):
            seen.append(fake.read(STAYS_ON))

    fake.before_shell = look
    (run,) = profile([job_of(model)], fake, native(), tmp_path / "results", progress=silent)
    assert run.profile
    assert (seen, fake.read(STAYS_ON)) == (["7"], None)


def test_a_file_that_cannot_be_profiled_is_a_runner_error(device, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(RunnerError, match=r"cannot be profiled: the model is no \.tflite file"):
        profile([job_of(path)], device, native(), tmp_path / "results", progress=silent)
    assert not (tmp_path / "results").exists()


# --- what a runner cannot do ----------------------------------------------------------------------

ASKED = {
    "paced": RunConfig(paced_fps=30.0),
    "sustained": RunConfig(sustained_s=60.0),
    "load": RunConfig(load_sha256="ab" * 32),
    "profile": RunConfig(),
}


@pytest.mark.parametrize("mode", [*MODES, PROFILE])
def test_a_mode_that_a_runner_does_not_have_is_refused_with_one_that_has_it(mode):
    check_modes("native", ASKED[mode], profile=mode == PROFILE)
    check_modes("litert_python", RunConfig())
    with pytest.raises(UsageError) as caught:
        check_modes("litert_python", ASKED[mode], profile=mode == PROFILE)
    assert str(caught.value) == (
        f"Runner litert_python cannot do --{mode}; measure with --runner native."
    )


def test_every_mode_of_a_runner_is_one_that_can_be_asked_for():
    for runner in RUNNERS.values():
        assert runner.modes <= {*MODES, PROFILE}


def test_a_long_run_is_not_profiled():
    with pytest.raises(UsageError, match="do not go together"):
        check_modes("native", ASKED["sustained"], profile=True)


def test_the_harness_refuses_before_anything_is_started(device, model, tmp_path):
    config = replace(QUICK, paced_fps=30.0)
    with pytest.raises(UsageError, match="cannot do --paced"):
        measure(
            [job_of(model, config)],
            device,
            open_runner("litert_python"),
            tmp_path / "results",
            seed=0,
            command="x",
            kit=Kit(version="0", commit=None),
            progress=silent,
        )
    assert not (tmp_path / "results").exists()


# --- the command line -----------------------------------------------------------------------------


def benchmark(*words):
    done = subprocess.run(
        [sys.executable, "-m", "mobilekit", "benchmark", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def with_native(model, tmp_path):
    words = [model, "--runner", "native", "--runner-binary", build_runner()]
    return [*words, "--out", tmp_path / "results", "--warmup-runs", 0, "--min-secs", 0]


def test_the_command_line_prints_a_profile_beside_what_was_measured(model, other, tmp_path):
    words = [*with_native(model, tmp_path), "--num-runs", 5, "--repetitions", 1, "--profile"]
    words += ["--load", other, "--paced", 100]
    code, out, err = benchmark(*words)
    assert code == 0, err
    assert "Convolution (NHWC, QC8) IGEMM" in out
    said = " ".join(out.split())
    assert "at 100 frames a second, " in said
    assert "of 5 missed their deadline" in said
    assert "belong to no operator; profiling made the run" in said
    assert f"the model beside it ({sha256(tiny_float())[:8]}) was invoked" in said
    code, out, _ = benchmark(*words, "--json")
    document = json.loads(out)
    (measurement,), (run,) = document["measurements"], document["profiles"]
    assert run["profile"]
    assert measurement["runs"][0]["profile"] is None
    assert f"--paced 100.0 --load {other} --profile --runner native" in measurement["command"]


def test_the_command_line_says_which_init_found_the_weight_cache_filled(model, tmp_path):
    words = [*with_native(model, tmp_path), "--num-runs", 3, "--repetitions", 2]
    code, out, err = benchmark(*words, "--option", "weight_cache=true")
    assert code == 0, err
    said = " ".join(out.split())
    assert re.search(r"net: init cold \S+ ms \(1 start\), warm \S+ ms \(1 start\)\.", said)


def test_the_command_line_prints_the_curve_of_one_long_run(model, tmp_path):
    code, out, err = benchmark(*with_native(model, tmp_path), "--sustained", "1s")
    assert code == 0, err
    assert "net, 1 thread over time" in out
    said = " ".join(out.split())
    assert re.search(r"in the last quarter of (1|1\.0\d|0\.\d+) s \(", said)
    assert "too few runs" not in said
    (line,) = (tmp_path / "results" / "runs").glob("*.jsonl")
    assert line.read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--load", "net.tflite", "--profile"], "cannot do --load and --profile; measure with"),
        (["--sustained", "5m"], "cannot do --sustained"),
        (["--sustained", "soon"], "'soon' is no time; write 45, 90s, 30m or 1h"),
        (["--runner", "native", "--sustained", "5m", "--paced", "3"], "either paced or sustained"),
        (["--runner", "native", "--sustained", "5m", "--profile"], "do not go together"),
    ],
)
def test_what_cannot_be_is_refused_by_the_command_line(words, said):
    code, out, err = benchmark("net.tflite", *words)
    assert code == 2
    assert said in err
    assert out == ""


def test_a_load_that_is_no_model_is_refused_before_anything_is_measured(model, tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no model")
    code, _, err = benchmark(*with_native(model, tmp_path), "--load", bad)
    assert code == 3
    assert "bad.tflite" in err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("45", 45), ("90s", 90), ("30m", 1800), ("1.5h", 5400), ("0.5m", 30)]
)
def test_times_are_read_with_their_units(text, seconds):
    from mobilekit.cli.modes import duration

    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.25, "0.25 s"), (45, "45 s"), (270, "4 min 30 s"), (1800, "30 min"), (7500, "2 h 5 min")],
)
def test_times_are_shown_with_their_units(seconds, shown):
    from mobilekit.cli.modes import clock

    assert clock(seconds) == shown


def test_the_inputs_of_both_models_are_apart(model, tmp_path):
    stack = tmp_path / "x.npy"
    np.save(stack, np.ones((2, *IMAGE), np.int8))
    words = ("--model", model, "--input", stack, "--load", model)
    code, document, _ = run_native(*words, *ONCE)
    assert code == 0
    assert document["inputs"]["source"] == "file"
