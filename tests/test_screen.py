"""The phone's screen stays on meanwhile, and its settings come back, whatever happens."""

import pytest

from android_bench.devices.host import HostDevice
from android_bench.devices.screen import screen_kept_on
from tests.phone_scene import FakePhone

STAY, TIMEOUT = "settings-global-stay_on_while_plugged_in", "settings-system-screen_off_timeout"


@pytest.fixture
def phone(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    phone = FakePhone(tmp_path)
    phone.write(TIMEOUT, "60000")
    return phone


@pytest.fixture
def said():
    return []


def settings(phone):
    return phone.read(STAY), phone.read(TIMEOUT)


def kept(phone):
    folder = phone.folder.parent / "state" / "screen"
    return sorted(path.name for path in folder.glob("*.json"))


def test_the_screen_stays_on_and_its_settings_come_back(phone, said):
    phone.write("power", "  mWakefulness=Asleep\n")
    with screen_kept_on(phone, phone.info(), said.append):
        assert settings(phone) == ("7", "86400000")
        assert phone.read("power") == "mWakefulness=Awake"
        assert kept(phone)
    assert settings(phone) == (None, "60000")  # what had no value has none again
    assert kept(phone) == []
    assert said == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_they_come_back_after_an_error_and_after_ctrl_c(phone, said, error):
    with pytest.raises(error), screen_kept_on(phone, phone.info(), said.append):
        raise error
    assert settings(phone) == (None, "60000")
    assert said == []


def test_what_a_killed_measurement_left_is_put_back_by_the_next(phone, said):
    killed = screen_kept_on(phone, phone.info(), said.append)
    killed.__enter__()  # and never left
    with screen_kept_on(phone, phone.info(), said.append):
        pass
    assert settings(phone) == (None, "60000")
    assert kept(phone) == []
    killed.gen.close()


def test_a_phone_that_is_gone_at_the_end_is_said_and_restored_next_time(phone, said):
    with screen_kept_on(phone, phone.info(), said.append):
        phone.gone = True
    (sentence,) = said
    assert "fake-phone still stays on" in sentence
    assert "device not found" in sentence
    assert "adb shell 'settings delete global stay_on_while_plugged_in" in sentence
    assert "settings put system screen_off_timeout 60000'" in sentence
    phone.gone = False
    with screen_kept_on(phone, phone.info(), said.append):
        pass
    assert settings(phone) == (None, "60000")
    assert len(said) == 1


def test_the_first_error_is_not_hidden_by_a_failed_restore(phone, said):
    def fall():
        phone.gone = True
        raise RuntimeError

    with pytest.raises(RuntimeError), screen_kept_on(phone, phone.info(), said.append):
        fall()
    assert len(said) == 1


def test_settings_that_do_not_change_are_said(phone, said):
    phone.write("stubborn", "")
    with screen_kept_on(phone, phone.info(), said.append):
        pass
    assert said == ["the screen of fake-phone cannot be kept on: its settings stay as they were"]
    assert settings(phone) == (None, "60000")


def test_settings_that_cannot_be_put_back_are_said(phone, said):
    with screen_kept_on(phone, phone.info(), said.append):
        phone.write("stubborn", "")
    assert "could not be put back (it has other values afterwards)" in said[0]
    assert kept(phone)


@pytest.mark.parametrize("text", ["", "Can't find service: power\n"])
def test_a_device_without_a_screen_is_left_alone(phone, said, text):
    phone.write("power", text)
    with screen_kept_on(phone, phone.info(), said.append):
        assert settings(phone) == (None, "60000")
    assert said == []


def test_a_value_that_is_none_is_not_written_back_later(phone, said):
    phone.write(TIMEOUT, "60000; reboot")
    with screen_kept_on(phone, phone.info(), said.append):
        assert settings(phone) == (None, "60000; reboot")
    assert said == ["the screen of fake-phone cannot be kept on: it does not tell its settings"]


def test_a_computer_is_left_alone(tmp_path, monkeypatch, said):
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("MOBILEKIT_STATE_DIR", str(tmp_path / "state"))
    host = HostDevice(workspace=tmp_path / "work")
    with screen_kept_on(host, host.info(), said.append):
        pass
    assert not (tmp_path / "state").exists()
