"""One row a measurement: the statistics of the report, derived from raw values, not yet rounded."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mobilekit.core.accuracy import Accuracy
from mobilekit.core.measurement import UNCHECKED_OUTPUTS, Measurement, Run, Validity
from mobilekit.core.model import TFLiteModel
from mobilekit.intervals import median_interval, share_interval
from mobilekit.report.results import Results

HEADLINE = "median over runs of the run medians"
HEADLINE_OF_MEANS = "median over runs of the run means"


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of how many, with Wilson's interval.

    Attributes:
        hits: How many.
        total: Of how many, above 0.
        low: Lower end of the interval, 0..1.
        high: Upper end.
    """

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0..1."""
        return self.hits / self.total


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measurement with everything that is known about its file. Times are microseconds.

    Attributes:
        measurement: What the row is of.
        model: Provenance of its file; None where there is none.
        accuracy: Its file's answers; None where it was not evaluated.
        runs: Its starts that went well.
        latency_us: The headline; None if no start went well.
        latency_low_us: Lower end of the interval of the run medians; None with too few runs.
        latency_high_us: Upper end.
        latency_level: Guaranteed coverage of that interval, 0..1.
        init_us: Median over runs; where the delegate has a cache, over those that found it filled,
            since the two kinds of starts have no common middle.
        init_cold_us: Median over runs that filled the delegate's cache; None where none did.
        init_warm_us: Median over runs that found it filled.
        first_us: Median over runs.
        peak_memory_bytes: The runner's own VmHWM, median over runs.
    """

    measurement: Measurement
    model: TFLiteModel | None
    accuracy: Accuracy | None
    runs: tuple[Run, ...]
    latency_us: float | None
    latency_low_us: float | None
    latency_high_us: float | None
    latency_level: float | None
    init_us: float | None
    init_cold_us: float | None
    init_warm_us: float | None
    first_us: float | None
    peak_memory_bytes: float | None

    @property
    def top1(self) -> Share | None:
        """Right first answers among labelled images."""
        labelled = len(self.accuracy.labelled) if self.accuracy else 0
        return _share(self.accuracy.top1_hits, labelled) if self.accuracy and labelled else None

    @property
    def top5(self) -> Share | None:
        """Right answers among the first five."""
        labelled = len(self.accuracy.labelled) if self.accuracy else 0
        return _share(self.accuracy.top5_hits, labelled) if self.accuracy and labelled else None

    @property
    def agreement(self) -> Share | None:
        """First answers that are the float model's."""
        agreements = self.accuracy.agreements if self.accuracy else None
        if self.accuracy is None or agreements is None:
            return None
        return _share(agreements, len(self.accuracy.answers))

    @property
    def headline(self) -> str:
        """Which statistic `latency_us` is."""
        means = any(run.statistic == "mean" for run in self.runs)
        return HEADLINE_OF_MEANS if means else HEADLINE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that makes a number of this row doubtful, in sentences."""
        measurement = self.measurement
        found = list(measurement.validity.reasons)
        if not found and measurement.validity.status is not Validity.VALID:
            found.append("no reason was recorded")
        check = measurement.output_check
        if check is None and UNCHECKED_OUTPUTS not in found:
            found.append("its outputs were not checked where it was measured")
        elif check is not None and not check.passed:
            found.append(f"its outputs are wrong where it was measured: {check.detail}")
        if measurement.config.delegate == "xnnpack":  # of others the validity says it
            found.extend(_left_behind(self.runs))
        failed = len(measurement.runs) - len(self.runs)
        if failed:
            found.append(f"{failed} of {len(measurement.runs)} starts failed and do not count")
        if self.accuracy and self.accuracy.broken:
            broken = self.accuracy.broken
            found.append(f"{len(broken)} image(s) could not be read, first {broken[0]}")
        return tuple(found)


def _left_behind(runs: Sequence[Run]) -> Iterator[str]:
    """Operators that the delegate did not take; where it took none, the validity says so."""
    actual = runs[0].actual if runs else None
    if actual is None or not actual.nodes_delegated or actual.nodes_total is None:
        return
    left = actual.nodes_total - actual.nodes_delegated
    if left:
        yield (
            f"{left} of {actual.nodes_total} operators ran outside {actual.delegate}, which took"
            f" the others in {actual.partitions} partitions"
        )


def headline(rows: Iterable[Row]) -> str:
    """The statistic of a table's latencies, in words."""
    kinds = {row.headline for row in rows} or {HEADLINE}
    if len(kinds) == 1:
        return kinds.pop()
    return f"{HEADLINE} (of the run means where a runner printed no medians)"


def rows(results: Results) -> tuple[Row, ...]:
    """One row a measurement: by model, device, delegate and threads, then the slowest first."""
    return tuple(sorted((_row(m, results) for m in results.measurements), key=_order))


def _order(row: Row) -> tuple[str | int | float, ...]:
    m = row.measurement
    latency = row.latency_us or 0.0
    return (m.model.name, m.device.label, m.config.delegate, m.config.num_threads, -latency, m.cell)


def _row(measurement: Measurement, results: Results) -> Row:
    runs = tuple(run for run in measurement.runs if run.error is None)
    medians = [run.typical_us for run in runs]
    interval = median_interval(medians)
    sha256 = measurement.model.sha256
    return Row(
        measurement=measurement,
        model=results.models.get(sha256),
        accuracy=results.accuracies.get(sha256),
        runs=runs,
        latency_us=statistics.median(medians) if medians else None,
        latency_low_us=interval.low if interval else None,
        latency_high_us=interval.high if interval else None,
        latency_level=interval.level if interval else None,
        init_us=_median(_filled(runs), lambda run: run.init_us),
        init_cold_us=_init_us(runs, "cold"),
        init_warm_us=_init_us(runs, "warm"),
        first_us=_median(runs, lambda run: run.first_us),
        peak_memory_bytes=_median(runs, lambda run: run.memory.vm_hwm_bytes),
    )


def _filled(runs: Sequence[Run]) -> Sequence[Run]:
    """Starts that found the delegate's cache filled, or all where none did."""
    return [run for run in runs if run.cache == "warm"] or runs


def _init_us(runs: Iterable[Run], cache: str) -> float | None:
    return _median((run for run in runs if run.cache == cache), lambda run: run.init_us)


def _median(runs: Iterable[Run], read: Callable[[Run], float | None]) -> float | None:
    values = [value for run in runs if (value := read(run)) is not None]
    return statistics.median(values) if values else None


def _share(hits: int, total: int) -> Share:
    low, high = share_interval(hits, total)
    return Share(hits=hits, total=total, low=low, high=high)
