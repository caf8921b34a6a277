"""Waits for a device that has gone: unplugged, restarting, or out of reach."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from android_bench.interrupt import pause
from mobilekit.core.errors import DeviceError

ASK_EVERY_S = 2.0


class DeviceGoneError(DeviceError):
    """The device has gone and did not come back.

    Attributes:
        device: The device's label.
        waited_s: How long it was waited for, in seconds.
        problem: What was said when it was asked last, a sentence.
    """

    def __init__(self, device: str, waited_s: float, problem: str) -> None:
        Exception.__init__(self, device, waited_s, problem)
        self.device, self.waited_s, self.problem = device, waited_s, problem

    def __str__(self) -> str:
        return (
            f"{self.device} has gone and did not come back within {self.waited_s:g} s"
            f" ({self.problem}). What was measured before is kept; the same command goes on from"
            " there."
        )


Answer = TypeVar("Answer")


def wait_until_there(
    label: str,
    ask: Callable[[], Answer],
    *,
    limit_s: float,
    tell: Callable[[str], None],
    every_s: float = ASK_EVERY_S,
) -> Answer:
    """What the device answers, as soon as it does.

    Args:
        label: Of a device that failed a moment ago.
        ask: Asks it something; raises DeviceError where it does not answer.
        limit_s: How long it is waited for, in seconds.
        tell: Told once that it is waited for.
        every_s: Between two questions, in seconds.

    Raises:
        DeviceGoneError: If it did not answer in time.
    """
    deadline, told = time.monotonic() + limit_s, False
    while True:
        try:
            return ask()
        except DeviceError as error:
            if time.monotonic() >= deadline:
                raise DeviceGoneError(label, limit_s, str(error).rstrip(".")) from error
        if not told:
            tell(f"{label} has gone; it is waited for up to {limit_s:g} s")
            told = True
        pause(min(every_s, max(0.0, deadline - time.monotonic())))
