"""Files on a device behind adb: sent aside, read back there, renamed."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from android_bench.process import Shell
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import DeviceError, StorageError
from mobilekit.core.storage import storage_errors

# A busy phone on a USB 2 hub sends some 5 MB/s; flash storage hashes ten times that.
SLOWEST_TRANSFER_BYTES_PER_S = 1_000_000
SLOWEST_HASH_BYTES_PER_S = 10_000_000
BEFORE_PUSH = """\
command -v sha256sum >/dev/null || { echo 'it has no sha256sum to check files with' >&2; exit 1; }
[ ! -d "$1" ] || { echo "$1 is a folder" >&2; exit 1; }
mkdir -p "$2" || exit 1
if [ -f "$1" ]; then sha256sum <"$1"; else echo absent; fi
df -k "$2"
"""
AFTER_PUSH = """\
[ -f "$1" ] || { echo 'nothing arrived' >&2; exit 1; }
set -- "$1" "$2" "$3" "$(sha256sum <"$1")"
echo "${4%% *} $(wc -c <"$1")"
[ "${4%% *}" = "$3" ] && touch "$1" && mv -f "$1" "$2"
"""
BEFORE_PULL = """\
[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 1; }
set -- "$1" "$(sha256sum <"$1")"
echo "${2%% *} $(wc -c <"$1")"
"""


class RunShell(Protocol):
    """Runs a command on the device."""

    def __call__(self, argv: Sequence[str], *, timeout_s: float) -> Shell:
        """See `android_bench.devices.Device.shell`."""


# Runs adb with the words of its first argument; errors speak of the second; limit in seconds.
Transfer = Callable[[Sequence[str], Sequence[str], float], None]


@dataclass(frozen=True)
class AdbFiles:
    """Moves files to and from the device called `label`.

    `patience_s` is how long a call may take that moves nothing.
    """

    label: str
    shell: RunShell
    transfer: Transfer
    patience_s: float

    def push(self, local: Path, remote: str) -> None:
        """See `android_bench.devices.Device.push`."""
        wanted, argv = sha256_file(local), ["push", local.name, remote]
        size = _size(local)
        folder = str(PurePosixPath(remote).parent)
        before = self._script(BEFORE_PUSH, [remote, folder], argv, size)
        there, _, table = before.partition("\n")
        if there.split()[:1] == [wanted]:
            return
        self._need_room(table, size, argv)
        # Short, since the target's own name may be as long as the file system allows.
        aside = f"{folder}/.{secrets.token_hex(8)}.part"
        try:
            words = ["push", str(local.absolute()), aside]
            self.transfer(words, argv, self.patience_s + size / SLOWEST_TRANSFER_BYTES_PER_S)
            self._finish(aside, remote, wanted, size, argv)
        except BaseException:
            with suppress(DeviceError):  # the first error is the one to tell
                self.shell(["rm", "-f", aside], timeout_s=3.0)
            raise

    def pull(self, remote: str, local: Path) -> None:
        """See `android_bench.devices.Device.pull`."""
        argv = ["pull", remote, local.name]
        wanted, size = _read_back(self._script(BEFORE_PULL, [remote], argv, None))
        if wanted is None or size is None:
            raise DeviceError(self.label, argv, 1, "its sha256 cannot be read there")
        with storage_errors(local):
            local.parent.mkdir(parents=True, exist_ok=True)
            aside = local.absolute().with_name(f".{secrets.token_hex(8)}.part")
            aside.touch(exist_ok=False)
            try:
                if shutil.disk_usage(local.parent).free < size:
                    raise StorageError(str(local), f"needs {size:,} bytes, more than are free")
                words = ["pull", remote, str(aside)]
                self.transfer(words, argv, self.patience_s + size / SLOWEST_TRANSFER_BYTES_PER_S)
                self._must_be(wanted, sha256_file(aside), argv)
                aside.replace(local)
            finally:
                aside.unlink(missing_ok=True)

    def _script(
        self, script: str, arguments: Sequence[str], argv: Sequence[str], size: int | None
    ) -> str:
        """Runs a script there; a status other than 0 is an error about `argv`."""
        limit = self.patience_s + (size or 0) / SLOWEST_HASH_BYTES_PER_S
        answer = self.shell(["sh", "-c", script, "sh", *arguments], timeout_s=limit)
        if answer.returncode:
            said = answer.stderr or answer.stdout
            raise DeviceError(self.label, argv, answer.returncode, said)
        return answer.stdout

    def _need_room(self, table: str, size: int, argv: Sequence[str]) -> None:
        free = _free_bytes(table)
        if free is not None and free < size:
            problem = (
                f"needs {size:,} bytes where {free:,} are free; `mobilekit clean` removes old files"
            )
            raise DeviceError(self.label, argv, 1, problem)

    def _finish(self, aside: str, remote: str, wanted: str, size: int, argv: Sequence[str]) -> None:
        """Compares what arrived; the device renames it only where its own sum is the right one."""
        limit = self.patience_s + size / SLOWEST_HASH_BYTES_PER_S
        script = ["sh", "-c", AFTER_PUSH, "sh", aside, remote, wanted]
        answer = self.shell(script, timeout_s=limit)
        arrived, arrived_size = _read_back(answer.stdout)
        if arrived is not None:
            self._must_be(wanted, arrived, argv)
        if answer.returncode or (arrived, arrived_size) != (wanted, size):
            said = answer.stderr or "what arrived cannot be read back"
            raise DeviceError(self.label, argv, answer.returncode or 1, said)

    def _must_be(self, wanted: str, arrived: str, argv: Sequence[str]) -> None:
        if arrived != wanted:
            problem = f"sha256 {arrived[:16]} arrived instead of {wanted[:16]}"
            raise DeviceError(self.label, argv, 1, problem)


def _size(local: Path) -> int:
    with storage_errors(local, "read"):
        return local.stat().st_size


def _read_back(text: str) -> tuple[str | None, int | None]:
    """Sum and size of a line "<64 hex digits> <bytes>"; None where it is none."""
    found = re.fullmatch(r"([0-9a-f]{64})\s+(\d+)", text.strip())
    return (found[1], int(found[2])) if found else (None, None)


def _free_bytes(table: str) -> int | None:
    """The fourth column of what `df -k` printed last; None where it looks otherwise."""
    columns = table.strip().rpartition("\n")[2].split()
    return int(columns[3]) * 1024 if len(columns) >= 6 and columns[3].isdigit() else None
