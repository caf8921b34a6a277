"""Measures a set of jobs together on one device.

First each file's outputs are checked where it is measured; a file whose outputs are wrong is sealed
as invalid, without latencies, and not timed. Then come the blocks: in each, every remaining cell is
started once, in its own process, in random order, because a fixed order does not cancel drift. Each
start is on disk before the next begins. `android_bench.sessions` says what counts after a kill or a
failure, and why two starts that were not side by side can never become a pair.

A start that fails costs its own cell alone: `android_bench.measuring` says how. What was measured
stays, and the same call goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from android_bench.cooling import PATIENCE, Patience
from android_bench.devices import Device
from android_bench.devices.lock import only_measurement
from android_bench.devices.screen import screen_kept_on
from android_bench.jobs import Bench, Cell, Job, Reference, make_cells
from android_bench.measuring import Measuring, Progress
from android_bench.results import load_measurement, seal, sealed_path
from android_bench.runners import Runner
from android_bench.sessions import measured_together
from mobilekit.core.errors import StorageError
from mobilekit.core.measurement import Kit, Measurement

__all__ = ["START_TIMEOUT_S", "Job", "Patience", "Progress", "Reference", "measure"]

START_TIMEOUT_S = 600.0  # 60 invocations of ten seconds each


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
    patience: Patience = PATIENCE,
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
        patience: How long is waited for a device to cool, and for one that has gone.

    Returns:
        One sealed measurement a job, in the order of the jobs.

    Raises:
        UsageError: If the jobs cannot be one session, or the device is to cool to a temperature
            that it does not tell.
        UnfinishedError: If some jobs failed twice; the others were measured and are sealed.
        RunnerError: If the runner does not work on the device.
        DeviceError: If the device has gone, or another measurement holds it for too long.
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

    def say(sentence: str) -> None:
        progress(total, total, sentence)

    sealed = None if again else _sealed_together(cells, results)
    if sealed is None:
        with only_measurement(bench.info, waiting):
            if not again:  # the one that was waited for may have made them
                sealed = _sealed_together(cells, results)
            if sealed is None:
                measuring = Measuring(
                    bench=bench,
                    cells={cell.id: cell for cell in cells},
                    results=results,
                    progress=progress,
                    again=again,
                    patience=patience,
                )
                with screen_kept_on(device, bench.info, say):
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
