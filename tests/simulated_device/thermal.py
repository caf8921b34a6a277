"""How the phone heats up and throttles, so that what waits for it to cool has something to do.

Temperatures approach a hot level while a program runs and the idle level while none does, both
exponentially. Above a threshold the processors slow down, in what their files say: the program
itself runs as fast as this computer lets it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Android's thermal status, and the share of the highest frequency that is left, by temperature.
THROTTLING = ((80.0, 3, 0.5), (72.0, 2, 0.7), (65.0, 1, 0.85), (-math.inf, 0, 1.0))
IDLE_SHARE = 0.5
TICKS_PER_S = 100  # the unit of time_in_state
# How much of the processor's heat reaches the other sensors.
SKIN_SHARE, BATTERY_SHARE = 0.4, 0.15
THERMAL_SERVICE = """\
IsStatusOverride: false
Thermal Status: {status}
Cached temperatures:
\tTemperature{{mValue=31.2, mType=2, mName=battery, mStatus=0}}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{{mValue={cpu:.1f}, mType=0, mName=CPU0, mStatus={status}}}
\tTemperature{{mValue={skin:.1f}, mType=3, mName=skin, mStatus={status}}}
"""


@dataclass(frozen=True, kw_only=True)
class Heat:
    """The constants of a phone's heat.

    Attributes:
        idle_c: Of the processor while nothing runs, °C.
        skin_idle_c: Of the skin then.
        battery_idle_c: Of the battery then.
        hot_c: What the processor approaches while a program runs.
        heating_s: Seconds until 63 % of the way up is done.
        cooling_s: The same for the way down.
        speed: Seconds of the phone in a second of this computer; 0 keeps it as cool as it is, so
            that a test that is about something else need not wait for it.
    """

    idle_c: float = 41.7
    skin_idle_c: float = 33.5
    battery_idle_c: float = 28.4
    hot_c: float = 85.0
    heating_s: float = 30.0
    cooling_s: float = 60.0
    speed: float = 0.0


class Thermal:
    """The sensors' files, kept up to date by `step`."""

    def __init__(
        self,
        heat: Heat,
        clusters: Sequence[tuple[Sequence[int], int]],
        write: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.heat, self.cpu_c = heat, heat.idle_c
        self._clusters, self._write, self._clock = clusters, write, clock
        self._then, self._written = clock(), dict[str, str]()
        # Seconds at each share of the highest frequency.
        self._spent_s = dict.fromkeys([IDLE_SHARE, *(row[2] for row in THROTTLING)], 0.0)
        self._spent_s |= {IDLE_SHARE: 10.0, 1.0: 0.1}
        self._busy = False
        self.step(busy=False)

    @property
    def status(self) -> int:
        """Android's thermal status, 0..3."""
        return self._throttling()[0]

    @property
    def battery_c(self) -> float:
        """The battery's temperature, °C."""
        return self.heat.battery_idle_c + BATTERY_SHARE * (self.cpu_c - self.heat.idle_c)

    def step(self, *, busy: bool) -> None:
        """Lets the time pass that has passed; `busy` is whether a program ran meanwhile."""
        now = self._clock()
        passed_s, self._then = (now - self._then) * self.heat.speed, now
        self._spent_s[self._share(busy=busy)] += passed_s
        target = self.heat.hot_c if busy else self.heat.idle_c
        tau_s = self.heat.heating_s if busy else self.heat.cooling_s
        self.cpu_c = target + (self.cpu_c - target) * math.exp(-passed_s / tau_s)
        self._say_temperatures()
        # An idle phone's counters move with each 10 ms; they are told when it has work again.
        if busy or self._busy or not self._written.get("counters"):
            self._say_frequencies(busy=busy)
        self._busy = busy

    def _throttling(self) -> tuple[int, float]:
        return next((status, share) for c, status, share in THROTTLING if self.cpu_c >= c)

    def _share(self, *, busy: bool) -> float:
        return self._throttling()[1] if busy else IDLE_SHARE

    def _say_temperatures(self) -> None:
        skin_c = self.heat.skin_idle_c + SKIN_SHARE * (self.cpu_c - self.heat.idle_c)
        values = {"cpu-0-0": self.cpu_c, "battery": self.battery_c, "skin-therm": skin_c}
        for number, (kind, celsius) in enumerate(values.items()):
            zone = f"/sys/class/thermal/thermal_zone{number}"
            self._say(f"{zone}/type", f"{kind}\n")
            self._say(f"{zone}/temp", f"{round(celsius * 10) * 100}\n")
        text = THERMAL_SERVICE.format(status=self.status, cpu=self.cpu_c, skin=skin_c)
        self._say("/dumpsys/thermalservice", text)

    def _say_frequencies(self, *, busy: bool) -> None:
        now, allowed = self._share(busy=busy), self._throttling()[1]
        for cores, khz in self._clusters:
            table = "".join(
                f"{round(khz * share)} {round(seconds * TICKS_PER_S)}\n"
                for share, seconds in sorted(self._spent_s.items())
            )
            for core in cores:
                folder = f"/sys/devices/system/cpu/cpu{core}/cpufreq"
                self._say(f"{folder}/scaling_cur_freq", f"{round(khz * now)}\n")
                self._say(f"{folder}/scaling_max_freq", f"{round(khz * allowed)}\n")
                self._say(f"{folder}/stats/time_in_state", table)
        self._written["counters"] = "told"

    def _say(self, path: str, text: str) -> None:
        if self._written.get(path) != text:
            self._written[path] = text
            self._write(path, text)
