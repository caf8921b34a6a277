"""Waiting until a device is cool: how long, for what, and what is remembered."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from android_bench.cooling import Cooler, Patience
from android_bench.idle import KEPT_DAYS, IdleRecord
from android_bench.sensors import Reading
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import Conditions, RunConfig
from tests.harness_scene import QUICK
from tests.phone_scene import FakePhone

TODAY = date(2026, 11, 24)
IDLE, COLD, NEVER = RunConfig(), RunConfig(cooling="30"), RunConfig(cooling="none")


def today():
    return datetime.now(UTC).date()


class Thermometer:
    """Says one temperature after the other, and the last one again and again."""

    def __init__(self, *celsius, sensor="skin"):
        self.left, self.sensor = list(celsius), sensor

    def read(self):
        value = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        sensor = self.sensor if value is not None else None
        return Reading(conditions=Conditions(temperature_c=value), sensor=sensor)

    recent = read


@pytest.fixture
def info(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return FakePhone(tmp_path).info()


@pytest.fixture
def told():
    return []


def cooler(info, told, *celsius, patience=QUICK, sensor="skin"):
    return Cooler(info, Thermometer(*celsius, sensor=sensor), patience, told.append)


def known(info, told, *celsius, idle=33.5, **more):
    """A cooler of a device whose idle temperature is on record."""
    IdleRecord(info, "skin", today=today()).note(idle)
    found = cooler(info, told, *celsius, **more)
    found.rest([IDLE])
    return found


def idle_of(info, sensor="skin"):
    return IdleRecord(info, sensor, today=today()).celsius


# --- a start --------------------------------------------------------------------------------------


def test_a_warm_device_is_waited_for_until_it_is_near_its_idle(info, told):
    _, cool_down = known(info, told, 41.2, 41.2, 38.0, 35.5).wait(IDLE)
    assert (cool_down.target_c, cool_down.start_c, cool_down.reached) == (35.5, 35.5, True)
    assert cool_down.waited_s > 0
    assert told == [
        "cooling: 41.2 °C, waits for 35.5 °C",
        "cooling: 38.0 °C, waits for 35.5 °C",
    ]


def test_a_cool_device_is_not_waited_for(info, told):
    _, cool_down = known(info, told, 35.4).wait(IDLE)
    assert cool_down.reached
    assert told == []


def test_a_temperature_that_was_asked_for_is_waited_for(info, told):
    found = cooler(info, told, 31.0, 31.0, 30.0)
    found.rest([COLD])
    _, cool_down = found.wait(COLD)
    assert (cool_down.target_c, cool_down.start_c, cool_down.reached) == (30.0, 30.0, True)
    assert idle_of(info) is None


def test_nothing_is_waited_for_where_that_was_asked(info, told):
    found = cooler(info, told, 70.0)
    found.rest([NEVER])
    reading, cool_down = found.wait(NEVER)
    assert cool_down is None
    assert reading.conditions.temperature_c == 70.0
    assert told == []


def test_the_limit_of_the_wait_is_kept_and_recorded(info, told):
    found = known(info, told, 50.0, patience=Patience(cool_s=0.1, poll_s=0.01))
    _, cool_down = found.wait(IDLE)
    assert not cool_down.reached
    assert cool_down.start_c == 50.0
    assert 0.1 <= cool_down.waited_s < 1.0


def test_after_a_passed_limit_starts_wait_for_the_same_temperature_only(info, told):
    found = known(info, told, *[50.0] * 200, patience=Patience(cool_s=0.05, poll_s=0.01))
    first = found.wait(IDLE)[1]
    told.clear()
    second = found.wait(IDLE)[1]
    assert (first.reached, second.reached) == (False, False)
    assert second.waited_s < 0.05
    assert told == []


def test_a_device_without_a_temperature_is_not_waited_for(info, told):
    found = cooler(info, told, None)
    found.rest([IDLE])
    assert found.wait(IDLE)[1] is None
    assert told == []


def test_a_temperature_cannot_be_asked_of_a_device_that_has_none(info, told):
    with pytest.raises(UsageError, match=r"does not tell its temperature.*30 °C; leave --cool-to"):
        cooler(info, told, None).rest([COLD])


def test_a_sensor_that_vanishes_leaves_nothing_to_claim(info, told):
    assert known(info, told, 41.0, 41.0, None).wait(IDLE)[1] is None


def test_another_sensor_says_nothing_of_the_first(info, told):
    found = known(info, told, 41.0)
    found._sensors.sensor = "cpu"
    assert found.wait(IDLE)[1] is None


def test_a_pause_comes_before_every_start(info, told):
    config = RunConfig(cooling="none", cooldown_s=0.1)
    found = cooler(info, told, 20.0)
    started = time.monotonic()
    found.wait(config)
    assert time.monotonic() - started >= 0.1


# --- what is remembered ---------------------------------------------------------------------------


def test_a_device_that_nobody_knows_rests_until_it_stops_cooling(info, told):
    found = cooler(info, told, 40.0, 38.0, 36.0, 35.0, 34.9)
    found.rest([IDLE])
    assert idle_of(info) == 34.9
    assert "at rest: 40.0 °C; its idle temperature is not known yet" in told
    assert found.wait(IDLE)[1].target_c == 36.9


def test_one_that_does_not_stop_cooling_in_time_is_not_recorded_and_says_so(info, told):
    falling = [90.0 - k for k in range(1000)]
    found = cooler(info, told, *falling, patience=Patience(cool_s=0.1, poll_s=0.01, settle_s=0.05))
    found.rest([IDLE])
    assert idle_of(info) is None
    assert found.wait(IDLE)[1].reached is False


def test_a_hot_device_is_corrected_by_two_cooler_readings(info, told):
    found = known(info, told, 45.0, 45.0, 40.0, 40.5, 41.0, idle=45.0)
    assert [found.wait(IDLE)[1].target_c for _ in range(4)] == [47.0, 47.0, 42.5, 42.5]
    assert idle_of(info) == 40.5


def test_one_reading_that_is_too_low_is_not_believed(info, told):
    found = known(info, told, 33.5, 33.5, 5.0, 33.5, 33.5)
    for _ in range(4):
        found.wait(IDLE)
    assert idle_of(info) == 33.5


def test_a_hot_device_is_not_recorded_over_a_cool_one(info, told):
    known(info, told, 60.0)
    assert idle_of(info) == 33.5


def test_a_day_at_rest_is_noted_so_that_it_outlives_an_older_one(info, told):
    then = today() - timedelta(days=KEPT_DAYS - 1)
    IdleRecord(info, "skin", today=then).note(33.0)
    cooler(info, told, 34.0).rest([IDLE])
    later = IdleRecord(info, "skin", today=today() + timedelta(days=3))
    assert later.celsius == 34.0


def test_the_lowest_of_two_weeks_counts(info):
    for days, celsius in ((KEPT_DAYS, 20.0), (KEPT_DAYS - 1, 30.0), (0, 33.0)):
        IdleRecord(info, "skin", today=TODAY - timedelta(days=days)).note(celsius)
    assert IdleRecord(info, "skin", today=TODAY).celsius == 30.0


def test_a_day_that_lies_ahead_was_told_by_a_wrong_clock(info):
    IdleRecord(info, "skin", today=TODAY + timedelta(days=900)).note(10.0)
    assert IdleRecord(info, "skin", today=TODAY).celsius is None


def test_builds_and_sensors_have_their_own_record(info):
    IdleRecord(info, "skin", today=TODAY).note(30.0)
    assert IdleRecord(info, "cpu", today=TODAY).celsius is None
    other = replace(info, build_fingerprint="another")
    assert IdleRecord(other, "skin", today=TODAY).celsius is None


@pytest.mark.parametrize("content", [b"", b"{]", b'{"days": 3}', b"\xff", b"{}" + b" " * 70_000])
def test_a_damaged_record_counts_as_none(info, tmp_path, content):
    IdleRecord(info, "skin", today=TODAY).note(30.0)
    (path,) = (tmp_path / "state" / "idle").iterdir()
    path.write_bytes(content)
    assert IdleRecord(info, "skin", today=TODAY).celsius is None
