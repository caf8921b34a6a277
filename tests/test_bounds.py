"""One-sided bounds of shares, drops and medians: they are wrong as seldom as they say."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mobilekit.intervals import (
    _chance_of_so_few,
    drop_at_most,
    least_total,
    median_at_least,
    share_at_most,
)

ERROR = 0.05
SMALL = 20  # things whose every outcome is looked at


@functools.cache
def bounds_of_all_outcomes() -> dict[tuple[int, int], float]:
    return {
        (lost, gained): drop_at_most(lost, gained, SMALL, ERROR)
        for lost in range(SMALL + 1)
        for gained in range(SMALL + 1 - lost)
    }


@pytest.mark.parametrize(
    ("of_lost", "of_gained"),
    [(0.01, 0.0), (0.05, 0.05), (0.1, 0.02), (0.3, 0.3), (0.5, 0.1), (0.1, 0.4), (0.9, 0.1)],
)
def test_bound_of_a_drop_is_too_low_no_more_often_than_it_says(of_lost, of_gained):
    shares = [of_lost, of_gained, max(0.0, 1 - of_lost - of_gained)]
    wrong = sum(
        stats.multinomial.pmf([lost, gained, SMALL - lost - gained], SMALL, shares)
        for (lost, gained), bound in bounds_of_all_outcomes().items()
        if bound < of_lost - of_gained - 1e-6
    )
    assert wrong <= ERROR


@pytest.mark.parametrize("drop", [0.0, 0.02])
def test_bound_of_a_drop_is_rarely_too_low_and_seldom_useless_with_many_images(drop):
    total, discordant, draws = 300, 0.04, 1000
    bound_of = functools.cache(drop_at_most)
    random = np.random.default_rng(0)
    of_lost, of_gained = (discordant + drop) / 2, (discordant - drop) / 2
    found = random.multinomial(total, [of_lost, of_gained, 1 - discordant], draws)
    bounds = [bound_of(int(lost), int(gained), total, ERROR) for lost, gained, _ in found]
    wrong = sum(bound < drop for bound in bounds)
    assert wrong <= stats.binom.ppf(0.999, draws, ERROR)
    # The normal approximation has its bound 1.645 standard errors above: 1.9 points here.
    assert np.median(bounds) - drop < 0.030


@pytest.mark.parametrize(
    ("net", "drop", "most"), [(3, 0.03, 0.09), (-2, 0.01, 0.2), (40, 0.3, 0.5)]
)
def test_chance_at_the_worst_share_is_found_on_a_coarse_grid(net, drop, most, monkeypatch):
    coarse = _chance_of_so_few(net, 200, drop, most)
    monkeypatch.setattr("mobilekit.intervals.GRID", 1000)
    assert coarse == pytest.approx(_chance_of_so_few(net, 200, drop, most), rel=0.02)


@settings(max_examples=30, deadline=None)
@given(lost=st.integers(0, 20), gained=st.integers(0, 20), spare=st.integers(1, 200))
def test_bound_of_a_drop_lies_above_what_was_seen_and_grows_with_what_was_lost(lost, gained, spare):
    total = lost + gained + spare
    bound = drop_at_most(lost, gained, total, ERROR)
    assert (lost - gained) / total < bound <= 1
    assert drop_at_most(lost + 1, gained, total, ERROR) >= bound - 1e-6


def test_nothing_lost_of_n_shows_hardly_less_than_that_nothing_differs():
    least = share_at_most(0, 600, ERROR)
    assert least == pytest.approx(1 - ERROR ** (1 / 600))
    # Answers that were lost may be hidden behind as many that were gained.
    assert least < drop_at_most(0, 0, 600, ERROR) < 1.5 * least


def test_everything_lost_bounds_nothing():
    assert share_at_most(7, 7, ERROR) == 1
    assert drop_at_most(7, 0, 7, ERROR) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (1, 50), (7, 50), (49, 50)])
def test_bound_of_a_share_is_that_of_clopper_and_pearson(hits, total):
    theirs = stats.binomtest(hits, total, alternative="less").proportion_ci(0.95, method="exact")
    assert share_at_most(hits, total, ERROR) == pytest.approx(theirs.high)


@pytest.mark.parametrize("count", [5, 12, 40])
def test_lower_bound_of_a_median_is_too_high_no_more_often_than_it_says(count):
    # Only how many values lie above the median counts: every such number is looked at.
    wrong = 0.0
    for below in range(count + 1):
        values = [-1.0] * below + [1.0] * (count - below)
        bound = median_at_least(values, ERROR)
        assert bound is not None
        wrong += math.comb(count, below) / 2**count * (bound > 0)
    assert wrong <= ERROR


def test_few_values_bound_no_median():
    assert median_at_least([30.0] * 4, ERROR) is None
    assert median_at_least([], ERROR) is None


def test_least_total_is_the_first_that_shows():
    asked = []

    def shows(total):
        asked.append(total)
        return total >= 597

    assert least_total(shows) == 597
    assert len(asked) < 30
    assert least_total(lambda _: False) is None
    assert least_total(lambda total: share_at_most(0, max(total, 1), ERROR) <= 0.005) == next(
        total for total in itertools.count(1) if 1 - ERROR ** (1 / total) <= 0.005
    )
