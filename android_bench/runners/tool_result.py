"""The result file of Google's benchmark tools (`--result_file_path`): a BenchmarkResult message.

The numbers of its fields are those of benchmark_result.proto of LiteRT. Milliseconds are floats of
32 bits there, so they have seven digits.
"""

from __future__ import annotations

from dataclasses import dataclass

from android_bench.runners.protobuf import Message, WireError
from android_bench.runners.tool_lines import Statistics
from mobilekit.core.errors import RunnerError

LATENCY, MEMORY, MISC = 2, 3, 4  # of BenchmarkResult
# Of LatencyMetrics.
AVG, MIN, MAX, STD, MEDIAN, P5, P95, INIT, FIRST, WARMUP_AVG = range(1, 11)
INIT_KB, OVERALL_KB, PEAK_MB = 1, 2, 3  # of MemoryMetrics
RUNS, WARMUP_RUNS = 2, 3  # of MiscMetrics
LONGEST_MS = 1e12


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """What the file says.

    Attributes:
        measured: The measured invocations; `first_us` and `curr_us` are not in it.
        init_us: Initialization.
        first_us: The first inference.
        warmup_avg_us: Mean of the warm-up.
        warmup_count: Its invocations.
        init_bytes: Memory after initialization, beyond that at the tool's start.
        overall_bytes: The same after all runs.
        peak_bytes: The peak, where it was monitored.
    """

    measured: Statistics
    init_us: float | None
    first_us: float | None
    warmup_avg_us: float | None
    warmup_count: int | None
    init_bytes: int | None
    overall_bytes: int | None
    peak_bytes: int | None


def parse_result_file(content: bytes, tool: str = "benchmark_litert_model") -> ToolResult:
    """Reads a result file.

    Raises:
        RunnerError: If it is no such file, was cut short, measured nothing, or holds a number
            that cannot be.
    """
    try:
        return _read(Message(content), tool)
    except WireError as error:
        raise RunnerError(f"{tool}: its result file cannot be read: {error}.") from error


def _read(result: Message, tool: str) -> ToolResult:
    latency, memory, misc = (result.message(number) for number in (LATENCY, MEMORY, MISC))
    count = misc.integer(RUNS)
    if count is None or not 1 <= count <= 10**9 or latency.real(AVG) is None:
        raise RunnerError(f"{tool} measured nothing: its result file counts no invocation.")
    peak_mb = memory.real(PEAK_MB)
    quantiles = {"median": MEDIAN, "p5": P5, "p95": P95}
    found = {name: _us(latency, number) for name, number in quantiles.items()}
    return ToolResult(
        measured=Statistics(
            count=count,
            min_us=_us(latency, MIN),
            max_us=_us(latency, MAX),
            avg_us=_us(latency, AVG),
            std_us=_us(latency, STD),
            quantiles_us={name: value for name, value in found.items() if value is not None},
        ),
        init_us=_us(latency, INIT),
        first_us=_us(latency, FIRST),
        warmup_avg_us=_us(latency, WARMUP_AVG),
        warmup_count=misc.integer(WARMUP_RUNS),
        init_bytes=_bytes(memory.integer(INIT_KB)),
        overall_bytes=_bytes(memory.integer(OVERALL_KB)),
        peak_bytes=None if peak_mb is None or peak_mb < 0 else round(peak_mb * (1 << 20)),
    )


def _us(message: Message, number: int) -> float | None:
    value = message.real(number)
    if value is None:
        return None
    if not 0 <= value < LONGEST_MS:
        raise WireError(f"field {number} is {value:g} ms")
    return value * 1000


def _bytes(kilobytes: int | None) -> int | None:
    """Kilobytes of 1024 bytes; a footprint that shrank is no size of anything."""
    return None if kilobytes is None or kilobytes < 0 else kilobytes * 1024
