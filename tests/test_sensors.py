"""What sensors say, and what is made of nonsense."""

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from android_bench.devices.android import parse_charging, parse_screen_on
from android_bench.sensors import (
    SUPPLIES,
    ZONES,
    Reading,
    Sensors,
    parse_reading,
    with_readings,
)
from mobilekit.core.measurement import BeforeAfter, Conditions
from tests.phone_scene import FakePhone
from tests.test_validity import run_of

BOOT = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def phone(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", str(tmp_path / "config"))
    return FakePhone(tmp_path)


def test_a_phone_is_read_in_one_call(phone):
    phone.heat("38.4", status=2)
    phone.charge(level=64, status=2)
    reading = Sensors(phone).read()
    assert reading.conditions == Conditions(
        temperature_c=38.4,
        thermal_status=2,
        battery_percent=64,
        plugged=True,
        charging=True,
        screen_on=True,
    )
    assert reading.sensor == "skin"
    assert reading.boot_id == phone.read("boot_id")
    assert len(phone.calls) == 1


def test_what_was_read_a_moment_ago_is_not_read_again(phone):
    now = [0.0]
    sensors = Sensors(phone, fresh_s=1.0, clock=lambda: now[0])
    first = sensors.recent()
    now[0] = 0.9
    assert sensors.recent() is first
    now[0] = 1.1
    assert sensors.recent() is not first
    assert len(phone.calls) == 2


@pytest.mark.parametrize(
    ("text", "celsius", "sensor"),
    [
        ("zone thermal_zone0 cpu-0-0:41700\nzone thermal_zone1 battery:99000\n", 41.7, "cpu"),
        ("zone thermal_zone0 cpu-0-0:41700\nzone thermal_zone1 cpu-1-0:44\n", 44.0, "cpu"),
        ("zone thermal_zone0 cpu-0-0:999999\n", None, None),
        ("zone thermal_zone0 cpu-0-0:\n", None, None),
        ("zone thermal_zone0 cpu-0-0:-273000\n", None, None),
        ("zone thermal_zone0 gpu:41700\n", None, None),
        ("", None, None),
    ],
)
def test_the_hottest_processor_counts_where_there_is_no_skin(text, celsius, sensor):
    reading = parse_reading(text)
    assert (reading.conditions.temperature_c, reading.sensor) == (celsius, sensor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("capacity 55\nstatus Charging\nonline 1\n", (55, True, True)),
        ("capacity 55\nstatus Not charging\nonline 0\n", (55, False, False)),
        ("capacity 101\nstatus Unknown\nonline x\n", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_a_laptop_has_a_battery_too(text, expected):
    found = parse_reading(text).conditions
    assert (found.battery_percent, found.charging, found.plugged) == expected


@pytest.mark.parametrize(
    ("text", "screen_on"),
    [
        ("  mWakefulness=Awake\nDisplay Power: state=OFF\n", True),
        ("  mWakefulness=Dreaming\n", True),
        ("  mWakefulness=Dozing\n", False),
        ("  mWakefulness=Asleep\n", False),
        ("Display Power: state=ON\n", True),
        ("Display Power: state=DOZE\n", False),
        ("  mWakefulness=Perhaps\n", None),
        ("Can't find service: power\n", None),
    ],
)
def test_a_screen_is_on_off_or_unknown(text, screen_on):
    assert parse_screen_on(text) is screen_on


@pytest.mark.parametrize(
    ("status", "charging"), [("1", None), ("2", True), ("3", False), ("4", False), ("5", False)]
)
def test_androids_battery_status_says_whether_it_charges(status, charging):
    assert parse_charging(f"  level: 50\n  status: {status}\n") is charging


@given(st.text(st.sampled_from("= battery\nthermalzonepwrcpu:0123456789-.{}TmV_e,"), max_size=300))
def test_nonsense_is_unknown_and_never_an_error(text):
    found = parse_reading(text).conditions
    assert found.temperature_c is None or -40 <= found.temperature_c <= 150
    assert found.battery_percent is None or 0 <= found.battery_percent <= 100
    assert found.thermal_status is None or 0 <= found.thermal_status <= 6


def test_files_are_read_without_starting_a_process_for_each(tmp_path):
    """A phone has some eighty zones; a `cat` for each would heat it up."""
    for number, (kind, value) in enumerate([("cpu-0", "41700"), ("skin a:b", "30000")]):
        folder = tmp_path / f"thermal_zone{number}"
        folder.mkdir()
        (folder / "type").write_text(f"{kind}\n")
        (folder / "temp").write_text(f"{value}\n")
    (tmp_path / "thermal_zone2").mkdir()  # one that cannot be read
    (tmp_path / "boot_id").write_text(f"{BOOT}\n")
    script = ZONES.replace("/sys/class/thermal", str(tmp_path))
    script = script.replace("/proc/sys/kernel/random/boot_id", str(tmp_path / "boot_id"))
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, env={"PATH": "/nowhere"}
    )
    assert done.stderr == ""
    reading = parse_reading(done.stdout)
    assert (reading.conditions.temperature_c, reading.boot_id) == (41.7, BOOT)


def test_a_mouses_battery_is_not_the_computers(tmp_path):
    supplies = {
        "mouse": {"type": "Battery", "scope": "Device", "capacity": "3", "status": "Discharging"},
        "BAT0": {"type": "Battery", "capacity": "71", "status": "Charging"},
        "AC": {"type": "Mains", "online": "1"},
    }
    for name, files in supplies.items():
        (tmp_path / name).mkdir()
        for file, value in files.items():
            (tmp_path / name / file).write_text(f"{value}\n")
    script = SUPPLIES.replace("/sys/class/power_supply", str(tmp_path))
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)
    found = parse_reading(done.stdout).conditions
    assert (found.battery_percent, found.charging, found.plugged) == (71, True, True)


def test_what_the_runner_read_itself_stays():
    own = BeforeAfter(before=Conditions(temperature_c=50.0), after=Conditions(temperature_c=60.0))
    unread = {"conditions.thermal_status": "no file", "conditions.battery_ua": "none", "x": "y"}
    run = replace(run_of(), conditions=own, unread=unread)
    before = Reading(conditions=Conditions(temperature_c=30.0, thermal_status=0))
    after = Reading(conditions=Conditions(temperature_c=31.0, thermal_status=1))
    found = with_readings(run, before, after)
    assert found.conditions.before == Conditions(temperature_c=50.0, thermal_status=0)
    assert found.conditions.after == Conditions(temperature_c=60.0, thermal_status=1)
    assert found.unread == {"conditions.battery_ua": "none", "x": "y"}
    assert with_readings(run, before, None).conditions.after == own.after
