"""How warm a device is at rest, as this computer saw it: kept by device, build and sensor.

    <state folder>/idle/<device>-<build>-<sensor>.json

The lowest of the last two weeks counts. So a device that was hot when it was first seen is
corrected by the first cooler reading, and a day in a cold room is forgotten after two weeks. A file
that cannot be read counts as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from android_bench.folders import state_dir
from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import digest
from mobilekit.core.errors import StorageError
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, write_json

KEPT_DAYS = 14
MOST_BYTES = 1 << 16  # of a file that is read: ours have some hundred


@dataclass(frozen=True, kw_only=True)
class IdleTemperatures:
    """The lowest temperature of each day, °C, by date such as "2026-11-24"."""

    days: Mapping[str, float] = field(default_factory=dict)


class IdleRecord:
    """The file of one device's sensor; whoever writes it holds the device's lock."""

    def __init__(self, device: DeviceInfo, sensor: str, *, today: date) -> None:
        build = digest(device.build_fingerprint)[:8]
        name = f"{device.serial_hash[:16]}-{build}-{sensor}.json"
        self._path, self._today = state_dir() / "idle" / name, today
        self._days = dict(self._recent(_read(self._path)))

    @property
    def celsius(self) -> float | None:
        """The lowest of the last days; None where nothing is known."""
        return min(self._days.values(), default=None)

    def note(self, celsius: float) -> None:
        """Keeps it, if it is the lowest of today; raises StorageError."""
        day = self._today.isoformat()
        if celsius >= self._days.get(day, float("inf")):
            return
        self._days[day] = celsius
        write_json(self._path, IdleTemperatures(days=self._days))

    def _recent(self, days: Mapping[str, float]) -> Mapping[str, float]:
        """A date that lies ahead is of a clock that was wrong, and would never be forgotten."""
        first, last = self._today - timedelta(days=KEPT_DAYS), self._today
        return {
            day: celsius
            for day, celsius in days.items()
            if first.isoformat() < day <= last.isoformat()
        }


def _read(path: Path) -> Mapping[str, float]:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return {}
        return from_json(IdleTemperatures, read_json(path)).days
    except (StorageError, RecordError, OSError):
        return {}
