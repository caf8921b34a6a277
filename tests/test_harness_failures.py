"""The harness when starts fail or outputs are wrong."""

import pytest

from android_bench.results import load_measurement, sealed_path
from android_bench.unfinished import UnfinishedError
from mobilekit.core.errors import RunnerError
from mobilekit.core.measurement import Validity
from mobilekit.pairing import pair_blocks
from tests.harness_scene import REPETITIONS, Scene, blocks, check_pairs


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("crash", "was ended by SIGSEGV"),
        ("garbage", "is not its document"),
        ("error", "no memory for the tensors"),
        ("hang", "ran longer than 1.5 s"),
        ("flood", "wrote more than 32,000,000 bytes"),
        ("other runtime", "the runtime is another than before"),
    ],
)
def test_a_failed_start_costs_its_cell_alone_and_is_made_again(scene, action, words):
    scene.order({"5": action})  # in block 2, the second start
    measurements = scene.measure(timeout_s=1.5)
    check_pairs(scene, measurements)
    assert blocks(measurements[0]) == [0, 1, 2, 3, 4, 5]
    assert len(scene.starts()) == 2 * REPETITIONS + 1
    failed = scene.starts()[5][1]
    assert scene.starts()[6][1] == failed
    for measurement in measurements:
        again = [run.block for run in measurement.runs if run.retried]
        if measurement.model.sha256 != failed:
            assert again == []
            continue
        assert again == [2]
        assert measurement.validity.status is Validity.SUSPECT
        failure, retried = measurement.validity.reasons
        assert failure.startswith("1 start beside the 6 that count failed, the last with: ")
        assert words in failure
        assert retried.startswith("1 of 6 starts were made again after a failure")
    assert any("a start failed" in text and words in text for _, _, text in scene.told)


def test_a_retried_start_is_told_beside_a_comparison(scene):
    scene.order({"5": "crash"})
    pairs = pair_blocks(*scene.measure())
    assert len(pairs.blocks) == REPETITIONS
    assert any("1 start was made again" in warning for warning in pairs.warnings)


@pytest.mark.parametrize("action", ["crash", "hang"])
def test_a_cell_that_fails_twice_is_given_up_and_the_others_are_measured(scene, action):
    bad, good = (job.model.sha256 for job in scene.jobs())
    scene.order({f"from 2 {bad}": action})
    with pytest.raises(UnfinishedError, match=r"^one static_wi8_ai8, 1 thread: two starts") as told:
        scene.measure(timeout_s=0.5)
    assert told.value.exit_code == RunnerError.exit_code
    assert str(told.value).endswith(
        "Everything else was measured; the same command goes on from there."
    )
    (other,) = told.value.measurements
    assert other.model.sha256 == good
    assert other.validity.status is Validity.VALID
    assert len(other.runs) == REPETITIONS
    assert load_measurement(sealed_path(scene.results, other.cell)) == other
    assert [sha for _, sha in scene.starts()].count(good) == REPETITIONS
    assert scene.told[-1][0] <= scene.told[-1][1]


def test_the_same_command_measures_what_is_missing_in_whole_blocks(scene):
    bad, good = (job.model.sha256 for job in scene.jobs())
    scene.order({f"from 4 {bad}": "crash"})
    with pytest.raises(UnfinishedError):
        scene.measure()
    kept, made = scene.lines(), [sha for _, sha in scene.starts()]
    scene.order({})
    measurements = scene.measure()
    check_pairs_of_blocks(measurements)
    for name, content in scene.lines().items():
        assert content.startswith(kept[name])
    new = [sha for _, sha in scene.starts()][len(made) :]
    missing = REPETITIONS - len([run for run in measurements[0].runs if run.block < 2])
    assert new.count(bad) == new.count(good) == missing == REPETITIONS - 2


def check_pairs_of_blocks(measurements):
    assert len({tuple(blocks(m)) for m in measurements}) == 1
    pairs = pair_blocks(*measurements)
    assert len(pairs.blocks) == REPETITIONS
    assert not any("side by side" in warning for warning in pairs.warnings)


def test_a_cell_that_fails_again_costs_the_others_one_block(scene):
    bad, good = (job.model.sha256 for job in scene.jobs())
    scene.order({f"from 4 {bad}": "crash"})
    for _ in range(2):
        with pytest.raises(UnfinishedError) as told:
            scene.measure()
        (other,) = told.value.measurements
        assert blocks(other) == list(range(REPETITIONS))
    assert [sha for _, sha in scene.starts()].count(good) == REPETITIONS + 1


def test_all_cells_given_up_end_the_measurement(scene):
    scene.order({str(number): "crash" for number in range(4, 40)})
    with pytest.raises(UnfinishedError, match=r"What was measured is kept; the same") as told:
        scene.measure()
    assert told.value.measurements == ()
    assert not list(scene.results.glob("*.json"))
    assert len(scene.starts()) == 4 + 4
    scene.order({})
    assert blocks(scene.measure()[0])[:2] == [0, 1]


def test_a_file_that_cannot_be_run_costs_the_others_nothing(scene):
    bad, good = scene.jobs()
    scene.order({f"check {bad.model.sha256}": "crash"})
    with pytest.raises(UnfinishedError, match=r"one .* cannot be run: .*SIGSEGV") as told:
        scene.measure()
    assert [m.model.sha256 for m in told.value.measurements] == [good.model.sha256]
    assert {sha for _, sha in scene.starts()} == {good.model.sha256}


def test_wrong_outputs_are_sealed_as_invalid_without_latencies(scene):
    wrong, right = scene.jobs()
    scene.order({wrong.model.sha256: "zeros"})
    bad, good = scene.measure()
    assert bad.validity.status is Validity.INVALID
    assert bad.validity.reasons[0].startswith("the outputs are wrong: every output is 0")
    assert bad.runs == ()
    assert load_measurement(sealed_path(scene.results, bad.cell)) == bad
    assert good.validity.status is Validity.VALID
    assert {sha for _, sha in scene.starts()} == {right.model.sha256}
    assert any("WRONG OUTPUTS" in text for _, _, text in scene.told)


def test_wrong_outputs_are_checked_again_and_not_reused(scene):
    wrong = scene.jobs()[0]
    scene.order({wrong.model.sha256: "zeros"})
    scene.measure()
    scene.order({})
    assert [m.validity.status for m in scene.measure()] == [Validity.VALID] * 2


def test_outputs_that_change_between_starts_are_suspect(scene):
    unsteady, _ = scene.jobs()
    scene.order({unsteady.model.sha256: "unsteady"})
    first, second = scene.measure()
    assert first.validity.status is Validity.SUSPECT
    assert first.validity.reasons == (
        "6 of 6 starts had other outputs than the start that was checked",
    )
    assert second.validity.status is Validity.VALID
