"""Profiles: one start a cell in which every operator is timed.

    <results>/profiles/<cell>.json   the runner's document of that start

It is a process of its own, because a profiler slows every operator: its latencies never count as
those of the cell, and nothing here is ever part of a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from android_bench.devices import Device
from android_bench.devices.lock import only_measurement
from android_bench.devices.screen import screen_kept_on
from android_bench.harness import START_TIMEOUT_S, Progress
from android_bench.jobs import Bench, Cell, Job, make_cells
from android_bench.runners import Runner, Start, check_modes
from mobilekit.core.errors import RunnerError, StorageError
from mobilekit.core.measurement import Run
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, write_json


def profile_path(results: Path, cell: str) -> Path:
    """The file of a cell's profile."""
    return results / "profiles" / f"{cell}.json"


def profile(
    jobs: Sequence[Job],
    device: Device,
    runner: Runner,
    results: Path,
    *,
    progress: Progress,
    again: bool = False,
    timeout_s: float = START_TIMEOUT_S,
) -> list[Run]:
    """Profiles all jobs, or gives back what was profiled before.

    Args:
        jobs: Files and settings, as for `android_bench.harness.measure`.
        device: Where.
        runner: The driver of the program that runs the files.
        results: Folder of the results.
        progress: Told of every start.
        again: Profile anew, whatever was before.
        timeout_s: Limit of one start, in seconds.

    Returns:
        One run a job with its `profile`, in the order of the jobs.

    Raises:
        UsageError: If the runner cannot profile, or a job is sustained.
        RunnerError: If a file cannot be run, or the runtime gives no profile of it.
        DeviceError: If the device fails, or a measurement holds it for too long.
        StorageError: If a profile cannot be written or read.
    """
    for job in jobs:
        check_modes(runner.name, job.config, profile=True)
    bench = Bench(
        device=device,
        info=device.info(),
        runner=runner,
        runtime=runner.runtime(device),
        timeout_s=timeout_s,
    )
    cells = make_cells(jobs, bench)

    def waiting() -> None:
        progress(0, len(cells), f"waiting for another measurement on {device.label} to end")

    def say(sentence: str) -> None:
        progress(len(cells), len(cells), sentence)

    with only_measurement(bench.info, waiting), screen_kept_on(device, bench.info, say):
        runs = []
        for done, cell in enumerate(cells):
            path = profile_path(results, cell.id)
            if again or not path.exists():
                progress(done, len(cells), f"{cell.job.title}: timing its operators")
                write_json(path, _profiled(bench, cell))
            runs.append(_read(path, cell))
        return runs


def _profiled(bench: Bench, cell: Cell) -> Run:
    device, config = bench.device, cell.job.config
    for local, remote in cell.files(device):
        device.push(local, remote)
    start = Start(
        model=cell.remote_model(device),
        model_sha256=cell.job.model.sha256,
        config=config,
        inputs=cell.remote_inputs(device),
        load=cell.remote_load(device),
        profile=True,
    )
    started = datetime.now(UTC).isoformat()
    run = bench.runner.start(device, start, timeout_s=bench.start_timeout_s(config))
    if run.error is not None:
        raise RunnerError(f"{cell.job.title} cannot be profiled: {run.error}")
    return replace(run, started=started)


def _read(path: Path, cell: Cell) -> Run:
    try:
        run = from_json(Run, read_json(path), ignore_unknown=True)
    except RecordError as error:
        raise StorageError(str(path), f"is no profile that can be read ({error})") from error
    if run.model_sha256 != cell.job.model.sha256 or run.profile is None:
        raise StorageError(str(path), "is no profile of this file; profile it with --again")
    return run
