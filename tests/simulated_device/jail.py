"""The phone's file system: a folder of this computer, and the phone's paths mapped onto it.

A command's text has the phone's paths replaced at the beginnings of words, and what it writes has
them replaced back; programs that know the sensors' paths themselves are redirected. Everything else
that a command runs and reads is this computer's. That keeps honest tests apart from each other and
is no protection from a hostile command.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.simulated_device.profile import Profile
from tests.simulated_device.redirection import redirection
from tests.simulated_device.tools import TOOLS

MAPPED = (
    "/data/local/tmp",
    "/sys/class/power_supply",
    "/sys/class/thermal",
    "/sys/devices/system/cpu",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/kernel/random/boot_id",
)
PATH = re.compile(rf"(?<![\w./-])({'|'.join(MAPPED)})(?![\w.-])")


class Jail:
    """A folder with all that a command of the phone may look at."""

    def __init__(self, profile: Profile) -> None:
        # Short and without anything that a shell would read: it is put into quoted words.
        self.root = Path(tempfile.mkdtemp(prefix="simulated-"))
        assert re.fullmatch(r"[\w/.-]+", str(self.root))
        for path, text in profile.files().items():
            self.write(path, text)
        # python3 has what the Python runner needs; a link would not find it beside itself.
        python = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
        programs = {**TOOLS, "python3": python}
        if profile.emulator:
            # Its sysroot is the folder: the phone's cpuinfo and sensors beside Arm's libraries.
            words = shlex.join([profile.emulator[0], "-L", str(self.root), *profile.emulator[1:]])
            programs["emulator"] = f'#!/bin/sh\nexec {words} "$@"\n'
            (self.root / "lib").symlink_to(profile.sysroot / "lib")
        for name, text in programs.items():
            self.write(f"bin/{name}", text)
            (self.root / "bin" / name).chmod(0o755)
        (self.root / "data/local/tmp").mkdir(parents=True)

    def write(self, path: str, text: str) -> None:
        """Writes a file of the phone, e.g. a sensor that has another value now."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.new")  # whoever reads gets the one or the other
        aside.write_text(text)
        aside.replace(target)

    def path(self, remote: str) -> Path:
        """Where a path of the phone is here; none leads out of the folder."""
        parts = os.path.normpath("/" + remote).lstrip("/")
        return self.root / parts

    def inward(self, command: str) -> str:
        """The command with this computer's paths."""
        return PATH.sub(lambda found: f"{self.root}{found[1]}", command)

    def outward(self) -> Callable[[bytes], bytes]:
        """A function that takes a stream's blocks, at last an empty one, and hides the folder."""
        hidden, kept = os.fsencode(self.root), bytearray()

        def replace(block: bytes) -> bytes:
            data = bytes(kept + block).replace(hidden, b"")
            kept.clear()
            if block:  # the end of a block may be the beginning of the folder's name
                held = next(
                    (
                        n
                        for n in range(min(len(hidden) - 1, len(data)), 0, -1)
                        if data.endswith(hidden[:n])
                    ),
                    0,
                )
                kept.extend(data[len(data) - held :])
                data = data[: len(data) - held]
            return data

        return replace

    def environment(self) -> dict[str, str]:
        """What a command finds set."""
        return {
            "PATH": f"{self.root}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "SIMULATED": str(self.root),
            "LD_PRELOAD": str(redirection()),
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
        }

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
