"""One measurement at a time on one device, across the processes of this computer.

The lock is the kernel's (flock), so a killed process leaves none behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import filelock

from android_bench.folders import state_dir
from android_bench.interrupt import pause
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import DeviceError
from mobilekit.core.storage import storage_errors

# A demo measures for about three minutes: the second of two that start together gets its turn.
WAIT_S = 600.0
LOOK_S = 0.1  # how often it is looked whether the lock is free


class DeviceBusyError(DeviceError):
    """Another measurement held the device for longer than one wants to wait.

    Attributes:
        device: The device's label.
        waited_s: How long it was waited for, in seconds.
    """

    def __init__(self, device: str, waited_s: float) -> None:
        Exception.__init__(self, device, waited_s)
        self.device, self.waited_s = device, waited_s

    def __str__(self) -> str:
        return (
            f"{self.device}: another measurement is running and was waited for {self.waited_s:g} s;"
            " two at once would disturb each other. Try again when it has ended."
        )


@contextmanager
def only_measurement(
    device: DeviceInfo, on_wait: Callable[[], None], *, wait_s: float = WAIT_S
) -> Iterator[None]:
    """Holds the device's lock; `on_wait` is called once if it has to be waited for.

    Raises:
        DeviceBusyError: If the lock was not free within `wait_s` seconds.
        StorageError: If the lock's folder cannot be written.
    """
    path = state_dir() / f"{device.serial_hash[:16]}.lock"
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        deadline, told = time.monotonic() + wait_s, False
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except filelock.Timeout:
                if time.monotonic() >= deadline:
                    raise DeviceBusyError(device.label, wait_s) from None
            if not told:
                on_wait()
                told = True
            pause(LOOK_S)
    try:
        yield
    finally:
        lock.release()
