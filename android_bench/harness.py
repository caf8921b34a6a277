"""Measures a set of jobs together on one device.

First each file's outputs are checked where it is measured; a file whose outputs are wrong is sealed
as invalid, without latencies, and not timed. Then come the blocks: in each, every remaining cell is
started once, in its own process, in random order, because a fixed order does not cancel drift. Each
start is on disk before the next begins. `android_bench.sessions` says what counts after a kill or a
failure, and why two starts that were not side by side can never become a pair.

One failed start of a cell is borne: its block is abandoned and measured anew, and the verdict says
so. At the second of the same cell the error is raised; what was measured stays, and the same call
goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from android_bench.checking import Checked, OutputChecks
from android_bench.devices import Device
from android_bench.devices.lock import only_measurement
from android_bench.floors import floor_of
from android_bench.jobs import Bench, Cell, Job, Reference, make_cells
from android_bench.results import (
    SCHEMA,
    RecordedRun,
    Session,
    append_run,
    drop_torn_line,
    load_measurement,
    read_runs,
    seal,
    sealed_path,
)
from android_bench.runners import Runner
from android_bench.sessions import (
    complete_blocks,
    failures_of,
    find_session,
    measured_together,
    new_session,
    next_block,
    runs_of,
    shuffled,
)
from android_bench.starts import timed_start
from android_bench.validity import judge
from mobilekit.core.errors import RunnerError, StorageError
from mobilekit.core.measurement import Kit, Measurement, Run, measure_config

__all__ = ["START_TIMEOUT_S", "Job", "Progress", "Reference", "measure"]

START_TIMEOUT_S = 600.0  # 60 invocations of ten seconds each
BEARABLE_FAILURES = 1  # of one cell in one call: a phone that was touched, not a file that crashes


class Progress(Protocol):
    """Is told what happens."""

    def __call__(self, done: int, total: int, text: str) -> None:
        """`done` of `total` starts are over; `text` says what begins, or what was found."""


def measure(
    jobs: Sequence[Job],
    device: Device,
    runner: Runner,
    results: Path,
    *,
    seed: int,
    command: str,
    kit: Kit,
    progress: Progress,
    again: bool = False,
    timeout_s: float = START_TIMEOUT_S,
) -> list[Measurement]:
    """Measures all jobs in one session, or gives back what was measured together before.

    Args:
        jobs: Files and settings; all with the same repetitions.
        device: Where to measure.
        runner: The driver of the program that runs the files.
        results: Folder of the results.
        seed: Mixed into the session's order seed.
        command: What repeats this, for the results.
        kit: This version, for the results.
        progress: Told of every start.
        again: Open a new session, whatever was measured before.
        timeout_s: Limit of one start, in seconds.

    Returns:
        One sealed measurement a job, in the order of the jobs.

    Raises:
        UsageError: If the jobs cannot be one session.
        RunnerError: If a file cannot be run.
        DeviceError: If the device fails, or another measurement holds it for too long.
        StorageError: If results cannot be written or read; whatever was measured stays.
    """
    bench = Bench(
        device=device,
        info=device.info(),
        runner=runner,
        runtime=runner.runtime(device),
        timeout_s=timeout_s,
    )
    cells = make_cells(jobs, bench)
    total = len(cells) * (1 + jobs[0].config.repetitions)

    def waiting() -> None:
        progress(0, total, f"waiting for another measurement on {device.label} to end")

    sealed = None if again else _sealed_together(cells, results)
    if sealed is None:
        with only_measurement(bench.info, waiting):
            if not again:  # the one that was waited for may have made them
                sealed = _sealed_together(cells, results)
            if sealed is None:
                measuring = _Measuring(
                    bench=bench,
                    cells={cell.id: cell for cell in cells},
                    results=results,
                    progress=progress,
                    total=total,
                    again=again,
                )
                return measuring.run(seed=seed, command=command, kit=kit)
    for measurement, job in zip(sealed, jobs, strict=True):
        progress(total, total, f"{job.title}: reused ({measurement.cell})")
    return sealed


def _sealed_together(cells: Sequence[Cell], results: Path) -> list[Measurement] | None:
    paths = [sealed_path(results, cell.id) for cell in cells]
    if not all(path.exists() for path in paths):
        return None
    measurements = []
    for cell, path in zip(cells, paths, strict=True):
        found = load_measurement(path)
        if found.cell != cell.id or found.model.sha256 != cell.job.model.sha256:
            problem = "is of another measurement than its name says; delete it to measure again"
            raise StorageError(str(path), problem)
        if found.model != cell.job.model:  # the same bytes go by another name now
            found = replace(found, model=cell.job.model)
            seal(results, found)
        measurements.append(found)
    return measurements if measured_together(measurements) else None


@dataclass(kw_only=True)
class _Measuring:
    """One call's work, under the device's lock."""

    bench: Bench
    cells: dict[str, Cell]
    results: Path
    progress: Progress
    total: int
    again: bool
    done: int = 0
    lines: dict[str, list[RecordedRun]] = field(default_factory=dict)

    def run(self, *, seed: int, command: str, kit: Kit) -> list[Measurement]:
        """Checks, measures, seals; returns the measurements in the order of the cells."""
        self._bring_files()
        self._read_lines()
        found = None if self.again else find_session(self.lines)
        session = found or new_session(seed, self.cells)
        checked = self._check_outputs()
        timed = [name for name in self.cells if checked[name].check.passed]
        blocks = self._run_blocks(timed, session)
        measurements = []
        for name in self.cells:
            runs = runs_of(self.lines[name], session, blocks) if name in timed else ()
            measurement = self._measurement(name, session, checked[name], runs, command, kit)
            seal(self.results, measurement)
            measurements.append(measurement)
        return measurements

    def _bring_files(self) -> None:
        device = self.bench.device
        for cell in self.cells.values():
            device.push(cell.job.path, cell.remote_model(device))
            inputs = cell.job.reference.inputs if cell.job.reference else ()
            for local, remote in zip(inputs, cell.remote_inputs(device), strict=True):
                device.push(local, remote)

    def _read_lines(self) -> None:
        for name in self.cells:
            recorded = read_runs(self.results, name)
            if recorded.torn:
                drop_torn_line(self.results, name)
                self._tell(f"{self.cells[name].job.title}: dropped a half-written last line")
            self.lines[name] = list(recorded.runs)

    def _check_outputs(self) -> dict[str, Checked]:
        checks, found = OutputChecks(self.bench), {}
        for name, cell in self.cells.items():
            self._tell(f"{cell.job.title}: checking outputs")
            try:
                found[name] = checks.check(cell)
            except RunnerError as error:
                raise RunnerError(f"{cell.job.title} cannot be run: {error}") from error
            self.done += 1
            if not found[name].check.passed:
                self.done += cell.job.config.repetitions
                self._tell(f"{cell.job.title}: WRONG OUTPUTS: {found[name].check.detail}")
        return found

    def _run_blocks(self, timed: Sequence[str], session: Session) -> tuple[int, ...]:
        """Measures until enough blocks count; returns their numbers."""
        if not timed:
            return ()
        repetitions = self.cells[timed[0]].job.config.repetitions
        failures: Counter[str] = Counter()
        blocks = self._complete(timed, session)
        self.done += len(timed) * min(len(blocks), repetitions)
        if blocks:
            self._tell(f"continuing: {len(blocks)} of {repetitions} blocks are there")
        while len(blocks) < repetitions:
            number = next_block((r for rows in self.lines.values() for r in rows), session)
            before = self.done
            where = f"block {len(blocks) + 1} of {repetitions}"
            for order, name in enumerate(shuffled(timed, session, number)):
                self._tell(f"{where}: {self.cells[name].job.title}")
                run = self._timed_start(name, session, number, order)
                if run.error is not None:
                    failures[name] += 1
                    self._bear(name, failures[name], run.error)
                    self.done = before
                    break
                self.done += 1
            blocks = self._complete(timed, session)
        return blocks[:repetitions]

    def _complete(self, timed: Sequence[str], session: Session) -> tuple[int, ...]:
        return complete_blocks({name: self.lines[name] for name in timed}, session)

    def _timed_start(self, name: str, session: Session, block: int, order: int) -> Run:
        """Starts a cell once and puts it on disk, whatever came of it."""
        started = datetime.now(UTC).isoformat()
        run = timed_start(self.bench, self.cells[name])
        run = replace(run, block=block, order=order, started=started)
        recorded = RecordedRun(session=session, run=run)
        append_run(self.results, name, recorded)
        self.lines[name].append(recorded)
        return run

    def _bear(self, name: str, failures: int, problem: str) -> None:
        title = self.cells[name].job.title
        if failures > BEARABLE_FAILURES:
            raise RunnerError(
                f"{title}: {failures} starts failed, the last with: {problem} What was measured"
                " before is kept; the same command goes on from there."
            )
        self._tell(f"{title}: a start failed ({problem}); its block is measured anew")

    def _measurement(
        self,
        name: str,
        session: Session,
        checked: Checked,
        runs: tuple[Run, ...],
        command: str,
        kit: Kit,
    ) -> Measurement:
        job, floor = self.cells[name].job, floor_of(self.bench, kit)
        return Measurement(
            schema=SCHEMA,
            cell=name,
            model=job.model,
            device=self.bench.info,
            config=measure_config(job.config, session.order_seed),
            runs=runs,
            output_check=checked.check,
            validity=judge(
                runs,
                config=job.config,
                check=checked.check,
                output_sha256=checked.output_sha256,
                failures=failures_of(self.lines[name], session),
                cpu_count=self.bench.info.cpu_count,
                floor=floor,
            ),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command,
            kit=kit,
            label=job.label,
            noise_floor=floor,
        )

    def _tell(self, text: str) -> None:
        self.progress(self.done, self.total, text)
