"""Keeps a phone's screen on while it is measured, and puts back how long it stayed on before.

A phone whose screen goes dark slows its processors and may fall asleep, which ends what runs
without wake lock. What the settings were is kept in the state folder until they are back, so that
a killed process leaves them for the next measurement to restore.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from android_bench.devices import Device
from android_bench.devices.android import parse_screen_on
from android_bench.folders import state_dir
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import DeviceError, StorageError
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, storage_errors, write_json

TIMEOUT_S = 30.0  # `settings` starts a virtual machine on older phones
# Namespace and name of a setting -> its value meanwhile: every kind of plug (1 AC + 2 USB + 4
# wireless), and a day in ms for a phone that has none in.
WHILE_MEASURING: Mapping[str, str] = {
    "global stay_on_while_plugged_in": "7",
    "system screen_off_timeout": "86400000",
}
UNSET = "null"  # what `settings get` prints where there is no value
VALUE = re.compile(rf"-?\d{{1,10}}|{UNSET}")
KEYCODE_WAKEUP = "224"
# KEY…: prints what each setting is, then what `parse_screen_on` reads.
LOOK = """\
: settings of the screen
for key do echo "$(settings get $key 2>/dev/null)"; done
dumpsys power | grep -e mWakefulness= -e '^ *Display Power: state='
:
"""
# KEY VALUE…: writes each setting, then prints what it is.
WRITE = """\
: settings of the screen
while [ "$#" -gt 1 ]; do
  if [ "$2" = null ]; then settings delete $1; else settings put $1 "$2"; fi >/dev/null 2>&1
  echo "$(settings get $1 2>/dev/null)"
  shift 2
done
"""


@dataclass(frozen=True, kw_only=True)
class ScreenSettings:
    """What the settings of WHILE_MEASURING were before."""

    settings: Mapping[str, str]


@contextmanager
def screen_kept_on(device: Device, info: DeviceInfo, say: Callable[[str], None]) -> Iterator[None]:
    """Keeps the screen of a phone on; does nothing where there is none.

    Args:
        device: Where is measured; whoever calls holds its lock.
        info: What it is.
        say: Told what could not be done, in sentences.

    Raises:
        DeviceError: If the device does not answer before it is measured.
        StorageError: If the former settings cannot be kept.
    """
    if device.kind != "adb":
        yield
        return
    path = state_dir() / "screen" / f"{info.serial_hash[:16]}.json"
    former = _former(device, path, say)
    if former is None:
        yield
        return
    write_json(path, ScreenSettings(settings=former))
    try:
        if not _written(device, WHILE_MEASURING):
            say(f"the screen of {device.label} cannot be kept on: its settings stay as they were")
        device.shell(["input", "keyevent", KEYCODE_WAKEUP], timeout_s=TIMEOUT_S)
        yield
    finally:
        _restore(device, former, path, say)


def _former(device: Device, path: Path, say: Callable[[str], None]) -> Mapping[str, str] | None:
    """The settings to go back to; None where there is no screen, or no such settings."""
    answer = device.shell(["sh", "-c", LOOK, "sh", *WHILE_MEASURING], timeout_s=TIMEOUT_S).stdout
    if parse_screen_on(answer) is None:
        return None
    values = answer.splitlines()[: len(WHILE_MEASURING)]
    if not all(VALUE.fullmatch(value.strip()) for value in values):
        say(f"the screen of {device.label} cannot be kept on: it does not tell its settings")
        return None
    # What a killed measurement left is ours; what was there before it is what the owner wants.
    return _kept(path) or dict(zip(WHILE_MEASURING, map(str.strip, values), strict=True))


def _kept(path: Path) -> Mapping[str, str] | None:
    try:
        kept = from_json(ScreenSettings, read_json(path)).settings if path.is_file() else {}
    except (StorageError, RecordError):
        return None
    right = set(kept) == set(WHILE_MEASURING) and all(map(VALUE.fullmatch, kept.values()))
    return kept if right else None


def _restore(
    device: Device, former: Mapping[str, str], path: Path, say: Callable[[str], None]
) -> None:
    """Puts the settings back; a failure is said, since the first error is the one to raise."""
    try:
        if _written(device, former):
            with storage_errors(path):
                path.unlink(missing_ok=True)
            return
        problem = "it has other values afterwards"
    except (DeviceError, StorageError) as error:
        problem = str(error).rstrip(".")
    commands = "; ".join(
        f"settings delete {key}" if value == UNSET else f"settings put {key} {value}"
        for key, value in former.items()
    )
    say(
        f"the screen of {device.label} still stays on: its settings could not be put back"
        f" ({problem}). The next measurement there tries again; by hand: adb shell '{commands}'"
    )


def _written(device: Device, settings: Mapping[str, str]) -> bool:
    """Writes the settings; whether they are so afterwards."""
    pairs = [word for pair in settings.items() for word in pair]
    answer = device.shell(["sh", "-c", WRITE, "sh", *pairs], timeout_s=TIMEOUT_S).stdout
    return [line.strip() for line in answer.splitlines()] == list(settings.values())
