"""Whether a measurement may be used: valid, suspect or invalid, with every reason and a remedy.

The limits stand in `android_bench.limits`, what is said of sensors in
`android_bench.circumstances`.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence

from android_bench.circumstances import judge_conditions
from android_bench.limits import LIMITS, Limit
from mobilekit.core.measurement import (
    UNCHECKED_OUTPUTS,
    OutputCheck,
    Run,
    RunConfig,
    Validity,
    Verdict,
)

__all__ = ["LIMITS", "Limit", "drift", "judge", "spread"]

CPU = "xnnpack"
# The quartiles of a normal distribution are this many standard deviations apart.
QUARTILES_SIGMA = 1.349
# What accelerators say of hardware that is none: Dawn's adapter type, OpenVINO's device.
SOFTWARE = re.compile(r"adapterType=CPU\b|OpenVINO device CPU\b", re.IGNORECASE)


def judge(
    runs: Sequence[Run],
    *,
    config: RunConfig,
    check: OutputCheck | None,
    output_sha256: Sequence[str],
    failures: Sequence[str],
    cpu_count: int | None,
    emulated: str | None = None,
    floor: float | None = None,
) -> Verdict:
    """Judges a cell.

    Args:
        runs: Its starts that count.
        config: How it was to be measured.
        check: What the output check found; None where the runner gives no outputs to check.
        output_sha256: Digests of the outputs that were checked, of the first input.
        failures: What went wrong in starts that do not count.
        cpu_count: How many processors the busy shares are of; None where nobody knows.
        emulated: What emulates the device's processor; None where nothing does.
        floor: The spread that a selftest of the device showed, 0..1; None where there was none.

    Returns:
        Invalid, with that reason alone, if the outputs are wrong or nothing was measured;
        suspect with every reason that there is; or valid.
    """
    if check is not None and not check.passed:
        return _invalid(f"the outputs are wrong: {check.detail} ({check.how})")
    if emulated is not None:
        return _invalid(
            f"{emulated} emulates the processor: outputs were checked, and no latency was taken,"
            " since it would not be that of any device"
        )
    good = [run for run in runs if run.error is None]
    if not good:
        return _invalid("no start went well: " + (failures[-1] if failures else "none was made"))
    # One long run is no poor burst: that its latency moves is what it was made to show.
    burst = config.sustained_s is None
    reasons = [
        *(_blocks(good) if burst else ()),
        *_unseen(good, check),
        *_fallback(good, config.delegate),
        *_partial_fallback(good, config.delegate),
        *_software(good, config.delegate),
        *_outputs(good, output_sha256),
        *_failures([*failures, *(run.error for run in runs if run.error is not None)], len(runs)),
        *_retried(good),
        *judge_conditions(good, config),
        *_busy(good, cpu_count),
        *_spread(good, floor),
        *(_drift(good) if burst else ()),
    ]
    return Verdict(status=Validity.SUSPECT if reasons else Validity.VALID, reasons=tuple(reasons))


def spread(runs: Sequence[Run]) -> float:
    """Relative spread of the run medians, from their quartiles: 0.02 is 2 %; of one run, zero.

    Of the run means where the runner printed no medians.

    Not from the median absolute deviation: that is blind to a minority of 40 %.
    """
    if len(runs) < 2:
        return 0.0
    low, center, high = statistics.quantiles(
        (run.typical_us for run in runs), n=4, method="inclusive"
    )
    return (high - low) / QUARTILES_SIGMA / center


def drift(run: Run) -> float:
    """By how much the second half of a start's invocations is slower than the first: 0.02 is 2 %.

    Zero for fewer than four invocations, and where the runner kept none.
    """
    half = len(run.latencies_us) // 2
    if half < 2:
        return 0.0
    first, second = run.latencies_us[:half], run.latencies_us[-half:]
    return statistics.median(second) / statistics.median(first) - 1


def _invalid(reason: str) -> Verdict:
    return Verdict(status=Validity.INVALID, reasons=(reason,))


def _blocks(runs: Sequence[Run]) -> Iterator[str]:
    least = int(LIMITS["blocks"].value)
    if len(runs) < least:
        blocks = "1 block" if len(runs) == 1 else f"{len(runs)} blocks"
        yield (
            f"too few runs: {blocks} cannot show any difference, {least} are needed at least;"
            f" measure with --repetitions {RunConfig.repetitions}"
        )


def _unseen(runs: Sequence[Run], check: OutputCheck | None) -> Iterator[str]:
    """What a runner that prints statistics cannot show, so that it is never more than suspect."""
    if any(run.summary is not None for run in runs):
        means = any(run.statistic == "mean" for run in runs)
        what = (
            "the mean over its invocations stands for the median"
            if means
            else "the median is the one that the runner printed"
        )
        yield f"no raw samples: {what}"
    if check is None:
        yield UNCHECKED_OUTPUTS


def _fallback(runs: Sequence[Run], delegate: str) -> Iterator[str]:
    taken = {run.actual.nodes_delegated for run in runs}
    counted = {run.actual.nodes_delegated is not None for run in runs}
    # A runner that counts no nodes at all may still say how far the delegate went.
    worded = [run.actual for run in runs if run.actual.delegate and not run.actual.nodes_total]
    partly = [actual for actual in worded if actual.partitions]
    if 0 in taken:
        kernels = "runtime's built-in kernels" if delegate == RunConfig.delegate else "CPU"
        yield (
            f"fallback: {delegate} was asked for and took no node of this file, so these are the"
            f" times of the {kernels}"
        )
    elif False in counted and partly:
        yield (
            f"{delegate} took a part of this file in {partly[0].partitions} partitions; how many"
            " nodes were left to the CPU is not told"
        )
    elif False in counted and len(worded) < len(runs):
        yield f"the runtime does not say whether {delegate} was applied"


def _partial_fallback(runs: Sequence[Run], delegate: str) -> Iterator[str]:
    """XNNPACK is the processor itself: what it leaves is no detour, and the report tells it."""
    if delegate == CPU:
        return
    most = LIMITS["partitions"].value
    for actual in dict.fromkeys(run.actual for run in runs):
        taken, total, partitions = actual.nodes_delegated, actual.nodes_total, actual.partitions
        if not taken or total is None:
            continue
        if taken < total or (partitions or 0) > most:
            yield (
                f"partial fallback: {delegate} took {taken} of {total} nodes"
                f"{'' if partitions is None else f' in {partitions} partition(s)'}; between them"
                " the processor worked"
            )


def _software(runs: Sequence[Run], delegate: str) -> Iterator[str]:
    told = [run.actual.hardware for run in runs if run.actual.hardware is not None]
    software = next((hardware for hardware in told if SOFTWARE.search(hardware)), None)
    if software is not None:
        yield (
            f"{delegate} ran on software that stands for its hardware ({software}), so these times"
            " say nothing about a real one"
        )


def _outputs(runs: Sequence[Run], output_sha256: Sequence[str]) -> Iterator[str]:
    other = sum(tuple(run.output_sha256) != tuple(output_sha256) for run in runs)
    if other:
        yield f"{other} of {len(runs)} starts had other outputs than the start that was checked"


def _failures(failures: Sequence[str], counted: int) -> Iterator[str]:
    if failures:
        starts = "1 start" if len(failures) == 1 else f"{len(failures)} starts"
        yield f"{starts} beside the {counted} that count failed, the last with: {failures[-1]}"


def _retried(runs: Sequence[Run]) -> Iterator[str]:
    again = sum(run.retried for run in runs)
    if again:
        yield (
            f"{again} of {len(runs)} starts were made again after a failure, at the end of their"
            " block instead of where the draw had put them"
        )


def _busy(runs: Sequence[Run], cpu_count: int | None) -> Iterator[str]:
    limit, tolerated = LIMITS["busy_processors"].value, LIMITS["disturbed_starts"].value
    # One busy neighbour is half of two processors and a 64th of 64, and disturbs either.
    busy = [run.busy_share * (cpu_count or 1) for run in runs if run.busy_share is not None]
    disturbed = [processors for processors in busy if processors > limit]
    if len(disturbed) > tolerated * len(runs):
        yield (
            f"other processes kept up to {max(disturbed):.1f} processors busy during"
            f" {len(disturbed)} of {len(runs)} starts; end them and measure with --again"
        )


def _spread(runs: Sequence[Run], floor: float | None) -> Iterator[str]:
    found, limit = spread(runs), LIMITS["spread"].value
    usual = max(LIMITS["times_floor"].value * (floor or 0.0), LIMITS["harmless_spread"].value)
    if floor is not None and usual < found <= limit:
        yield (
            f"variation above the device's noise floor: the runs' medians spread by {found:.1%}"
            f" (limit {usual:.1%}), by {floor:.1%} in the device's selftest; leave the device alone"
            " meanwhile and measure with --again"
        )
    if found > limit:
        yield (
            f"the runs differ: their medians spread by {found:.1%} (limit {limit:.0%}); leave the"
            " device alone meanwhile, or measure with more --repetitions"
        )


def _drift(runs: Sequence[Run]) -> Iterator[str]:
    found, limit = statistics.median(drift(run) for run in runs), LIMITS["drift"].value
    if abs(found) > limit:
        way, remedy = ("slower", "let it cool") if found > 0 else ("faster", "raise --warmup-runs")
        yield (
            f"the second half of a run is {abs(found):.1%} {way} than the first (limit"
            f" {limit:.0%}); {remedy}"
        )
