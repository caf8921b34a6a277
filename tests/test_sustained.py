"""What one long run shows: tested on simulated runs whose truth is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilekit.core.measurement import Conditions, Window
from mobilekit.sustained import RULES, begin_times_s, sustained
from tests.sample_results import run_of

LEVEL_US = 10_000.0


def noisy(rng, count):
    """2 % of noise; one invocation in twenty takes 1.5 to 3 times as long."""
    noise = rng.lognormal(0, 0.02, count)
    slow = rng.random(count) < 0.05
    noise[slow] *= rng.uniform(1.5, 3, slow.sum())
    return LEVEL_US * noise


def window(index, at_s, temperature_c=None):
    conditions = Conditions(temperature_c=temperature_c)
    return Window(index=index, at_us=at_s * 1e6, conditions=conditions)


# --- statistics -----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [50, 200, 600])
def test_a_level_that_does_not_move_is_rarely_called_throttled_or_unsteady(count):
    rng = np.random.default_rng(0)
    found = [sustained(run_of(noisy(rng, count))) for _ in range(200)]
    assert sum(each.throttled_s is not None for each in found) <= 1
    assert sum(not each.is_steady for each in found) <= (30 if count == 50 else 1)
    assert all(each.steady_us == pytest.approx(LEVEL_US, rel=0.05) for each in found)


@pytest.mark.parametrize("step", [1.1, 1.5])
def test_the_time_from_which_it_stays_slower_is_found(step):
    rng = np.random.default_rng(1)
    for _ in range(60):
        latencies = noisy(rng, 600)
        at = int(rng.uniform(0.1, 0.85) * 600)
        latencies[at:] *= step
        found = sustained(run_of(latencies))
        true_s = latencies[:at].sum() / 1e6
        assert found.throttled_s == pytest.approx(true_s, abs=2 * found.length_s / 60)
        assert found.first_us == pytest.approx(LEVEL_US, rel=0.03)
        if at < 600 / 2 * 0.8:
            assert found.steady_us == pytest.approx(step * LEVEL_US, rel=0.03)


@pytest.mark.parametrize(
    ("shape", "throttled"),
    [
        (lambda share: 1 + 0.3 * (0.3 < share < 0.6), False),  # and recovers
        (lambda share: 1 + 0.3 * (share > 0.98), False),  # disturbed just before the end
        (lambda share: 1 - 0.3 * (share > 0.5), False),  # becomes faster
        (lambda share: 1 + 0.04 * (share > 0.5), False),  # below the limit
        (lambda share: 1 + 0.3 * share, True),  # slower and slower
        (lambda share: 1 + 0.3 * (0.2 < share < 0.3) + 0.3 * (share > 0.7), True),
    ],
)
def test_only_what_stays_slower_to_the_end_is_throttling(shape, throttled):
    latencies = noisy(np.random.default_rng(2), 1200)
    latencies *= [shape(place / 1200) for place in range(1200)]
    assert (sustained(run_of(latencies)).throttled_s is not None) is throttled


def test_a_run_that_goes_on_slowing_is_not_steady():
    latencies = noisy(np.random.default_rng(3), 1200) * np.linspace(1, 1.4, 1200)
    found = sustained(run_of(latencies))
    assert found.is_steady is False
    assert found.steady_change == pytest.approx(0.08, abs=0.02)


def test_a_run_whose_windows_never_agree_has_no_first_level():
    found = sustained(run_of([LEVEL_US * 1.1**place for place in range(60)]))
    assert found.first_us is found.throttled_s is None
    assert found.is_steady is False


# --- the curve ------------------------------------------------------------------------------------


def test_the_curve_has_windows_of_equal_time_with_their_highest_temperature():
    windows = [window(k * 50, k * 0.5, 30.0 + k) for k in range(1, 12)]
    found = sustained(run_of([LEVEL_US] * 600, windows=tuple(windows)))
    assert len(found.curve) == RULES["windows"].value
    assert found.length_s == pytest.approx(6)
    assert [point.t_s for point in found.curve[:2]] == pytest.approx([0.05, 0.15])
    assert {point.median_us for point in found.curve} == {LEVEL_US}
    assert [p.temperature_c for p in found.curve if p.temperature_c] == [
        31.0 + k for k in range(11)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 39])
def test_a_few_invocations_have_a_curve_and_nothing_else(count):
    found = sustained(run_of([LEVEL_US] * count))
    assert len(found.curve) == max(1, count // 5)
    assert found.first_us is found.steady_us is found.is_steady is found.throttled_s is None


def test_one_invocation_that_takes_most_of_the_time_leaves_nothing_to_say():
    found = sustained(run_of([LEVEL_US] * 100 + [LEVEL_US * 1000]))
    assert found.length_s == pytest.approx(11)
    assert len(found.curve) == 2
    assert found.steady_us is None


def test_time_between_invocations_is_known_where_the_runner_told_it():
    # Ten of 10 ms took 0.2 s, since something was between them; then there was nothing.
    run = run_of([LEVEL_US] * 20, windows=(window(10, 0.2),))
    times = begin_times_s(run)
    assert times[:3] == pytest.approx([0, 0.02, 0.04])
    assert times[10:13] == pytest.approx([0.2, 0.21, 0.22])


@given(
    st.lists(st.floats(1, 1e6), min_size=1, max_size=80),
    st.lists(st.floats(0, 1e3), max_size=5),
    st.data(),
)
def test_whatever_the_windows_time_goes_on(latencies, ats, data):
    indexes = data.draw(
        st.lists(st.integers(0, len(latencies)), min_size=len(ats), max_size=len(ats))
    )
    windows = [window(i, at) for i, at in zip(sorted(indexes), sorted(ats), strict=True)]
    run = run_of(latencies, windows=tuple(windows))
    times = begin_times_s(run)
    assert len(times) == len(latencies)
    assert times[0] >= 0
    assert all(a <= b * (1 + 1e-9) + 1e-9 for a, b in itertools.pairwise(times))
    found = sustained(run)
    assert found.curve
    assert min(latencies) <= min(point.median_us for point in found.curve)


def test_every_rule_has_a_reason():
    assert all(len(rule.because) > 20 for rule in RULES.values())
