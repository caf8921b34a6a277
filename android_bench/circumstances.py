"""What the sensors say against a measurement: heat, clocks, battery, screen.

A run that lasts for long to show how a device slows down is not blamed for it, and one that is
paced lets the clocks fall between its frames: both are what was asked for.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from android_bench.limits import LIMITS
from mobilekit.core.measurement import Conditions, Run, RunConfig


def judge_conditions(runs: Sequence[Run], config: RunConfig) -> Iterator[str]:
    """Every reason to doubt the runs that their conditions give, in sentences.

    Args:
        runs: Starts that went well.
        config: How they were to be measured.
    """
    if config.mode != "sustained":
        yield from _throttled(runs)
    if config.mode == "burst":
        yield from _clocks(runs)
    yield from _warm(runs)
    yield from _unsettled(runs)
    yield from _battery(runs)
    yield from _screen(runs)


def clock_moved(run: Run) -> float | None:
    """How far the clocks of the processors that worked moved within a run: 0.1 is 10 %.

    Which processors worked is not known; those with the highest clocks did, as many as there are
    threads. None where the kernel tells too little.
    """
    count = run.requested.num_threads
    spent = _time_in_state(run.conditions.before, run.conditions.after)
    if spent:
        return max((_off_the_usual(times) for times in _busiest(spent, run, count)), default=None)
    under_load = [window.conditions for window in run.windows or ()] + [run.conditions.after]
    seen = [each.frequencies_khz for each in under_load if each.frequencies_khz]
    if len(seen) < 2:
        return None
    common = set.intersection(*(set(each) for each in seen))
    ranges = {cpu: [each[cpu] for each in seen] for cpu in common if _allowed(cpu, run)}
    fastest = sorted(ranges.values(), key=max)[-count:]
    return max((1 - min(each) / max(each) for each in fastest if min(each) > 0), default=None)


def _throttled(runs: Sequence[Run]) -> Iterator[str]:
    limit = LIMITS["thermal_status"].value
    found = [max(_known(run, "thermal_status"), default=0) for run in runs]
    throttled = [status for status in found if status >= limit]
    if throttled:
        yield (
            f"throttling seen: the device's thermal status was up to {max(throttled):.0f} in"
            f" {len(throttled)} of {len(runs)} starts (0 is none); let it cool, or give it a"
            " --cooldown"
        )


def _clocks(runs: Sequence[Run]) -> Iterator[str]:
    limit, tolerated = LIMITS["frequency"].value, LIMITS["disturbed_starts"].value
    moved = [share for run in runs if (share := clock_moved(run)) is not None and share > limit]
    if len(moved) > tolerated * len(runs):
        yield (
            f"frequencies moved: by up to {max(moved):.0%} within {len(moved)} of {len(runs)}"
            f" starts (limit {limit:.0%}); measure longer (--warmup-runs, --min-secs), let the"
            " device cool, or fix its clocks"
        )


def _warm(runs: Sequence[Run]) -> Iterator[str]:
    missed = [run.cool_down for run in runs if run.cool_down and not run.cool_down.reached]
    if missed:
        warmest = max(missed, key=lambda each: each.start_c - each.target_c)
        yield (
            f"not cool: {len(missed)} of {len(runs)} starts were made at up to"
            f" {warmest.start_c:.1f} °C where {warmest.target_c:.1f} °C was waited for; raise"
            " --cool-limit, or name what it can cool to with --cool-to"
        )


def _unsettled(runs: Sequence[Run]) -> Iterator[str]:
    unsettled = sum(run.warmup_settled is False for run in runs)
    if unsettled > LIMITS["disturbed_starts"].value * len(runs):
        yield (
            f"the warm-up did not settle in {unsettled} of {len(runs)} starts: its last windows"
            " differ by more than 2 %; leave the device alone meanwhile, or raise --warmup-runs"
        )


def _battery(runs: Sequence[Run]) -> Iterator[str]:
    limit = LIMITS["battery_percent"].value
    lowest = min((value for run in runs for value in _known(run, "battery_percent")), default=None)
    if lowest is not None and lowest < limit:
        yield f"battery low: {lowest:.0f} % (limit {limit:.0f} %); charge it first"
    charging = sum(any(_known(run, "charging")) for run in runs)
    if charging:
        yield (
            f"the battery was charging in {charging} of {len(runs)} starts, which heats the device;"
            " charge it fully first, or pull the charger and reach it over the network"
        )


def _screen(runs: Sequence[Run]) -> Iterator[str]:
    seen = [value for run in runs for value in _known(run, "screen_on")]
    if seen and not all(seen):
        changed = "changed its state" if any(seen) else "was off"
        yield f"the screen {changed}, and a device with a dark screen slows down; keep it on"


def _known(run: Run, name: str) -> list[float]:
    """A sensor's values around and in a run."""
    windows = [window.conditions for window in run.windows or ()]
    values = (
        getattr(each, name) for each in (run.conditions.before, *windows, run.conditions.after)
    )
    return [value for value in values if value is not None]


def _time_in_state(before: Conditions, after: Conditions) -> dict[str, dict[int, int]]:
    """Ticks that passed at each frequency in kHz, by processor; without those that stood still."""
    spent = {}
    for cpu, states in (after.time_in_state or {}).items():
        earlier = (before.time_in_state or {}).get(cpu)
        if earlier is None:
            continue
        ticks = {
            int(khz): count - earlier.get(khz, 0)
            for khz, count in states.items()
            if khz.isdecimal() and int(khz) > 0 and count > earlier.get(khz, 0)
        }
        if ticks:
            spent[cpu] = ticks
    return spent


def _busiest(
    spent: Mapping[str, Mapping[int, int]], run: Run, count: int
) -> list[Mapping[int, int]]:
    own = [ticks for cpu, ticks in spent.items() if _allowed(cpu, run)]
    return sorted(own, key=_mean_khz)[-count:]


def _allowed(cpu: str, run: Run) -> bool:
    number = cpu.removeprefix("cpu")
    return not run.processors or not number.isdecimal() or int(number) in run.processors


def _mean_khz(ticks: Mapping[int, int]) -> float:
    return statistics.fmean(ticks, ticks.values())


def _off_the_usual(ticks: Mapping[int, int]) -> float:
    """How far the mean frequency is from the one that was in force for longest."""
    usual = max(ticks, key=lambda khz: ticks[khz])
    return abs(_mean_khz(ticks) / usual - 1)
