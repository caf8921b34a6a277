"""What Google's benchmark tools print, read in all its styles."""

import math
import re
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.runners.tool_delegates import Delegated, Replaced
from android_bench.runners.tool_lines import without_prefix
from android_bench.runners.tool_text import MOST_CHARACTERS, parse_tool_text
from mobilekit.core.errors import RunnerError
from tests.benchmark_texts import LITERT, LITERT_BENCHMARK, STYLES, TEXT, VERY_OLD


@pytest.mark.parametrize("style", STYLES)
def test_every_style_says_the_same(style):
    found = parse_tool_text(STYLES[style](TEXT))
    assert (found.warmup.count, found.warmup.first_us) == (32, 28148)
    measured = found.measured
    assert (measured.count, measured.first_us, measured.curr_us) == (50, 12345, 12001)
    assert (measured.min_us, measured.max_us) == (11900, 13000)
    assert (measured.avg_us, measured.std_us, measured.quantiles_us) == (12100.5, 150, {})
    assert (found.init_us, found.first_us, found.warmup_avg_us) == (12345, 28148, 15874.6)
    assert found.init_bytes == 4.5 * 1024 * 1024
    assert found.overall_bytes == 9.25 * 1024 * 1024
    assert found.peak_bytes == round(12.3 * 1024 * 1024)
    assert found.delegated == (Delegated(delegate="XNNPACK", extent="partially", kernels=2),)
    assert found.echoed == {"Graph": "net.tflite", "Num threads": "2"}
    assert found.unknown_flags == ()


@pytest.mark.parametrize("style", STYLES)
def test_the_results_block_and_the_lines_of_counts_are_read_together(style):
    found = parse_tool_text(STYLES[style](LITERT), "benchmark_litert_model")
    assert (found.measured.count, found.measured.avg_us) == (50, 12100.5)  # not the block's 12.10
    assert found.measured.quantiles_us == {"p5": 11950, "median": 12050, "p95": 12900}
    assert (found.init_us, found.first_us) == (12350, 28150)
    assert found.replaced == (
        Replaced(delegate="TfLiteXNNPackDelegate", nodes=64, nodes_total=66, partitions=2),
    )


def test_a_results_block_alone_is_read_as_litert_benchmark_printed_it():
    found = parse_tool_text(LITERT_BENCHMARK)
    assert (found.measured.count, found.measured.avg_us) == (50, 19690)
    assert (found.measured.min_us, found.measured.max_us) == (9940, 51460)
    assert found.measured.quantiles_us == {"median": 19770, "p5": 10010, "p95": 23370}
    assert (found.init_us, found.first_us, found.warmup_avg_us) == (19020, 22250, 20920)


def test_a_very_old_build_is_read():
    found = parse_tool_text(VERY_OLD)
    assert found.warmup is None
    assert found.measured.count == 75
    assert (found.init_us, found.warmup_avg_us) == (21528106, 27917.4)
    assert found.first_us is found.init_bytes is found.peak_bytes is None


def summary(mean):
    return f"Inference timings in us: Init: 9, First inference: 8, Warmup (avg): 7, {mean}"


def test_quantiles_of_newer_builds_keep_their_names():
    line = "count=10 first=5 curr=5 min=4 max=9 avg=2.71985e+06 std=1 p5=4 median=5 p95=9"
    measured = parse_tool_text(f"INFO: {line}\n{summary('Inference (avg): 2.71985e+06')}").measured
    assert measured.quantiles_us == {"p5": 4, "median": 5, "p95": 9}
    assert measured.avg_us == 2719850


@pytest.mark.parametrize("line", ["count=1 curr=33", "count=7 curr=33(all same)"])
def test_equal_invocations_are_printed_as_one_number(line):
    measured = parse_tool_text(f"{line}\n{summary('Inference (avg): 33')}").measured
    assert measured.avg_us == measured.min_us == measured.max_us == measured.first_us == 33
    assert measured.quantiles_us["median"] == 33


def test_a_warm_up_of_no_invocations_is_none():
    found = parse_tool_text(f"count=0\ncount=1 curr=33\n{summary('Inference (avg): 33')}")
    assert found.warmup is None
    assert found.measured.count == 1


@pytest.mark.parametrize(
    ("line", "delegated"),
    [
        (
            "Explicitly applied GPU delegate, and the model graph will be completely executed by"
            " the delegate.",
            Delegated(delegate="GPU", extent="completely", kernels=None),
        ),
        (
            "Applied NNAPI delegate, and the model graph will be partially executed w/ the"
            " delegate w/ 2 delegate kernels.",
            Delegated(delegate="NNAPI", extent="partially", kernels=2),
        ),
        (
            "Though NNAPI delegate is explicitly applied, the model graph will not be executed by"
            " the delegate.",
            Delegated(delegate="NNAPI", extent="not", kernels=None),
        ),
    ],
)
def test_what_a_delegate_took_is_read(line, delegated):
    for style in STYLES.values():
        assert parse_tool_text(style(f"INFO: {line}\n{TEXT}")).delegated[0] == delegated


COUNTS = "count=50 first=12345 curr=12001 min=11900 max=13000 avg=12100.5 std=150"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its last line: nothing"),
        ("INFO: STARTING!\nERROR: Failed to mmap model", "its last line: Failed to mmap model"),
        (f"{TEXT}ERROR: Disallowed CPU fallback detected.", "would run on the CPU"),
        (f"GPU acceleration is unsupported on this platform.\n{TEXT}", "has no GPU delegate"),
        (TEXT.replace("count=50", "count=fifty"), "printed 'fifty'"),
        (TEXT.replace("count=50", "count=0"), "counted no invocation"),
        (TEXT.replace("count=50", "count=1.5"), "counted 1.5 invocations"),
        (TEXT.replace("avg=12100.5", "avg=nan"), "printed 'nan'"),
        (TEXT.replace("avg=12100.5", "avg=1e999"), "printed '1e999'"),
        (TEXT.replace("min=11900", "min=-1"), "printed '-1'"),
        (TEXT.replace("Init: 12345", "Init: inf"), "printed 'inf'"),
        (TEXT.partition("INFO: Inference timings")[0], "was cut short: its summary is missing"),
        (TEXT.partition("00.5\nINFO: Note")[0], "contradicts itself"),
        (f"{COUNTS}\n{TEXT}", "3 lines of counts where two belong"),
        (LITERT.partition("INFO: [./litert/tools/benchmark")[0], "its summary is missing"),
        (LITERT.replace("12.10 ms (50 runs)", "12.10 ms (51 runs)"), "50 and 51 invocations"),
        (LITERT.replace("12.10 ms", "12.20 ms"), "contradicts itself"),
        ("x" * (MOST_CHARACTERS + 1), "which no start of it does"),
        ("the word count=50 in the middle", "measured nothing"),
    ],
)
def test_what_cannot_be_a_measurement_is_an_error_of_one_sentence(text, problem):
    with pytest.raises(RunnerError, match=re.escape(problem)) as caught:
        parse_tool_text(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


# --- properties -----------------------------------------------------------------------------------

times = st.integers(1, 10**9)


@given(count=st.integers(2, 10**6), values=st.lists(times, min_size=3, max_size=3), init=times)
@settings(max_examples=50, deadline=None)
def test_any_content_reads_the_same_in_every_style(count, values, init):
    low, mean, high = sorted(values)
    line = f"count={count} first={high} curr={low} min={low} max={high} avg={mean:g} std=1"
    tail = f"Init: {init}, First inference: {high}, Warmup (avg): {high}, Inference (avg): {mean:g}"
    text = f"INFO: {line}\nINFO: {line}\nINFO: Inference timings in us: {tail}"
    found = {name: asdict(parse_tool_text(style(text))) for name, style in STYLES.items()}
    assert all(value == found["logger"] for value in found.values())
    assert found["plain"]["measured"]["count"] == count
    assert math.isclose(found["plain"]["measured"]["avg_us"], mean, rel_tol=1e-5)
    assert found["plain"]["init_us"] == init


@given(st.integers(0, len(TEXT)))
@settings(max_examples=100, deadline=None)
def test_a_text_that_was_cut_anywhere_is_an_error_or_the_same_measurement(at):
    whole = parse_tool_text(TEXT)
    try:
        found = parse_tool_text(TEXT[:at])
    except RunnerError:
        return
    assert (found.measured, found.warmup, found.init_us) == (
        whole.measured,
        whole.warmup,
        whole.init_us,
    )


@given(st.text(max_size=300), st.integers(0, 20))
@settings(max_examples=200, deadline=None)
def test_noise_between_the_lines_is_an_error_or_changes_nothing(noise, place):
    lines = TEXT.split("\n")
    lines.insert(place, noise)
    try:
        found = parse_tool_text("\n".join(lines))
    except RunnerError:
        return
    assert found.measured == parse_tool_text(TEXT).measured


def test_a_name_in_brackets_is_no_prefix():
    assert without_prefix("INFO: [conv/Relu6]:3 x") == "[conv/Relu6]:3 x"
    assert without_prefix("INFO: [a.cc:36] x") == "x"
