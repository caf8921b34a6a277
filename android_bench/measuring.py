"""One call's work on one device, under its lock: checks, blocks, seals.

A start that fails costs its own cell alone: the others of the block go on, it is made again once at
the block's end and marked, and where that fails as well the cell is given up in this call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from android_bench.checking import Checked, OutputChecks
from android_bench.cooling import Patience
from android_bench.jobs import Bench, Cell
from android_bench.results import (
    RecordedRun,
    Session,
    append_run,
    drop_torn_line,
    read_runs,
    seal,
)
from android_bench.sealing import measurement_of
from android_bench.sessions import (
    complete_blocks,
    failures_of,
    find_session,
    new_session,
    next_block,
    runs_of,
    shuffled,
)
from android_bench.starter import Started, Starter, is_of_device
from android_bench.unfinished import GivenUp, UnfinishedError
from mobilekit.core.errors import DeviceError, RunnerError
from mobilekit.core.measurement import Kit, Measurement


class Progress(Protocol):
    """Is told what happens."""

    def __call__(self, done: int, total: int, text: str) -> None:
        """`done` of `total` starts are over; `text` says what begins, or what was found."""


@dataclass(kw_only=True)
class Measuring:
    """One call's work.

    Attributes:
        bench: Where.
        cells: What, by name.
        results: Folder of the results.
        progress: Told of every start.
        again: Whether a new session is opened, whatever was measured before.
        patience: How long is waited.
    """

    bench: Bench
    cells: dict[str, Cell]
    results: Path
    progress: Progress
    again: bool
    patience: Patience
    _lines: dict[str, list[RecordedRun]] = field(init=False, default_factory=dict)
    _given_up: dict[str, GivenUp] = field(init=False, default_factory=dict)
    _checked: dict[str, Checked] = field(init=False, default_factory=dict)
    _starter: Starter = field(init=False)
    _done: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._starter = Starter(self.bench, self.patience, self._tell)

    def run(self, *, seed: int, command: str, kit: Kit) -> list[Measurement]:
        """Checks, measures, seals; returns the measurements in the order of the cells.

        Raises:
            UnfinishedError: If cells were given up; the others are sealed by then.
            DeviceError: If the device has gone.
            UsageError: If it is to cool to a temperature that it does not tell.
            StorageError: If results cannot be written or read.
        """
        self._read_lines()
        session = (None if self.again else find_session(self._lines)) or new_session(
            seed, self.cells
        )
        there = len(self._complete(list(self.cells), session))
        if self._takes_times and there < self._repetitions:
            self._starter.rest(self.cells.values())
        self._check_outputs()
        blocks = self._run_blocks(session)
        measurements = self._seal(session, blocks, command, kit)
        if self._given_up:
            raise UnfinishedError(self._given_up.values(), measurements)
        return measurements

    @property
    def total(self) -> int:
        """How many starts there are: a check, and one a block, for each cell."""
        return len(self.cells) * (1 + self._repetitions)

    @property
    def _repetitions(self) -> int:
        return next(iter(self.cells.values())).job.config.repetitions

    @property
    def _takes_times(self) -> bool:
        """Not where a processor is emulated: a latency that is not taken cannot be believed."""
        return self.bench.info.emulated is None

    def _read_lines(self) -> None:
        for name in self.cells:
            recorded = read_runs(self.results, name)
            if recorded.torn:
                drop_torn_line(self.results, name)
                self._tell(f"{self.cells[name].job.title}: dropped a half-written last line")
            self._lines[name] = list(recorded.runs)

    def _check_outputs(self) -> None:
        checks = OutputChecks(self.bench, self.results)
        for name, cell in self.cells.items():
            self._tell(f"{cell.job.title}: checking outputs")
            found = self._check_twice(name, checks)
            self._done += 1
            if found is None:
                self._done += cell.job.config.repetitions
                continue
            self._checked[name] = found
            if found.wrong is not None:
                self._done += cell.job.config.repetitions
                self._tell(f"{cell.job.title}: WRONG OUTPUTS: {found.wrong}")

    def _check_twice(self, name: str, checks: OutputChecks) -> Checked | None:
        """Brings and checks a cell, once more where that failed; None where it is given up."""
        cell = self.cells[name]

        def attempt() -> Checked:
            self._starter.bring(cell)
            return checks.check(cell)

        try:
            return attempt()
        except (RunnerError, DeviceError) as error:
            self._tell(f"{cell.job.title}: it could not be checked ({error}); once more")
            self._see_to_device(error)
        try:
            return attempt()
        except (RunnerError, DeviceError) as error:
            self._see_to_device(error)
            self._give_up(name, f"{cell.job.title} cannot be run: {error}", error)
            return None

    def _run_blocks(self, session: Session) -> tuple[int, ...]:
        """Measures until enough blocks count; returns their numbers."""
        checks_done, repetitions = self._done, self._repetitions
        timed = self._timed()
        blocks = self._complete(timed, session)
        if blocks and timed:
            shown = min(len(blocks), repetitions)
            self._done = checks_done + len(timed) * shown
            self._tell(f"continuing: {shown} of {repetitions} blocks are there")
        while timed and len(blocks) < repetitions:
            number = next_block((r for rows in self._lines.values() for r in rows), session)
            self._run_block(number, session, f"block {len(blocks) + 1} of {repetitions}")
            given_up = len(timed) - len(self._timed())
            checks_done += given_up * repetitions
            timed = self._timed()
            blocks = self._complete(timed, session)
            self._done = checks_done + len(timed) * min(len(blocks), repetitions)
        return blocks[:repetitions]

    def _timed(self) -> list[str]:
        """The cells whose outputs are right and that were not given up."""
        if not self._takes_times:
            return []
        return [
            name
            for name, found in self._checked.items()
            if found.wrong is None and name not in self._given_up
        ]

    def _complete(self, timed: Sequence[str], session: Session) -> tuple[int, ...]:
        return complete_blocks({name: self._lines[name] for name in timed}, session)

    def _run_block(self, number: int, session: Session, where: str) -> None:
        """Starts every cell once; those that failed, once more at its end."""
        order, failed = shuffled(self._timed(), session, number), []
        for place, name in enumerate(order):
            self._tell(f"{where}: {self.cells[name].job.title}")
            started = self._start(name, session, number, place, retried=False)
            if started.run.error is None:
                self._done += 1
                continue
            failed.append(name)
            self._tell(
                f"{self.cells[name].job.title}: a start failed ({started.run.error}); it is made"
                " again at the end of the block"
            )
        for place, name in enumerate(failed, len(order)):
            self._tell(f"{where}, once more: {self.cells[name].job.title}")
            started = self._start(name, session, number, place, retried=True)
            if started.run.error is None:
                self._done += 1
                continue
            problem = f"{self.cells[name].job.title}: two starts of a block failed, the last with: "
            self._give_up(name, problem + started.run.error, started.cause)

    def _start(
        self, name: str, session: Session, block: int, order: int, *, retried: bool
    ) -> Started:
        """Starts a cell once and puts it on disk, whatever came of it; then sees to the device."""
        # Caches of an earlier session would leave nobody knowing what a cold start costs.
        fresh = not self._complete(self._timed(), session)
        started = self._starter.timed(self.cells[name], fresh=fresh)
        run = replace(started.run, block=block, order=order, retried=retried)
        recorded = RecordedRun(session=session, run=run)
        append_run(self.results, name, recorded)
        self._lines[name].append(recorded)
        self._see_to_device(started.cause)
        return started

    def _see_to_device(self, cause: Exception | None) -> None:
        """After an error of the device: waits until it is there; raises DeviceGoneError."""
        if isinstance(cause, DeviceError):
            self._starter.wait_until_there()

    def _give_up(self, name: str, problem: str, cause: Exception | None) -> None:
        failed = DeviceError if is_of_device(cause) else RunnerError
        self._given_up[name] = GivenUp(problem=problem.rstrip("."), exit_code=failed.exit_code)
        self._tell(f"{problem.rstrip('.')}; it is given up, the others go on")

    def _seal(
        self, session: Session, blocks: Sequence[int], command: str, kit: Kit
    ) -> list[Measurement]:
        """Seals every cell that was not given up."""
        measurements = []
        for name, checked in self._checked.items():
            if name in self._given_up:
                continue
            timed = checked.wrong is None and self._takes_times
            runs = runs_of(self._lines[name], session, blocks) if timed else ()
            measurement = measurement_of(
                self.bench,
                self.cells[name],
                checked,
                runs,
                session=session,
                failures=failures_of(self._lines[name], session),
                command=command,
                kit=kit,
            )
            seal(self.results, measurement)
            measurements.append(measurement)
        return measurements

    def _tell(self, text: str) -> None:
        self.progress(self._done, self.total, text)
