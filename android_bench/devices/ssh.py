"""A Linux board at the other end of the user's own `ssh` as a device.

It needs a POSIX `sh`, `setsid` and one of sha256sum, busybox and python3; no sftp, no scp.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from android_bench import process
from android_bench.devices import board_scripts
from android_bench.devices.computer import Computer, read_computer
from android_bench.devices.identity import serial_hash
from android_bench.devices.ssh_connection import Connection
from android_bench.devices.ssh_errors import BoardError
from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import DeviceError
from mobilekit.core.storage import storage_errors

QUICK_TIMEOUT_S = 60.0  # a digest of 100 MB takes a slow board ten seconds
SLOWEST_BYTES_PER_S = 100_000  # of a link; digests are computed faster than this too
BLOCK_BYTES = 1 << 20
BLOCKS = 16  # a call: well below what a command may write
# What a POSIX shell hands on as it is; fish reads backslashes, csh the newline and "!".
ODD = "'single' \"double\" \\\\ $HOME `id` !! \n* ~ ü"
SHA256 = re.compile(r"[0-9a-f]{64}")


def open_ssh(destination: str) -> SshDevice:
    """The opener of `DEVICE_KINDS`; MOBILEKIT_SSH_CONFIG names a file used for ~/.ssh/config."""
    named = os.environ.get("MOBILEKIT_SSH_CONFIG")
    return SshDevice(destination, config=Path(named) if named else None)


class SshDevice:
    """See `android_bench.devices.Device`.

    Every call may take `CONNECT_LIMIT_S` of `ssh_connection` beside its own timeout, where the
    connection has to be opened anew. A command that a signal ended answers 128 and the signal's
    number, as its shell does. Everything that a command started ends with it.
    """

    kind = "ssh"

    def __init__(self, destination: str, *, config: Path | None = None) -> None:
        """Connects to `destination`, user@board or a Host of the configuration.

        Raises:
            UsageError: If no board could be named like this.
            DeviceError: If it does not answer, or not as a board must.
        """
        self._connection = Connection(destination, config=config)
        try:
            self.workspace, self.label = self._greet()
        except BaseException:
            self.close()
            raise
        self._connection.label = self.label

    def close(self) -> None:
        """Ends the connection; without it, it ends with the object or the process."""
        self._connection.close()

    def info(self) -> DeviceInfo:
        """Reads /proc, /sys and /etc in one call."""
        contents = self._read(_files_of_a_computer())
        computer = read_computer(contents.__getitem__)
        return DeviceInfo(
            kind=self.kind,
            label=self.label,
            serial_hash=serial_hash(computer.machine_id or self._connection.destination),
            simulated=False,
            manufacturer=computer.manufacturer,
            model=computer.model,
            soc=computer.soc,
            abi=(contents["abi"] or "unknown").strip(),
            os=computer.os,
            build_fingerprint=computer.build_fingerprint,
            cpu_features=computer.cpu_features,
            cpu_count=_number(contents["cpu_count"] or ""),
        )

    def push(self, local: Path, remote: str) -> None:
        """Sends a file through ssh, into a file aside that takes the name once it is right."""
        argv, wanted = ["push", local.name, remote], sha256_file(local)
        with storage_errors(local, "read"):
            file = local.open("rb")
        with file:
            size_bytes = os.fstat(file.fileno()).st_size
            folder = posixpath.dirname(remote)
            words = ["sh", "-c", board_scripts.PREPARE, "sh", folder, remote]
            found, _, free = self._must(words, argv, _limit_s(size_bytes)).partition("\n")
            if found.split()[0] == wanted:
                return
            self._check_space(size_bytes, free, argv)
            aside = f"{folder}/.{secrets.token_hex(8)}.part"
            answer = self._connection.send(
                file, [wanted, remote, aside], timeout_s=_limit_s(size_bytes), shown=argv
            )
        if answer.returncode != 0:
            raise DeviceError(self.label, argv, answer.returncode, _text(answer.stderr))

    def pull(self, remote: str, local: Path) -> None:
        """Fetches a file in blocks; its digest was computed there."""
        argv = ["pull", remote, local.name]
        words = ["sh", "-c", board_scripts.DESCRIBE, "sh", remote]
        size, _, digest = self._must(words, argv).partition("\n")
        size_bytes, wanted = _number(size), SHA256.match(digest)
        if size_bytes is None or wanted is None:
            raise DeviceError(self.label, argv, 1, f"its size and sha256 cannot be read: {size!r}")
        with storage_errors(local):
            local.parent.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=local.parent, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    total = hashlib.sha256()
                    for skip in range(0, -(-size_bytes // BLOCK_BYTES), BLOCKS):
                        content = self._blocks(remote, skip, argv)
                        total.update(content)
                        file.write(content)
                if total.hexdigest() != wanted[0]:
                    problem = f"sha256 {total.hexdigest()[:16]} arrived, not {wanted[0][:16]}"
                    raise DeviceError(self.label, argv, 1, problem)
                os.replace(aside, local)
            except BaseException:
                Path(aside).unlink(missing_ok=True)
                raise

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> process.Shell:
        """Runs a command of the board; no shell reads its arguments."""
        answer = self._connection.run(argv, timeout_s=timeout_s, shown=argv)
        return process.Shell(
            returncode=answer.returncode,
            stdout=_text(answer.stdout),
            stderr=_text(answer.stderr),
        )

    def _greet(self) -> tuple[str, str]:
        """Our folder there and the board's label; checks that its login shell can be used."""
        name = self._connection.destination
        words = ["sh", "-c", board_scripts.GREET, "sh", ODD]
        answer = self._connection.run(words, timeout_s=QUICK_TIMEOUT_S, shown=["greet"])
        parts = _text(answer.stdout).split("\0")
        if answer.returncode != 0:
            problem = _text(answer.stderr).strip() or "it cannot be made"
            raise BoardError(name, f"~/.cache/mobilekit cannot be used there: {problem}")
        if parts[0] != ODD:
            raise BoardError(
                name,
                "its login shell changes what commands are given, as fish and csh do; choose a"
                " POSIX one there, as in `chsh -s /bin/sh`",
            )
        _, workspace, hostname, *model = parts
        return workspace, _slug(model[0] if model else "") or _slug(hostname) or "board"

    def _must(
        self, words: Sequence[str], argv: Sequence[str], timeout_s: float = QUICK_TIMEOUT_S
    ) -> str:
        """The output of a command that has to succeed; errors call it `argv`."""
        answer = self._connection.run(words, timeout_s=timeout_s, shown=argv)
        if answer.returncode != 0:
            raise DeviceError(self.label, argv, answer.returncode, _text(answer.stderr))
        return _text(answer.stdout)

    def _check_space(self, size_bytes: int, listing: str, argv: Sequence[str]) -> None:
        """Reads df; where there is none, the digest after the transfer has to do."""
        found = re.search(r"\s\d+\s+\d+\s+(\d+)\s+\d+%", listing)
        if found is not None and size_bytes > int(found[1]) * 1024:
            problem = (
                f"it needs {size_bytes:,} bytes and {int(found[1]) * 1024:,} are free there; make"
                f" room, for example in {self.workspace}"
            )
            raise DeviceError(self.label, argv, 1, problem)

    def _blocks(self, remote: str, skip: int, argv: Sequence[str]) -> bytes:
        numbers = [str(BLOCK_BYTES), str(skip), str(BLOCKS)]
        words = ["sh", "-c", board_scripts.READ_BLOCKS, "sh", remote, *numbers]
        limit_s = _limit_s(BLOCKS * BLOCK_BYTES)
        answer = self._connection.run(words, timeout_s=limit_s, shown=argv)
        if answer.returncode != 0:
            raise DeviceError(self.label, argv, answer.returncode, "it cannot be read")
        return answer.stdout

    def _read(self, paths: Sequence[str]) -> dict[str, str | None]:
        """Files by their paths, None for what cannot be read; also "abi" and "cpu_count"."""
        mark = secrets.token_hex(8)
        words = ["sh", "-c", board_scripts.READ_FILES, "sh", mark, *paths]
        parts = self._must(words, ["info"]).split(mark)[1:]
        values = [part[1:] if part.startswith("+") else None for part in parts]
        return dict(zip(["abi", "cpu_count", *paths], values, strict=True))


def _files_of_a_computer() -> list[str]:
    """What `read_computer` asks for, where it finds nothing and so asks for everything."""
    asked: list[str] = []

    def absent(path: str) -> None:
        asked.append(path)

    unread: Computer = read_computer(absent)
    assert unread.machine_id is None
    return list(dict.fromkeys(asked))


def _limit_s(size_bytes: int) -> float:
    return QUICK_TIMEOUT_S + size_bytes / SLOWEST_BYTES_PER_S


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*\d{1,18}\s*", text, re.ASCII) else None


def _slug(name: str) -> str:
    """E.g. "raspberry-pi-4-model-b-rev-1-4"."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))


def _text(stream: bytes) -> str:
    return stream.decode(errors="replace")
