"""Removes what was pushed long ago. A file's time on a device is when it was pushed."""

from __future__ import annotations

from dataclasses import dataclass

from android_bench.devices import Device
from android_bench.devices.lock import only_measurement
from mobilekit.core.errors import DeviceError, UsageError

DEFAULT_DAYS = 30
TIMEOUT_S = 120.0
# A file is old when more than $2 whole days have passed; 0 takes all.
REMOVE = """\
[ -d "$1" ] || exit 0
age="-mtime +$(($2 - 1))"; [ "$2" -gt 0 ] || age=
find "$1" -type f $age -exec stat -c %s {} \\; -exec rm -f {} \\;
"""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What was removed from the device called `label`."""

    label: str
    files: int
    size_bytes: int


def clean(device: Device, *, days: int = DEFAULT_DAYS) -> Cleaned:
    """Removes files below the device's workspace that are `days` old or older.

    Raises:
        UsageError: If `days` is below zero.
        DeviceError: If a measurement holds the device, or files cannot be removed.
    """
    if days < 0:
        raise UsageError(f"Files cannot be {days} days old; give 0 to remove all.")
    argv = ["sh", "-c", REMOVE, "sh", device.workspace, str(days)]
    with only_measurement(device.info(), lambda: None, wait_s=0.0):
        answer = device.shell(argv, timeout_s=TIMEOUT_S)
    if answer.returncode:
        raise DeviceError(device.label, ["clean"], answer.returncode, answer.stderr)
    sizes = [int(line) for line in answer.stdout.split() if line.isdigit()]
    return Cleaned(label=device.label, files=len(sizes), size_bytes=sum(sizes))
