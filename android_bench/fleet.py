"""Measures on several devices side by side, one worker thread each.

The devices share a folder of results and nothing else: a cell is named by its device, so no two
write one file. What fails on one never stops another. Ctrl-C ends all of them, with the processes
that they started, once each has put back what it had changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.cooling import PATIENCE, Patience
from android_bench.devices import Device
from android_bench.harness import START_TIMEOUT_S, measure
from android_bench.interrupt import Interrupt, interrupted_by
from android_bench.jobs import Job
from android_bench.measuring import Progress
from android_bench.runners import Runner
from android_bench.unfinished import GivenUp, UnfinishedError
from mobilekit.core.errors import MobileKitError, UsageError
from mobilekit.core.measurement import Kit, Measurement


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is measured on one device.

    Attributes:
        device: Where.
        runner: The driver, of this device alone: it remembers what it brought there.
        jobs: What; all with the same repetitions.
    """

    device: Device
    runner: Runner
    jobs: Sequence[Job]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a task.

    Attributes:
        label: Its device's.
        measurements: What was measured there, sealed, in the order of the jobs.
        error: What stopped it, or what was given up; None where all went well.
    """

    label: str
    measurements: tuple[Measurement, ...]
    error: MobileKitError | None = None


def measure_side_by_side(
    tasks: Sequence[Task],
    results: Path,
    *,
    seed: int,
    command: str,
    kit: Kit,
    progress_of: Callable[[str], Progress],
    again: bool = False,
    timeout_s: float = START_TIMEOUT_S,
    patience: Patience = PATIENCE,
) -> tuple[Outcome, ...]:
    """Measures every task at once; see `android_bench.harness.measure` for what is not here.

    Args:
        tasks: One a device.
        results: Folder of the results, of all of them.
        seed: Mixed into the sessions' order seeds.
        command: What repeats this, for the results.
        kit: This version, for the results.
        progress_of: Gives what is told of a device, by its name; called once each, here.
        again: Open new sessions, whatever was measured before.
        timeout_s: Limit of one start, in seconds.
        patience: How long is waited.

    Returns:
        One outcome a task, in their order.

    Raises:
        UsageError: If two tasks are of one device, under whatever names.
        DeviceError: If a device does not answer at all.
    """
    _must_differ([task.device for task in tasks])

    def work(task: Task, progress: Progress) -> list[Measurement]:
        return measure(
            task.jobs,
            task.device,
            task.runner,
            results,
            seed=seed,
            command=command,
            kit=kit,
            progress=progress,
            again=again,
            timeout_s=timeout_s,
            patience=patience,
        )

    names = names_of([task.device.label for task in tasks])
    workers = [
        _Worker(task, progress_of(name), work) for task, name in zip(tasks, names, strict=True)
    ]
    _run(workers)
    return tuple(worker.outcome() for worker in workers)


def all_measured(outcomes: Sequence[Outcome]) -> list[Measurement]:
    """What was measured everywhere, device by device.

    Raises:
        UnfinishedError: If a device failed, or something was given up on one; it names each, and
            carries what was measured.
    """
    measurements = [m for outcome in outcomes for m in outcome.measurements]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed:
        raise UnfinishedError(
            [each for outcome in failed for each in _given_up(outcome)], measurements
        )
    return measurements


def names_of(labels: Sequence[str]) -> list[str]:
    """The labels; of two equal ones the second is called "label (2)"."""
    return [
        label if labels.index(label) == place else f"{label} ({labels[:place].count(label) + 1})"
        for place, label in enumerate(labels)
    ]


@dataclass(kw_only=True)
class _State:
    """What a worker leaves."""

    measurements: tuple[Measurement, ...] = ()
    error: BaseException | None = None


class _Worker:
    """A thread for one task."""

    def __init__(
        self,
        task: Task,
        progress: Progress,
        work: Callable[[Task, Progress], list[Measurement]],
    ) -> None:
        self._task, self._progress, self._work = task, progress, work
        self.interrupt, self._state = Interrupt(), _State()
        # Nobody waits for one that does not end at a second Ctrl-C.
        self.thread = threading.Thread(target=self._run, name=task.device.label, daemon=True)

    def outcome(self) -> Outcome:
        """What came of it; raises whatever is a bug of ours."""
        error = self._state.error
        if error is not None and not isinstance(error, MobileKitError):
            raise error
        return Outcome(
            label=self._task.device.label,
            measurements=self._state.measurements,
            error=error,
        )

    def _run(self) -> None:
        with interrupted_by(self.interrupt):
            try:
                self._state.measurements = tuple(self._work(self._task, self._progress))
            except UnfinishedError as error:
                self._state = _State(measurements=error.measurements, error=error)
            except BaseException as error:  # it is raised in the main thread, or told at the end
                self._state.error = error


def _run(workers: Sequence[_Worker]) -> None:
    """Runs all of them to their ends; on Ctrl-C stops all of them and raises it."""
    started: list[_Worker] = []
    try:
        for worker in workers:
            worker.thread.start()
            started.append(worker)
        for worker in started:
            worker.thread.join()
    except KeyboardInterrupt:
        for worker in started:
            worker.interrupt.ask()
        for worker in started:
            worker.thread.join()
        raise
    finally:
        for worker in started:
            if not worker.thread.is_alive():
                worker.interrupt.close()


def _must_differ(devices: Sequence[Device]) -> None:
    seen: dict[str, str] = {}
    for device in devices:
        key = device.info().serial_hash
        if key in seen:
            names = device.label if seen[key] == device.label else f"{seen[key]} and {device.label}"
            raise UsageError(
                f"One device was named twice ({names}): two measurements at once would disturb"
                " each other. Name every device once."
            )
        seen[key] = device.label


def _given_up(outcome: Outcome) -> list[GivenUp]:
    """The parts of an error, each under its device's name."""
    error = outcome.error
    if isinstance(error, UnfinishedError):
        return [
            GivenUp(problem=_named(outcome.label, part.problem), exit_code=part.exit_code)
            for part in error.given_up
        ]
    assert error is not None
    return [
        GivenUp(problem=_named(outcome.label, str(error).rstrip(".")), exit_code=error.exit_code)
    ]


def _named(label: str, problem: str) -> str:
    return problem if problem.startswith(label) else f"{label}: {problem}"
