"""What one long run shows: its curve over time, its steady state, the time until it throttles.

All of it is derived from a run's latencies when asked for, never stored. The rules stand in one
table. Time is that since the first measured invocation began: where the runner read its sensors
between two invocations it also said when, and between such moments the latencies fill the time; a
run without them is as long as its latencies together, which leaves out the microsecond between two.

How the rules behave is tested on simulated runs with 2 % of noise between invocations, of which one
in twenty takes 1.5 to 3 times as long. Of 1,000 runs each of 50, 200 and 3,000 invocations whose
level does not move, none is said to throttle, and 66, none and none not to be steady. A level that
rises by a tenth at some moment and stays was found in 300 of 300, within two windows of it.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mobilekit.core.measurement import Run
from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of `RULES`.

    Attributes:
        name: What it decides.
        value: Its number; shares are 0..1.
        because: Why this one.
    """

    name: str
    value: float
    because: str


RULES: Registry[Rule] = Registry(
    "rule of a sustained run",
    [
        Rule(
            name="windows",
            value=60,
            because="equal times of the curve: of half an hour, 30 s each, shorter than a phone"
            " takes to heat up",
        ),
        Rule(
            name="window_runs",
            value=5,
            because="invocations a window has at least on average; there are fewer windows"
            " otherwise, since a median of less follows single slow invocations",
        ),
        Rule(
            name="least_windows",
            value=8,
            because="a quarter has two windows then; of less, nothing is said but the curve",
        ),
        Rule(
            name="running_median",
            value=3,
            because="windows that are smoothed together: one that was disturbed moves nothing",
        ),
        Rule(
            name="settled_within",
            value=0.02,
            because="as in the warm-up: two successive windows that differ by no more give the"
            " first settled level",
        ),
        Rule(
            name="throttled_above",
            value=0.05,
            because="as the limit of drift: undisturbed runs move by 1.6 % at most",
        ),
        Rule(
            name="throttled_windows",
            value=3,
            because="windows that stay above at least, up to the end: what was disturbed shortly"
            " before the end is no throttling",
        ),
        Rule(
            name="steady_within",
            value=0.02,
            because="the last two quarters of a run that is steady differ by no more",
        ),
    ],
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One window of the curve.

    Attributes:
        t_s: Its middle, seconds since the first measured invocation began.
        median_us: Of its invocations, microseconds.
        temperature_c: The highest that was read in it, °C; None where none was.
    """

    t_s: float
    median_us: float
    temperature_c: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sustained:
    """What a long run shows. None where the run has too few invocations to say it.

    Attributes:
        curve: Windows of equal time, in order.
        length_s: From the first invocation's beginning to the last one's end.
        first_us: The first settled level: of the first two successive windows that agree; None
            also where no two do.
        steady_us: Median of the invocations of the last quarter of the time.
        steady_change: By how much they are slower than those of the quarter before: 0.02 is 2 %.
        throttled_s: From when on it stays slower than the first settled level to the end; None
            also where it does not.
    """

    curve: tuple[Point, ...]
    length_s: float
    first_us: float | None
    steady_us: float | None
    steady_change: float | None
    throttled_s: float | None

    @property
    def is_steady(self) -> bool | None:
        """Whether the last two quarters agree; None where that is not known."""
        if self.steady_change is None:
            return None
        return abs(self.steady_change) <= RULES["steady_within"].value


def sustained(run: Run) -> Sustained:
    """Derives everything from a run without an error."""
    times_s = begin_times_s(run)
    length_s = times_s[-1] + run.latencies_us[-1] / 1e6
    most = len(times_s) // int(RULES["window_runs"].value)
    count = max(1, min(int(RULES["windows"].value), most))
    curve = _curve(run, times_s, length_s, count)
    if len(curve) < RULES["least_windows"].value:
        return Sustained(
            curve=curve,
            length_s=length_s,
            first_us=None,
            steady_us=None,
            steady_change=None,
            throttled_s=None,
        )
    first_us = _first_level(curve)
    third, fourth = (
        statistics.median(_between(run, times_s, length_s * start, length_s * (start + 0.25)))
        for start in (0.5, 0.75)
    )
    return Sustained(
        curve=curve,
        length_s=length_s,
        first_us=first_us,
        steady_us=fourth,
        steady_change=fourth / third - 1,
        throttled_s=None if first_us is None else _throttled(curve, first_us, length_s / count),
    )


def begin_times_s(run: Run) -> list[float]:
    """When each measured invocation began, seconds since the first one did."""
    sums = list(itertools.accumulate(run.latencies_us, initial=0.0))
    # Before an index that the runner gave a time, latencies fill the time since the one before.
    known = [(0, 0.0), *((window.index, window.at_us) for window in run.windows or ())]
    times: list[float] = []
    for (index, at_us), (end, end_us) in itertools.pairwise([*known, (len(sums) - 1, -1.0)]):
        took = sums[end] - sums[index]
        scale = (end_us - at_us) / took if end_us >= 0 and took > 0 else 1.0
        times += [(at_us + (sums[i] - sums[index]) * scale) / 1e6 for i in range(index, end)]
    return times


def _between(run: Run, times_s: Sequence[float], start_s: float, end_s: float) -> Sequence[float]:
    """Latencies of the invocations that began in a time; of none, of the last one before."""
    first, last = bisect.bisect_left(times_s, start_s), bisect.bisect_left(times_s, end_s)
    return run.latencies_us[first:last] or run.latencies_us[max(0, first - 1) : max(1, first)]


def _curve(run: Run, times_s: Sequence[float], length_s: float, count: int) -> tuple[Point, ...]:
    """A window in which no invocation began has no point."""
    points = []
    for window in range(count):
        start_s, end_s = length_s * window / count, length_s * (window + 1) / count
        first, last = bisect.bisect_left(times_s, start_s), bisect.bisect_left(times_s, end_s)
        warm = [
            seen.conditions.temperature_c
            for seen in run.windows or ()
            if start_s <= seen.at_us / 1e6 < end_s and seen.conditions.temperature_c is not None
        ]
        if first < last:
            points.append(
                Point(
                    t_s=(start_s + end_s) / 2,
                    median_us=statistics.median(run.latencies_us[first:last]),
                    temperature_c=max(warm, default=None),
                )
            )
    return tuple(points)


def _first_level(curve: Sequence[Point]) -> float | None:
    for one, other in itertools.pairwise(curve):
        if abs(other.median_us / one.median_us - 1) <= RULES["settled_within"].value:
            return (one.median_us + other.median_us) / 2
    return None


def _throttled(curve: Sequence[Point], first_us: float, window_s: float) -> float | None:
    """The beginning of the first window from which on the running median stays above."""
    limit = first_us * (1 + RULES["throttled_above"].value)
    since = len(curve)
    while since and _running_median(curve, since - 1) > limit:
        since -= 1
    if len(curve) - since < RULES["throttled_windows"].value:
        return None
    return max(0.0, curve[since].t_s - window_s / 2)


def _running_median(curve: Sequence[Point], place: int) -> float:
    """Of the window, and of its neighbours as far as there are."""
    reach = int(RULES["running_median"].value) // 2
    near = curve[max(0, place - reach) : place + reach + 1]
    return statistics.median_high(point.median_us for point in near)
