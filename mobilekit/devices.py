"""Devices, as functions: what the commands about them do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit import __version__
from mobilekit.core.errors import UsageError

if TYPE_CHECKING:
    from android_bench.devices.cleaning import Cleaned
    from android_bench.devices.overview import ListedDevice


@dataclass(frozen=True, kw_only=True)
class PushedFile:
    """What `push_file` brought to a device.

    Attributes:
        label: The device.
        remote: Where it is there; its name is its sha256.
        sha256: As computed on the device.
        size_bytes: Of the file.
    """

    label: str
    remote: str
    sha256: str
    size_bytes: int


# The phone that ANDROID_SERIAL names, or the only one.
THE_PHONE = "adb"


def list_devices() -> tuple[ListedDevice, ...]:
    """This computer and every phone that adb sees, with what can be said of them unmeasured.

    Raises:
        DeviceError: If adb does not work.
        StorageError: If the local secret or the labels cannot be read.
    """
    from android_bench.devices.overview import list_devices as listed
    from android_bench.floors import validations

    def validated(row: ListedDevice) -> ListedDevice:
        info = row.overview.info
        passed = validations(info, __version__) if info else ()
        return replace(row, overview=replace(row.overview, validated=passed))

    return tuple(map(validated, listed()))


def push_file(path: Path, *, device: str = THE_PHONE) -> PushedFile:
    """Brings a file to a device, under the name of its content; what is there is not sent again.

    Raises:
        UsageError: If there is no such device, or no such file.
        DeviceError: If it cannot be written, or is not there with equal sha256 afterwards.
        StorageError: If the file cannot be read.
    """
    from android_bench.devices import open_device
    from mobilekit.core.digest import sha256_file

    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    sha256 = sha256_file(path)
    opened = open_device(device)
    remote = f"{opened.workspace}/files/{sha256}{path.suffix}"
    opened.push(path, remote)
    return PushedFile(
        label=opened.label, remote=remote, sha256=sha256, size_bytes=path.stat().st_size
    )


def clean_device(*, device: str = THE_PHONE, days: int = 30) -> Cleaned:
    """Removes what was pushed to a device `days` ago or earlier; 0 removes all.

    Raises:
        UsageError: If there is no such device, or `days` is below zero.
        DeviceError: If a measurement holds it, or it fails.
    """
    from android_bench.devices import open_device
    from android_bench.devices.cleaning import clean

    return clean(open_device(device), days=days)
