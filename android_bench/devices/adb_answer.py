"""What came through adb of a command's answer: whole with its marker, or lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

from android_bench.process import Shell
from mobilekit.core.errors import DeviceError, shown


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


def read_answer(answer: Shell, token: str, *, apart: bool) -> Shell | str:
    """What the command itself answered; what adb said where that is not whole.

    Args:
        answer: Of adb. Standard output ends with the token and the command's status; where the
            streams are apart, standard error begins with the token and ends in the same way.
        token: The call's own.
        apart: Whether standard error came apart.
    """
    stdout, returncode = until_marker(answer.stdout, token)
    stderr = ""
    if apart and returncode is not None:
        # What adb itself has to say, as that its server starts, stands before and after.
        after = answer.stderr.partition(f"{token}\n")[2]
        stderr, same = until_marker(after, token)
        returncode = returncode if same == returncode else None
    if returncode is None:
        return problem_of(answer.stderr.partition(f"{token}\n")[0])
    return Shell(returncode=returncode, stdout=stdout, stderr=stderr)


def until_marker(text: str, token: str) -> tuple[str, int | None]:
    """What stands before the last marker, and the status in it; None if it is not whole."""
    body, marker, tail = text.rpartition(token)
    found = re.match(r"(\d{1,3})\r?\n", tail)
    return body, int(found[1]) if marker and found else None


def problem_of(text: str) -> str:
    """The line of adb's talk that says what went wrong: not its summary, which comes after."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|fail|cannot|can't", line, re.I)]
    chosen = (telling or lines or [""])[-1].strip()
    return re.sub(r"^(adb: )?(error: )?", "", chosen)
