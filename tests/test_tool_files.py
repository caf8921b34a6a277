"""Result files and profiles of Google's benchmark tools: protobuf, tables, CSV."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.runners.op_profile import parse_profile_file, parse_profile_text
from android_bench.runners.protobuf import Message, WireError
from android_bench.runners.tool_result import parse_result_file
from mobilekit.core.errors import RunnerError
from tests.benchmark_files import block, result_file, varint, whole, written_by_google
from tests.benchmark_texts import GOLDEN, STYLES

RECORDED = (GOLDEN / "recorded-2.3.0-profile.txt").read_text()
TABS = (GOLDEN / "documented-profile_tabs.txt").read_text()
CSV = (GOLDEN / "documented-profile.csv").read_text()


def test_a_result_file_is_read():
    found = parse_result_file(result_file())
    assert (found.measured.count, found.measured.avg_us) == (50, 12_500)
    assert (found.measured.min_us, found.measured.max_us) == (11_875, 13_000)
    assert found.measured.std_us == 125
    assert found.measured.quantiles_us == {"median": 12_000, "p5": 11_937.5, "p95": 12_875}
    assert (found.init_us, found.first_us, found.warmup_avg_us) == (12_250, 28_125, 15_500)
    assert found.warmup_count == 32
    assert found.init_bytes == 4608 * 1024
    assert found.overall_bytes is None  # the footprint shrank
    assert found.peak_bytes == round(12.5 * (1 << 20))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "counts no invocation"),
        (result_file(count=0), "counts no invocation"),
        (result_file(count=1 << 40), "counts no invocation"),
        (result_file()[:-1], "cut short"),
        (result_file(avg=float("nan")), "field 1 is nan"),
        (result_file(avg=-1.0), "field 1 is -1 ms"),
        (result_file(avg=1e30), "field 1 is 1e"),
        (block(2, whole(1, 3)) + block(4, whole(2, 50)), "of another type"),
        (b"\xff" * 11, "more than 64 bits"),
        (b"\x0b", "no wire type 3"),
        (b"\x00\x00", "no field 0"),
        (varint(1 << 3 | 2) + varint(1 << 60), "cut short"),
    ],
)
def test_what_is_no_result_file_is_an_error(content, problem):
    with pytest.raises(RunnerError, match=problem):
        parse_result_file(content)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_message_or_an_error(content):
    try:
        fields = Message(content).fields
    except WireError:
        return
    assert all(field.number >= 1 for field in fields)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**29 - 1), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(value, number, text):
    message = Message(whole(number, value))
    assert message.integer(number) == value
    try:
        encoded = block(number, text.encode())
    except UnicodeEncodeError:
        return
    assert Message(encoded).text(number) == text


# --- profiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_tables_csv_and_messages_say_the_same(style):
    tables = parse_profile_text(STYLES[style](TABS))
    assert [(row.phase, row.node_type) for row in tables] == [
        ("initialization", "AllocateTensors"),
        ("regular", "CONV_2D"),
        ("regular", "RESIZE_NEAREST_NEIGHBOR"),
        ("delegate", "Fully Connected (NC, QS8, QC8W) GEMM"),
    ]
    assert tables == parse_profile_text(STYLES[style](CSV))
    assert tables == parse_profile_file(written_by_google())


def test_the_table_of_litert_2_3_is_read_as_it_was_recorded():
    rows = parse_profile_text(RECORDED)
    assert len(rows) == 65
    assert rows[2].node_type == "Delegate/Fully Connected (NC, QS8, QC8W) GEMM"
    assert (rows[2].name, rows[2].avg_us, rows[2].first_us) == ("[Delegate]:2", 638, 234)
    assert rows[2].times_called == 10
    total_us = sum(row.avg_us * row.times_called for row in rows)
    assert total_us == pytest.approx(178_979, rel=0.01)  # which it prints below


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no profile of operators"),
        ("count=5 first=1", "no profile of operators"),
        (TABS.replace("    0.382\t 90.000%\t 90", "    slow\t 90.000%\t 90"), "does not fit"),
        (TABS.replace("    0.382\t 90.000%\t 90", "    -0.38\t 90.000%\t 90"), "printed '-0.38'"),
        (CSV[: CSV.index(", 0.042")], "does not fit its header"),
    ],
)
def test_a_damaged_profile_is_an_error(text, problem):
    with pytest.raises(RunnerError, match=problem):
        parse_profile_text(text)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no profile of operators"),
        (written_by_google()[:-3], "cut short"),
        (
            block(3, block(1, block(3, block(1, b"CONV") + block(2, whole(3, -5))))),
            "a time below zero for 'CONV'",
        ),
    ],
)
def test_a_damaged_profile_message_is_an_error(content, problem):
    with pytest.raises(RunnerError, match=problem):
        parse_profile_file(content)
