"""Every error mobilekit raises on purpose.

MobileKitError
├── Finding               exit 1   what was asked about is not so (verify, lint, check)
├── UsageError            exit 2   the request cannot be met as written
│   └── UnknownNameError           a name that no table holds
├── ConversionError       exit 3   the model cannot become this .tflite
│   ├── ModelFileError             a .tflite or .keras file that is truncated, hostile or foreign
│   └── WeightsFileError           a weights file that is truncated, hostile or of another network
├── DeviceError           exit 4   the device, or the way to it, failed
│   └── DeviceTimeoutError         a command on the device did not finish in time
├── RunnerError           exit 5   the runner on the device failed or spoke nonsense
├── IncomparableError     exit 6   the comparison would mislead
└── StorageError          exit 7   unwritable, full

An exception that is none of these is our own bug: exit 70. Ctrl-C: exit 130.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MobileKitError(Exception):
    """Base of every deliberate error; `exit_code` is what the CLI returns."""

    exit_code = 70


class Finding(MobileKitError):
    """What was asked about is not so; the sentence says what was found instead."""

    exit_code = 1


class UsageError(MobileKitError):
    """The request cannot be met as written."""

    exit_code = 2


def nearest(name: str, known: Iterable[str]) -> str:
    """A " Did you mean 'x'?" for the known name closest to `name`, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class UnknownNameError(UsageError):
    """A name that no table holds.

    Attributes:
        kind: What was looked up, e.g. "recipe".
        name: The name that was asked for.
        known: The names that exist, sorted.
        where: The place of the name, e.g. "plan.toml: models[0].architecture"; may be empty.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        super().__init__(kind, name, sorted(known), where)
        self.kind, self.name, self.known, self.where = kind, name, sorted(known), where

    def __str__(self) -> str:
        place = f"{self.where}: unknown" if self.where else "Unknown"
        hint = nearest(self.name, self.known)
        return f"{place} {self.kind} {self.name!r}.{hint} Known: {', '.join(self.known)}."


class ConversionError(MobileKitError):
    """The model cannot become the .tflite file that was asked for."""

    exit_code = 3


class ModelFileError(ConversionError):
    """A model file that cannot be trusted or read.

    Attributes:
        path: The file, as it was named.
        problem: What is wrong with it, without a full stop.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} is not a model file that can be used: {self.problem}."


class WeightsFileError(ConversionError):
    """A weights file that cannot be trusted, read or mapped onto the network.

    Attributes:
        path: The file, as it was named.
        problem: What is wrong with it, without a full stop.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} holds no weights that can be used: {self.problem}."


def shown(argv: Iterable[str]) -> str:
    """A command inside a sentence: of a script, its first line."""
    first, more, _ = " ".join(argv).partition("\n")
    return f"{first}…" if more else first


class DeviceError(MobileKitError):
    """A command on the device failed.

    Attributes:
        device: The device's label or serial.
        argv: The command that ran on the device.
        returncode: The command's exit status.
        stderr: The command's standard error, whole.
    """

    exit_code = 4

    def __init__(self, device: str, argv: Iterable[str], returncode: int, stderr: str) -> None:
        super().__init__(device, tuple(argv), returncode, stderr)
        self.device, self.argv = device, tuple(argv)
        self.returncode, self.stderr = returncode, stderr

    def __str__(self) -> str:
        last = self.stderr.strip().rpartition("\n")[2] or "no error output"
        return f"{self.device}: `{shown(self.argv)}` exited {self.returncode}: {last}"


class DeviceTimeoutError(DeviceError):
    """A command on the device did not finish in time.

    Attributes:
        device: The device's label or serial.
        argv: The command that ran on the device.
        timeout_s: The limit, in seconds.
    """

    def __init__(self, device: str, argv: Iterable[str], timeout_s: float) -> None:
        Exception.__init__(self, device, tuple(argv), timeout_s)
        self.device, self.argv, self.timeout_s = device, tuple(argv), timeout_s

    def __str__(self) -> str:
        return f"{self.device}: `{shown(self.argv)}` ran longer than {self.timeout_s:g} s"


class RunnerError(MobileKitError):
    """The runner on the device failed, or its document is not one."""

    exit_code = 5


class IncomparableError(MobileKitError):
    """Two measurements that must not be compared."""

    exit_code = 6


class StorageError(MobileKitError):
    """A file cannot be written or read back.

    Attributes:
        path: The file or folder, as it was named.
        problem: What is wrong, without a full stop.
    """

    exit_code = 7

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}."
