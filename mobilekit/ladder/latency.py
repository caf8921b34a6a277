"""How long the files of a climb take, all of them in one session on each device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from android_bench.unfinished import UnfinishedError
from mobilekit.benchmarking import benchmark_files
from mobilekit.core.errors import DeviceError, RunnerError
from mobilekit.core.measurement import Measurement, RunConfig
from mobilekit.intervals import LEAST_SIGNS, median_interval
from mobilekit.ladder.records import RungLatency

if TYPE_CHECKING:
    from android_bench.harness import Progress

# As few starts as give an interval: a climb is about accuracy, `benchmark` about speed.
QUICK = RunConfig(repetitions=LEAST_SIGNS, num_runs=20, min_secs=0.2)


def latencies_of(
    paths: Sequence[Path],
    results: Path,
    devices: Sequence[str],
    config: RunConfig,
    progress: Progress,
) -> tuple[Mapping[str, tuple[RungLatency, ...]], str | None]:
    """Measures files; what fails costs a climb no more than these numbers.

    Returns:
        Latencies by the digest of the file, and why some are missing, if some are.

    Raises:
        UsageError: If there is no such device.
    """
    problem = None
    measured: Sequence[Measurement] = ()
    try:
        measured = benchmark_files(
            paths,
            results,
            device=list(devices),
            configs=(config,),
            command="mobilekit convert --recipe auto",
            progress=progress,
        )
    except UnfinishedError as error:
        measured, problem = error.measurements, str(error)
    except (DeviceError, RunnerError) as error:
        problem = str(error)
    found: dict[str, tuple[RungLatency, ...]] = {}
    for each in measured:
        found[each.model.sha256] = (*found.get(each.model.sha256, ()), _latency(each))
    return found, problem


def _latency(of: Measurement) -> RungLatency:
    interval = median_interval([run.typical_us for run in of.runs])
    return RungLatency(
        device=of.device.label,
        simulated=of.device.simulated,
        median_us=of.median_us if of.runs else None,
        low_us=interval.low if interval else None,
        high_us=interval.high if interval else None,
        validity=of.validity.status.value,
        reasons=of.validity.reasons,
    )
