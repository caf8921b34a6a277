"""Which starts of two measurements are pairs: the same block of the same session.

Within a block every file and setting is started once, in random order. Two starts of one block
therefore see the same slow drift of the device, and which of them comes first is a coin toss; that
toss alone is what the comparison's guarantee rests on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mobilekit.core.errors import IncomparableError
from mobilekit.core.measurement import Measurement, Run
from mobilekit.formatting import plural, printable

TOGETHER = "measure them together in one command (`mobilekit benchmark` takes several files)"


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The starts that can be compared.

    Attributes:
        blocks: Numbers of the paired blocks, ascending.
        baseline: One start a block, in the order of `blocks`.
        candidate: Likewise.
        warnings: What was left out, in sentences.
    """

    blocks: tuple[int, ...]
    baseline: tuple[Run, ...]
    candidate: tuple[Run, ...]
    warnings: tuple[str, ...]


def pair_blocks(baseline: Measurement, candidate: Measurement) -> Pairs:
    """Pairs the starts of two measurements of one session by block.

    A block is left out, with a warning, if one side has no start in it that went well, or if its
    two starts were not side by side: a start of another block lies between them, or both claim
    the same place (a command that was killed and continued).

    Raises:
        IncomparableError: If the two were measured in different sessions, or a side has two
            starts in one block.
    """
    seeds = (baseline.config.order_seed, candidate.config.order_seed)
    if seeds[0] != seeds[1]:
        raise _different_sessions(baseline, candidate, f"order seeds {seeds[0]} and {seeds[1]}")
    ours, theirs = _by_block(baseline), _by_block(candidate)
    shared = sorted(ours.keys() & theirs.keys())
    apart = _apart(shared, ours, theirs)
    blocks = [block for block in shared if block not in apart]
    if apart and len(apart) >= len(blocks):
        reason = f"{len(apart)} of {plural(len(shared), 'block')} were not side by side"
        raise _different_sessions(baseline, candidate, reason)
    lonely = len(ours.keys() ^ theirs.keys())
    return Pairs(
        blocks=tuple(blocks),
        baseline=tuple(ours[block] for block in blocks),
        candidate=tuple(theirs[block] for block in blocks),
        warnings=_warnings(lonely, len(apart), [*ours.values(), *theirs.values()]),
    )


def log_ratios(pairs: Pairs) -> list[float]:
    """Of each block, the logarithm of the candidate's run median over the baseline's."""
    return [
        math.log(theirs.typical_us) - math.log(ours.typical_us)
        for ours, theirs in zip(pairs.baseline, pairs.candidate, strict=True)
    ]


def _different_sessions(
    baseline: Measurement, candidate: Measurement, reason: str
) -> IncomparableError:
    return IncomparableError(
        f"{printable(candidate.model.title)} and {printable(baseline.model.title)} were measured in"
        f" different sessions ({reason}), so a slow change of the device between the sessions"
        f" would count as a difference of the files: {TOGETHER}."
    )


def _by_block(measurement: Measurement) -> dict[int, Run]:
    runs = [run for run in measurement.runs if run.error is None and run.block is not None]
    counts = Counter(run.block for run in runs)
    twice = [block for block, count in counts.items() if count > 1]
    if twice:
        raise IncomparableError(
            f"Measurement {printable(measurement.cell)} has more than one start in block"
            f" {twice[0]}, so it is not known which one belongs to the pair: measure it again."
        )
    return {run.block: run for run in runs if run.block is not None}


def _apart(shared: Sequence[int], ours: Mapping[int, Run], theirs: Mapping[int, Run]) -> set[int]:
    """The shared blocks whose two starts were not side by side."""
    clock = [
        (time, run.block)
        for run in (*ours.values(), *theirs.values())
        if (time := _time(run)) is not None
    ]
    apart = set()
    for block in shared:
        if ours[block].order is not None and ours[block].order == theirs[block].order:
            apart.add(block)
        own = [time for time, other in clock if other == block]
        if len(own) == 2 and any(
            min(own) < time < max(own) for time, other in clock if other != block
        ):
            apart.add(block)
    return apart


def _time(run: Run) -> datetime | None:
    if run.started is None:
        return None
    try:
        time = datetime.fromisoformat(run.started)
    except ValueError as error:
        raise IncomparableError(
            f"The start time {printable(run.started[:40])!r} of block {run.block} is not a UTC"
            " time, so it is not known which blocks are pairs: measure again."
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _warnings(lonely: int, apart: int, runs: Sequence[Run]) -> tuple[str, ...]:
    warnings = []
    if lonely:
        warnings.append(f"{plural(lonely, 'start')} without a partner in the same block left out")
    if apart:
        warnings.append(f"{plural(apart, 'block')} left out: the two starts were not side by side")
    retried = sum(run.retried for run in runs)
    if retried:
        were = "was" if retried == 1 else "were"
        warnings.append(
            f"{plural(retried, 'start')} {were} made again after a failure, at the end of the block"
            " instead of where the draw had put it"
        )
    if any(run.started is None for run in runs):
        warnings.append(
            "some starts carry no time: that blocks are pairs rests on the order seed alone"
        )
    return tuple(warnings)
