"""What Google's benchmark tools print, read into a record.

Both `benchmark_model` and `benchmark_litert_model` print "count=" lines in whole microseconds, one
for the warm-up, one for the measured invocations. The classic tool then sums up in one line, the
other in a block of lines in milliseconds, which litert-benchmark of the Python package has too.

The text comes in styles that differ in what stands before each line: nothing, "INFO: ", the
source file of the message, or logcat's date, process and tag. Lines are read as key=value tokens,
since newer builds add some. Everything is untrusted: a value that no clock can give is an error,
and so is a text that ends before its summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from android_bench.runners.tool_delegates import (
    Delegated,
    Replaced,
    read_delegated,
    read_replaced,
)
from android_bench.runners.tool_lines import (
    LINE,
    TOKEN,
    Statistics,
    number,
    read_statistics,
    without_prefix,
)
from mobilekit.core.errors import RunnerError

MOST_CHARACTERS = 16 << 20  # a verbose start prints some kB
BYTES_PER_MB = 1 << 20  # the tools divide the kernel's kB, which are 1024 bytes, by 1024
ROUNDED = 1e-3  # of the same mean, printed twice
BLOCK_STEP_US = 10.0  # the results block has milliseconds with two decimals

_LABELLED = re.compile(r"([A-Za-z][A-Za-z ()]{0,40}): *([^\s,]+)")
_TIMINGS = re.compile(r"^(Average i|I)nference timings in us: (.*)$")
_FOOTPRINT = re.compile(r"^Memory footprint delta from the start of the tool \(MB\): (.*)$")
_PEAK = re.compile(r"^Overall peak memory footprint \(MB\) via periodic monitoring: (\S+)")
_BLOCK = re.compile(r"^=* ?BENCHMARK RESULTS\b")
_BLOCK_LINE = re.compile(
    r"^(Model initialization|(?:Warmup|Inference) \(\w+\)): +(\S+)(?: ms)?(?: \((\d+) runs\))?$"
)
_UNSUPPORTED = re.compile(r"^(\S+) acceleration is unsupported on this platform")
_UNKNOWN_FLAGS = re.compile(r"^Unconsumed cmdline flags: (.*)$")
_ECHO = re.compile(r"^(Graph|Num threads): \[(.*)\]$")
_FALLBACK = "Disallowed CPU fallback detected"


@dataclass(frozen=True, kw_only=True)
class ToolText:
    """What a tool printed.

    Attributes:
        warmup: The first "count=" line; None where there is only one, or it is empty.
        measured: The last "count=" line.
        init_us: Initialization.
        first_us: The first inference.
        warmup_avg_us: Mean of the warm-up.
        init_bytes: Memory after initialization, beyond that at the tool's start.
        overall_bytes: The same after all runs.
        peak_bytes: The peak, of builds and flags that monitor it.
        delegated: What was said about explicit delegates, in order.
        replaced: What was said about the nodes that delegates took, in order.
        unknown_flags: Flags that this build does not know, and ignored.
        echoed: Settings that it repeated: "Graph", "Num threads".
    """

    warmup: Statistics | None
    measured: Statistics
    init_us: float | None
    first_us: float | None
    warmup_avg_us: float | None
    init_bytes: int | None
    overall_bytes: int | None
    peak_bytes: int | None
    delegated: tuple[Delegated, ...]
    replaced: tuple[Replaced, ...]
    unknown_flags: tuple[str, ...]
    echoed: Mapping[str, str]


def parse_tool_text(
    text: str, tool: str = "benchmark_model", *, elsewhere: Statistics | None = None
) -> ToolText:
    """Reads what `tool` printed, standard output and error together, in any style.

    Args:
        text: What it printed.
        tool: Which it was, for errors.
        elsewhere: What its result file says of the measured invocations; where there is one, the
            text needs no summary, since Android's tool sends that to the log.

    Raises:
        RunnerError: If it reports a failure, measured nothing, was cut short, contradicts itself,
            or holds a number that cannot be.
    """
    if len(text) > MOST_CHARACTERS:
        raise RunnerError(f"{tool} printed {len(text)} characters, which no start of it does.")
    lines = [without_prefix(line[:LINE]) for line in text.splitlines()]
    _refuse_failures(lines, tool)
    times = {**_block(lines, tool), **_timings(lines, tool)}
    warmup, measured = _counted(lines, times, elsewhere, tool)
    memory = _memory(lines, tool)
    return ToolText(
        warmup=warmup,
        measured=measured,
        init_us=times.get("init", times.get("model initialization")),
        first_us=times.get("first inference", times.get("warmup (first)")),
        warmup_avg_us=times.get("warmup (avg)", times.get("warmup")),
        init_bytes=memory.get("init"),
        overall_bytes=memory.get("overall"),
        peak_bytes=memory.get("peak"),
        delegated=tuple(said for line in lines if (said := read_delegated(line)) is not None),
        replaced=tuple(took for line in lines if (took := read_replaced(line)) is not None),
        unknown_flags=tuple(flag for line in lines for flag in _unknown_flags(line)),
        echoed={echo[1]: echo[2] for line in lines if (echo := _ECHO.match(line))},
    )


def _refuse_failures(lines: Sequence[str], tool: str) -> None:
    for line in lines:
        if _FALLBACK in line:
            raise RunnerError(f"{tool}: a part of the model would run on the CPU.")
        if found := _UNSUPPORTED.match(line):
            raise RunnerError(f"{tool} has no {found.group(1)} delegate for this device.")


def _counted(
    lines: Sequence[str], times: Mapping[str, float], elsewhere: Statistics | None, tool: str
) -> tuple[Statistics | None, Statistics]:
    """The warm-up and the measured invocations; what only the block says fills the gaps."""
    counts = [found for line in lines if (found := read_statistics(line, tool)) is not None]
    others = [found for found in (_of_block(times), elsewhere) if found is not None]
    if len(counts) > 2:
        raise RunnerError(f"{tool} printed {len(counts)} lines of counts where two belong.")
    if not counts and not others:
        said = next((line for line in reversed(lines) if line), "nothing")
        raise RunnerError(f"{tool} measured nothing; its last line: {said[:200]}")
    if not others and not times.keys() & {"inference (avg)", "no stats"}:
        raise RunnerError(f"{tool} was cut short: its summary is missing.")
    measured = counts[-1] if counts else others[-1]
    if not measured.count:
        raise RunnerError(f"{tool} measured nothing: it counted no invocation.")
    if "init" in times and "inference (avg)" in times:
        others.append(replace(measured, avg_us=times["inference (avg)"]))
    for other in others:
        _must_agree(measured, other, tool)
    warmup = counts[0] if len(counts) == 2 and counts[0].count else None
    return warmup, measured


def _must_agree(measured: Statistics, other: Statistics, tool: str) -> None:
    """What is said twice must be the same: two starts may have been mixed, or a line cut."""
    if other.count != measured.count:
        raise RunnerError(f"{tool} counted {measured.count} and {other.count} invocations at once.")
    if other.avg_us is None or measured.avg_us is None:
        return
    if abs(other.avg_us - measured.avg_us) > BLOCK_STEP_US / 2 + ROUNDED * measured.avg_us:
        raise RunnerError(
            f"{tool} contradicts itself: means of {measured.avg_us:g} and {other.avg_us:g} µs; was"
            " it cut short?"
        )


def _timings(lines: Sequence[str], tool: str) -> dict[str, float]:
    """The classic tool's summary line, by its names in lower case."""
    for line in lines:
        if found := _TIMINGS.match(line):
            pairs = _LABELLED.findall(found.group(2))
            return {name.strip().lower(): number(value, tool) for name, value in pairs}
    return {}


def _block(lines: Sequence[str], tool: str) -> dict[str, float]:
    """The lines of the results block, by their names in lower case, microseconds and counts."""
    values: dict[str, float] = {}
    inside = False
    for line in lines:
        inside = inside or _BLOCK.match(line) is not None
        if inside and (found := _BLOCK_LINE.match(line)):
            name = found.group(1).lower()
            values[name] = round(number(found.group(2), tool) * 1000, 3)
            if found.group(3):
                values[f"{name} runs"] = number(found.group(3), tool)
    return values


def _of_block(times: Mapping[str, float]) -> Statistics | None:
    count = times.get("inference (avg) runs")
    if count is None:
        return None
    quantiles = {name: times.get(f"inference ({name})") for name in ("median", "p5", "p95")}
    return Statistics(
        count=int(count),
        min_us=times.get("inference (min)"),
        max_us=times.get("inference (max)"),
        avg_us=times.get("inference (avg)"),
        std_us=times.get("inference (std)"),
        quantiles_us={name: value for name, value in quantiles.items() if value is not None},
    )


def _memory(lines: Sequence[str], tool: str) -> dict[str, int]:
    values: dict[str, float] = {}
    for line in lines:
        if found := _FOOTPRINT.match(line):
            # A footprint can shrink; what is below zero is no size of anything.
            pairs = [(n, v) for n, v in TOKEN.findall(found.group(1)) if not v.startswith("-")]
            values |= {name: number(value, tool) for name, value in pairs}
        elif found := _PEAK.match(line):
            values["peak"] = number(found.group(1), tool)
    return {name: round(megabytes * BYTES_PER_MB) for name, megabytes in values.items()}


def _unknown_flags(line: str) -> Iterator[str]:
    found = _UNKNOWN_FLAGS.match(line)
    yield from found.group(1).split() if found else ()
