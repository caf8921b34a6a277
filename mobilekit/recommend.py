"""Which of several settings a file should run with: chosen, then measured again before it is named.

The lowest of many medians is low partly by luck (the winner's curse), so the sweep's own figures
are never reported for the winner: `choose` picks it, and `mobilekit.recommendation` names it only
if a session of its own agrees, in which it ran beside what it must beat.

Only valid measurements take part: right outputs, a delegate that took nodes, no reason for doubt.
Settings that are not shown slower than the fastest are its equals, and the cheapest of them wins:
the one with the fewest threads, since threads cost energy and other work.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilekit.core.errors import IncomparableError
from mobilekit.core.measurement import Actual, Measurement, Validity
from mobilekit.formatting import plural, printable, speed
from mobilekit.identity import traits
from mobilekit.intervals import MedianInterval, median_interval
from mobilekit.pairing import log_ratios, pair_blocks

# What a sweep varies, as fields of `mobilekit.identity.IDENTITY`.
SETTINGS = ("delegate", "num_threads", "affinity")


class Standing(enum.StrEnum):
    """What became of a setting."""

    CHOSEN = "chosen"
    EQUIVALENT = "equivalent"
    SLOWER = "slower"
    UNUSABLE = "unusable"


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A setting of the sweep, and what became of it.

    Attributes:
        measurement: Its sweep measurement.
        name: What tells it from the others, e.g. "xnnpack, 4 threads".
        standing: What became of it.
        why: In words, e.g. "1.31x slower [1.27, 1.35]".
    """

    measurement: Measurement
    name: str
    standing: Standing
    why: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a sweep says of one file on one device.

    Attributes:
        ranked: Every setting, in the order of the sweep.
    """

    ranked: tuple[Ranked, ...]

    @property
    def chosen(self) -> Ranked | None:
        """The setting to be measured again; None where no measurement could be used."""
        return next((row for row in self.ranked if row.standing is Standing.CHOSEN), None)

    @property
    def again(self) -> tuple[Ranked, ...]:
        """The chosen one, then what it is measured beside, as far as that could be used.

        These are the first setting of the sweep and the fastest of the others.
        """
        if self.chosen is None:
            return ()
        usable = [row for row in self.ranked if row.standing is not Standing.UNUSABLE]
        others = [row for row in usable if row is not self.chosen]
        rivals = [row for row in others if row is usable[0]]
        runner_up = min(others, key=lambda row: row.measurement.median_us, default=None)
        if runner_up is not None and not any(row is runner_up for row in rivals):
            rivals.append(runner_up)
        return (self.chosen, *rivals)


def choose(sweep: Sequence[Measurement]) -> Choice:
    """Picks the setting to be measured again.

    Args:
        sweep: One file on one device under several settings, of one session; at least one.

    Raises:
        IncomparableError: If they are not of one session, or starts of one disagree.
    """
    names = _names(sweep)
    refused = {m.cell: why for m in sweep if (why := unusable(m))}
    usable = [m for m in sweep if m.cell not in refused]
    if not usable:
        rows = (_row(m, names, Standing.UNUSABLE, refused[m.cell]) for m in sweep)
        return Choice(ranked=tuple(rows))
    best = min(usable, key=lambda m: m.median_us)
    ratios = {m.cell: latency_ratio(best, m) for m in usable if m is not best}
    equal = [best, *(m for m in usable if m is not best and ratios[m.cell].low <= 1)]
    chosen = min(equal, key=lambda m: (m.config.num_threads, m.median_us))
    ranked = []
    for m in sweep:
        if m.cell in refused:
            ranked.append(_row(m, names, Standing.UNUSABLE, refused[m.cell]))
        elif m is chosen:
            ranked.append(_row(m, names, Standing.CHOSEN, _preferred(chosen, equal, names)))
        else:
            standing = Standing.EQUIVALENT if m in equal else Standing.SLOWER
            ranked.append(_row(m, names, standing, _lost(m, best, ratios.get(m.cell), names)))
    return Choice(ranked=tuple(ranked))


def _row(m: Measurement, names: Mapping[str, str], standing: Standing, why: str) -> Ranked:
    return Ranked(measurement=m, name=names[m.cell], standing=standing, why=why)


def _names(sweep: Sequence[Measurement]) -> dict[str, str]:
    """What tells the settings apart, by cell; of a single one, its delegate and threads."""
    found = {m.cell: traits(m) for m in sweep}
    varied = [
        name for name in SETTINGS if len({traits_[name].key for traits_ in found.values()}) > 1
    ] or list(SETTINGS[:2])
    return {
        cell: ", ".join(traits_[name].shown for name in varied) for cell, traits_ in found.items()
    }


def unusable(measurement: Measurement) -> str:
    """Why a measurement takes no part; empty where it does."""
    validity, check = measurement.validity, measurement.output_check
    reasons = printable("; ".join(validity.reasons)) or "no reason was recorded"
    if validity.status is not Validity.VALID:
        return f"{validity.status}: {reasons}"
    if check is None or not check.passed:
        return "unusable: its outputs were not found right"
    if all(run.actual.nodes_delegated == 0 for run in measurement.runs):
        return "unusable: the delegate took no node, so the CPU's built-in kernels ran"
    return ""


def latency_ratio(baseline: Measurement, candidate: Measurement) -> MedianInterval:
    """Candidate's latency over baseline's, whatever differs in their settings."""
    interval = median_interval(log_ratios(pair_blocks(baseline, candidate)))
    if interval is None:
        raise IncomparableError(
            f"{printable(baseline.model.name)} has too few paired blocks to choose between"
            " settings; measure with more --repetitions."
        )
    return MedianInterval(
        median=math.exp(interval.median),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
        level=interval.level,
    )


def _preferred(chosen: Measurement, equal: Sequence[Measurement], names: Mapping[str, str]) -> str:
    """What to know of the choice; empty where it was simply the fastest."""
    others = [names[m.cell] for m in equal if m is not chosen]
    if not others:
        return ""
    reason = ""
    if any(m.config.num_threads > chosen.config.num_threads for m in equal):
        reason = "; of these it needs the fewest threads"
    return f"As far as the sweep could show, {' and '.join(others)} would do as well{reason}"


def _lost(
    m: Measurement, best: Measurement, ratio: MedianInterval | None, names: Mapping[str, str]
) -> str:
    if ratio is None:  # the fastest itself, and a cheaper one was not shown slower
        return "the fastest of the sweep, but not shown faster than what needs fewer threads"
    shown = speed(ratio.median, ratio.low, ratio.high)
    words = [f"{shown} than {names[best.cell]}"]
    if ratio.low <= 1:
        words = [f"not shown slower than {names[best.cell]} ({shown})"]
    partial = _partial(m.runs[0].actual)
    return "; ".join([*words, *([partial] if partial else [])])


def _partial(actual: Actual) -> str:
    """E.g. "3 partitions, 14 nodes on CPU"; empty where the delegate took all, or does not say."""
    if actual.nodes_total is None or not actual.nodes_delegated or actual.partitions is None:
        return ""
    left = actual.nodes_total - actual.nodes_delegated
    if not left:
        return ""
    return f"{plural(actual.partitions, 'partition')}, {plural(left, 'node')} on CPU"
