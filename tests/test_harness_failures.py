"""The harness when starts fail or outputs are wrong."""

import pytest

from android_bench.results import load_measurement, sealed_path
from mobilekit.core.errors import (
    RunnerError,
)
from mobilekit.core.measurement import Validity
from tests.harness_scene import Scene, blocks


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
        ("flood", "wrote more than 96,000,000 bytes"),
        ("other runtime", "the runtime is another than before"),
    ],
)
def test_one_failed_start_costs_its_block_and_is_told(scene, action, words):
    scene.order({"5": action})  # in block 2, the second start
    measurements = scene.measure(timeout_s=1.5)
    assert blocks(measurements[0]) == blocks(measurements[1]) == [0, 1, 3, 4, 5, 6]
    failed = scene.starts()[5][1]
    for measurement in measurements:
        if measurement.model.sha256 == failed:
            assert measurement.validity.status is Validity.SUSPECT
            (reason,) = measurement.validity.reasons
            assert reason.startswith("1 start beside the 6 that count failed, the last with: ")
            assert words in reason
        else:
            assert measurement.validity.status is Validity.VALID


@pytest.mark.parametrize(("action", "error"), [("crash", RunnerError), ("hang", RunnerError)])
def test_the_second_failure_of_a_file_is_an_error_and_the_same_call_goes_on(scene, action, error):
    scene.order({str(number): action for number in range(4, 40)})
    with pytest.raises(error, match=r"2 starts failed, .* What was measured before is kept"):
        scene.measure(timeout_s=0.5)
    assert not list(scene.results.glob("*.json"))
    kept = scene.lines()
    scene.order({})
    measurements = scene.measure()
    assert blocks(measurements[0])[:2] == [0, 1]
    for name, content in scene.lines().items():
        assert content.startswith(kept[name])
    assert Validity.SUSPECT in [m.validity.status for m in measurements]


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
