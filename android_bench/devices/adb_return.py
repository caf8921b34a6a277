"""Waits for a device that was unplugged or restarted."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from android_bench.devices.adb_files import RunShell
from android_bench.devices.attached import GONE, READY, NotReadyError, parse_devices
from mobilekit.core.errors import DeviceError

if TYPE_CHECKING:
    from android_bench.devices.adb import Adb

POLL_S = 0.5
ASK_TIMEOUT_S = 5.0  # one that hangs is asked again
# A phone at the end of a network stays listed as offline when it has gone, and adb looks for it no
# more after some ten seconds.
LOST = (GONE, "offline")
NETWORK_SERIAL = re.compile(r".+:\d+")


def wait_until_there(adb: Adb, serial: str, label: str, shell: RunShell, timeout_s: float) -> None:
    """Waits until a device answers; one at the end of a network is connected anew.

    Raises:
        NotReadyError: If it does not within `timeout_s`; it says in what state adb sees it.
    """
    deadline, state = time.monotonic() + timeout_s, GONE
    while (left := deadline - time.monotonic()) > 0:
        began, limit = time.monotonic(), min(left, ASK_TIMEOUT_S)
        state = _state(adb, serial, label, limit)
        if state == READY and _answers(shell, limit):
            return
        if state in LOST and NETWORK_SERIAL.fullmatch(serial):
            _connect_anew(adb, serial, label, limit)
        now = time.monotonic()
        time.sleep(max(0.0, min(deadline - now, began + POLL_S - now)))
    raise NotReadyError(label, "offline" if state == READY else state)


def _state(adb: Adb, serial: str, label: str, timeout_s: float) -> str:
    try:
        listed = adb.run(["devices", "-l"], device=label, timeout_s=timeout_s)
    except DeviceError:
        return GONE
    rows = parse_devices(listed.stdout, {})
    return next((row.state for row in rows if row.serial == serial), GONE)


def _answers(shell: RunShell, timeout_s: float) -> bool:
    try:
        return shell(["true"], timeout_s=timeout_s).returncode == 0
    except DeviceError:
        return False


def _connect_anew(adb: Adb, serial: str, label: str, timeout_s: float) -> None:
    with suppress(DeviceError):  # its state is asked next
        for word in ("disconnect", "connect"):
            adb.run([word, serial], device=label, timeout_s=timeout_s)
