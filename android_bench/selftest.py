"""Measures one file against itself on a device, and beside Google's `benchmark_model`.

What the numbers mean is said in `mobilekit.selftest`; here they are taken, by the harness that
takes every other one.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from android_bench.devices import Device
from android_bench.devices.lock import only_measurement
from android_bench.harness import START_TIMEOUT_S, Progress, measure
from android_bench.jobs import Bench, Cell, Job, make_cells
from android_bench.runners import WARMUP_MIN_SECS, Runner
from android_bench.runners.benchmark_model import Statistics, run_benchmark_model
from android_bench.starts import timed_start
from mobilekit.core.errors import RunnerError
from mobilekit.core.measurement import (
    Conditions,
    Kit,
    MeasuredModel,
    Measurement,
    Run,
    RunConfig,
)

LABELS = ("selftest A", "selftest B")
NOT_READ = "neither the runner nor the harness reads it there"


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """One of `Conditions`.

    Attributes:
        name: The field, e.g. "temperature_c".
        readable: Whether a start could read it.
        because: Why not; empty where it could.
    """

    name: str
    readable: bool
    because: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Invocations of our runner and of `benchmark_model`, started in turn.

    Attributes:
        statistic: What of the invocations of a start was compared: "median" or "mean".
        ours_us: Of our starts, microseconds, without the inputs' writing and the outputs' reading.
        theirs_us: Of the starts of `benchmark_model` beside them.
    """

    statistic: str
    ours_us: tuple[float, ...]
    theirs_us: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SelftestBench:
    """What is tested.

    Attributes:
        path: A .tflite file.
        model: What it is.
        config: How it is measured; its repetitions are the blocks.
        device: Where.
        runner: By what.
        timeout_s: Limit of one start, in seconds.
    """

    path: Path
    model: MeasuredModel
    config: RunConfig
    device: Device
    runner: Runner
    timeout_s: float = START_TIMEOUT_S


def measure_against_itself(
    tested: SelftestBench, results: Path, *, command: str, kit: Kit, progress: Progress
) -> tuple[Measurement, Measurement]:
    """Measures one file under two labels, in a session of its own.

    Raises:
        UsageError: If it cannot be measured so.
        RunnerError: If the file cannot be run.
        DeviceError: If the device fails.
        StorageError: If results cannot be written.
    """
    jobs = [
        Job(path=tested.path, model=tested.model, config=tested.config, label=label)
        for label in LABELS
    ]
    first, second = measure(
        jobs,
        tested.device,
        tested.runner,
        results,
        seed=0,
        command=command,
        kit=kit,
        progress=progress,
        again=True,  # what the device was yesterday is not asked for
        timeout_s=tested.timeout_s,
    )
    return first, second


def measure_beside(
    tested: SelftestBench, benchmark_model: Path, *, blocks: int, progress: Progress
) -> Beside:
    """Starts our runner and `benchmark_model` in turn, in random order within each block.

    Raises:
        UsageError: If the file cannot be measured so.
        RunnerError: If one of the two fails.
        DeviceError: If the device fails.
        StorageError: If a program cannot be read.
    """
    device = tested.device
    bench = Bench(
        device=device,
        info=device.info(),
        runner=tested.runner,
        runtime=tested.runner.runtime(device),
        timeout_s=tested.timeout_s,
    )
    (cell,) = make_cells([Job(path=tested.path, model=tested.model, config=tested.config)], bench)
    ours: list[Run] = []
    theirs: list[Statistics] = []

    def start_ours() -> None:
        run = timed_start(bench, cell)
        if run.error is not None:
            raise RunnerError(f"{cell.job.title}: {run.error}")
        ours.append(run)

    def start_theirs() -> None:
        theirs.append(_benchmark_model(bench, cell, benchmark_model))

    def waiting() -> None:
        progress(0, 2 * blocks, f"waiting for another measurement on {device.label} to end")

    starts = [start_ours, start_theirs]
    with only_measurement(bench.info, waiting):
        device.push(tested.path, cell.remote_model(device))
        for block in range(blocks):
            random.shuffle(starts)
            for order, start in enumerate(starts):
                text = f"beside benchmark_model: block {block + 1} of {blocks}"
                progress(2 * block + order, 2 * blocks, text)
                start()
    return _beside(ours, theirs)


def _benchmark_model(bench: Bench, cell: Cell, program: Path) -> Statistics:
    config = cell.job.config
    flags: dict[str, str | int | bool] = {
        "num_threads": config.num_threads,
        "use_xnnpack": True,
        "warmup_runs": config.warmup_runs,
        "warmup_min_secs": str(WARMUP_MIN_SECS),
        "num_runs": config.num_runs,
        "min_secs": f"{config.min_secs:g}",
        "max_secs": f"{config.max_secs:g}",
    }
    model = cell.remote_model(bench.device)
    found = run_benchmark_model(bench.device, program, model, flags, timeout_s=bench.timeout_s)
    if not _median(found.measured) and not found.measured.avg_us:
        raise RunnerError(f"{bench.device.label}: benchmark_model printed neither mean nor median.")
    return found.measured


def _median(printed: Statistics) -> float | None:
    """Newer builds print it, and some call it p50."""
    return printed.quantiles_us.get("median", printed.quantiles_us.get("p50"))


def _beside(ours: Sequence[Run], theirs: Sequence[Statistics]) -> Beside:
    """Compares medians where `benchmark_model` prints them, and means where it does not."""
    medians = [median for printed in theirs if (median := _median(printed))]
    if len(medians) == len(theirs):
        return Beside(
            statistic="median",
            ours_us=tuple(statistics.median(_invoked_us(run)) for run in ours),
            theirs_us=tuple(medians),
        )
    return Beside(
        statistic="mean",
        ours_us=tuple(statistics.fmean(_invoked_us(run)) for run in ours),
        theirs_us=tuple(printed.avg_us for printed in theirs if printed.avg_us),
    )


def _invoked_us(run: Run) -> list[float]:
    """The invocations alone: `benchmark_model` writes no inputs and reads no outputs."""
    parts = zip(run.latencies_us, run.write_input_us, run.read_output_us, strict=True)
    return [whole - write - read for whole, write, read in parts]


def sensors_of(runs: Sequence[Run]) -> tuple[Sensor, ...]:
    """Which sensors these starts could read, and why not the others."""
    return tuple(_sensor(field.name, runs) for field in fields(Conditions))


def _sensor(name: str, runs: Sequence[Run]) -> Sensor:
    seen = (c for run in runs for c in (run.conditions.before, run.conditions.after))
    readable = any(getattr(conditions, name) is not None for conditions in seen)
    reasons = (run.unread.get(f"conditions.{name}") for run in runs)
    because = "" if readable else next(filter(None, reasons), NOT_READ)
    return Sensor(name=name, readable=readable, because=because)
