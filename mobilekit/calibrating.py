"""A calibration of any length: it says how far it is, can be stopped, and goes on where it was."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from converters.answers import Sample
from converters.calibration import Calibration, Extremes, Ranges
from mobilekit.core.digest import digest
from mobilekit.core.errors import StorageError
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, storage_errors, write_json

METHOD = (
    "absolute"  # what the state is of; other ways to take ranges would have states of their own
)
PORTION = 32  # samples after which the state may be saved; a stop loses at most these
EVERY_S = 10.0  # between two saved states, and between two sentences


@dataclass(frozen=True, kw_only=True)
class State:
    """A calibration that was not finished, as it stands on disk.

    Attributes:
        entries: How many members of the set are done, the unreadable ones among them.
        samples: How many of those were run.
        low: Smallest value of each activation, in the float file's order.
        high: Largest value, likewise.
    """

    entries: int
    samples: int
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.samples <= self.entries:
            raise ValueError(f"{self.samples} samples of {self.entries} entries cannot be")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The samples of one calibration.

    Attributes:
        identity: Digest of everything that decides them.
        entries: Reads the set from a place on, in order; None stands for what cannot be read.
        total: Members of the set; None where that is not known before it is read.
    """

    identity: str
    entries: Callable[[int], Iterator[Sample | None]]
    total: int | None = None


class Calibrating:
    """Calibrates float files, with the state of each in a folder until `forget`.

    Nothing is written of a calibration that takes less than `every_s` and is not stopped.

    Args:
        folder: Where the states go.
        say: Told in sentences how far it is.
        every_s: Seconds between two saved states, and between two sentences.
    """

    def __init__(self, folder: Path, say: Callable[[str], None], every_s: float = EVERY_S) -> None:
        self._folder, self._say, self._every_s = folder, say, every_s
        self._paths: list[Path] = []

    def ranges(self, content: bytes, inputs: Inputs) -> Ranges:
        """The ranges of a float file, the same whether it was stopped on the way or not.

        Raises:
            UsageError: As `converters.calibration.calibrate`.
            ConversionError: Likewise.
            StorageError: If the state cannot be written.
        """
        path = self._path(content, inputs)
        calibration = Calibration(content)
        done = self._resumed(path, calibration, inputs.total)
        if done:
            of = "" if inputs.total is None else f" of {inputs.total:,}"
            self._say(f"calibration goes on after {done:,}{of} samples that are done already")
        self._run(calibration, inputs, path, done)
        return calibration.ranges()

    def forget(self) -> None:
        """Deletes the states: what they were for is made."""
        for path in self._paths:
            with storage_errors(path):
                path.unlink(missing_ok=True)

    def _path(self, content: bytes, inputs: Inputs) -> Path:
        key = digest([hashlib.sha256(content).hexdigest(), inputs.identity, METHOD])
        path = self._folder / f".mobilekit-calibration-{key[:16]}.json"
        self._paths.append(path)
        return path

    def _resumed(self, path: Path, calibration: Calibration, total: int | None) -> int:
        """Takes up the state, if there is one; how many members of the set are done."""
        if not path.exists():
            return 0
        try:
            state = from_json(State, read_json(path))
            if total is not None and state.entries > total:
                raise ValueError(f"it is of {state.entries} samples, and there are {total}")
            calibration.resume(
                Extremes(
                    low=np.array(state.low, np.float32),
                    high=np.array(state.high, np.float32),
                    samples=state.samples,
                )
            )
        except (RecordError, StorageError, ValueError) as error:
            self._say(f"warning: {path} is no state of this calibration ({error}); it starts anew")
            return 0
        return state.entries

    def _run(self, calibration: Calibration, inputs: Inputs, path: Path, done: int) -> None:
        entries, first = inputs.entries(done), done
        began = spoken = saved = time.monotonic()
        state = None
        try:
            while True:
                portion = list[bool]()
                calibration.see(_readable(itertools.islice(entries, PORTION), portion))
                done += len(portion)
                state = _state(calibration.extremes, done)
                if len(portion) < PORTION:
                    return
                now = time.monotonic()
                if now - spoken >= self._every_s:
                    pace_s = (now - began) / (done - first)
                    self._say(_progress(done, inputs.total, pace_s))
                    spoken = now
                if now - saved >= self._every_s and state is not None:
                    write_json(path, state)
                    saved = now
        except KeyboardInterrupt:
            if state is not None:
                write_json(path, state)
                self._say(f"calibration stopped after {state.entries:,} samples, which are kept")
            raise


def _readable(entries: Iterator[Sample | None], portion: list[bool]) -> Iterator[Sample]:
    """Those that can be read; `portion` gets one entry for each of all."""
    for entry in entries:
        portion.append(entry is not None)
        if entry is not None:
            yield entry


def _state(seen: Extremes, entries: int) -> State | None:
    """What can be saved; None where nothing was run, or what was seen is broken anyway."""
    if not seen.samples or not np.isfinite([seen.low, seen.high]).all():
        return None
    return State(
        entries=entries,
        samples=seen.samples,
        low=tuple(seen.low.tolist()),
        high=tuple(seen.high.tolist()),
    )


def _progress(done: int, total: int | None, pace_s: float) -> str:
    if total is None:
        return f"calibrating: {done:,} samples"
    left = f"about {pace_s * (total - done):,.0f} s left"
    return f"calibrating: {done:,} of {total:,} samples, {left}"
