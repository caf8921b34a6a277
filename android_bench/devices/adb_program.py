"""Which adb is run: the one on PATH, then the SDK's, then the one inside the adbutils wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mobilekit.core.errors import UsageError

SDK_VARIABLES = ("ANDROID_HOME", "ANDROID_SDK_ROOT")
REMEDY = (
    "install it (Debian and Ubuntu: apt install adb), set ANDROID_HOME to the SDK, or"
    " pip install 'mobilekit[adb]'"
)


@dataclass(frozen=True, kw_only=True)
class AdbProgram:
    """An adb that can be run.

    Attributes:
        path: The program.
        where: How it was found, e.g. "PATH".
    """

    path: Path
    where: str


def find_adb() -> AdbProgram | None:
    """The first of the places that has one."""
    on_path = shutil.which("adb")
    if on_path:
        return AdbProgram(path=Path(on_path), where="PATH")
    for variable in SDK_VARIABLES:
        folder = os.environ.get(variable)
        if folder and _runs(Path(folder) / "platform-tools" / "adb"):
            return AdbProgram(path=Path(folder) / "platform-tools" / "adb", where=variable)
    # Importing adbutils takes longer than adb does, and its own search prefers PATH anyway.
    wheel = importlib.util.find_spec("adbutils")
    for folder in (wheel.submodule_search_locations if wheel else None) or ():
        if _runs(Path(folder) / "binaries" / "adb"):
            return AdbProgram(path=Path(folder) / "binaries" / "adb", where="adbutils")
    return None


def need_adb() -> AdbProgram:
    """The same; raises UsageError with the way to get one where there is none."""
    found = find_adb()
    if found is None:
        raise UsageError(f"There is no adb here; {REMEDY}.")
    return found


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
