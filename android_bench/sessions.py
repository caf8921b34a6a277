"""Which starts belong together: sessions, blocks, and what a killed session left.

A session is one set of cells, measured together; its order seed is drawn anew for each, so two
sessions never have the same one, not even of the same cells. A block is one pass in which every
cell was started once, in an order drawn from the order seed and the block's number.

- A block counts if every cell has a start in it that went well: its own, or the one that was made
  again at the block's end after its own had failed, which is marked. One that was interrupted by a
  kill never counts and is never completed later: what comes next gets a number that no line of the
  session has. So all starts of a block that counts are of one pass of one process.
- A cell that was given up leaves the blocks of the others as they are. When all are measured again,
  the blocks that all of them have count, and new ones are made of all of them.
- A killed session is continued by the same set of cells. Another set, one file more or less, is
  another session and measures all of its cells: starts of two sessions are never pairs.
- Sealed measurements are reused if they are of one session and have the same blocks; a part of a
  set that was measured together is therefore reused too.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence

from android_bench.results import RecordedRun, Session
from mobilekit.core.digest import digest
from mobilekit.core.measurement import Measurement, Run

SEED_DIGITS = 12  # hex: 48 bits, which every JSON reader keeps exactly

Lines = Mapping[str, Sequence[RecordedRun]]  # a cell's lines, by cell


def set_digest(cells: Collection[str]) -> str:
    """Names a set of cells, whatever their order: 16 hex digits."""
    return digest(sorted(cells))[:16]


def new_session(seed: int, cells: Collection[str]) -> Session:
    """Opens a session; `seed` is mixed in, but the same seed opens another session every time."""
    drawn = digest([seed, sorted(cells), secrets.token_hex(16)])[:SEED_DIGITS]
    return Session(order_seed=int(drawn, 16), jobs=set_digest(cells))


def find_session(lines: Lines) -> Session | None:
    """The session of exactly these cells that was measured last; None if there is none."""
    jobs = set_digest(lines)
    own = [line for line in _flat(lines) if line.session.jobs == jobs]
    last = max(own, key=lambda line: line.run.started or "", default=None)
    return last.session if last else None


def complete_blocks(lines: Lines, session: Session) -> tuple[int, ...]:
    """The numbers of the blocks that count, ascending."""
    blocks = [set(_good_runs(cell_lines, session)) for cell_lines in lines.values()]
    return tuple(sorted(set.intersection(*blocks))) if blocks else ()


def next_block(lines: Iterable[RecordedRun], session: Session) -> int:
    """A number that no line of the session has."""
    used = (line.run.block for line in lines if line.session == session)
    return 1 + max((block for block in used if block is not None), default=-1)


def runs_of(
    lines: Sequence[RecordedRun], session: Session, blocks: Sequence[int]
) -> tuple[Run, ...]:
    """One cell's runs of these blocks, in their order."""
    good = _good_runs(lines, session)
    return tuple(good[block] for block in blocks)


def failures_of(lines: Sequence[RecordedRun], session: Session) -> tuple[str, ...]:
    """What went wrong in one cell's starts of a session."""
    runs = (line.run for line in lines if line.session == session)
    return tuple(run.error for run in runs if run.error is not None)


def shuffled(cells: Iterable[str], session: Session, block: int) -> list[str]:
    """The cells in the order of one block: it can be drawn again from what is recorded."""
    order = sorted(cells)
    random.Random(f"{session.order_seed}/{block}").shuffle(order)
    return order


def measured_together(measurements: Sequence[Measurement]) -> bool:
    """Whether sealed measurements are of one session, with the same blocks and right outputs."""
    seeds = {measurement.config.order_seed for measurement in measurements}
    blocks = {tuple(run.block for run in measurement.runs) for measurement in measurements}
    checked = all(m.output_check is not None and m.output_check.passed for m in measurements)
    return len(seeds) == 1 and len(blocks) == 1 and checked


def _good_runs(lines: Sequence[RecordedRun], session: Session) -> dict[int, Run]:
    return {
        line.run.block: line.run
        for line in lines
        if line.session == session and line.run.error is None and line.run.block is not None
    }


def _flat(lines: Lines) -> list[RecordedRun]:
    return [line for cell_lines in lines.values() for line in cell_lines]
