"""The drivers of Google's benchmark tools: what they ask for, refuse and record."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.runners import RUNNERS, Start, open_runner
from android_bench.runners.op_profile import parse_profile_text
from android_bench.runners.tool_table import TOOLS
from mobilekit.compare import compare_measurements
from mobilekit.core.errors import DeviceTimeoutError, RunnerError, UsageError
from mobilekit.core.measurement import (
    UNCHECKED_OUTPUTS,
    Kit,
    OutputCheck,
    RunConfig,
    Validity,
)
from mobilekit.core.target import DELEGATES
from mobilekit.report import Results, rows, terminal_table
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.benchmark_files import result_file, written_by_google
from tests.benchmark_texts import GOLDEN, LITERT, TEXT, VERY_OLD, fake_tool, flags_of
from tests.sample_results import RUN, file_model
from tests.simulated_device.phone import Phone

CONFIG = RunConfig(num_threads=2, warmup_runs=10, num_runs=50, repetitions=6)
NAMES = list(TOOLS)
TEXTS = {"benchmark_model": TEXT, "benchmark_litert_model": LITERT}


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def device(tmp_path):
    return HostDevice(workspace=tmp_path / "work")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"a file that no fake reads")
    return path


def start_of(path, config=CONFIG, **more):
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Start(model=str(path), model_sha256=sha256, config=config, **more)


@pytest.fixture
def tool(tmp_path):
    """Makes a runner whose program prints a text; `flags` is of its starts."""

    def made(name="benchmark_model", text=None, body=""):
        binary = fake_tool(tmp_path / name, TEXTS[name] if text is None else text, body)
        runner = open_runner(name, binary=binary)
        runner.flags = lambda: flags_of(binary)
        return runner

    return made


# --- one start ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_start_becomes_a_run_with_a_summary_and_the_reason_of_every_gap(
    name, device, model, tool
):
    run = tool(name).start(device, start_of(model), timeout_s=20)
    assert run.error is None
    assert run.runner.name in RUNNERS
    assert (run.summary.count, run.summary.avg_us) == (50, 12_100.5)
    assert (run.summary.min_us, run.summary.max_us, run.summary.std_us) == (11_900, 13_000, 150)
    assert run.summary.median_us == (None if name == "benchmark_model" else 12_050)
    assert run.statistic == ("mean" if name == "benchmark_model" else "median")
    assert run.typical_us == (12_100.5 if name == "benchmark_model" else 12_050)
    assert run.invocations == 50
    assert run.init_us == pytest.approx(12_345, abs=6)
    assert run.first_us == pytest.approx(28_148, abs=6)
    assert run.latencies_us == run.warmup_us == run.output_sha256 == ()
    for field in ("latencies_us", "write_input_us", "output_sha256", "memory", "conditions"):
        assert name in run.unread[field]


def test_no_median_is_made_of_a_mean(device, model, tool):
    run = tool().start(device, start_of(model), timeout_s=20)
    with pytest.raises(ValueError, match="has a mean and no median"):
        _ = run.median_us


@pytest.mark.parametrize(
    ("name", "config", "more"),
    [
        ("benchmark_model", CONFIG, {"use_xnnpack": "true"}),
        ("benchmark_model", replace(CONFIG, delegate="nnapi@30"), {"use_nnapi": "true"}),
        ("benchmark_model", replace(CONFIG, delegate="gpu"), {"use_gpu": "true"}),
        ("benchmark_model", replace(CONFIG, delegate="hexagon"), {"use_hexagon": "true"}),
        (
            "benchmark_model",
            replace(CONFIG, delegate="gpu", require_delegate=True),
            {"use_gpu": "true", "require_full_delegation": "true"},
        ),
        ("benchmark_model", replace(CONFIG, warmup_runs=0), {"use_xnnpack": "true"}),
        ("benchmark_litert_model", CONFIG, {"use_cpu": "true"}),
        (
            "benchmark_litert_model",
            replace(CONFIG, delegate="gpu-mldrift", require_delegate=True),
            {"use_gpu": "true", "use_cpu": "false", "require_full_delegation": "true"},
        ),
    ],
)
def test_the_flags_ask_for_what_the_settings_say(device, model, tool, name, config, more):
    runner = tool(name)
    runner.start(device, start_of(model, config), timeout_s=20)
    (flags,) = runner.flags()
    assert ("result_file_path" in flags) is (name == "benchmark_litert_model")
    flags.pop("result_file_path", None)
    warm = config.warmup_runs > 0
    assert flags == {
        "graph": str(model),
        "num_threads": "2",
        "warmup_runs": str(config.warmup_runs + 1),
        "warmup_min_secs": "0.5" if warm else "0.0",
        "num_runs": "50",
        "min_secs": "1.0",
        "max_secs": "150.0",
        **more,
    }


def test_every_delegate_of_a_tool_is_one_that_the_table_gives_it():
    for tool in TOOLS.values():
        given = {row.name for row in DELEGATES.values() if tool.name in row.measured_by}
        assert set(tool.delegates) == given


NNAPI = replace(CONFIG, delegate="nnapi")
REPLACED = (
    "INFO: Replacing 64 out of 66 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 3"
)
SAID = {
    "completely": "INFO: Explicitly applied NNAPI delegate, and the model graph will be completely"
    " executed by the delegate.",
    "partially": "INFO: Explicitly applied NNAPI delegate, and the model graph will be partially"
    " executed by the delegate w/ 2 delegate kernels.",
    "not": "INFO: Though NNAPI delegate is explicitly applied, the model graph will not be executed"
    " by the delegate.",
    "counted": f"{REPLACED} partitions for subgraph 0.",
    "nothing": "",
}


@pytest.mark.parametrize(
    ("said", "actual"),
    [
        ("completely", ("nnapi", None, None, None)),
        ("partially", ("nnapi", None, None, 2)),
        ("not", ("none", 0, None, 0)),
        ("counted", ("nnapi", 64, 66, 3)),
        ("nothing", (None, None, None, None)),
    ],
)
def test_what_became_of_the_delegate_is_recorded(device, model, tool, said, actual):
    run = tool(text=f"{SAID[said]}\n{TEXT}").start(device, start_of(model, NNAPI), timeout_s=20)
    found = run.actual
    assert (
        found.delegate,
        found.nodes_delegated,
        found.nodes_total,
        found.partitions,
    ) == actual
    assert ("actual.delegate" in run.unread) is (said == "nothing")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit('no such model')", "exited 1: no such model"),
        ("text = 'INFO: STARTING!'", "measured nothing"),
        ("text += 'WARN: Unconsumed cmdline flags: --num_thread=2'", "ignored --num_thread=2"),
        ("text = text.replace('Num threads: [2]', 'Num threads: [4]')", "Num threads is '4'"),
        ("text = text.replace('Graph: [', 'Graph: [other')", "ran another start: Graph is"),
        ("text = text.replace('count=50', 'count=49')", "made 49 invocations where 50"),
        ("text = text.replace('min=11900', 'min=12900')", "lie between its least and its largest"),
        (f"text = {VERY_OLD!r}", "this build is too old"),
        ("text = text[: text.index('INFO: Inference timings')]", "was cut short"),
        ("text = text.replace('avg=12100.5', 'median=3')", "printed no mean"),
    ],
)
def test_a_start_that_did_not_do_what_was_asked_is_an_error(device, model, tool, body, problem):
    with pytest.raises(RunnerError, match=problem) as caught:
        tool(body=body).start(device, start_of(model), timeout_s=20)
    assert str(caught.value).startswith("host: ")
    assert "\n" not in str(caught.value)


def test_fewer_invocations_are_right_where_the_time_was_over(device, model, tool):
    config = replace(CONFIG, num_runs=1000, max_secs=1.0)
    run = tool().start(device, start_of(model, config), timeout_s=20)
    assert run.summary.count == 50


def test_a_program_that_hangs_is_a_timeout(device, model, tool):
    with pytest.raises(DeviceTimeoutError):
        tool(body="time.sleep(60)").start(device, start_of(model), timeout_s=0.5)


WRITES = "Path(flags['result_file_path']).write_bytes({content!r})"


def test_a_text_without_summary_is_completed_by_the_result_file(device, model, tool):
    content = result_file(avg=12.1005)
    text = LITERT.partition("INFO: [./litert/tools/benchmark")[0]
    runner = tool("benchmark_litert_model", text, WRITES.format(content=content))
    run = runner.start(device, start_of(model), timeout_s=20)
    assert (run.summary.avg_us, run.summary.median_us) == (12_100.5, 12_050)
    assert (run.init_us, run.first_us) == (12_250, 28_125)
    assert list((Path(device.workspace) / "results").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (result_file(avg=12.5), "contradicts itself"),
        (result_file(avg=12.1005, count=51), "counted 50 and 51"),
        (result_file(avg=12.1005)[:-2], "its result file cannot be read: it is cut short"),
    ],
)
def test_a_result_file_of_something_else_is_an_error(device, model, tool, content, problem):
    runner = tool("benchmark_litert_model", LITERT, WRITES.format(content=content))
    with pytest.raises(RunnerError, match=problem):
        runner.start(device, start_of(model), timeout_s=20)


def test_a_build_that_knows_no_result_file_is_read_by_its_text(device, model, tool):
    body = "text += '\\nWARN: Unconsumed cmdline flags: --result_file_path=x'"
    run = tool("benchmark_litert_model", LITERT, body).start(device, start_of(model), timeout_s=20)
    assert run.summary.count == 50


# --- profiles -------------------------------------------------------------------------------------

TABLES = (GOLDEN / "documented-profile_tabs.txt").read_text()
PROFILES = {
    "proto": written_by_google(),
    "csv": (GOLDEN / "documented-profile.csv").read_bytes(),
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("benchmark_model", None),
        ("benchmark_model", "csv"),
        ("benchmark_model", "stdout"),
        ("benchmark_litert_model", None),
    ],
)
def test_a_profile_comes_from_a_start_of_its_own_in_every_mode(device, model, tool, name, mode):
    body = f"""
if "op_profiling_output_file" in flags:
    content = {PROFILES!r}[flags["op_profiling_output_mode"]]
    Path(flags["op_profiling_output_file"]).write_bytes(content)
else:
    text += {TABLES!r}
"""
    runner = tool(name, body=body)
    found = runner.profile(device, start_of(model), timeout_s=20, mode=mode)
    assert found == parse_profile_text(TABLES)
    (flags,) = runner.flags()
    switch = "use_profiler" if name == "benchmark_litert_model" else "enable_op_profiling"
    assert flags[switch] == "true"
    left = Path(device.workspace) / "results"
    assert not left.exists() or list(left.iterdir()) == []


def test_a_start_without_a_profile_is_an_error_and_so_is_a_mode_that_a_tool_lacks(
    device, model, tool
):
    with pytest.raises(RunnerError, match="host: benchmark_model printed no profile"):
        tool().profile(device, start_of(model), timeout_s=20)
    with pytest.raises(RunnerError, match="host: benchmark_model exited 3"):
        tool(body="code = 3").profile(device, start_of(model), timeout_s=20)
    runner = tool("benchmark_litert_model")
    with pytest.raises(UsageError, match="gives no profile as 'csv'; it gives stdout"):
        runner.profile(device, start_of(model), timeout_s=20, mode="csv")


# --- what is refused ------------------------------------------------------------------------------


def test_what_a_tool_does_not_take_is_refused(device, model, tool, tmp_path):
    with pytest.raises(UsageError, match="needs no Python"):
        open_runner("benchmark_model", python=Path("python3"))
    start = start_of(model, replace(CONFIG, require_delegate=True))
    with pytest.raises(UsageError, match="cannot require xnnpack"):
        tool("benchmark_litert_model").start(device, start, timeout_s=20)
    required = jobs([model], start.config)
    with pytest.raises(UsageError, match="cannot require xnnpack"):
        measured(required, device, tool("benchmark_litert_model"), tmp_path / "results")
    assert not Path(f"{tmp_path / 'benchmark_litert_model'}.log").exists()  # nothing was started
    with pytest.raises(RunnerError, match="gives no outputs"):
        tool().start(device, start_of(model, outputs="/x"), timeout_s=20)


def test_a_program_for_other_processors_is_refused_before_it_starts(device, tmp_path):
    other = bytearray(Path(os.path.realpath("/bin/sh")).read_bytes()[:64])
    other[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    (tmp_path / "benchmark_model").write_bytes(other)
    runner = open_runner("benchmark_model", binary=tmp_path / "benchmark_model")
    with pytest.raises(RunnerError, match="benchmark_model is for riscv64"):
        runner.runtime(device)


# --- with the harness -----------------------------------------------------------------------------


def jobs(models, *configs):
    made = []
    for path in models:
        measured = file_model(path, "float32")
        made += [Job(path=path, model=measured, config=config) for config in configs]
    return made


def measured(found, device, runner, results):
    return measure(
        found,
        device,
        runner,
        results,
        seed=0,
        command="x",
        kit=Kit(version="0", commit=None),
        progress=lambda done, total, text: None,
        timeout_s=20.0,
    )


def test_a_measurement_is_suspect_says_why_and_is_reused(device, model, tool, tmp_path):
    runner = tool()
    (found,) = measured(jobs([model], CONFIG), device, runner, tmp_path / "results")
    assert found.output_check is None
    assert found.validity.status is Validity.SUSPECT
    assert "no raw samples: the mean over its invocations stands for the median" in (
        found.validity.reasons
    )
    assert UNCHECKED_OUTPUTS in found.validity.reasons
    assert found.median_us == 12_100.5
    assert len(runner.flags()) == 6
    measured(jobs([model], CONFIG), device, runner, tmp_path / "results")
    assert len(runner.flags()) == 6  # nothing was started anew


def test_it_is_a_median_where_the_tool_prints_one(device, model, tool, tmp_path):
    runner = tool("benchmark_litert_model")
    (found,) = measured(jobs([model], CONFIG), device, runner, tmp_path / "results")
    assert "no raw samples: the median is the one that the runner printed" in (
        found.validity.reasons
    )


def test_a_delegate_and_its_cpu_are_compared_by_their_means(device, model, tool, tmp_path):
    faster = "if 'use_nnapi' in flags: text = text.replace('12100.5', '11950.5')"
    runner = tool(text=f"{SAID['partially']}\n{TEXT}", body=faster)
    cpu, nnapi = measured(jobs([model], CONFIG, NNAPI), device, runner, tmp_path / "results")
    found = compare_measurements(cpu, nnapi)
    assert found.varied.field == "delegate"
    assert found.latency_ratio == pytest.approx(11_950.5 / 12_100.5)
    assert any("the mean over its invocations stands for" in text for text in found.warnings)
    assert any("took a part of this file in 2 partitions" in text for text in found.warnings)


def test_a_fallback_is_said_first_of_all_numbers(device, model, tool, tmp_path):
    runner = tool(text=f"{SAID['not']}\n{TEXT}")
    (found,) = measured(jobs([model], NNAPI), device, runner, tmp_path / "results")
    assert any(
        "took no node of this file, so these are the times of the CPU" in reason
        for reason in found.validity.reasons
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("affinity", "big"),
        ("shapes", {"image": "1,8,8,3"}),
        ("options", {"fp16": "true"}),
        ("paced_fps", 30.0),
        ("sustained_s", 60.0),
        ("load_sha256", "0" * 64),
        ("input_range", (0, 5)),
        ("signature", "encode"),
    ],
)
def test_a_setting_that_a_tool_does_not_know_is_refused(
    device, model, tool, tmp_path, setting, value
):
    runner = tool()
    found = jobs([model], replace(CONFIG, **{setting: value}))
    with pytest.raises(UsageError, match=r"does not know|cannot apply|cannot do"):
        measured(found, device, runner, tmp_path / "results")
    assert not Path(f"{tmp_path / 'benchmark_model'}.log").exists()  # nothing was started


def test_a_report_says_that_means_stand_in_it(device, model, tool, tmp_path):
    found = measured(jobs([model], CONFIG), device, tool(), tmp_path / "results")
    table = rows(Results(measurements=tuple(found), accuracies={}, models={}))
    assert table[0].headline == "median over runs of the run means"
    assert table[0].reasons.count(UNCHECKED_OUTPUTS) == 1
    assert not any("not checked where it was" in reason for reason in table[0].reasons)
    assert terminal_table(table).rows


@pytest.mark.parametrize("passed", [True, False])
def test_a_check_by_our_runner_on_the_same_device_and_file_stands(
    device, model, tool, tmp_path, passed
):
    from android_bench.results import seal

    runner, results = tool(), tmp_path / "results"
    (unchecked,) = measured(jobs([model], CONFIG), device, runner, results)
    check = OutputCheck(against="ab", how="a rule", passed=passed, detail="as seen")
    ours = replace(RUN, runner=replace(RUN.runner, name="native"), model_sha256="0" * 64)
    checked = replace(unchecked, cell="1" * 16, output_check=check, runs=(ours,) * passed)
    seal(results, checked)
    for path in results.glob("*.json"):
        if path.stem == unchecked.cell:
            path.unlink()
    (found,) = measured(jobs([model], CONFIG), device, runner, results)
    assert found.output_check.passed is passed
    assert "not in these starts" in found.output_check.how
    assert UNCHECKED_OUTPUTS not in found.validity.reasons
    status = Validity.SUSPECT if passed else Validity.INVALID
    assert found.validity.status is status


# --- on a simulated phone -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_tool_is_brought_to_a_phone_and_runs_there(name, model, tool, tmp_path):
    content = result_file(avg=12.1005)
    body = WRITES.format(content=content) if name == "benchmark_litert_model" else ""
    (tmp_path / "server").mkdir()
    with adb_server(modern_adb(), tmp_path / "server") as adb, simulated(adb, Phone()) as phone:
        runner = tool(name, body=body)
        (found,) = measured(
            jobs([model], replace(CONFIG, repetitions=2, cooling="none")),
            phone,
            runner,
            tmp_path / "results",
        )
    assert found.device.simulated
    assert {run.context for run in found.runs} == {"shell"}
    assert {run.summary.count for run in found.runs} == {50}
    assert all(flags["graph"].endswith(f"{found.model.sha256}.tflite") for flags in runner.flags())


def test_every_golden_text_is_read_by_a_test():
    texts = "".join(
        path.read_text()
        for path in Path(__file__).parent.glob("*.py")
        if "tool" in path.name or path.name == "benchmark_texts.py"
    )
    assert all(path.name in texts for path in GOLDEN.iterdir())
