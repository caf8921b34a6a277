"""This computer as a device: commands run as they are, files are copied and checked."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from android_bench import process
from android_bench.devices.computer import read_computer
from android_bench.devices.identity import serial_hash
from android_bench.folders import cache_dir
from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import DeviceError
from mobilekit.core.storage import storage_errors


def open_host() -> HostDevice:
    """The opener of `DEVICE_KINDS`."""
    return HostDevice(workspace=cache_dir() / "host")


class HostDevice:
    """See `android_bench.devices.Device`.

    Its label is "host", not the CPU's name: results then read "on this computer", and the CPU
    stands in `DeviceInfo.model`.
    """

    kind = "host"
    label = "host"

    def __init__(self, *, workspace: Path, root: Path = Path("/")) -> None:
        """`workspace` holds the copies; `root` is where /proc, /sys and /etc are read."""
        self.workspace = str(workspace.absolute())
        self._root = root

    def info(self) -> DeviceInfo:
        """Reads /proc, /sys and /etc."""
        computer = read_computer(self._read)
        return DeviceInfo(
            kind=self.kind,
            label=self.label,
            serial_hash=serial_hash(computer.machine_id or platform.node()),
            simulated=False,
            manufacturer=computer.manufacturer,
            model=computer.model,
            soc=computer.soc,
            abi=platform.machine(),
            os=computer.os,
            build_fingerprint=computer.build_fingerprint,
            cpu_features=computer.cpu_features,
            cpu_count=len(os.sched_getaffinity(0)),
        )

    def push(self, local: Path, remote: str) -> None:
        """Copies into the workspace, so that what is measured cannot change meanwhile."""
        wanted = sha256_file(local)
        target = Path(remote)
        argv = ["push", local.name, remote]
        try:
            if target.is_file() and sha256_file(target) == wanted:
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            self._copy(local, target, wanted, argv)
        except OSError as error:
            raise DeviceError(self.label, argv, error.errno or 1, str(error)) from error

    def pull(self, remote: str, local: Path) -> None:
        """Copies out of the workspace."""
        argv = ["pull", remote, local.name]
        if not Path(remote).is_file():
            raise DeviceError(self.label, argv, 1, f"{remote} is not a file")
        with storage_errors(local):
            local.parent.mkdir(parents=True, exist_ok=True)
            self._copy(Path(remote), local, sha256_file(Path(remote)), argv)

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> process.Shell:
        """Runs a command of this computer; no shell reads it."""
        return process.run(argv, device=self.label, timeout_s=timeout_s)

    def _copy(self, source: Path, target: Path, wanted: str, argv: Sequence[str]) -> None:
        # Short, since the target's own name may be as long as the file system allows.
        aside = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            shutil.copyfile(source, aside)
            arrived = sha256_file(aside)
            if arrived != wanted:
                problem = f"sha256 {arrived[:16]} arrived instead of {wanted[:16]}"
                raise DeviceError(self.label, argv, 1, problem)
            os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)

    def _read(self, path: str) -> str | None:
        try:
            return (self._root / path.lstrip("/")).read_text(errors="replace")
        except OSError:
            return None
