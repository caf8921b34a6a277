import dataclasses
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mobilekit.compare import Outcome, compare_measurements
from mobilekit.core.errors import IncomparableError
from mobilekit.core.measurement import Summary, Validity, Verdict
from mobilekit.core.model import ModelSpec
from mobilekit.formatting import speed
from mobilekit.identity import IDENTITY
from mobilekit.intervals import ALPHA, LEAST_SIGNS, median_interval, share_interval, unseen_share
from tests.sample_results import BLOCKS, MEASUREMENT, MODEL, RUN

TRIALS = 2000

INT8 = dataclasses.replace(
    MODEL, sha256="18" * 32, size_bytes=4_000_000, recipe="static_wi8_ai8", recipe_digest="02" * 32
)
BASELINE = dataclasses.replace(MEASUREMENT, runs=(), output_check=None)


def with_runs(measurement, medians_us, place=0):
    """`measurement` with one start a block: block b at minute b, `place` seconds into it."""
    runs = tuple(
        dataclasses.replace(
            RUN,
            model_sha256=measurement.model.sha256,
            latencies_us=(float(median),),
            block=block,
            order=place,
            started=f"2026-01-01T00:{block:02d}:{place:02d}+00:00",
        )
        for block, median in enumerate(medians_us)
    )
    return dataclasses.replace(measurement, runs=runs)


def pair(baseline_us, candidate_us):
    candidate = dataclasses.replace(BASELINE, cell="1" * 16, model=INT8)
    return with_runs(BASELINE, baseline_us, 0), with_runs(candidate, candidate_us, 1)


NOISE = [0.94, 1.05, 0.96, 1.03, 0.97, 1.04, 0.99, 1.02, 0.98, 1.01, 1.0, 0.95]
STEADY = [14_000.0 + 10 * block for block in range(BLOCKS)]


def changed(measurement, path, value):
    """`measurement` with the field at a dotted path replaced; "runs.x" changes every run."""
    name, _, rest = path.partition(".")
    if not rest:
        return dataclasses.replace(measurement, **{name: value})
    inner = getattr(measurement, name)
    new = (
        tuple(changed(run, rest, value) for run in inner)
        if name == "runs"
        else changed(inner, rest, value)
    )
    return dataclasses.replace(measurement, **{name: new})


# Noise: log latencies shaped (trials, blocks, 2), the last axis in the order of starting.


def skewed(rng, shape):
    """Lognormal with 5 %, and one start in twelve 1.5 to 3 times slower."""
    slow = np.where(rng.random(shape) < 1 / 12, np.log(rng.uniform(1.5, 3, shape)), 0)
    return rng.normal(0, 0.05, shape) + slow


def linear_drift(rng, shape):
    return rng.normal(0, 0.02, shape) + (0.3 * np.arange(shape[1]) / shape[1])[:, None]


def step_drift(rng, shape):
    at = rng.integers(1, shape[1], shape[0])
    return rng.normal(0, 0.02, shape) + 0.3 * (np.arange(shape[1]) >= at[:, None])[..., None]


def random_walk_between_starts(rng, shape):
    steps = rng.normal(0, 0.03, (shape[0], shape[1] * 2)).cumsum(axis=1)
    return rng.normal(0, 0.02, shape) + steps.reshape(shape)


def drift_within_blocks(rng, shape):
    return skewed(rng, shape) + np.array([0.0, 0.1])


NOISES = [skewed, linear_drift, step_drift, random_walk_between_starts, drift_within_blocks]


def simulated_comparisons(noise, ratio, seed):
    rng = np.random.default_rng(seed)
    logs = noise(rng, (TRIALS, BLOCKS, 2))
    first = rng.random((TRIALS, BLOCKS, 1)) < 0.5
    logs = np.where(first, logs, logs[..., ::-1])
    times = np.exp(logs) * 14_000 * np.array([1.0, ratio])
    return [compare_measurements(*pair(trial[:, 0], trial[:, 1])) for trial in times]


def three_standard_errors(rate):
    return 3 * math.sqrt(rate * (1 - rate) / TRIALS)


@pytest.mark.parametrize("noise", NOISES)
def test_false_alarms_and_coverage_are_as_stated_for_12_blocks(noise):
    found = simulated_comparisons(noise, 1.0, seed=1)
    stated = 1 - found[0].level
    alarms = sum(c.verdict is not Outcome.NO_DIFFERENCE_SHOWN for c in found) / TRIALS
    assert abs(alarms - stated) <= three_standard_errors(stated)
    either_side = [sum(c.verdict is side for c in found) for side in Outcome]
    assert min(either_side[:2]) > 0  # it errs both ways, not to one side


@pytest.mark.parametrize("noise", [skewed, random_walk_between_starts])
def test_the_interval_covers_a_true_difference_at_the_stated_rate(noise):
    found = simulated_comparisons(noise, 0.8, seed=2)
    covered = sum(c.low <= 0.8 <= c.high for c in found) / TRIALS
    assert abs(covered - found[0].level) <= three_standard_errors(found[0].level)


def test_a_5_percent_difference_at_2_percent_noise_is_found_95_times_in_100():
    found = simulated_comparisons(lambda rng, shape: rng.normal(0, 0.02, shape), 0.95, seed=3)
    assert sum(c.verdict is Outcome.FASTER for c in found) >= 0.95 * TRIALS


def test_the_guaranteed_level_of_12_blocks_is_stated_not_rounded_to_alpha():
    assert compare_measurements(*pair(STEADY, STEADY)).level == pytest.approx(0.96143, abs=1e-5)
    assert ALPHA == 0.05


def test_six_observations_are_the_fewest_that_have_an_interval():
    assert LEAST_SIGNS == 6
    assert median_interval([1.0] * 5) is None
    assert median_interval([1.0] * 6).level == pytest.approx(1 - 2 / 64)


@pytest.mark.parametrize("count", [6, 7, 9, 12, 25, 101])
def test_the_interval_is_that_of_scipys_quantile_test(count):
    values = np.random.default_rng(count).normal(size=count)
    ours = median_interval(list(values))
    theirs = stats.quantile_test(values, p=0.5).confidence_interval(1 - ALPHA)
    assert (ours.low, ours.high) == (theirs.low, theirs.high)
    assert ours.level >= 1 - ALPHA


def test_shares_have_wilsons_interval_and_what_was_never_seen_has_a_bound():
    low, high = share_interval(18, 20)
    assert (round(low, 3), round(high, 3)) == (0.699, 0.972)
    assert unseen_share(20) == pytest.approx(0.1391, abs=1e-4)


medians = st.lists(st.integers(5_000, 50_000), min_size=12, max_size=12)


@given(medians, medians)
@settings(max_examples=100, deadline=None)
def test_swapped_sides_give_the_inverse_interval_and_the_opposite_verdict(ours, theirs):
    forth = compare_measurements(*pair(ours, theirs))
    back = compare_measurements(*pair(theirs, ours))
    inverse = (1 / back.latency_ratio, 1 / back.high, 1 / back.low)
    assert (forth.latency_ratio, forth.low, forth.high) == pytest.approx(inverse)
    opposite = {Outcome.FASTER: Outcome.SLOWER, Outcome.SLOWER: Outcome.FASTER}
    assert back.verdict == opposite.get(forth.verdict, forth.verdict)


@given(medians, medians, st.integers(1, 1000))
@settings(max_examples=100, deadline=None)
def test_a_slower_clock_on_both_sides_changes_nothing(ours, theirs, factor):
    one = compare_measurements(*pair(ours, theirs))
    scaled = compare_measurements(*pair(*([us * factor for us in side] for side in (ours, theirs))))
    assert (scaled.latency_ratio, scaled.low, scaled.high) == pytest.approx(
        (one.latency_ratio, one.low, one.high)
    )


@given(medians, medians, st.floats(0.5, 2))
@settings(max_examples=100, deadline=None)
def test_drift_that_a_block_shares_changes_nothing(ours, theirs, drift):
    one = compare_measurements(*pair(ours, theirs))
    drifting = [[us * drift**block for block, us in enumerate(side)] for side in (ours, theirs)]
    other = compare_measurements(*pair(*drifting))
    assert (other.latency_ratio, other.low, other.high) == pytest.approx(
        (one.latency_ratio, one.low, one.high)
    )


@given(st.floats(0.2, 5), st.floats(1, 1.5), st.floats(1, 1.5))
def test_the_printed_interval_leaves_out_1_where_the_exact_one_does(ratio, below, above):
    low, high = ratio / below, ratio * above
    text = speed(ratio, low, high)
    least, most = (float(end) for end in text[text.index("[") + 1 : -1].split(", "))
    assert ("faster" in text) == (ratio <= 1)
    if min(abs(low - 1), abs(high - 1)) > 1e-8:
        assert (least <= 1 <= most) or not (low <= 1 <= high)
        if not low <= 1 <= high:
            assert not least <= 1 <= most


def test_the_sentence_says_what_varied_where_and_by_how_much():
    found = compare_measurements(
        *pair(STEADY, [us * n / 1.31 for us, n in zip(STEADY, NOISE, strict=True)])
    )
    assert found.verdict is Outcome.FASTER
    assert found.varied.field == "recipe"
    assert found.sentence() == (
        "mobilenet_v2_1.0_224: static_wi8_ai8 against float32 on desk, 2 threads:"
        " 1.32x faster [1.27, 1.36]"
    )


def test_no_difference_shown_says_what_it_could_hide():
    found = compare_measurements(
        *pair(STEADY, [us * n for us, n in zip(STEADY, NOISE, strict=True)])
    )
    assert found.verdict is Outcome.NO_DIFFERENCE_SHOWN
    assert found.sentence() == (
        "mobilenet_v2_1.0_224: static_wi8_ai8 against float32 on desk, 2 threads:"
        " 1.01x faster [0.97, 1.04]: no difference shown (could hide up to 5 %)"
    )


def test_a_slower_candidate_is_called_slower_never_given_as_a_bare_ratio():
    found = compare_measurements(*pair(STEADY, [us * 2 for us in STEADY]))
    assert found.verdict is Outcome.SLOWER
    assert found.sentence().endswith("2 threads: 2.00x slower [2.00, 2.00]")


# Each may be the one thing that varies; beside a changed recipe it is the second.
ONE_THING = [
    ("model.spec", ModelSpec(architecture="mobilenet_v2", alpha=0.5), "model"),
    ("config.num_threads", 1, "num_threads"),
    ("config.delegate", "gpu", "delegate"),
    ("config.options", {"precision": "fp16"}, "delegate"),
    ("config.affinity", "big", "affinity"),
    ("config.shapes", {"image": "1,224,224,3"}, "shapes"),
    ("config.mode", "sustained", "mode"),
    ("config.paced_fps", 30.0, "mode"),
    ("config.load_sha256", "ab" * 32, "load"),
    ("config.signature", "encode", "signature"),
    ("config.input_range", (0, 5), "input_range"),
    ("runs.runtime.version", "2.14.0", "runtime"),
    ("runs.context", "app", "context"),
]
NEVER = [
    ("device.serial_hash", "0ther", "device"),
    ("device.simulated", True, "reality"),
    ("device.os", "Linux 6.2", "device build"),
    ("device.build_fingerprint", "b2", "device build"),
    ("runs.runner.sha256", "ab" * 32, "runner"),
    ("config.num_runs", 500, "invocations"),
    ("config.warmup", 0, "invocations"),
    ("config.cooling", "60 s", "cooling"),
    ("config.cooldown_s", 60.0, "cooling"),
    ("kit.version", "0.2.0", "kit"),
]


@pytest.mark.parametrize(("path", "value", "field"), ONE_THING)
def test_one_thing_may_vary_and_is_named(path, value, field):
    baseline, candidate = pair(STEADY, STEADY)
    candidate = changed(dataclasses.replace(candidate, model=baseline.model), path, value)
    candidate = changed(candidate, "runs.model_sha256", baseline.model.sha256)
    assert compare_measurements(baseline, candidate).varied.field == field


@pytest.mark.parametrize(("path", "value", "field"), ONE_THING)
def test_two_things_are_refused_and_both_are_named(path, value, field):
    baseline, candidate = pair(STEADY, STEADY)
    with pytest.raises(
        IncomparableError, match="compare measurements that differ in one"
    ) as caught:
        compare_measurements(baseline, changed(candidate, path, value))
    assert f"{field} (" in str(caught.value)
    assert "recipe (static_wi8_ai8 against float32)" in str(caught.value)


@pytest.mark.parametrize(("path", "value", "field"), NEVER)
def test_what_was_not_measured_side_by_side_is_refused_even_alone(path, value, field):
    baseline, candidate = pair(STEADY, STEADY)
    with pytest.raises(IncomparableError, match=f"differ in .*{field} .*in one command"):
        compare_measurements(baseline, changed(candidate, path, value))


def test_what_ran_beside_and_at_which_pace_is_said():
    sides = pair(STEADY, STEADY)
    for path, value in (
        ("config.shapes", {"image": "1,64,64,3"}),
        ("config.paced_fps", 30.0),
        ("config.load_sha256", "ab" * 32),
    ):
        sides = [changed(side, path, value) for side in sides]
    shown = "2 threads, image=1,64,64,3, paced at 30 frames a second, beside model abababababab: "
    assert shown in compare_measurements(*sides).sentence()


def summed_up(measurement, factor=1.0, **more):
    """The same as a runner without raw latencies would have recorded it."""
    runs = [
        dataclasses.replace(
            run,
            latencies_us=(),
            write_input_us=(),
            read_output_us=(),
            summary=Summary(count=50, avg_us=run.median_us * factor, **more),
        )
        for run in measurement.runs
    ]
    return dataclasses.replace(measurement, runs=tuple(runs))


def test_means_of_one_runner_are_compared_block_by_block():
    found = compare_measurements(*(summed_up(m) for m in pair(STEADY, [us / 2 for us in STEADY])))
    assert found.latency_ratio == pytest.approx(0.5)
    assert {run.statistic for run in found.baseline.runs} == {"mean"}


@pytest.mark.parametrize("median_us", [None, 14_000.0])
def test_a_mean_is_never_compared_with_a_median(median_us):
    baseline, candidate = pair(STEADY, STEADY)
    baseline = baseline if median_us is None else summed_up(baseline, median_us=median_us)
    with pytest.raises(IncomparableError, match=r"statistic \(mean against median\)"):
        compare_measurements(baseline, summed_up(candidate))


def test_every_field_of_the_identity_has_a_test():
    tested = {field for _, _, field in ONE_THING + NEVER} | {"recipe", "file", "statistic"}
    assert tested == {field.name for field in IDENTITY}


def test_another_file_of_the_same_network_and_recipe_is_one_difference():
    baseline, candidate = pair(STEADY, STEADY)
    same_recipe = dataclasses.replace(MODEL, sha256=INT8.sha256)
    found = compare_measurements(baseline, dataclasses.replace(candidate, model=same_recipe))
    assert found.varied.field == "file"
    assert "float32: file 181818181818 against file f0f0f0f0f0f0 on desk" in found.sentence()


def test_two_recipes_of_one_name_are_told_apart_by_their_digests():
    baseline, candidate = pair(STEADY, STEADY)
    candidate = changed(candidate, "model.recipe", "float32")
    found = compare_measurements(baseline, candidate)
    assert (found.varied.baseline, found.varied.candidate) == (
        "float32 (010101010101)",
        "float32 (020202020202)",
    )


def test_files_without_a_spec_compare_by_name_with_a_warning():
    baseline, candidate = (changed(side, "model.spec", None) for side in pair(STEADY, STEADY))
    found = compare_measurements(baseline, candidate)
    assert found.varied.field == "recipe"
    assert found.warnings == ("only the files' names say that both are the same network",)
    with pytest.raises(IncomparableError, match=r"model .*and recipe"):
        compare_measurements(baseline, changed(candidate, "model.name", "another"))


def test_a_measurement_is_not_compared_with_itself():
    baseline, _ = pair(STEADY, STEADY)
    with pytest.raises(IncomparableError, match="the same measurement"):
        compare_measurements(baseline, baseline)


def test_the_same_thing_measured_twice_compares_and_says_so():
    baseline, candidate = pair(STEADY, STEADY)
    twice = with_runs(dataclasses.replace(candidate, model=MODEL), STEADY, 1)
    found = compare_measurements(baseline, twice)
    assert found.varied is None
    assert "measured twice on desk" in found.sentence()


def test_an_invalid_side_is_refused_with_its_reasons():
    baseline, candidate = pair(STEADY, STEADY)
    invalid = Verdict(status=Validity.INVALID, reasons=("the outputs are wrong",))
    with pytest.raises(IncomparableError, match=r"candidate, .* is invalid \(the outputs are wr"):
        compare_measurements(baseline, dataclasses.replace(candidate, validity=invalid))


def test_a_suspect_side_is_compared_and_its_reasons_are_carried():
    baseline, candidate = pair(STEADY, STEADY)
    suspect = Verdict(status=Validity.SUSPECT, reasons=("other processes used 12 % of the CPU",))
    found = compare_measurements(dataclasses.replace(baseline, validity=suspect), candidate)
    assert found.warnings == ("baseline is suspect: other processes used 12 % of the CPU",)


def test_too_few_paired_blocks_are_refused_with_how_many_are_needed():
    with pytest.raises(IncomparableError, match=r"5 paired blocks cannot .* At least 6 .*--rep"):
        compare_measurements(*pair(STEADY[:5], STEADY[:5]))
    assert len(compare_measurements(*pair(STEADY[:6], STEADY[:6])).blocks) == 6


def test_failed_starts_and_their_partners_are_left_out_and_counted():
    baseline, candidate = pair(STEADY, STEADY)
    failed = dataclasses.replace(candidate.runs[3], error="killed", latencies_us=())
    runs = (*candidate.runs[:3], failed, *candidate.runs[4:-1])
    found = compare_measurements(baseline, dataclasses.replace(candidate, runs=runs))
    assert found.blocks == (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)
    assert found.warnings == ("2 starts without a partner in the same block left out",)


def test_sessions_with_other_order_seeds_are_refused():
    baseline, candidate = pair(STEADY, STEADY)
    with pytest.raises(IncomparableError, match=r"different sessions \(order seeds 7 and 8\)"):
        compare_measurements(baseline, changed(candidate, "config.order_seed", 8))


def test_sessions_of_two_days_are_refused_though_seed_and_blocks_agree():
    baseline, candidate = pair(STEADY, STEADY)
    later = tuple(
        dataclasses.replace(run, started=run.started.replace("01-01T", "01-02T"))
        for run in candidate.runs
    )
    with pytest.raises(IncomparableError, match="12 of 12 blocks were not side by side"):
        compare_measurements(baseline, dataclasses.replace(candidate, runs=later))


def test_the_same_place_in_every_block_means_two_sessions():
    baseline, candidate = pair(STEADY, STEADY)
    with pytest.raises(IncomparableError, match="12 of 12 blocks were not side by side"):
        compare_measurements(baseline, changed(candidate, "runs.order", 0))


def test_a_block_that_was_finished_after_the_others_is_left_out():
    baseline, candidate = pair(STEADY, STEADY)
    late = dataclasses.replace(candidate.runs[3], started="2026-01-01T05:00:00+00:00")
    runs = (*candidate.runs[:3], late, *candidate.runs[4:])
    found = compare_measurements(baseline, dataclasses.replace(candidate, runs=runs))
    assert 3 not in found.blocks
    assert found.warnings == ("1 block left out: the two starts were not side by side",)


def test_starts_without_times_are_compared_with_a_warning():
    sides = (changed(side, "runs.started", None) for side in pair(STEADY, STEADY))
    assert "rests on the order seed alone" in compare_measurements(*sides).warnings[0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("runs.started", "yesterday", "'yesterday' of block 0 is not a UTC time"),
        ("runs.block", 0, "more than one start in block 0"),
        ("runs.block", None, "0 paired blocks"),
        ("runs.model_sha256", "99" * 32, "its starts ran 999999999999"),
    ],
)
def test_runs_that_contradict_the_measurement_are_refused(path, value, message):
    baseline, candidate = pair(STEADY, STEADY)
    with pytest.raises(IncomparableError, match=message):
        compare_measurements(baseline, changed(candidate, path, value))


def test_starts_of_two_runners_in_one_measurement_are_refused():
    baseline, candidate = pair(STEADY, STEADY)
    other = changed(candidate.runs[0], "runner.sha256", "ab" * 32)
    mixed = dataclasses.replace(candidate, runs=(other, *candidate.runs[1:]))
    with pytest.raises(IncomparableError, match="more than one runner"):
        compare_measurements(baseline, mixed)


def test_control_characters_in_names_do_not_reach_the_terminal():
    sides = (changed(side, "device.label", "desk\x1b[2J") for side in pair(STEADY, STEADY))
    assert "\x1b" not in compare_measurements(*sides).sentence()


def test_the_document_holds_raw_numbers_and_cells():
    found = compare_measurements(*pair(STEADY, [us / 2 for us in STEADY]))
    document = found.document()
    assert document["latency_ratio"] == pytest.approx(0.5)
    assert (document["baseline_cell"], document["candidate_cell"]) == ("0" * 16, "1" * 16)
    assert document["verdict"] == "faster"


def test_the_ratio_is_the_median_of_the_paired_ratios():
    ratios = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
    found = compare_measurements(
        *pair(STEADY[:11], [us * r for us, r in zip(STEADY, ratios, strict=False)])
    )
    assert found.latency_ratio == pytest.approx(statistics.median(ratios))
