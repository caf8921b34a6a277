"""What Google's benchmark_model printed, read in all its styles."""

import sys

import pytest

from android_bench.devices.host import HostDevice
from android_bench.runners.benchmark_model import (
    Delegated,
    parse_benchmark_model,
    run_benchmark_model,
)
from mobilekit.core.errors import DeviceTimeoutError, RunnerError

# Recorded: lines that builds of several years printed, put together into whole outputs. Nothing of
# this was measured by us.
RECORDED = """\
INFO: STARTING!
INFO: Graph: [net.tflite]
INFO: Initialized session in 12.345ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if \
exceeding 150 seconds.
INFO: count=32 first=28148 curr=12040 min=11990 max=28148 avg=15874.6 std=3000

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if \
exceeding 150 seconds.
INFO: count=50 first=12345 curr=12001 min=11900 max=13000 avg=12100.5 std=150

INFO: Inference timings in us: Init: 12345, First inference: 28148, Warmup (avg): 15874.6, \
Inference (avg): 12228.4
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only \
APPROXIMATE to the actual memory footprint of the model at runtime. Take the information at your \
discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=4.5 overall=9.25
INFO: Overall peak memory footprint (MB) via periodic monitoring: 12.3
"""
PLAIN = RECORDED.replace("INFO: ", "")
THREADTIME = "\n".join(
    f"05-30 15:16:46.365  3380  3380 I tflite  : {line}" for line in PLAIN.splitlines()
)
TIME = "\n".join(f"07-08 15:34:26.202 I/tflite  ( 5395): {line}" for line in PLAIN.splitlines())
LOGCAT_AND_LOGGER = "\n".join(
    f"05-30 15:16:46.365  3380  3380 I tflite  : {line}" for line in RECORDED.splitlines()
)
# Recorded from a very old build: no logger, other words in the last line.
VERY_OLD = """\
STARTING!
count=75 first=12840 curr=11853 min=11787 max=13649 avg=12167.6 std=325
Average inference timings in us: Warmup: 27917.4, Init: 21528106, no stats: 23313.5
"""


@pytest.mark.parametrize(
    "text",
    [RECORDED, PLAIN, THREADTIME, TIME, LOGCAT_AND_LOGGER, RECORDED.replace("\n", "\r\n")],
    ids=["logger", "plain", "threadtime", "time", "logcat_and_logger", "carriage_returns"],
)
def test_every_style_says_the_same(text):
    result = parse_benchmark_model(text)
    assert (result.warmup.count, result.warmup.first_us) == (32, 28148)
    measured = result.measured
    assert (measured.count, measured.first_us, measured.curr_us) == (50, 12345, 12001)
    assert (measured.min_us, measured.max_us) == (11900, 13000)
    assert (measured.avg_us, measured.std_us, measured.quantiles_us) == (12100.5, 150, {})
    assert (result.init_us, result.first_us) == (12345, 28148)
    assert (result.warmup_avg_us, result.inference_avg_us) == (15874.6, 12228.4)
    assert result.init_bytes == 4.5 * 1024 * 1024
    assert result.overall_bytes == 9.25 * 1024 * 1024
    assert result.peak_bytes == round(12.3 * 1024 * 1024)
    assert result.delegated is None
    assert result.unknown_flags == ()


def test_it_is_said_that_there_are_no_raw_latencies():
    assert parse_benchmark_model(RECORDED).unread == {
        "latencies_us": "benchmark_model prints statistics and no raw latencies"
    }


def test_a_very_old_build_is_read():
    result = parse_benchmark_model(VERY_OLD)
    assert result.warmup is None
    assert result.measured.count == 75
    assert (result.init_us, result.warmup_avg_us) == (21528106, 27917.4)
    assert result.inference_avg_us == 23313.5
    assert result.first_us is result.init_bytes is result.peak_bytes is None


def test_quantiles_of_newer_builds_keep_their_names():
    line = "count=10 first=5 curr=5 min=4 max=9 avg=2.71985e+06 std=1 p5=4 median=5 p95=9"
    measured = parse_benchmark_model(f"INFO: {line}").measured
    assert measured.quantiles_us == {"p5": 4, "median": 5, "p95": 9}
    assert measured.avg_us == 2719850


def test_a_warm_up_of_one_invocation_has_only_that():
    result = parse_benchmark_model("count=1 curr=1041765\ncount=2 first=1 curr=1 min=1 max=1")
    assert (result.warmup.count, result.warmup.curr_us, result.warmup.first_us) == (
        1,
        1041765,
        None,
    )
    assert result.measured.avg_us is None


@pytest.mark.parametrize(
    ("line", "delegated"),
    [
        (
            "Explicitly applied GPU delegate, and the model graph will be completely executed by"
            " the delegate.",
            Delegated(delegate="GPU", extent="completely", kernels=None),
        ),
        (
            "Explicitly applied GPU delegate, and the model graph will be partially executed by the"
            " delegate w/ 2 delegate kernels.",
            Delegated(delegate="GPU", extent="partially", kernels=2),
        ),
        (
            "Though NNAPI delegate is explicitly applied, the model graph will not be executed by"
            " the delegate.",
            Delegated(delegate="NNAPI", extent="not", kernels=None),
        ),
    ],
)
def test_what_a_delegate_took_is_read(line, delegated):
    for style in (RECORDED, PLAIN):
        assert parse_benchmark_model(f"INFO: {line}\n{style}").delegated == delegated


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its last line: nothing"),
        ("INFO: STARTING!\nERROR: Failed to mmap model", "its last line: Failed to mmap model"),
        (f"{RECORDED}ERROR: Disallowed CPU fallback detected.", "would run on the CPU"),
        ("count=fifty", "measured nothing"),
        ("count=0", "measured nothing"),
        ("the word count=50 in the middle", "measured nothing"),
        ("count=5 avg=1e999", "printed the number 1e999"),
    ],
)
def test_what_measured_nothing_is_an_error(text, problem):
    with pytest.raises(RunnerError, match=problem):
        parse_benchmark_model(text)


# --- the driver, with a program that prints what was recorded -------------------------------------

FAKE = """#!{python}
import sys, time
{body}
"""


@pytest.fixture
def start(tmp_path):
    def start_fake(body, flags=None, timeout_s=20.0):
        binary = tmp_path / "benchmark_model"
        binary.write_text(FAKE.format(python=sys.executable, body=body))
        device = HostDevice(workspace=tmp_path / "work")
        return run_benchmark_model(
            device, binary, "/data/a net.tflite", flags or {}, timeout_s=timeout_s
        )

    return start_fake


def test_the_program_gets_its_flags_and_its_text_is_read(start):
    body = (
        "assert sys.argv[1:] == ['--graph=/data/a net.tflite', '--num_threads=2',"
        f" '--use_nnapi=true'], sys.argv\nprint({PLAIN!r})"
    )
    result = start(body, {"num_threads": 2, "use_nnapi": True})
    assert result.measured.count == 50


def test_text_on_standard_error_is_read_too(start):
    assert start(f"print({RECORDED!r}, file=sys.stderr)").measured.count == 50


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit('no such model')", "exited 1: no such model"),
        ("print('INFO: STARTING!')", "measured nothing"),
        (
            f"print({RECORDED!r}); print('WARN: Unconsumed cmdline flags: --num_thread=2')",
            "ignored --num_thread=2, so it measured something else",
        ),
    ],
)
def test_a_start_that_did_not_do_what_was_asked_is_an_error(start, body, problem):
    with pytest.raises(RunnerError, match=problem) as caught:
        start(body)
    assert str(caught.value).startswith("host: ")


def test_a_program_that_hangs_is_a_timeout(start):
    with pytest.raises(DeviceTimeoutError):
        start("time.sleep(60)", timeout_s=0.5)
