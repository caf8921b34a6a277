"""The report's table for people: one list of columns, and how each value is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mobilekit.core.measurement import Validity, special_settings
from mobilekit.core.model import UNKNOWN_RECIPE
from mobilekit.formatting import (
    MISSING,
    count_of,
    decibels,
    latency,
    megabytes,
    milliseconds,
    percent_range,
    plural,
    printable,
    threads,
)
from mobilekit.report.rows import Row, Share


@dataclass(frozen=True, kw_only=True)
class DisplayColumn:
    """One row of `COLUMNS`.

    Attributes:
        title: What stands above it, with its unit.
        short: The same for a terminal.
        show: The value in words.
        detail: What belongs to it, smaller; empty where there is nothing.
        whole: Whether a terminal shows the detail as well.
        numeric: Whether it is lined up at the right.
    """

    title: str
    short: str
    show: Callable[[Row], str]
    detail: Callable[[Row], str] = lambda row: ""
    numeric: bool = True
    whole: bool = False


def _latency(row: Row) -> tuple[str, str]:
    if row.latency_us is None:
        return MISSING, ""
    return latency(row.latency_us, row.latency_low_us, row.latency_high_us)


def _shown_share(share: Share | None) -> str:
    return count_of(share.hits, share.total) if share else MISSING


def _range(share: Share | None) -> str:
    return percent_range(share.low, share.high) if share else ""


def _snr(row: Row) -> str:
    accuracy = row.accuracy
    if accuracy is not None and accuracy.reference is not None and accuracy.snr_db is None:
        return "equal"  # no noise at all: the ratio would be infinite
    return decibels(accuracy.snr_db if accuracy else None)


def _device(row: Row) -> str:
    device = row.measurement.device
    return printable(device.label) + (" (simulated)" if device.simulated else "")


def _delegate(row: Row) -> str:
    config = row.measurement.config
    options = "".join(f" {key}={value}" for key, value in sorted(config.options.items()))
    return printable(config.delegate + options)


def _setting(row: Row) -> str:
    return printable(special_settings(row.measurement.config)) or MISSING


def _runner(row: Row) -> str:
    return printable(row.runs[0].runner.name) if row.runs else MISSING


def _validity(row: Row) -> str:
    status = row.measurement.validity.status
    return status.value if status is not Validity.VALID or not row.reasons else "valid, but"


COLUMNS = (
    DisplayColumn(
        title="Model",
        short="model",
        show=lambda row: printable(row.measurement.model.name),
        numeric=False,
    ),
    DisplayColumn(
        title="Recipe",
        short="recipe",
        show=lambda row: printable(row.measurement.model.recipe),
        numeric=False,
    ),
    DisplayColumn(title="Device", short="device", show=_device, numeric=False),
    DisplayColumn(title="Delegate", short="delegate", show=_delegate, numeric=False),
    DisplayColumn(
        title="Threads", short="thr", show=lambda row: str(row.measurement.config.num_threads)
    ),
    DisplayColumn(title="Setting", short="setting", show=_setting, numeric=False),
    DisplayColumn(title="Runner", short="runner", show=_runner, numeric=False),
    DisplayColumn(
        title="Latency, ms",
        short="ms",
        show=lambda row: _latency(row)[0],
        detail=lambda row: _latency(row)[1],
        whole=True,
    ),
    DisplayColumn(title="Init, ms", short="init", show=lambda row: milliseconds(row.init_us)),
    DisplayColumn(title="First, ms", short="first", show=lambda row: milliseconds(row.first_us)),
    DisplayColumn(
        title="Peak memory, MB", short="peak", show=lambda row: megabytes(row.peak_memory_bytes)
    ),
    DisplayColumn(
        title="Size, MB",
        short="MB",
        show=lambda row: megabytes(row.measurement.model.size_bytes),
    ),
    DisplayColumn(
        title="Top-1",
        short="top-1",
        show=lambda row: _shown_share(row.top1),
        detail=lambda row: _range(row.top1),
    ),
    DisplayColumn(
        title="Top-5",
        short="top-5",
        show=lambda row: _shown_share(row.top5),
        detail=lambda row: _range(row.top5),
    ),
    DisplayColumn(
        title="Agreement",
        short="agree",
        show=lambda row: _shown_share(row.agreement),
        detail=lambda row: _range(row.agreement),
    ),
    DisplayColumn(title="SNR, dB", short="dB", show=_snr),
    DisplayColumn(title="Validity", short="validity", show=_validity, numeric=False),
    DisplayColumn(
        title="sha256",
        short="sha256",
        show=lambda row: printable(row.measurement.model.sha256[:8]),
        numeric=False,
    ),
)

# What tells one row from another; where all rows agree, it is said once.
_NAMING: Mapping[str, Callable[[Row], str]] = {
    "Model": lambda row: printable(row.measurement.model.name),
    "Recipe": lambda row: printable(row.measurement.model.recipe),
    "Device": _device,
    "Delegate": _delegate,
    "Threads": lambda row: threads(row.measurement.config.num_threads),
    "Setting": _setting,
    "Runner": _runner,
}


def common(rows: Sequence[Row]) -> dict[str, str]:
    """What all rows share, by column title: it need not stand in every row."""
    found = {title: {show(row) for row in rows} for title, show in _NAMING.items()}
    if len(found["Runner"]) > 1:
        found["Runner"].discard(MISSING)  # what never ran had no other runner
    return {title: next(iter(values)) for title, values in found.items() if len(values) == 1}


def heading(shared: Mapping[str, str]) -> str:
    """What all rows share, from `common`, e.g. "mobilenet_v2_1.0_224, desk, xnnpack"."""
    return ", ".join(
        value
        for title, value in shared.items()
        if title != "Runner" and value not in (UNKNOWN_RECIPE, MISSING)
    )


def label(row: Row, shared: Sequence[str], *, without: Sequence[str] = ()) -> str:
    """A row's short name: what it does not share with all the others, e.g. "float32, 2 threads".

    Args:
        row: The row.
        shared: Titles that need not be named, from `common`.
        without: More titles that need not be named.
    """
    parts = [
        show(row) for title, show in _NAMING.items() if title not in shared and title not in without
    ]
    known = [part for part in parts if part not in (UNKNOWN_RECIPE, MISSING)]
    model = row.measurement.model
    return ", ".join(known) or printable(
        model.name if model.recipe == UNKNOWN_RECIPE else model.recipe
    )


def facts(row: Row) -> str:
    """What the row's latency rests on, e.g. "12 runs of 50 invocations"."""
    counts = sorted({run.invocations for run in row.runs})
    if not counts:
        return "no run"
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{plural(len(row.runs), 'run')} of {each} invocations"
