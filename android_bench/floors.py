"""What selftests found out about devices, one file a device, build, runner, runtime and kit.

    <state folder>/floors/<key>.json

A newer selftest of the same replaces an older one. One that this version cannot read counts as
none, so that a damaged file never stops a measurement: the device is then unvalidated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from android_bench.folders import state_dir
from android_bench.jobs import Bench
from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import digest
from mobilekit.core.errors import StorageError
from mobilekit.core.measurement import Kit, Program, Runtime
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, write_json

SCHEMA = 1
MOST_BYTES = 1 << 20  # of a file that is read: ours have some kilobytes


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """What a selftest that was passed found.

    Attributes:
        device: The device as it was then.
        runner: The program that measured.
        runtime: The library that it found there.
        kit: The version of mobilekit.
        measured: UTC, ISO 8601.
        model_sha256: The file that was measured under two labels.
        noise_floor: Robust spread of the run medians, 0..1: 0.008 is 0.8 %.
        medians_us: They themselves, of each label in the order of the blocks, microseconds; means
            of a runner that prints no medians.
        smallest_shown: By number of blocks, the smallest change of latency that is shown nine
            times in ten, 0..1; a number of blocks that cannot show any is left out.
        clock_resolution_ns: The smallest step of the clock, nanoseconds; None where unknown.
        doubts: What was not as it should be meanwhile, in sentences.
        schema: Of this document.
    """

    device: DeviceInfo
    runner: Program
    runtime: Runtime
    kit: Kit
    measured: str
    model_sha256: str
    noise_floor: float
    medians_us: tuple[tuple[float, ...], ...]
    smallest_shown: Mapping[str, float] = field(default_factory=dict)
    clock_resolution_ns: int | None = None
    doubts: tuple[str, ...] = ()
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        datetime.fromisoformat(self.measured)  # raises ValueError
        if not 0 <= self.noise_floor <= 10:
            raise ValueError(f"a noise floor is 0..10, not {self.noise_floor}")


@dataclass(frozen=True, kw_only=True)
class ValidatedBy:
    """A selftest in short, for lists of devices.

    Attributes:
        measured: UTC, ISO 8601.
        runner: Name and version of the program.
        runtime: Name and version of the library.
        noise_floor: 0..1.
    """

    measured: str
    runner: str
    runtime: str
    noise_floor: float


def store_floor(floor: NoiseFloor) -> Path:
    """Keeps it for later measurements; returns the file. Raises StorageError."""
    path = _path(_key(floor.device, floor.runner, floor.runtime, floor.kit))
    write_json(path, floor)
    return path


def floor_of(bench: Bench, kit: Kit) -> float | None:
    """The noise floor of a bench, 0..1; None where no selftest of this very bench was passed."""
    key = _key(bench.info, bench.runner.program(), bench.runtime, kit)
    found = _read(_path(key))
    same = found and _key(found.device, found.runner, found.runtime, found.kit) == key
    return found.noise_floor if found and same else None


def validations(device: DeviceInfo, version: str) -> tuple[ValidatedBy, ...]:
    """The selftests that a device and its build passed with this `version` of mobilekit.

    The newest comes first. Of several programs or libraries of one name and version, only that of
    the last selftest is told.
    """
    found = [floor for path in sorted(_folder().glob("*.json")) if (floor := _read(path))]
    own = [
        ValidatedBy(
            measured=floor.measured,
            runner=f"{floor.runner.name} {floor.runner.version}",
            runtime=f"{floor.runtime.name} {floor.runtime.version}",
            noise_floor=floor.noise_floor,
        )
        for floor in found
        if _identity(floor.device) == _identity(device) and floor.kit.version == version
    ]
    own.sort(key=lambda passed: passed.measured)
    newest = {(passed.runner, passed.runtime): passed for passed in own}
    return tuple(sorted(newest.values(), key=lambda passed: passed.measured, reverse=True))


def _identity(device: DeviceInfo) -> Mapping[str, str]:
    return {"serial": device.serial_hash, "build": device.build_fingerprint}


def _key(device: DeviceInfo, runner: Program, runtime: Runtime, kit: Kit) -> str:
    parts = {
        "device": _identity(device),
        "runner": runner.sha256,
        "runtime": runtime,
        "kit": kit.version,
    }
    return digest(parts)[:16]


def _folder() -> Path:
    return state_dir() / "floors"


def _path(key: str) -> Path:
    return _folder() / f"{key}.json"


def _read(path: Path) -> NoiseFloor | None:
    if not re.fullmatch(r"[0-9a-f]{16}\.json", path.name) or not path.is_file():
        return None
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        document = read_json(path)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            return None
        return from_json(NoiseFloor, document, ignore_unknown=True)
    except (StorageError, RecordError, OSError):
        return None
