"""What delegates need beside LiteRT's library: all files lie in one folder on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.devices import Device
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Companions:
    """LiteRT's library and those beside it.

    Attributes:
        files: Files here, by the names that they have on the device.
        sha256: Of their names and digests, as the runner computes it of the folder.
    """

    files: Mapping[str, Path]
    sha256: str

    @staticmethod
    def of(library: Path, name: str, libraries: Sequence[Path]) -> Companions | None:
        """None where there are no libraries beside `library`, which is to be called `name`.

        Raises:
            UsageError: If one does not exist, or two have the same name.
        """
        if not libraries:
            return None
        files = {name: library}
        for path in (file for given in libraries for file in _expanded(given)):
            if path.name in files and not path.samefile(files[path.name]):
                raise UsageError(f"{path} and {files[path.name]} have the same name.")
            files[path.name] = path
        total = hashlib.sha256()
        for key in sorted(files):
            total.update(f"{key}\0{sha256_file(files[key])}\n".encode())
        return Companions(files=files, sha256=total.hexdigest())

    def folder(self, device: Device) -> str:
        """Where they are on `device`."""
        return f"{device.workspace}/runners/{self.sha256}"

    def push(self, device: Device) -> None:
        """Brings those that are not there."""
        for name, path in self.files.items():
            device.push(path, f"{self.folder(device)}/{name}")

    def of_litert(self) -> list[Path]:
        """Those that LiteRT itself opens; the others may be for another processor, a DSP."""
        return [path for name, path in self.files.items() if name.startswith("libLiteRt")]


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    if path.is_file():
        return [path]
    raise UsageError(f"--runner-library names {path}, which is no file and no folder.")
