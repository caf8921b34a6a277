"""Ctrl-C for threads: Python raises it in the main thread alone.

A thread that measures is given an `Interrupt`. Whoever asks it to stop makes its next pause, or the
command that it waits for, raise KeyboardInterrupt there, once: what then ends the command, removes
files and restores settings runs like any other code.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupt:
    """Asks one thread to stop."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._asked = threading.Event()
        self._raised = False

    def ask(self) -> None:
        """Raises KeyboardInterrupt in the thread, as soon as it pauses or waits for a command."""
        self._asked.set()
        os.write(self._writer, b"!")

    @property
    def armed(self) -> bool:
        """Whether KeyboardInterrupt was not raised yet."""
        return not self._raised

    def fileno(self) -> int:
        """What can be read as soon as the thread is to stop, for `select`."""
        return self._reader

    def check(self) -> None:
        """Raises KeyboardInterrupt where the thread is to stop and was not told yet."""
        if self._asked.is_set() and self.armed:
            self._raised = True
            raise KeyboardInterrupt

    def pause(self, seconds: float) -> None:
        """Sleeps, unless the thread is to stop."""
        if self.armed:
            self._asked.wait(seconds)
            self.check()
        else:
            time.sleep(seconds)

    def close(self) -> None:
        """Lets go of what `select` waits for."""
        os.close(self._reader)
        os.close(self._writer)


_OF_THREAD = threading.local()


@contextmanager
def interrupted_by(interrupt: Interrupt) -> Iterator[None]:
    """Lets `interrupt` stop what this thread does meanwhile."""
    _OF_THREAD.interrupt = interrupt
    try:
        yield
    finally:
        del _OF_THREAD.interrupt


def current() -> Interrupt | None:
    """What may stop this thread; None where Ctrl-C itself does."""
    return getattr(_OF_THREAD, "interrupt", None)


def pause(seconds: float) -> None:
    """Sleeps; raises KeyboardInterrupt where the thread is to stop."""
    interrupt = current()
    if interrupt is None:
        time.sleep(seconds)
    else:
        interrupt.pause(seconds)
