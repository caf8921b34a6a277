"""Output checks of the same file on the same device, made by a runner that gives outputs.

A runner that prints statistics cannot show that what it timed was right. Another one can have shown
it for this file, device and delegate: what it found stands then, with its name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from android_bench.jobs import Cell
from android_bench.results import load_measurement
from mobilekit.core.device import DeviceInfo
from mobilekit.core.errors import StorageError
from mobilekit.core.measurement import Measurement, OutputCheck


def earlier_check(results: Path, cell: Cell, device: DeviceInfo) -> OutputCheck | None:
    """The newest such check among sealed results, passed or not; None if there is none."""
    found = [m for m in _sealed(results) if _is_of(m, cell, device)]
    if not found:
        return None
    newest = max(found, key=lambda measurement: measurement.created)
    check = newest.output_check
    assert check is not None  # `_is_of` asks for one
    first = next(iter(newest.runs), None)
    runner = f"runner {first.runner.name}" if first else "another runner"
    how = f"{check.how}; checked by {runner} on {newest.created}, not in these starts"
    return replace(check, how=how)


def _sealed(results: Path) -> list[Measurement]:
    measurements = []
    for path in results.glob("*.json"):
        try:
            measurements.append(load_measurement(path))
        except StorageError:  # a file of something else; it checks nothing
            continue
    return measurements


def _is_of(measurement: Measurement, cell: Cell, device: DeviceInfo) -> bool:
    config, own = measurement.config, measurement.device
    return (
        measurement.output_check is not None
        and all(run.summary is None for run in measurement.runs)
        and measurement.model.sha256 == cell.job.model.sha256
        and (config.delegate, dict(config.options))
        == (cell.job.config.delegate, dict(cell.job.config.options))
        and config.signature == cell.job.config.signature
        and (own.serial_hash, own.build_fingerprint)
        == (device.serial_hash, device.build_fingerprint)
    )
