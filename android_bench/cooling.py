"""Waits until a device is as cool as it is to be before a start.

A warm device is slower, and what ran before would then decide what is measured next. So each start
waits until the temperature is within 2 °C of the device's own at rest, or at the one that was asked
for. A device that does not tell its temperature is not waited for, and nothing claims it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from android_bench.idle import IdleRecord
from android_bench.interrupt import pause
from android_bench.sensors import Reading, Sensors
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import CoolDown, RunConfig

TOLERANCE_C = 2.0  # of the idle temperature; sensors step by 0.1 to 1 °C, rooms change by as much
COOL_LIMIT_S = 300.0
IDLE, NEVER = "idle", "none"
# At rest is a device whose lowest temperature sank by no more than so much within `settle_s`.
SETTLED_C = 0.3


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long is waited, and how often is looked. None of it names a measurement.

    Attributes:
        cool_s: The longest wait before one start, in seconds.
        device_s: How long a device that has gone is waited for, in seconds.
        poll_s: Between two readings, in seconds.
        settle_s: How long a device whose idle temperature nobody knows must stay as cool as it
            is, in seconds.
    """

    cool_s: float = COOL_LIMIT_S
    device_s: float = 60.0
    poll_s: float = 3.0
    settle_s: float = 30.0


PATIENCE = Patience()


class Cooler:
    """Waits before the starts of one call on one device."""

    def __init__(
        self,
        info: DeviceInfo,
        sensors: Sensors,
        patience: Patience,
        tell: Callable[[str], None],
    ) -> None:
        self._info, self._sensors, self._patience, self._tell = info, sensors, patience, tell
        self._record: IdleRecord | None = None
        self._sensor: str | None = None
        self._idle_c: float | None = None
        self._settled = True
        self._given_up_c = float("-inf")
        self._before: Reading | None = None

    def rest(self, configs: Iterable[RunConfig]) -> None:
        """Learns how warm the device is at rest, before anything runs on it.

        Raises:
            UsageError: If it is to cool to a temperature that it does not tell.
            DeviceError: If it does not answer.
            StorageError: If its idle temperature cannot be kept.
        """
        wanted = {config.cooling for config in configs} - {NEVER}
        if not wanted:
            return
        reading = self._sensors.recent()
        celsius, self._sensor = reading.conditions.temperature_c, reading.sensor
        if celsius is None or self._sensor is None:
            for asked in sorted(wanted - {IDLE}):
                raise UsageError(
                    f"{self._info.label} does not tell its temperature, so it cannot be waited"
                    f" for until it has {asked} °C; leave --cool-to out."
                )
            return
        if IDLE in wanted:
            today = datetime.now(UTC).date()
            self._record = IdleRecord(self._info, self._sensor, today=today)
            self._idle_c = self._record.celsius
            if self._idle_c is None:
                self._settle(celsius)
            elif celsius <= self._idle_c + TOLERANCE_C:  # it is at rest today as well
                self._record.note(max(celsius, self._idle_c))

    def wait(self, config: RunConfig) -> tuple[Reading, CoolDown | None]:
        """Waits as `config` says; what was read last, and what was waited for.

        Raises:
            DeviceError: If the device does not answer.
            StorageError: If its idle temperature cannot be kept.
        """
        pause(config.cooldown_s)
        reading, began = self._sensors.recent(), time.monotonic()
        self._observe(reading)
        target_c = self._target(config)
        if target_c is None:
            return reading, None
        while (celsius := self._celsius(reading)) is not None:
            waited_s = time.monotonic() - began
            left_s = self._patience.cool_s - waited_s
            if celsius <= max(target_c, self._given_up_c) or left_s <= 0:
                reached = celsius <= target_c and (self._settled or config.cooling != IDLE)
                return reading, self._cool_down(target_c, celsius, waited_s, reached=reached)
            self._tell(f"cooling: {celsius:.1f} °C, waits for {target_c:.1f} °C")
            pause(min(self._patience.poll_s, left_s))
            reading = self._sensors.read()
            self._observe(reading)
        return reading, None

    def _cool_down(
        self, target_c: float, celsius: float, waited_s: float, *, reached: bool
    ) -> CoolDown:
        if celsius > max(target_c, self._given_up_c):
            # Cooler than this it does not get today: the next starts need not wait as long, but
            # until it is as cool as for this one, so that all of them are alike.
            self._given_up_c = celsius + TOLERANCE_C
        return CoolDown(
            target_c=round(target_c, 2),
            start_c=celsius,
            waited_s=round(waited_s, 3),
            reached=reached,
        )

    def _target(self, config: RunConfig) -> float | None:
        if config.cooling == NEVER:
            return None
        if config.cooling == IDLE:
            return None if self._idle_c is None else self._idle_c + TOLERANCE_C
        return float(config.cooling)

    def _celsius(self, reading: Reading) -> float | None:
        """The temperature; None where another sensor answers, which says nothing of the first."""
        return reading.conditions.temperature_c if reading.sensor == self._sensor else None

    def _settle(self, celsius: float) -> None:
        """Waits until a device that nobody knows stops cooling, and keeps that as its idle."""
        assert self._record is not None
        began, seen = time.monotonic(), [(time.monotonic(), celsius)]
        while True:
            now, lowest = seen[-1][0], min(value for _, value in seen)
            earlier = [value for at, value in seen if at <= now - self._patience.settle_s]
            if earlier and lowest >= min(earlier) - SETTLED_C:
                self._idle_c = lowest
                self._record.note(lowest)
                return
            if now - began >= self._patience.cool_s:
                self._idle_c, self._settled = lowest, False  # it is still cooling: not kept
                return
            self._tell(f"at rest: {seen[-1][1]:.1f} °C; its idle temperature is not known yet")
            pause(self._patience.poll_s)
            read = self._celsius(self._sensors.read())
            if read is not None:
                seen.append((time.monotonic(), read))
            elif time.monotonic() - began >= self._patience.cool_s:
                return

    def _observe(self, reading: Reading) -> None:
        """Corrects the idle temperature where two readings in a row are below it."""
        before, self._before = self._before, reading
        if before is None or before is reading or self._idle_c is None or self._record is None:
            return
        values = [self._celsius(each) for each in (before, reading)]
        known = [celsius for celsius in values if celsius is not None]
        if len(known) == 2 and max(known) < self._idle_c:
            self._idle_c, self._settled = max(known), True
            self._record.note(self._idle_c)
