"""What a device's sensors say between two starts, in one call of its shell.

Nothing is started on the device but a shell, and `dumpsys` on Android: a phone has some eighty
thermal zones, and a process for each would heat up what is measured. What the sensors print comes
from outside: whatever does not read as expected is None. Frequencies are left to the runner, which
reads them under load; between starts the processors idle.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

from android_bench.devices import Device
from android_bench.devices.android import (
    parse_battery,
    parse_charging,
    parse_hottest_cpu_c,
    parse_screen_on,
    parse_skin_c,
    parse_thermal_status,
)
from mobilekit.core.measurement import BeforeAfter, Conditions, Run

READ_TIMEOUT_S = 40.0  # dumpsys gives up on each of three services after 10 s
FRESH_S = 1.0  # what was read after a start says how the device is before the next
MAX_CHARS = 1_000_000  # of what is looked at; `dumpsys thermalservice` prints some kilobytes
PLAUSIBLE_C = (-40.0, 150.0)  # beyond, a sensor is broken or absent
MOST_THERMAL_STATUS = 6
ZONES = """\
: sensors
for z in /sys/class/thermal/thermal_zone*; do
  { read -r kind <"$z/type" && read -r value <"$z/temp"; } 2>/dev/null &&
    echo "zone ${z##*/} $kind:$value"
done
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null && echo "boot $boot"
"""
# A wireless mouse has a battery too; its scope is then "Device".
SUPPLIES = """\
for s in /sys/class/power_supply/*; do
  scope=System; { read -r scope <"$s/scope"; } 2>/dev/null
  { [ "$scope" != Device ] && read -r kind <"$s/type"; } 2>/dev/null || continue
  if [ "$kind" = Battery ]; then
    { read -r value <"$s/capacity"; } 2>/dev/null && echo "capacity $value"
    { read -r value <"$s/status"; } 2>/dev/null && echo "status $value"
  else
    { read -r value <"$s/online"; } 2>/dev/null && echo "online $value"
  fi
done
:
"""
SERVICES = """\
echo "= battery"; dumpsys battery
echo "= thermal"; dumpsys thermalservice
echo "= power"; dumpsys power | grep -e mWakefulness= -e '^ *Display Power: state='
:
"""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read at once.

    Attributes:
        conditions: As a run records them.
        sensor: What `temperature_c` is of: "skin" or "cpu"; None where there is none.
        boot_id: Linux's name for the time since the device was started; None where unknown.
    """

    conditions: Conditions
    sensor: str | None = None
    boot_id: str | None = None


class Sensors:
    """The sensors of one device."""

    def __init__(
        self,
        device: Device,
        *,
        fresh_s: float = FRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._fresh_s, self._clock = device, fresh_s, clock
        self._last: tuple[float, Reading] | None = None

    def read(self) -> Reading:
        """Reads all of them; raises DeviceError where the device does not answer."""
        script = ZONES + (SERVICES if self._device.kind == "adb" else SUPPLIES)
        # A sensor that the device does not have is no error of the shell.
        answer = self._device.shell(["sh", "-c", script], timeout_s=READ_TIMEOUT_S)
        reading = parse_reading(answer.stdout[:MAX_CHARS])
        self._last = (self._clock(), reading)
        return reading

    def drop(self) -> None:
        """Lets go of what was read: something happened since."""
        self._last = None

    def recent(self) -> Reading:
        """What was read less than FRESH_S seconds ago, or is read now; raises DeviceError."""
        if self._last is not None and self._clock() - self._last[0] < self._fresh_s:
            return self._last[1]
        return self.read()


def parse_reading(text: str) -> Reading:
    """Reads what the scripts print."""
    parts = re.split(r"^= (battery|thermal|power)$", text, flags=re.M)
    files, services = parts[0], dict(zip(parts[1::2], parts[2::2], strict=True))
    zones = dict(re.findall(r"^zone (\S+ .*):(-?\d+)$", files, re.M))
    celsius, sensor = _temperature(services.get("thermal", ""), zones)
    status = parse_thermal_status(services.get("thermal", ""))
    boot = re.search(r"^boot ([0-9a-f-]{36})$", files, re.M)
    power = _android_power(services["battery"]) if "battery" in services else _power(files)
    return Reading(
        conditions=replace(
            power,
            temperature_c=celsius,
            thermal_status=status if (status or 0) <= MOST_THERMAL_STATUS else None,
            screen_on=parse_screen_on(services.get("power", "")),
        ),
        sensor=sensor,
        boot_id=boot[1] if boot else None,
    )


def with_readings(run: Run, before: Reading, after: Reading | None) -> Run:
    """The run with what its runner could not read; what it read itself, nearer to the work, stays.

    Args:
        run: As the runner printed it.
        before: Read before it was started.
        after: Read after it had ended; None where the device was not there any more.
    """
    conditions = BeforeAfter(
        before=_filled(run.conditions.before, before.conditions),
        after=_filled(run.conditions.after, after.conditions) if after else run.conditions.after,
    )
    unread = {
        name: reason
        for name, reason in run.unread.items()
        if not name.startswith("conditions.")
        or _missing(conditions, name.removeprefix("conditions."))
    }
    return replace(run, conditions=conditions, unread=unread)


def _filled(own: Conditions, read: Conditions) -> Conditions:
    missing = [f.name for f in fields(Conditions) if getattr(own, f.name) is None]
    return replace(own, **{name: getattr(read, name) for name in missing})


def _missing(conditions: BeforeAfter, name: str) -> bool:
    return any(getattr(side, name, None) is None for side in (conditions.before, conditions.after))


def _temperature(thermal: str, zones: Mapping[str, str]) -> tuple[float | None, str | None]:
    """What throttling follows, or else the hottest processor; °C and which of the two it is."""
    found = {"skin": parse_skin_c(thermal), "cpu": parse_hottest_cpu_c(zones)}
    for sensor, celsius in found.items():
        if celsius is not None and PLAUSIBLE_C[0] <= celsius <= PLAUSIBLE_C[1]:
            return celsius, sensor
    return None, None


def _android_power(text: str) -> Conditions:
    battery = parse_battery(text)
    if battery is None:
        return Conditions()
    return Conditions(
        plugged=battery.plugged,
        battery_percent=_percent(battery.level_percent),
        charging=parse_charging(text),
    )


def _power(files: str) -> Conditions:
    """Of a computer or board; one without any power supply that says something is not asked."""
    capacity = re.search(r"^capacity (\d{1,3})$", files, re.M)
    status = re.search(r"^status (.+)$", files, re.M)
    online = re.findall(r"^online ([01])$", files, re.M)
    return Conditions(
        plugged="1" in online if online else None,
        battery_percent=_percent(int(capacity[1])) if capacity else None,
        charging=status[1] == "Charging" if status and status[1] != "Unknown" else None,
    )


def _percent(value: int | None) -> int | None:
    return value if value is not None and 0 <= value <= 100 else None
