"""What a profile shows beside the whole."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilekit.core.measurement import ProfileRow
from mobilekit.profiles import profiled
from tests.sample_results import MEASUREMENT, run_of


def row(us, op="Fully Connected (NC, QS8, QC8W) GEMM"):
    return ProfileRow(node=0, op=op, delegate="xnnpack", us=us, partition=0)


@given(
    st.lists(st.floats(0, 1e6), max_size=30),
    st.lists(st.floats(1, 1e6), min_size=1, max_size=30),
)
def test_operators_and_what_belongs_to_none_are_the_whole(operators, latencies):
    run = run_of(latencies, profile=tuple(map(row, operators)))
    found = profiled(run, MEASUREMENT)
    assert found.operators_us + found.unattributed_us == pytest.approx(found.whole_us)
    assert found.whole_us == pytest.approx(sum(latencies) / len(latencies))
    assert [r.us for r in found.rows] == sorted(operators, reverse=True)


def test_what_profiling_cost_is_median_over_median():
    run = run_of([28_000.0, 21_000.0, 90_000.0], profile=(row(20_000.0), row(1_000.0, "SIGN")))
    found = profiled(run, MEASUREMENT)
    assert found.slowdown == 2
    assert found.unattributed_share == pytest.approx(1 - 21_000 * 3 / 139_000)
    assert profiled(run, replace(MEASUREMENT, runs=())).slowdown is None


def test_a_profile_of_something_else_is_refused():
    with pytest.raises(ValueError, match="own file"):
        profiled(run_of([1.0]), MEASUREMENT)
    other = run_of([1.0], profile=(row(1.0),), model_sha256="ab" * 32)
    with pytest.raises(ValueError, match="own file"):
        profiled(other, MEASUREMENT)
