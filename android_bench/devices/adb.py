"""A device reached through adb. The only module that runs adb.

adb's exit status and its words are not believed: it exits 0 after a device has gone, and says "1
file pushed" where nothing was. Every output of the device ends with a marker that carries the
command's status, and size and sha256 of every file are read back where it went.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from android_bench import process
from android_bench.devices.adb_files import AdbFiles
from android_bench.devices.adb_program import need_adb
from android_bench.devices.android import AndroidProperties, count_cpus, parse_properties
from android_bench.devices.attached import Attached, choose, chosen_labels, parse_devices
from android_bench.devices.computer import cpu_features
from android_bench.devices.identity import serial_hash
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, shown

LIST_TIMEOUT_S = 30.0  # the first call starts adb's server, which looks for devices for seconds
PATIENCE_S = 30.0  # a phone that is waking up, or writing back what it was sent before
READ_TIMEOUT_S = 20.0  # getprop on a phone that wakes up; dumpsys itself gives up after 10 s
END_TIMEOUT_S = 3.0
WORKSPACE = "/data/local/tmp/mobilekit"
VARIABLE = "MOBILEKIT_CALL"
# Hanging up on the shell of the device leaves what that started. All of it carries the call's
# token in its environment; what forks meanwhile is found the second time.
END = (
    "for i in 1 2; do for f in $(grep -l {token} /proc/[0-9]*/environ 2>/dev/null); do"
    " f=${{f%/environ}}; kill -KILL ${{f#/proc/}}; done; done"
)


class ConnectionLostError(DeviceError):
    """The device, or the way to it, was lost in the middle of a command.

    Attributes:
        device: The device's label.
        argv: The command that ran on the device.
        problem: What adb said, without the serial; may be empty.
    """

    def __init__(self, device: str, argv: Sequence[str], problem: str) -> None:
        Exception.__init__(self, device, tuple(argv), problem)
        self.device, self.argv, self.problem = device, tuple(argv), problem

    def __str__(self) -> str:
        said = f" (adb: {self.problem})" if self.problem else ""
        return (
            f"{self.device}: connection lost during `{shown(self.argv)}`{said}; what came is"
            " not used. Look at the cable and at `adb devices`."
        )


@dataclass(frozen=True, kw_only=True)
class Adb:
    """The adb program, and the server that it talks to.

    Attributes:
        path: The program.
        host: Where its server runs (-H); None leaves that to adb, which honours
            ADB_SERVER_SOCKET and ANDROID_ADB_SERVER_ADDRESS.
        port: Its server's port (-P); None likewise.
    """

    path: Path
    host: str | None = None
    port: int | None = None

    def run(self, arguments: Sequence[str], *, device: str, timeout_s: float) -> process.Shell:
        """Runs adb; any exit status is an answer. Errors name `device` and adb's arguments.

        Raises:
            DeviceTimeoutError: If it does not end within `timeout_s`; it is ended then.
            DeviceError: If it cannot be started or writes too much.
        """
        server = [] if self.host is None else ["-H", self.host]
        server += [] if self.port is None else ["-P", str(self.port)]
        argv = [str(self.path), *server, *arguments]
        return process.run(argv, device=device, timeout_s=timeout_s)

    def devices(self) -> tuple[Attached, ...]:
        """The phones that the server sees, whatever state they are in.

        Raises:
            DeviceError: If adb or its server does not work.
            StorageError: If the chosen labels cannot be read.
        """
        listed = self.run(["devices", "-l"], device="adb", timeout_s=LIST_TIMEOUT_S)
        if listed.returncode:
            raise DeviceError("adb", ["devices", "-l"], listed.returncode, listed.stderr)
        return parse_devices(listed.stdout, chosen_labels())

    def version(self) -> str:
        """E.g. "36.0.0-13206524"; raises DeviceError where it does not run."""
        printed = self.run(["version"], device="adb", timeout_s=READ_TIMEOUT_S)
        found = re.search(r"^Version (\S+)$", printed.stdout, re.M)
        if printed.returncode or not found:
            raise DeviceError("adb", ["version"], printed.returncode, printed.stderr)
        return found[1]


def open_adb(name: str = "") -> AdbDevice:
    """The opener of `DEVICE_KINDS`: a serial or a label; without one, the phone that is meant.

    Raises:
        UsageError: If there is no adb, no such device, or several could be meant.
        DeviceError: If adb does not work, or the device cannot be used.
    """
    adb = Adb(path=need_adb().path)
    return AdbDevice(adb=adb, attached=choose(name or None, adb.devices()))


class AdbDevice:
    """See `android_bench.devices.Device`.

    Without shell_v2 (before Android 7) a command's standard error arrives inside its standard
    output, in the order written, and `Shell.stderr` is empty; `separates_streams` says so.
    """

    kind = "adb"
    workspace = WORKSPACE

    def __init__(self, *, adb: Adb, attached: Attached, patience_s: float = PATIENCE_S) -> None:
        """`attached` is a line of `adb.devices()` that is ready.

        `patience_s` is the limit of a file's push or pull, beside the time that its size takes.
        """
        self.label = attached.label
        self._adb, self._serial = adb, attached.serial
        self._files = AdbFiles(self.label, self.shell, self._transfer, patience_s)

    @cached_property
    def separates_streams(self) -> bool:
        """Whether the device's daemon has shell_v2; raises DeviceError where it is not there."""
        listed = self._ask(["features"], ["features"], READ_TIMEOUT_S)
        if listed.returncode:
            said = self._without_serial(_problem(listed.stderr))
            raise ConnectionLostError(self.label, ["features"], said)
        return "shell_v2" in listed.stdout.split()

    def info(self) -> DeviceInfo:
        """Reads properties and the files of the processor."""
        found = self.properties()
        cpuinfo = self.read(["cat", "/proc/cpuinfo"]) or ""
        present = self.read(["cat", "/sys/devices/system/cpu/present"]) or ""
        level = f" (API {found.api_level})" if found.api_level else ""
        return DeviceInfo(
            kind=self.kind,
            label=self.label,
            # The same phone has another address at the end of a network, and one lock.
            serial_hash=serial_hash(found.serial or self._serial),
            simulated=found.simulated,
            manufacturer=found.manufacturer,
            model=found.model,
            soc=found.soc,
            abi=found.abi,
            os=f"Android {found.release}{level}",
            build_fingerprint=found.build_fingerprint,
            cpu_features=cpu_features(cpuinfo),
            cpu_count=count_cpus(present),
        )

    def properties(self) -> AndroidProperties:
        """Reads `getprop`; raises DeviceError."""
        answer = self.shell(["getprop"], timeout_s=READ_TIMEOUT_S)
        if answer.returncode:
            raise DeviceError(self.label, ["getprop"], answer.returncode, answer.stderr)
        return parse_properties(answer.stdout)

    def read(self, argv: Sequence[str]) -> str | None:
        """What a command prints; None where it fails, as it may on a device without that."""
        answer = self.shell(argv, timeout_s=READ_TIMEOUT_S)
        return None if answer.returncode else answer.stdout

    def push(self, local: Path, remote: str) -> None:
        """Sends a file aside, reads size and sha256 back, renames it."""
        self._files.push(local, remote)

    def pull(self, remote: str, local: Path) -> None:
        """Fetches a file aside, checks its sha256 against the device's, renames it."""
        self._files.pull(remote, local)

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> process.Shell:
        """Runs a command there, quoted once for the device's own shell.

        A command that a signal ended has the status 128 + the signal, as shells have it.
        """
        token = secrets.token_hex(16)
        command = f"export {VARIABLE}={token}; ( {shlex.join(argv)} ); e=$?; echo {token}$e"
        apart = self.separates_streams
        if apart:
            command = f"echo {token} >&2; {command}; echo {token}$e >&2"
        with self._ended_on_error(token):
            # exec-out, since the old shell service turns every \n into \r\n.
            service = "shell" if apart else "exec-out"
            answer = self._ask([service, command], argv, timeout_s)
        stdout, returncode = _until_marker(answer.stdout, token)
        stderr = ""
        if apart and returncode is not None:
            # What adb itself has to say, as that its server starts, stands before and after.
            after = answer.stderr.partition(f"{token}\n")[2]
            stderr, same = _until_marker(after, token)
            returncode = returncode if same == returncode else None
        if returncode is None:
            said = _problem(answer.stderr.partition(f"{token}\n")[0])
            raise ConnectionLostError(self.label, argv, self._without_serial(said))
        return process.Shell(returncode=returncode, stdout=stdout, stderr=stderr)

    def _transfer(self, words: Sequence[str], argv: Sequence[str], timeout_s: float) -> None:
        """Runs `adb push` or `adb pull`; a success of theirs is no proof of anything."""
        answer = self._ask(words, argv, timeout_s)
        if answer.returncode:
            said = _problem(answer.stderr) or _problem(answer.stdout)
            raise DeviceError(self.label, argv, answer.returncode, self._without_serial(said))

    def _ask(self, words: Sequence[str], argv: Sequence[str], timeout_s: float) -> process.Shell:
        """Runs `adb -s SERIAL …`; errors name the label and `argv`, what was asked for."""
        try:
            return self._adb.run(
                ["-s", self._serial, *words], device=self.label, timeout_s=timeout_s
            )
        except DeviceTimeoutError:
            raise DeviceTimeoutError(self.label, argv, timeout_s) from None
        except DeviceError as error:
            said = self._without_serial(error.stderr)
            raise DeviceError(self.label, argv, error.returncode, said) from None

    @contextmanager
    def _ended_on_error(self, token: str) -> Iterator[None]:
        """Ends what the call started where its end was not waited for, Ctrl-C included."""
        try:
            yield
        except BaseException:
            with suppress(DeviceError):  # the first error is the one to tell
                words = ["shell", END.format(token=token)]
                self._ask(words, ["kill"], END_TIMEOUT_S)
            raise

    def _without_serial(self, text: str) -> str:
        return text.replace(self._serial, self.label)


def _until_marker(text: str, token: str) -> tuple[str, int | None]:
    """What stands before the last marker, and the status in it; None if it is not whole."""
    body, marker, tail = text.rpartition(token)
    found = re.match(r"(\d{1,3})\r?\n", tail)
    return body, int(found[1]) if marker and found else None


def _problem(text: str) -> str:
    """The line of adb's talk that says what went wrong: not its summary, which comes after."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|fail|cannot|can't", line, re.I)]
    chosen = (telling or lines or [""])[-1].strip()
    return re.sub(r"^(adb: )?(error: )?", "", chosen)
