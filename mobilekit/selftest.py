"""What a selftest says: the device's noise floor, and the smallest difference it can show.

One file is measured under two labels, A and B, as any two files are. Whatever differs between them
is noise, so the two must not be called different. The noise floor is the robust spread of all run
medians of both; a later measurement that spreads much further was disturbed. The smallest
difference comes from the log ratios of the blocks: it is what the interval of a comparison leaves
out nine times in ten (`mobilekit.intervals.smallest_shown`; in 2,000 simulated selftests of 12
blocks it was 88 to 91 times in a hundred, with and without slow starts).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from android_bench.devices import Device
from android_bench.floors import NoiseFloor, store_floor
from android_bench.harness import Progress
from android_bench.runners import RUNNERS, Runner
from android_bench.runners.artifacts import MissingBinaryError
from android_bench.runners.choosing import open_runner_for
from android_bench.selftest import (
    Beside,
    SelftestBench,
    Sensor,
    measure_against_itself,
    measure_beside,
    sensors_of,
)
from android_bench.validity import spread
from mobilekit.compare import Comparison, Outcome, compare_measurements
from mobilekit.core.errors import DeviceError, RunnerError, UsageError
from mobilekit.core.measurement import Measurement, RunConfig, Validity
from mobilekit.formatting import plural, printable, speed
from mobilekit.intervals import ALPHA, LEAST_SIGNS, median_interval, smallest_shown
from mobilekit.kit import kit
from mobilekit.pairing import log_ratios, pair_blocks

# Numbers of blocks for which the smallest difference is told.
BLOCKS = (12, 24, 48)
# The C++ runner and benchmark_model must agree within 5 %; further apart, one of them does more
# than invoking, as Python does.
AGREEMENT = (0.95, 1.05)


@dataclass(frozen=True, kw_only=True)
class RunnersRatio:
    """Our runner's invocations over those of `benchmark_model`, by block.

    Attributes:
        ratio: The median over blocks; above 1, ours take longer.
        low: Lower end of its interval.
        high: Upper end.
        statistic: What of a start's invocations was compared: "median" or "mean".
        blocks: How many.
    """

    ratio: float
    low: float
    high: float
    statistic: str
    blocks: int

    @property
    def agree(self) -> bool:
        """Whether some ratio within `AGREEMENT` fits."""
        return self.low <= AGREEMENT[1] and self.high >= AGREEMENT[0]


@dataclass(frozen=True, kw_only=True)
class Selftest:
    """What a selftest found.

    Attributes:
        first: The file under label A.
        second: The same file under label B.
        comparison: B against A; None where the outputs were wrong and nothing was timed.
        noise_floor: Robust spread of the run medians of both, 0..1; None as before.
        smallest_shown: By number of blocks, the smallest change of latency, 0..1, that a
            comparison shows nine times in ten.
        clock_resolution_ns: The smallest step of the clock; None where the runner does not say.
        sensors: Which could be read.
        beside: Against `benchmark_model`; None where it was not compared.
        not_beside: Why not; empty where it was.
        problems: Why the selftest failed, in sentences; empty where it passed.
        doubts: What was not as it should be and is no failure, in sentences.
    """

    first: Measurement
    second: Measurement
    comparison: Comparison | None
    noise_floor: float | None
    smallest_shown: Mapping[int, float]
    clock_resolution_ns: int | None
    sensors: tuple[Sensor, ...]
    beside: RunnersRatio | None
    not_beside: str
    problems: tuple[str, ...]
    doubts: tuple[str, ...]

    def floor(self) -> NoiseFloor | None:
        """What is kept of it; None unless it passed."""
        if self.problems or self.noise_floor is None:
            return None
        run = self.first.runs[0]
        both = (self.first, self.second)
        return NoiseFloor(
            device=self.first.device,
            runner=run.runner,
            runtime=run.runtime,
            kit=self.first.kit,
            measured=datetime.now(UTC).isoformat(timespec="seconds"),
            model_sha256=self.first.model.sha256,
            noise_floor=self.noise_floor,
            medians_us=tuple(tuple(run.typical_us for run in m.runs) for m in both),
            smallest_shown={str(blocks): shown for blocks, shown in self.smallest_shown.items()},
            clock_resolution_ns=self.clock_resolution_ns,
            doubts=self.doubts,
        )

    def document(self) -> Mapping[str, object]:
        """The selftest as JSON values."""
        return {
            "passed": not self.problems,
            "problems": self.problems,
            "doubts": self.doubts,
            "device": self.first.device,
            "runner": self.first.runs[0].runner if self.first.runs else None,
            "runtime": self.first.runs[0].runtime if self.first.runs else None,
            "noise_floor": self.noise_floor,
            "smallest_shown": self.smallest_shown,
            "against_itself": self.comparison.document() if self.comparison else None,
            "output_check": self.first.output_check,
            "clock_resolution_ns": self.clock_resolution_ns,
            "sensors": self.sensors,
            "beside_benchmark_model": self.beside,
            "not_beside": self.not_beside,
        }


def run_selftest(
    tested: SelftestBench,
    results: Path,
    *,
    benchmark_model: Path | None,
    command: str,
    progress: Progress,
) -> Selftest:
    """Measures one file against itself, and keeps the noise floor if that went well.

    Args:
        tested: The file, the device and the runner.
        results: Folder of the raw starts.
        benchmark_model: Google's program to be held against; None takes the one in the cache,
            and compares with nothing where there is none.
        command: What repeats this, for the results.
        progress: Told of every start.

    Raises:
        UsageError: If it cannot be measured so, or its blocks are too few to show anything.
        RunnerError: If the file cannot be run.
        DeviceError: If the device fails before the file was measured against itself.
        IncomparableError: If the starts are no pairs.
        StorageError: If something cannot be written.
    """
    repetitions = tested.config.repetitions
    if repetitions < LEAST_SIGNS:
        raise UsageError(
            f"A selftest of {plural(repetitions, 'block')} could not show anything; give"
            f" --repetitions {LEAST_SIGNS} or more."
        )
    if RUNNERS[tested.runner.name].gives_outputs:
        other, why = _benchmark_model(tested.device, benchmark_model)
    elif benchmark_model is None:
        other, why = None, f"{tested.runner.name} itself is one of Google's tools"
    else:
        raise UsageError(
            f"--benchmark-model is held against our own runners, not against {tested.runner.name}."
        )
    first, second = measure_against_itself(
        tested, results, command=command, kit=kit(), progress=progress
    )
    beside, failure = None, None
    if other is not None:
        beside, failure = _beside(tested, other, progress)
    found = judge_selftest(first, second, beside, not_beside=failure or why)
    if failure is not None:
        found = replace(found, doubts=(*found.doubts, failure))
    floor = found.floor()
    if floor is not None:
        store_floor(floor)
    return found


def _beside(
    tested: SelftestBench, other: Runner, progress: Progress
) -> tuple[Beside | None, str | None]:
    """What was measured beside `benchmark_model`, or why nothing was: what is there stays."""
    try:
        blocks = RunConfig.repetitions
        return measure_beside(tested, other, blocks=blocks, progress=progress), None
    except (RunnerError, DeviceError) as error:
        problem = printable(str(error)).rstrip(".")
        return None, f"benchmark_model could not be held against it: {problem}"


def _benchmark_model(device: Device, binary: Path | None) -> tuple[Runner | None, str]:
    """The driver of `benchmark_model`, or why there is none."""
    if binary is not None and not binary.is_file():
        raise UsageError(f"There is no benchmark_model {binary}.")
    try:
        return open_runner_for(device, "benchmark_model", binary=binary), ""
    except MissingBinaryError as error:
        return None, str(error).replace("--runner-binary", "--benchmark-model")


def judge_selftest(
    first: Measurement, second: Measurement, beside: Beside | None, *, not_beside: str = ""
) -> Selftest:
    """Says what two measurements of one file, and a third by another program, mean.

    Args:
        first: Under label A.
        second: Under label B, of the same session.
        beside: Our runner and `benchmark_model` in turn; None where it was not compared.
        not_beside: Why it was not.

    Raises:
        IncomparableError: If the two were not measured together, or too few blocks are pairs.
    """
    runs = [run for m in (first, second) for run in m.runs if run.error is None]
    wrong = any(m.validity.status is Validity.INVALID for m in (first, second))
    comparison = None if wrong else compare_measurements(first, second)
    ratio = _ratio(beside) if beside else None
    return Selftest(
        first=first,
        second=second,
        comparison=comparison,
        noise_floor=None if wrong else spread(runs),
        smallest_shown={} if wrong else _smallest(first, second),
        clock_resolution_ns=max((run.clock_resolution_ns or 0 for run in runs), default=0) or None,
        sensors=sensors_of(runs),
        beside=ratio,
        not_beside=not_beside,
        problems=tuple(_problems(first, second, comparison)),
        doubts=tuple(_doubts(first, second, ratio)),
    )


def _smallest(first: Measurement, second: Measurement) -> dict[int, float]:
    noise = log_ratios(pair_blocks(first, second))
    found = {blocks: smallest_shown(noise, blocks) for blocks in BLOCKS}
    return {blocks: math.expm1(shown) for blocks, shown in found.items() if shown is not None}


def _ratio(beside: Beside) -> RunnersRatio | None:
    pairs = zip(beside.ours_us, beside.theirs_us, strict=True)
    interval = median_interval([math.log(ours / theirs) for ours, theirs in pairs])
    if interval is None:
        return None
    return RunnersRatio(
        ratio=math.exp(interval.median),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
        statistic=beside.statistic,
        blocks=len(beside.ours_us),
    )


def _problems(
    first: Measurement, second: Measurement, comparison: Comparison | None
) -> Sequence[str]:
    if comparison is None:
        reasons = dict.fromkeys((*first.validity.reasons, *second.validity.reasons))
        return [f"nothing it measures here counts: {printable(reason)}" for reason in reasons]
    if comparison.verdict is Outcome.NO_DIFFERENCE_SHOWN:
        return []
    found = speed(comparison.latency_ratio, comparison.low, comparison.high)
    return [
        f"one file was called different from itself (B against A: {found}), so a difference that"
        " is measured here may be none of the files: something changes with the order of starts,"
        f" or changed meanwhile. By chance this happens to {ALPHA:.0%} of sound devices at most:"
        " leave the device alone and run the selftest again; if it fails again, believe no small"
        " difference from here"
    ]


def _doubts(first: Measurement, second: Measurement, ratio: RunnersRatio | None) -> Sequence[str]:
    doubts = [
        printable(reason)
        for m in (first, second)
        if m.validity.status is Validity.SUSPECT
        for reason in m.validity.reasons
    ]
    if ratio and not ratio.agree:
        doubts.append(
            f"our runner and benchmark_model are further apart than"
            f" {AGREEMENT[1] - 1:.0%} ({ratio_text(ratio)}): compare numbers of one with its own"
        )
    return list(dict.fromkeys(doubts))


def ratio_text(ratio: RunnersRatio) -> str:
    """E.g. "1.012x [1.003, 1.020], medians of 12 blocks"."""
    interval = f"[{ratio.low:.3f}, {ratio.high:.3f}]"
    return f"{ratio.ratio:.3f}x {interval}, {ratio.statistic}s of {plural(ratio.blocks, 'block')}"
