"""The phone's battery, its plug and its screen: what the tests can set, and what time does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

# What `dumpsys battery reset` goes back to; the battery is charged through USB.
REAL = {"level": 87, "ac": 0, "usb": 1, "wireless": 0}
CHARGING_UA, DRAINED_UA = 350_000, -420_000
SUPPLIES = "/sys/class/power_supply"
SCREEN_OFF_S = 1800.0  # without being touched; the setting screen_off_timeout has it in ms


class Power:
    """Battery, plug and screen of the phone whose folder is `root`."""

    def __init__(self, root: Path, write: Callable[[str, str], None]) -> None:
        self._folder, self._write = root / "power", write
        self._settings = root / "settings"
        self._said: tuple[int, bool, int] | None = None
        for name, value in REAL.items():
            self._write(f"/power/{name}", f"{value}\n")
            self._write(f"/power/real/{name}", f"{value}\n")
        self._write("/power/wakefulness", "Awake\n")
        self._write("/power/used", "")
        self._write("/settings/system/screen_off_timeout", f"{SCREEN_OFF_S * 1000:.0f}\n")

    @property
    def plugged(self) -> bool:
        """Whether anything charges the battery."""
        return any(map(self._on, ("ac", "usb", "wireless")))

    @property
    def screen_on(self) -> bool:
        """Whether the screen is on."""
        return self._read("wakefulness") == "Awake"

    def set_battery(self, *, level: int | None = None, plugged: bool | None = None) -> None:
        """Sets the charge in percent, and pulls or puts the charger's plug."""
        new = {"level": level, "usb": None if plugged is None else int(plugged)}
        for name, value in new.items():
            if value is not None:
                self._write(f"/power/{name}", f"{value}\n")
                self._write(f"/power/real/{name}", f"{value}\n")

    def set_screen(self, *, on: bool) -> None:
        """Switches the screen, as its button does."""
        self._write("/power/wakefulness", "Awake\n" if on else "Asleep\n")
        self._write("/power/used", "")

    def setting(self, name: str, space: str = "global") -> str | None:
        """One of Android's settings."""
        path = self._settings / space / name
        return path.read_text().strip() if path.exists() else None

    def step(self, battery_c: float) -> None:
        """Lets time pass: sensors follow, and a screen that nobody touches goes dark."""
        level, plugged, tenths = int(self._read("level") or 0), self.plugged, round(battery_c * 10)
        if self._said != (level, plugged, tenths):
            self._said = (level, plugged, tenths)
            now_ua = CHARGING_UA if plugged else DRAINED_UA
            self._write("/power/temp", f"{tenths}\n")
            self._write(f"{SUPPLIES}/battery/capacity", f"{level}\n")
            self._write(f"{SUPPLIES}/battery/current_now", f"{now_ua}\n")
            self._write(f"{SUPPLIES}/usb/online", f"{int(plugged)}\n")
        timeout_s = float(self.setting("screen_off_timeout", "system") or 0) / 1000
        untouched_s = time.time() - (self._folder / "used").stat().st_mtime
        if self.screen_on and untouched_s > timeout_s and not self._stays_on():
            self._write("/power/wakefulness", "Asleep\n")

    def _stays_on(self) -> bool:
        bits = sum(bit for name, bit in (("ac", 1), ("usb", 2), ("wireless", 4)) if self._on(name))
        return bool(bits & int(self.setting("stay_on_while_plugged_in") or 0))

    def _on(self, name: str) -> bool:
        return self._read(name) == "1"

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text().strip()
