"""Result files and profiles of Google's benchmark tools: protobuf, tables, CSV."""

import struct

import pytest
from ai_edge_litert import profiling_info_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from android_bench.runners.op_profile import parse_profile_file, parse_profile_text
from android_bench.runners.protobuf import Message, WireError
from android_bench.runners.tool_result import parse_result_file
from mobilekit.core.errors import RunnerError
from tests.benchmark_texts import GOLDEN, STYLES

RECORDED = (GOLDEN / "recorded-2.3.0-profile.txt").read_text()
TABS = (GOLDEN / "documented-profile_tabs.txt").read_text()
CSV = (GOLDEN / "documented-profile.csv").read_text()


def varint(value):
    value %= 1 << 64
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def whole(number, value):
    return varint(number << 3) + varint(value)


def real(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def result_file(*, avg=12.5, count=50, more=b""):
    latency = [avg, 11.875, 13.0, 0.125, 12.0, 11.9375, 12.875, 12.25, 28.125, 15.5]
    return (
        block(1, b"a name")
        + block(2, b"".join(real(n, value) for n, value in enumerate(latency, 1)))
        + block(3, whole(1, 4608) + whole(2, -1) + real(3, 12.5))
        + block(4, real(1, 3.25) + whole(2, count) + whole(3, 32) + real(5, 80.0))
        + more
    )


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


def written_by_google():
    """The same profile as TABS, made with LiteRT's own message classes."""
    data = profiling_info_pb2.BenchmarkProfilingData()
    rows = {
        "initialization": [("AllocateTensors", "AllocateTensors/0", 1356, 1356)],
        "regular": [
            ("CONV_2D", "[conv/Relu6;conv/Conv2D]:0", 538, 382),
            ("RESIZE_NEAREST_NEIGHBOR", "[up 2]:1", 85, 42),
        ],
        "delegate": [
            (
                "Fully Connected (NC, QS8, QC8W) GEMM",
                "Delegate/Fully Connected (NC, QS8, QC8W) GEMM:1",
                538,
                380,
            )
        ],
    }
    places = {
        "initialization": data.init_profile.subgraph_profiles.add(),
        "regular": data.runtime_profile.subgraph_profiles.add(),
        "delegate": data.runtime_profile.delegate_profiles.add(),
    }
    for phase, place in places.items():
        for node_type, name, first, mean in rows[phase]:
            row = place.per_op_profiles.add()
            row.node_type, row.name, row.times_called = node_type, name, 1
            row.inference_microseconds.first, row.inference_microseconds.avg = first, mean
    return data.SerializeToString()


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
