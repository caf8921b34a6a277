"""Verdicts: each limit from both sides, and what is said."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from android_bench.circumstances import clock_moved
from android_bench.validity import LIMITS, drift, judge, spread
from mobilekit.core.measurement import (
    Actual,
    BeforeAfter,
    Conditions,
    CoolDown,
    Memory,
    OutputCheck,
    Program,
    Requested,
    Run,
    RunConfig,
    RunnerInputs,
    Runtime,
    Validity,
    Window,
)

PASSED = OutputCheck(against="ab", how="a rule", passed=True, detail="equal to the bit")
CONFIG = RunConfig(num_threads=1, num_runs=8)
OUTPUT = ("0f" * 32,)


def run_of(latency_us=1000.0, *, latencies_us=None, busy_share=0.01, delegated=3, **more):
    latencies_us = latencies_us or (latency_us,) * 8
    fields = {
        "schema": 1,
        "runner": Program(name="fake", version="1", sha256="a"),
        "runtime": Runtime(name="fake", version="1", sha256="b", api="interpreter"),
        "context": "host",
        "model_sha256": "c",
        "requested": Requested(delegate="xnnpack", num_threads=1),
        "actual": Actual(
            delegate="xnnpack", nodes_delegated=delegated, nodes_total=3, partitions=1
        ),
        "inputs": RunnerInputs(source="seeded", sha256=("d",)),
        "init_us": 1.0,
        "first_us": 1.0,
        "warmup_us": (),
        "latencies_us": latencies_us,
        "write_input_us": (0.1,) * len(latencies_us),
        "read_output_us": (0.1,) * len(latencies_us),
        "memory": Memory(vm_hwm_bytes=1, rss_anon_bytes=1, rss_file_bytes=1, delegate_bytes=None),
        "conditions": BeforeAfter(before=Conditions(), after=Conditions()),
        "output_sha256": OUTPUT,
        "busy_share": busy_share,
    }
    return Run(**{**fields, **more})


def verdict(runs, *, check=PASSED, failures=(), config=CONFIG):
    return judge(
        runs, config=config, check=check, output_sha256=OUTPUT, failures=failures, cpu_count=2
    )


QUIET = [run_of(1000.0 + wobble) for wobble in range(12)]


def test_a_quiet_measurement_is_valid_without_reasons():
    assert verdict(QUIET).status is Validity.VALID
    assert verdict(QUIET).reasons == ()


def test_wrong_outputs_are_invalid_and_the_only_thing_said():
    check = replace(PASSED, passed=False, detail="every output is 0")
    found = verdict(QUIET[:2], check=check, failures=["crashed"])
    assert found.status is Validity.INVALID
    assert found.reasons == ("the outputs are wrong: every output is 0 (a rule)",)


@pytest.mark.parametrize("runs", [[], [run_of(error="crashed", latencies_us=())]])
def test_nothing_measured_is_invalid(runs):
    found = verdict(runs, failures=["it crashed"])
    assert found.status is Validity.INVALID
    assert found.reasons == ("no start went well: it crashed",)


def loaded(count):
    return [run_of(1000.0 + k, busy_share=0.3 if k < count else 0.02) for k in range(12)]


def drifting(share):
    return [run_of(latencies_us=(1000.0,) * 4 + (1000.0 * (1 + share),) * 4) for _ in range(12)]


def scattered(share):
    return [run_of(1000.0 * (1 + share * (-1) ** k)) for k in range(12)]


@pytest.mark.parametrize(
    ("below", "above", "words"),
    [
        (QUIET[:6], QUIET[:5], "too few runs: 5 blocks .* --repetitions 12"),
        (QUIET[:6], QUIET[:1], "too few runs: 1 block "),
        (loaded(3), loaded(4), "up to 0.6 processors busy during 4 of 12 starts"),
        (drifting(0.04), drifting(0.06), r"6\.0% slower than the first .*let it cool"),
        (drifting(-0.04), drifting(-0.06), r"6\.0% faster than the first .*raise --warmup-runs"),
        (scattered(0.033), scattered(0.034), r"medians spread by 5\.0% \(limit 5%\)"),
        (QUIET, [*QUIET, run_of(delegated=0)], "fallback: xnnpack was asked for and took no node"),
        (QUIET, [*QUIET, run_of(delegated=None)], "does not say whether xnnpack was applied"),
        (
            QUIET,
            [*QUIET, run_of(output_sha256=("ee" * 32,))],
            "1 of 13 starts had other outputs than the start that was checked",
        ),
    ],
)
def test_a_limit_is_passed_on_one_side_only(below, above, words):
    assert verdict(below).status is Validity.VALID
    found = verdict(above)
    assert found.status is Validity.SUSPECT
    assert len(found.reasons) == 1
    assert re.search(words, found.reasons[0])


# --- conditions -----------------------------------------------------------------------------------


def under(runs=12, *, before=None, after=None, windows=None, **more):
    """Quiet runs under conditions; `windows` are conditions between invocations."""
    conditions = BeforeAfter(
        before=Conditions(**(before or {})), after=Conditions(**(after or before or {}))
    )
    between = windows and tuple(
        Window(at_us=1.0 * k, index=k, conditions=Conditions(**each))
        for k, each in enumerate(windows)
    )
    return [run_of(1000.0 + k, conditions=conditions, windows=between, **more) for k in range(runs)]


def cooled(start_c, reached):
    return under(cool_down=CoolDown(target_c=35.5, start_c=start_c, waited_s=9, reached=reached))


def stated(before, after):
    return under(before={"time_in_state": before}, after={"time_in_state": after})


def clocks(*khz, cpu="7"):
    return under(windows=[{"frequencies_khz": {cpu: each, "0": 500_000}} for each in khz])


def some(good, bad, count):
    """The first `count` of the bad runs among good ones."""
    return [*bad[:count], *good[count:]]


@pytest.mark.parametrize(
    ("below", "above", "words"),
    [
        (
            under(before={"thermal_status": 0}),
            some(QUIET, under(after={"thermal_status": 1}), 1),
            r"throttling seen: .* up to 1 in 1 of 12 starts",
        ),
        (
            under(windows=[{"thermal_status": 0}]),
            under(windows=[{"thermal_status": 0}, {"thermal_status": 3}]),
            r"throttling seen: .* up to 3 in 12 of 12 starts",
        ),
        (
            stated({"7": {"1000": 0, "2000": 0}}, {"7": {"1000": 9, "2000": 91}}),
            stated({"7": {"1000": 0, "2000": 0}}, {"7": {"1000": 11, "2000": 89}}),
            r"frequencies moved: by up to 6% within 12 of 12 starts \(limit 5%\)",
        ),
        (
            # a core that did not work may idle along
            stated({}, {}),
            stated(
                {"7": {"2000": 5}, "0": {"100": 5}},
                {"7": {"2000": 65, "1500": 40}, "0": {"100": 105}},
            ),
            "frequencies moved: by up to 10%",
        ),
        (clocks(2_000_000, 1_910_000), clocks(2_000_000, 1_890_000), "frequencies moved: .* 6%"),
        (
            some(QUIET, clocks(2_000_000, 1_000_000), 3),
            some(QUIET, clocks(2_000_000, 1_000_000), 4),
            "frequencies moved: .* within 4 of 12",
        ),
        (
            under(before={"battery_percent": 20}),
            under(before={"battery_percent": 20}, after={"battery_percent": 19}),
            r"battery low: 19 % \(limit 20 %\)",
        ),
        (
            under(before={"charging": False, "plugged": True}),
            under(before={"charging": True, "plugged": True}),
            "the battery was charging in 12 of 12 starts",
        ),
        (
            under(before={"screen_on": True}),
            under(before={"screen_on": True}, after={"screen_on": False}),
            "the screen changed its state",
        ),
        (under(), under(before={"screen_on": False}), "the screen was off"),
        (
            cooled(35.5, reached=True),
            some(QUIET, cooled(41.2, reached=False), 1),
            r"not cool: 1 of 12 starts were made at up to 41\.2 °C where 35\.5 °C was waited for",
        ),
        (
            some(QUIET, under(warmup_settled=False), 3),
            some(QUIET, under(warmup_settled=False), 4),
            "the warm-up did not settle in 4 of 12 starts",
        ),
        (
            QUIET,
            some(QUIET, under(retried=True), 1),
            "1 of 12 starts were made again after a failure",
        ),
    ],
)
def test_conditions_are_doubted_on_one_side_only(below, above, words):
    test_a_limit_is_passed_on_one_side_only(below, above, words)


@pytest.mark.parametrize(
    ("config", "expected"),
    [(CONFIG, 2), (replace(CONFIG, paced_fps=30.0), 1), (replace(CONFIG, sustained_s=60.0), 0)],
)
def test_heat_and_clocks_are_what_a_long_run_shows(config, expected):
    runs = under(
        windows=[
            {"thermal_status": 2, "frequencies_khz": {"7": khz}} for khz in (2_000_000, 900_000)
        ]
    )
    assert len(verdict(runs, config=config).reasons) == expected


def test_only_processors_that_may_be_used_and_worked_are_looked_at():
    fast, slow = {"7": 2_000_000, "0": 400_000}, {"7": 2_000_000, "0": 1_900_000}
    runs = under(windows=[{"frequencies_khz": fast}, {"frequencies_khz": slow}])
    assert clock_moved(runs[0]) == 0.0
    assert clock_moved(replace(runs[0], processors=(0,))) > 0.5


@pytest.mark.parametrize(
    "states",
    [
        {"7": {"x": 3, "-1": 4, "0": 5}},
        {"7": {}},
        {},
        {"7": {"2000": -4}},
        {"seven": {"2000": 10**30}},
    ],
)
def test_counters_that_make_no_sense_show_no_movement(states):
    (run,) = under(1, before={"time_in_state": {"7": {}}}, after={"time_in_state": states})
    assert not clock_moved(run)


@pytest.mark.parametrize(
    ("delegate", "taken", "partitions", "doubted"),
    [
        ("gpu", 64, 1, False),
        ("gpu", 64, None, False),
        ("gpu", 50, 1, True),
        ("gpu", 64, 3, True),
        ("xnnpack", 50, 3, False),
    ],
)
def test_what_a_delegate_leaves_to_the_processor_is_doubted(delegate, taken, partitions, doubted):
    actual = Actual(delegate=delegate, nodes_delegated=taken, nodes_total=64, partitions=partitions)
    found = verdict(under(actual=actual), config=replace(CONFIG, delegate=delegate))
    assert [reason.partition(":")[0] for reason in found.reasons] == ["partial fallback"] * doubted


def test_a_failed_start_makes_suspect_and_is_quoted():
    found = verdict(QUIET, failures=["first", "it was ended by SIGSEGV"])
    assert found.status is Validity.SUSPECT
    assert found.reasons == (
        "2 starts beside the 12 that count failed, the last with: it was ended by SIGSEGV",
    )


def test_all_reasons_are_told_together():
    found = verdict([replace(run, busy_share=0.5) for run in scattered(0.1)[:5]])
    assert len(found.reasons) == 3


def test_a_device_that_cannot_tell_its_load_is_not_suspect():
    assert verdict([replace(run, busy_share=None) for run in QUIET]).status is Validity.VALID


def test_a_minority_of_slow_starts_shows():
    assert spread([*QUIET[:7], *[run_of(2000.0)] * 5]) > 0.5


def test_one_slow_start_does_not_move_the_spread():
    assert spread([*QUIET, run_of(5000.0)]) < 0.01


def test_too_few_invocations_show_no_drift():
    assert drift(run_of(latencies_us=(1.0, 5.0, 9.0))) == 0.0


def test_every_limit_says_where_it_is_from():
    assert all(len(limit.because) > 30 for limit in LIMITS.values())


@given(st.lists(st.floats(1, 1e7), min_size=1, max_size=20), st.floats(0.1, 10))
def test_the_spread_has_no_unit(medians, factor):
    plain, scaled = ([run_of(m * f) for m in medians] for f in (1.0, factor))
    assert spread(plain) == pytest.approx(spread(scaled), abs=1e-9)
