"""Google's `benchmark_model`: its text, read into a record, and a start of it.

It prints statistics and no raw latencies, so what comes of it is no `Run`: it cannot be put into
blocks, paired or compared here. It is what our own runner is held against on a device, and the only
program that applies delegates such as NNAPI.

The text comes in styles that differ in what stands before each line: nothing, "INFO: ", or logcat's
date, process and tag. Lines are read as key=value tokens, since newer builds add some. Its CSV,
proto and operator profile are not read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.devices import Device
from android_bench.runners.document import ending
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import RunnerError

CHMOD_TIMEOUT_S = 30.0
BYTES_PER_MB = 1 << 20  # the tool divides the kernel's kB, which are 1024 bytes, by 1024

# What logcat puts before a line, in its formats "threadtime" and "time", and the tool's logger.
_LOGCAT = r"\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+(?:\d+\s+\d+\s+[VDIWEF]\s+[^:]*|[VDIWEF]/[^:]*): "
_PREFIX = re.compile(rf"^(?:{_LOGCAT})?(?:(?:INFO|WARN|WARNING|ERROR): )?")
_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_TOKEN = re.compile(rf"([A-Za-z]\w*)\s*=\s*{_NUMBER}(?=[\s,]|$)")
_LABELLED = re.compile(rf"([A-Za-z][A-Za-z ()]*?):\s*{_NUMBER}(?=[\s,]|$)")
_TIMINGS = re.compile(r"^(?:Average i|I)nference timings in us: (.*)$")
_FOOTPRINT = re.compile(r"^Memory footprint delta from the start of the tool \(MB\): (.*)$")
_PEAK = re.compile(rf"^Overall peak memory footprint \(MB\) via periodic monitoring: {_NUMBER}")
_APPLIED = re.compile(
    r"^Explicitly applied (\S+) delegate, and the model graph will be (completely|partially)"
    r" executed by the delegate(?: w/ (\d+) delegate kernels)?"
)
_NOT_APPLIED = re.compile(r"^Though (\S+) delegate is explicitly applied, the model graph will not")
_UNKNOWN_FLAGS = re.compile(r"^Unconsumed cmdline flags: (.*)$")
_FALLBACK = "Disallowed CPU fallback detected"


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A "count=" line; times in microseconds. What an older build does not print is None.

    Attributes:
        count: Invocations.
        first_us: The first of them.
        curr_us: The last of them.
        min_us: The shortest.
        max_us: The longest.
        avg_us: Their mean.
        std_us: Their standard deviation.
        quantiles_us: "median", "p5", "p95" and whatever else a build prints, by its name.
    """

    count: int
    first_us: float | None
    curr_us: float | None
    min_us: float | None
    max_us: float | None
    avg_us: float | None
    std_us: float | None
    quantiles_us: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Delegated:
    """What the tool says about an explicit delegate.

    Attributes:
        delegate: Its name in the tool's words, e.g. "GPU".
        extent: "completely", "partially" or "not".
        kernels: Partitions, where it is partial.
    """

    delegate: str
    extent: str
    kernels: int | None


@dataclass(frozen=True, kw_only=True)
class BenchmarkModelResult:
    """What `benchmark_model` printed. It has no raw latencies: `unread` says so.

    Attributes:
        warmup: The first "count=" line; None where there is only one, or none.
        measured: The last "count=" line.
        init_us: Initialization.
        first_us: The first inference.
        warmup_avg_us: Mean of the warm-up.
        inference_avg_us: Mean of the measured invocations, as the summary line gives it.
        init_bytes: Memory after initialization, beyond that at the tool's start.
        overall_bytes: The same after all runs.
        peak_bytes: The peak, of builds and flags that monitor it.
        delegated: What was said about a delegate; None where nothing was.
        unknown_flags: Flags that this build does not know, and ignored.
        unread: Why a part of a runner's document cannot be had, by its name.
    """

    warmup: Statistics | None
    measured: Statistics
    init_us: float | None
    first_us: float | None
    warmup_avg_us: float | None
    inference_avg_us: float | None
    init_bytes: int | None
    overall_bytes: int | None
    peak_bytes: int | None
    delegated: Delegated | None
    unknown_flags: tuple[str, ...]
    unread: Mapping[str, str]


def parse_benchmark_model(text: str) -> BenchmarkModelResult:
    """Reads what `benchmark_model` printed, standard output and error together, in any style.

    Raises:
        RunnerError: If it reports a failure, or measured nothing.
    """
    lines = [_without_prefix(line) for line in text.splitlines()]
    if any(_FALLBACK in line for line in lines):
        raise RunnerError("benchmark_model: a part of the model would run on the CPU.")
    counts = [statistics for line in lines for statistics in _statistics(line)]
    if not counts:
        said = next((line for line in reversed(lines) if line.strip()), "nothing")
        raise RunnerError(f"benchmark_model measured nothing; its last line: {said[:200]}")
    times = _timings(lines)
    memory = _memory(lines)
    return BenchmarkModelResult(
        warmup=counts[0] if len(counts) > 1 else None,
        measured=counts[-1],
        init_us=times.get("init"),
        first_us=times.get("first inference"),
        warmup_avg_us=times.get("warmup (avg)", times.get("warmup")),
        inference_avg_us=times.get("inference (avg)", times.get("no stats")),
        init_bytes=memory.get("init"),
        overall_bytes=memory.get("overall"),
        peak_bytes=memory.get("peak"),
        delegated=next(filter(None, map(_delegated, lines)), None),
        unknown_flags=tuple(flag for line in lines for flag in _unknown_flags(line)),
        unread={"latencies_us": "benchmark_model prints statistics and no raw latencies"},
    )


def run_benchmark_model(
    device: Device,
    binary: Path,
    model: str,
    flags: Mapping[str, str | int | bool],
    *,
    timeout_s: float,
) -> BenchmarkModelResult:
    """Brings `benchmark_model` to a device and starts it once.

    Args:
        device: Where.
        binary: The program, built for the device.
        model: The .tflite file, a path on the device.
        flags: Its flags without dashes, e.g. {"num_threads": 2, "use_nnapi": True}.
        timeout_s: The limit, in seconds.

    Raises:
        RunnerError: If it fails, ignores a flag, or measures nothing.
        DeviceTimeoutError: If it runs longer.
        DeviceError: If the device fails.
        StorageError: If `binary` cannot be read.
    """
    program = f"{device.workspace}/runners/{sha256_file(binary)}"
    device.push(binary, program)
    made = device.shell(["chmod", "755", program], timeout_s=CHMOD_TIMEOUT_S)
    if made.returncode:
        raise RunnerError(f"{device.label}: {program} cannot be made executable.")
    argv = [program, f"--graph={model}", *_arguments(flags)]
    shell = device.shell(argv, timeout_s=timeout_s)
    if shell.returncode:
        raise RunnerError(f"{device.label}: benchmark_model {ending(shell)}")
    try:
        result = parse_benchmark_model(f"{shell.stdout}\n{shell.stderr}")
    except RunnerError as error:
        raise RunnerError(f"{device.label}: {error}") from error
    if result.unknown_flags:
        raise RunnerError(
            f"{device.label}: this build of benchmark_model ignored"
            f" {', '.join(result.unknown_flags)}, so it measured something else."
        )
    return result


def _arguments(flags: Mapping[str, str | int | bool]) -> Sequence[str]:
    """Words such as --name=value, truth values as the tool writes them."""
    return [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in flags.items()
    ]


def _without_prefix(line: str) -> str:
    return _PREFIX.sub("", line.strip(), count=1)


def _number(text: str) -> float:
    """A number of the text; raises RunnerError for one that no clock can give."""
    value = float(text)
    if not math.isfinite(value):
        raise RunnerError(f"benchmark_model printed the number {text[:40]}.")
    return value


def _statistics(line: str) -> Iterator[Statistics]:
    if not line.startswith("count="):
        return
    tokens = {name: _number(value) for name, value in _TOKEN.findall(line)}
    if "count" not in tokens or tokens["count"] < 1:
        return
    known = ("first", "curr", "min", "max", "avg", "std")
    values = {f"{name}_us": tokens.get(name) for name in known}
    others = {k: v for k, v in tokens.items() if k not in (*known, "count")}
    yield Statistics(count=int(tokens["count"]), quantiles_us=others, **values)


def _timings(lines: Sequence[str]) -> dict[str, float]:
    """The summary line's numbers, by their names in lower case."""
    for line in lines:
        found = _TIMINGS.match(line)
        if found:
            return {
                name.strip().lower(): _number(value)
                for name, value in _LABELLED.findall(found.group(1))
            }
    return {}


def _memory(lines: Sequence[str]) -> dict[str, int]:
    values: dict[str, float] = {}
    for line in lines:
        if found := _FOOTPRINT.match(line):
            values |= {name: _number(value) for name, value in _TOKEN.findall(found.group(1))}
        elif found := _PEAK.match(line):
            values["peak"] = _number(found.group(1))
    return {name: round(megabytes * BYTES_PER_MB) for name, megabytes in values.items()}


def _delegated(line: str) -> Delegated | None:
    if found := _APPLIED.match(line):
        kernels = found.group(3)
        return Delegated(
            delegate=found.group(1),
            extent=found.group(2),
            kernels=None if kernels is None else int(kernels),
        )
    if found := _NOT_APPLIED.match(line):
        return Delegated(delegate=found.group(1), extent="not", kernels=None)
    return None


def _unknown_flags(line: str) -> Sequence[str]:
    found = _UNKNOWN_FLAGS.match(line)
    return found.group(1).split() if found else []
