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
from android_bench.devices.adb_answer import ConnectionLostError, problem_of, read_answer
from android_bench.devices.adb_files import AdbFiles
from android_bench.devices.adb_program import need_adb
from android_bench.devices.adb_return import wait_until_there
from android_bench.devices.android import AndroidProperties, count_cpus, parse_properties
from android_bench.devices.attached import Attached, choose, chosen_labels, parse_devices
from android_bench.devices.computer import cpu_features
from android_bench.devices.identity import serial_hash
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import DeviceError, DeviceTimeoutError

LIST_TIMEOUT_S = 30.0  # the first call starts adb's server, which looks for devices for seconds
PATIENCE_S = 30.0  # a phone that is waking up, or writing back what it was sent before
READ_TIMEOUT_S = 20.0  # getprop on a phone that wakes up; dumpsys itself gives up after 10 s
END_TIMEOUT_S = 3.0
WORKSPACE = "/data/local/tmp/mobilekit"
VARIABLE = "MOBILEKIT_CALL"
# Hanging up on the shell of the device leaves what that started. All of it carries the call's
# token in its environment; what forks meanwhile is found the second time.
END = (
    "for i in 1 2; do for f in $(grep -l -e {tokens} /proc/[0-9]*/environ 2>/dev/null); do"
    " f=${{f%/environ}}; kill -KILL ${{f#/proc/}}; done; done"
)
ENDED = "ended"


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
        self._unended: tuple[str, ...] = ()  # tokens of calls that may still run there
        self._files = AdbFiles(self.label, self.shell, self._transfer, patience_s)

    @cached_property
    def separates_streams(self) -> bool:
        """Whether the device's daemon has shell_v2; raises DeviceError where it is not there."""
        listed = self._ask(["features"], ["features"], READ_TIMEOUT_S)
        if listed.returncode:
            said = self._without_serial(problem_of(listed.stderr))
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
            emulated=found.emulated,
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

    def wait_until_there(self, timeout_s: float) -> None:
        """Waits until the device answers again, after a restart or with its cable back.

        Raises:
            DeviceError: If it does not within `timeout_s`; it says what state adb sees it in.
        """
        wait_until_there(self._adb, self._serial, self.label, self.shell, timeout_s)

    def push(self, local: Path, remote: str) -> None:
        """Sends a file aside, reads size and sha256 back, renames it."""
        self._files.push(local, remote)

    def pull(self, remote: str, local: Path) -> None:
        """Fetches a file aside, checks its sha256 against the device's, renames it."""
        self._files.pull(remote, local)

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> process.Shell:
        """Runs a command there, quoted once for the device's own shell.

        A command that a signal ended has the status 128 + the signal, as shells have it. What is
        left of one that was lost with the connection is ended first: it would disturb this one.
        """
        self._end_the_lost()
        token = secrets.token_hex(16)
        command = f"export {VARIABLE}={token}; ( {shlex.join(argv)} ); e=$?; echo {token}$e"
        apart = self.separates_streams
        if apart:
            command = f"echo {token} >&2; {command}; echo {token}$e >&2"
        with self._ended_on_error(token):
            # exec-out, since the old shell service turns every \n into \r\n.
            service = "shell" if apart else "exec-out"
            answer = self._ask([service, command], argv, timeout_s)
            read = read_answer(answer, token, apart=apart)
            if isinstance(read, str):
                raise ConnectionLostError(self.label, argv, self._without_serial(read))
            return read

    def _transfer(self, words: Sequence[str], argv: Sequence[str], timeout_s: float) -> None:
        """Runs `adb push` or `adb pull`; a success of theirs is no proof of anything."""
        answer = self._ask(words, argv, timeout_s)
        if answer.returncode:
            said = problem_of(answer.stderr) or problem_of(answer.stdout)
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
            self._unended += (token,)
            with suppress(DeviceError):  # the first error is the one to tell
                self._end_the_lost()
            raise

    def _end_the_lost(self) -> None:
        """Ends what lost calls left; raises DeviceError where the device is not there."""
        if self._unended:
            words = ["shell", f"{END.format(tokens=' -e '.join(self._unended))}; echo {ENDED}"]
            answer = self._ask(words, ["kill"], END_TIMEOUT_S)
            if ENDED not in answer.stdout:
                said = self._without_serial(problem_of(answer.stderr))
                raise ConnectionLostError(self.label, ["kill"], said)
            self._unended = ()

    def _without_serial(self, text: str) -> str:
        return text.replace(self._serial, self.label)
