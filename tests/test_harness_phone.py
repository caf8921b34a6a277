"""The harness on a phone that heats up, falls out, restarts and fills up."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from android_bench.devices.presence import DeviceGoneError
from android_bench.harness import Patience
from android_bench.idle import IdleRecord
from android_bench.unfinished import UnfinishedError
from mobilekit.core.errors import DeviceError, UsageError
from mobilekit.core.measurement import Validity
from tests.harness_scene import CONFIG, QUICK, REPETITIONS, Scene, blocks, check_pairs
from tests.phone_scene import FakePhone, is_start

PATIENT = Patience(cool_s=0.3, device_s=10.0, poll_s=0.01, settle_s=0.02)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


@pytest.fixture
def phone(tmp_path, scene):
    return FakePhone(tmp_path)


def at_start(number, action):
    """Does something when the runner is about to be started for the `number`th time, from 0."""
    seen = []

    def look(argv):
        if is_start(argv):
            seen.append(argv)
            if len(seen) == number + 1:
                action()

    return look


def texts(scene):
    return [text for _, _, text in scene.told]


# --- sensors --------------------------------------------------------------------------------------


def test_sensors_stand_in_every_run(scene, phone):
    for measurement in scene.measure(device=phone):
        assert measurement.validity.status is Validity.VALID, measurement.validity.reasons
        for run in measurement.runs:
            for side in (run.conditions.before, run.conditions.after):
                assert (side.temperature_c, side.thermal_status, side.screen_on) == (33.5, 0, True)
            assert run.cool_down.reached
            assert run.cool_down.target_c == 35.5
            assert not run.retried


def test_a_start_costs_one_call_for_the_sensors(scene, phone):
    scene.measure(device=phone)
    phone.calls.clear()
    scene.measure(scene.jobs(config=replace(CONFIG, num_threads=2)), device=phone)
    reads = [argv for argv in phone.calls if "thermal_zone" in " ".join(argv)]
    assert len(reads) <= 2 * REPETITIONS + 3  # beside the starts: at rest, and before the first


def test_a_start_waits_until_the_phone_is_cool(scene, phone):
    warm = []  # readings since the phone got warm

    def look(argv):
        if is_start(argv) and not warm:
            phone.heat("41.2")
            warm.append(argv)
        elif warm and "thermal_zone" in " ".join(argv):
            warm.append(argv)
            if len(warm) == 6:
                phone.heat("34.0")

    phone.before_shell = look
    patience = replace(QUICK, cool_s=20.0)
    measurements = scene.measure(device=phone, patience=patience)
    assert "cooling: 41.2 °C, waits for 35.5 °C" in texts(scene)
    waits = [run.cool_down for m in measurements for run in m.runs]
    assert all(wait.reached and wait.start_c <= 35.5 for wait in waits)
    assert max(wait.waited_s for wait in waits) >= 3 * patience.poll_s
    assert {m.validity.status for m in measurements} == {Validity.VALID}


def test_one_that_stays_warm_is_suspect_and_waited_for_once(scene, phone):
    phone.before_shell = at_start(0, lambda: phone.heat("41.2"))
    measurements = scene.measure(device=phone)
    waits = [run.cool_down.waited_s for m in measurements for run in m.runs]
    assert sum(waits) < 2 * QUICK.cool_s + 0.5
    for measurement in measurements:
        assert measurement.validity.status is Validity.SUSPECT
        (reason,) = measurement.validity.reasons
        assert reason.startswith("not cool: ")


def test_a_hot_phone_is_told_from_its_idle(scene, phone):
    scene.measure(scene.jobs(scene.models[:1]), device=phone)
    phone.heat("50.0")
    (measurement,) = scene.measure(scene.jobs(scene.models[1:]), device=phone)
    assert {run.cool_down.target_c for run in measurement.runs} == {35.5}
    assert {run.cool_down.reached for run in measurement.runs} == {False}


def test_a_temperature_that_is_not_told_cannot_be_asked_for(scene, phone):
    phone.write("thermalservice", "Can't find service: thermalservice\n")
    jobs = scene.jobs(config=replace(CONFIG, cooling="30"))
    with pytest.raises(UsageError, match=r"fake-phone does not tell its temperature"):
        scene.measure(jobs, device=phone)
    assert scene.starts() == []


def test_throttling_makes_suspect(scene, phone):
    phone.before_shell = at_start(3, lambda: phone.heat("34.0", status=2))
    reasons = [m.validity.reasons for m in scene.measure(device=phone)]
    assert any(reason.startswith("throttling seen") for each in reasons for reason in each)


def test_the_screen_stays_on_meanwhile(scene, phone):
    phone.write("power", "  mWakefulness=Asleep\n")
    measurements = scene.measure(device=phone)
    assert {m.validity.status for m in measurements} == {Validity.VALID}
    assert phone.read("settings-global-stay_on_while_plugged_in") is None


# --- what falls -----------------------------------------------------------------------------------


def test_a_phone_that_comes_back_costs_one_start(scene, phone):
    def unplug():
        phone.gone = True
        threading.Timer(0.3, lambda: setattr(phone, "gone", False)).start()

    phone.before_shell = at_start(3, unplug)
    measurements = scene.measure(device=phone, patience=PATIENT)
    assert blocks(measurements[0]) == blocks(measurements[1]) == list(range(REPETITIONS))
    assert sum(run.retried for m in measurements for run in m.runs) == 1
    assert any("fake-phone has gone; it is waited for up to 10 s" in text for text in texts(scene))
    reasons = [reason for m in measurements for reason in m.validity.reasons]
    assert any("device not found" in reason for reason in reasons)


def test_a_phone_that_stays_away_ends_the_measurement_at_once(scene, phone):
    phone.before_shell = at_start(3, lambda: setattr(phone, "gone", True))
    with pytest.raises(DeviceGoneError, match=r"within 0\.5 s .*: sensors…` .*device not") as e:
        scene.measure(device=phone)
    assert e.value.exit_code == DeviceError.exit_code
    assert sum(content.count(b"\n") for content in scene.lines().values()) == 4
    assert any("the screen of fake-phone still stays on" in text for text in texts(scene))
    phone.gone = False
    measurements = scene.measure(device=phone)
    assert blocks(measurements[0]) == [0, 2, 3, 4, 5, 6]
    assert phone.read("settings-global-stay_on_while_plugged_in") is None


def test_a_phone_that_restarted_gets_its_files_again(scene, phone):
    phone.before_shell = at_start(4, lambda: phone.restart(lose_files=True))
    measurements = scene.measure(device=phone)
    assert "fake-phone was restarted; its files are brought there again" in texts(scene)
    assert blocks(measurements[0]) == list(range(REPETITIONS))
    assert sum(run.retried for m in measurements for run in m.runs) == 1


def test_one_that_restarts_unseen_between_two_starts_loses_nothing(scene, phone):
    def between(argv):
        if len(scene.starts()) == 4 and not phone.calls_restarted and not is_start(argv):
            phone.calls_restarted = True
            phone.restart(lose_files=True)

    phone.calls_restarted = False
    phone.before_shell = between
    measurements = scene.measure(device=phone)
    assert phone.calls_restarted
    check_pairs(scene, measurements)
    assert not any(run.retried for m in measurements for run in m.runs)


def test_a_file_that_does_not_fit_costs_the_others_nothing(scene, phone):
    push = phone.push

    def full(local, remote):
        if local == scene.models[0]:
            raise DeviceError(phone.label, ["push", local.name], 1, "No space left on device")
        push(local, remote)

    phone.push = full
    with pytest.raises(UnfinishedError, match=r"one .* cannot be run: .* No space left") as told:
        scene.measure(device=phone)
    assert told.value.exit_code == DeviceError.exit_code
    assert [m.model.name for m in told.value.measurements] == ["two"]


def test_a_phone_that_goes_after_a_start_keeps_what_was_measured(scene, phone):
    """The sensors after the start cannot be read; the start itself went well."""
    went = []

    def unplug(argv):
        if len(scene.starts()) == 4 and not went and not is_start(argv):
            went.append(argv)
            phone.gone = True
            threading.Timer(0.3, lambda: setattr(phone, "gone", False)).start()

    phone.before_shell = unplug
    measurements = scene.measure(device=phone, patience=PATIENT)
    assert went
    assert blocks(measurements[0]) == list(range(REPETITIONS))
    after = [run.conditions.after.temperature_c for m in measurements for run in m.runs]
    assert after.count(None) == 1


def test_the_idle_temperature_is_of_before_the_first_start(scene, phone):
    phone.before_shell = at_start(0, lambda: phone.heat("34.9"))
    scene.measure(device=phone)
    assert IdleRecord(phone.info(), "skin", today=datetime.now(UTC).date()).celsius == 33.5
