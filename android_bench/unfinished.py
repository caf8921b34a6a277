"""What is raised where a part of the cells could not be measured, after the others were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mobilekit.core.errors import DeviceError, MobileKitError
from mobilekit.core.measurement import Measurement


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """A cell, or a whole device, that was given up in this call.

    Attributes:
        problem: What it is and what went wrong, a sentence without its full stop.
        exit_code: Of the error that it would have been alone.
    """

    problem: str
    exit_code: int


class UnfinishedError(MobileKitError):
    """Something was given up; the rest was measured.

    Attributes:
        given_up: What, in order.
        measurements: What was measured, sealed.
        exit_code: 4 if devices alone failed, otherwise that of the first that did not.
    """

    def __init__(self, given_up: Iterable[GivenUp], measurements: Iterable[Measurement]) -> None:
        self.given_up, self.measurements = tuple(given_up), tuple(measurements)
        super().__init__(self.given_up, self.measurements)
        others = (each.exit_code for each in self.given_up)
        self.exit_code = next(
            (code for code in others if code != DeviceError.exit_code), DeviceError.exit_code
        )

    def __str__(self) -> str:
        problems = " ".join(f"{each.problem}." for each in self.given_up)
        kept = "Everything else was measured" if self.measurements else "What was measured is kept"
        return f"{problems} {kept}; the same command goes on from there."
