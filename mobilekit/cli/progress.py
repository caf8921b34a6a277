"""What is going on, on standard error: sentences, and a bar where a person watches."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from mobilekit.formatting import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


def say(sentence: str) -> None:
    """Prints one line to standard error."""
    print(printable(sentence), file=sys.stderr, flush=True)


class StartsBar:
    """Counts starts of the runner, with the time that is left; of several devices, for each.

    On a terminal a bar is drawn for each; elsewhere a line is printed now and then.
    """

    EVERY_S = 10.0  # between two lines where there is no terminal
    REMEMBERED_S = 3600.0  # starts that the time that is left is reckoned from

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._only = self.of("")

    def __enter__(self) -> StartsBar:
        """Starts to draw."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                speed_estimate_period=self.REMEMBERED_S,
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leaves the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def say(self, sentence: str) -> None:
        """A line above the bar."""
        if self._bar is not None:
            self._bar.console.print(printable(sentence), markup=False, highlight=False)
            return
        say(sentence)

    def __call__(self, done: int, total: int, text: str) -> None:
        """`done` of `total` starts are over; `text` says what begins, or what was found."""
        self._only(done, total, text)

    def of(self, name: str) -> DeviceBar:
        """What is told of one device of several; any thread may tell it."""
        return DeviceBar(self, name)

    @property
    def drawn(self) -> Bar | None:
        """What is drawn; None where there is no terminal."""
        return self._bar


class DeviceBar:
    """The starts on one device; its name stands before each sentence."""

    def __init__(self, bars: StartsBar, name: str) -> None:
        self._bars, self._before = bars, f"{name}: " if name else ""
        self._task: TaskID | None = None
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, total: int, text: str) -> None:
        """`done` of `total` starts are over; `text` says what begins, or what was found."""
        if done == total:  # nothing is left to wait for: what is said is a result
            self._bars.say(f"{self._before}{text}")
            return
        drawn = self._bars.drawn
        if drawn is not None:
            if self._task is None:
                self._task = drawn.add_task("measuring", total=total)
            shown = printable(f"{self._before}{text}")
            drawn.update(self._task, completed=done, total=total, description=shown)
            return
        now = time.monotonic()
        if now - self._last >= self._bars.EVERY_S:
            left = (
                f", about {(now - self._began) / done * (total - done):.0f} s left" if done else ""
            )
            say(f"{self._before}measuring: {done} of {total} starts{left} ({text})")
            self._last = now
