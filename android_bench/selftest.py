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
from android_bench.jobs import Bench, Job, make_cells
from android_bench.runners import Runner
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
    tested: SelftestBench, other: Runner, *, blocks: int, progress: Progress
) -> Beside:
    """Starts our runner and `benchmark_model` in turn, in random order within each block.

    Args:
        tested: The file, the device and our runner.
        other: The driver of `benchmark_model`.
        blocks: How often each is started.
        progress: Told of every start.

    Raises:
        UsageError: If the file cannot be measured so.
        RunnerError: If one of the two fails.
        DeviceError: If the device fails.
        StorageError: If a program cannot be read.
    """
    device = tested.device
    benches = [_bench(tested, runner) for runner in (tested.runner, other)]
    (cell,) = make_cells([_plain(tested)], benches[0])
    runs: dict[str, list[Run]] = {bench.runner.name: [] for bench in benches}
    total = len(benches) * blocks

    def waiting() -> None:
        progress(0, total, f"waiting for another measurement on {device.label} to end")

    with only_measurement(benches[0].info, waiting):
        device.push(tested.path, cell.remote_model(device))
        for block in range(blocks):
            random.shuffle(benches)
            for order, bench in enumerate(benches):
                name = bench.runner.name
                text = f"block {block + 1} of {blocks}: {name}"
                progress(len(benches) * block + order, total, text)
                run = timed_start(bench, cell)
                if run.error is not None:
                    raise RunnerError(f"{cell.job.title}, {name}: {run.error}")
                runs[name].append(run)
    return _beside(runs[tested.runner.name], runs[other.name])


def _plain(tested: SelftestBench) -> Job:
    return Job(path=tested.path, model=tested.model, config=tested.config)


def _bench(tested: SelftestBench, runner: Runner) -> Bench:
    return Bench(
        device=tested.device,
        info=tested.device.info(),
        runner=runner,
        runtime=runner.runtime(tested.device),
        timeout_s=tested.timeout_s,
    )


def _beside(ours: Sequence[Run], theirs: Sequence[Run]) -> Beside:
    """Compares medians where `benchmark_model` prints them, and means where it does not."""
    medians = all(run.statistic == "median" for run in theirs)
    typical = statistics.median if medians else statistics.fmean
    return Beside(
        statistic="median" if medians else "mean",
        ours_us=tuple(typical(_invoked_us(run)) for run in ours),
        theirs_us=tuple(
            run.typical_us if medians or run.summary is None else run.summary.avg_us
            for run in theirs
        ),
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
