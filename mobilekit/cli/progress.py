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
    """Counts starts of the runner, with the time that is left.

    On a terminal a bar is drawn; elsewhere a line is printed now and then.
    """

    EVERY_S = 10.0  # between two lines where there is no terminal

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._began = self._last = time.monotonic()

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
        if done == total:  # nothing is left to wait for: what is said is a result
            self.say(text)
            return
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task("measuring", total=total)
            self._bar.update(self._task, completed=done, total=total, description=printable(text))
            return
        now = time.monotonic()
        if now - self._last >= self.EVERY_S:
            left = (
                f", about {(now - self._began) / done * (total - done):.0f} s left" if done else ""
            )
            say(f"measuring: {done} of {total} starts{left} ({text})")
            self._last = now
