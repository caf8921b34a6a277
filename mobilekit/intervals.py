"""Intervals: of a median, of a share, and what few observations can never show.

One rule serves medians everywhere: the interval between two order statistics, which is the sign
test turned round. It assumes nothing about the shape of the noise. `ALPHA` stands here and nowhere
else. Source: Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2 (quantile
test); Wilson 1927 (shares); Clopper & Pearson 1934 (one-sided bounds); Berger & Boos 1994, J. Am.
Stat. Assoc. 89 (bound of a drop).
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

# The largest chance of calling equal things different that is accepted.
ALPHA = 0.05
# The level that every interval reaches at least, for people.
LEVEL_TEXT = f"{(1 - ALPHA) * 100:g} %"
# "Nine times in ten": how often a difference has to be shown to be called one that can be shown.
SHOWN_CHANCE = 0.9
# One-sided outcomes that a two-sided sign test (or McNemar's) needs at least: with fewer, even
# "all of them the same way" has a chance above ALPHA. 2 * 2**-6 = 0.031, 2 * 2**-5 = 0.0625.
LEAST_SIGNS = math.ceil(1 - math.log2(ALPHA))


@dataclass(frozen=True, kw_only=True)
class MedianInterval:
    """A sample's median and the interval for the median of what it was drawn from.

    Attributes:
        median: Of the sample.
        low: Lower end, itself one of the observations.
        high: Upper end, itself one of the observations.
        level: The guaranteed coverage for independent observations, at least 1 - ALPHA:
            order statistics move in steps, so 12 observations give 0.961, not 0.95.
    """

    median: float
    low: float
    high: float
    level: float


def median_interval(values: Sequence[float]) -> MedianInterval | None:
    """The order-statistics interval of the median; None for fewer than `LEAST_SIGNS` values.

    The same interval as `scipy.stats.quantile_test(values).confidence_interval(1 - ALPHA)`, which
    keeps the level it reached to itself.
    """
    if len(values) < LEAST_SIGNS:
        return None
    ordered = sorted(values)
    rank, level = _rank(len(ordered))
    return MedianInterval(
        median=statistics.median(ordered),
        low=ordered[rank - 1],
        high=ordered[-rank],
        level=level,
    )


def smallest_shown(differences: Sequence[float], count: int) -> float | None:
    """The smallest true difference that the interval of `count` values leaves out mostly.

    Args:
        differences: Of equal things, around zero: what noise alone does, in either direction.
        count: How many values the interval would be of.

    Returns:
        The difference whose interval does not reach zero in `SHOWN_CHANCE` of trials, on the
        scale of `differences`; None if so few values cannot show any, or `differences` are too
        few to tell.

    With noise that is as likely above zero as below, the interval of a true difference D reaches
    zero exactly if its lower end lies D or more below D. The lower end is the k-th smallest of
    `count` values, and the share of the noise below the k-th smallest follows a beta distribution.
    """
    if count < LEAST_SIGNS or len(differences) == 0:
        return None
    rank, _ = _rank(count)
    below = float(stats.beta.ppf(1 - SHOWN_CHANCE, rank, count - rank + 1))
    # Of the sizes, whichever way they go; rounded up, since few differences tell little.
    place = math.ceil((1 - 2 * below) * (len(differences) + 1))
    sizes = sorted(abs(difference) for difference in differences)
    return sizes[place - 1] if place <= len(sizes) else None


@functools.cache
def _rank(count: int) -> tuple[int, float]:
    """Which observation from either end bounds the median of `count`, and the level that gives."""
    rank = int(stats.binom.ppf(ALPHA / 2, count, 0.5))
    return rank, float(1 - 2 * stats.binom.cdf(rank - 1, count, 0.5))


def share_interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's interval at 1 - ALPHA for `hits` of `total`, as shares 0..1; `total` above 0."""
    found = stats.binomtest(hits, total).proportion_ci(confidence_level=1 - ALPHA, method="wilson")
    return float(found.low), float(found.high)


def unseen_share(total: int) -> float:
    """The largest share, 0..1, that `total` draws miss entirely with a chance of ALPHA."""
    return float(1 - ALPHA ** (1 / total))


# Of the error that a bound of a drop may make, the part that its discordant share takes.
DISCORDANT_PART = 0.1
GRID = 24  # shares at which the chance is looked at; it is nearly straight between two of them
HALVINGS = 20  # of the interval that a bound is searched in: to 2e-6
NEGLIGIBLE = 1e-13  # chance of more differing pairs than are looked at


def share_at_most(hits: int, total: int, error: float) -> float:
    """Clopper and Pearson's upper bound of a share, 0..1; too low with a chance below `error`."""
    return 1.0 if hits >= total else float(stats.beta.ppf(1 - error, hits + 1, total - hits))


def drop_at_most(lost: int, gained: int, total: int, error: float) -> float:
    """Upper bound of how much smaller one share is than another on the same things.

    Args:
        lost: Things that the first has and the second has not: McNemar's one cell.
        gained: The other way round.
        total: All things, above 0.
        error: The largest chance of a bound that is too low.

    Returns:
        The bound of (first share - second share), -1..1, exact for any number of things.

    Given how many of the pairs differ, `lost` is binomial (McNemar). How large a share of all pairs
    differ is not known, so the chance is taken at the worst share inside a Clopper-Pearson bound,
    which uses up a part of `error` (Berger and Boos).
    """
    most = share_at_most(lost + gained, total, error * DISCORDANT_PART)
    allowed = error * (1 - DISCORDANT_PART)
    low, high = -1.0, most
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _chance_of_so_few(lost - gained, total, middle, most) > allowed:
            low = middle
        else:
            high = middle
    return high


def _chance_of_so_few(net: int, total: int, drop: float, most: float) -> float:
    """The largest chance that lost - gained is at most `net` where the true drop is `drop`."""
    least = min(abs(drop), most)  # as many pairs differ at least
    shares = np.linspace(least, most, GRID)[:, np.newaxis]
    last = int(stats.binom.isf(NEGLIGIBLE, total, most))
    counts = np.arange(min(last, total) + 1)[np.newaxis]
    of_lost = np.clip((1 + drop / np.maximum(shares, np.finfo(float).tiny)) / 2, 0, 1)
    few = (counts + net) // 2  # as many of them are lost at most; below zero, none can be
    chances = np.where(few < 0, 0, special.bdtr(np.clip(few, 0, counts), counts, of_lost))
    return float((stats.binom.pmf(counts, total, shares) * chances).sum(axis=1).max())


def median_at_least(values: Sequence[float], error: float) -> float | None:
    """Lower bound of a median, wrong with a chance of at most `error`; None for too few values."""
    rank = int(stats.binom.ppf(error, len(values), 0.5))
    if rank < 1:
        return None
    return sorted(values)[rank - 1]


def least_total(shows: Callable[[int], bool], most: int = 10_000_000) -> int | None:
    """The smallest number of things for which `shows` is true, as it is for all larger ones."""
    if not shows(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high
