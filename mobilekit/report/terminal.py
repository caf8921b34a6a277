"""The report's tables for a terminal of 80 columns: what was measured, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilekit.report.display import COLUMNS, DisplayColumn, common, heading, label
from mobilekit.report.rows import Row

# Room for the table, and what a column costs beside its text.
WIDTH = 80
GAP = 3
NAMES = ("Model", "Recipe", "Device", "Delegate", "Threads", "Setting", "Runner")
SPEED = (*NAMES, "Latency, ms", "Init, ms", "First, ms", "Peak memory, MB", "Validity")
ANSWERS = ("Model", "Recipe", "Size, MB", "Top-1", "Top-5", "Agreement", "SNR, dB")
# Dropped in this order until the table fits: the page has them all.
DISPENSABLE = ("Init, ms", "First, ms", "Peak memory, MB")


@dataclass(frozen=True, kw_only=True)
class TerminalTable:
    """A table whose cells are plain text without control characters.

    Attributes:
        title: What all rows share, e.g. "mobilenet_v2_1.0_224, desk, xnnpack".
        headers: Above the columns.
        rows: Cells, as many a row as there are headers.
        notes: Every reason to doubt a row, in sentences.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def terminal_table(rows: Sequence[Row]) -> TerminalTable:
    """How fast the files are, in at most 80 columns, as far as their names allow."""
    shared = common(rows)
    # Columns that would be the same everywhere carry nothing.
    columns = [c for c in COLUMNS if c.title in SPEED and c.title not in shared]
    for title in DISPENSABLE:
        if _width(columns, rows) <= WIDTH:
            break
        columns = [column for column in columns if column.title != title]
    return _table(
        heading(shared),
        columns,
        rows,
        notes=tuple(f"{label(row, list(shared))}: {r}" for row in rows for r in row.reasons),
    )


def answers_table(rows: Sequence[Row]) -> TerminalTable:
    """What the files answered, one row a file; empty where nothing was evaluated."""
    files = {row.measurement.model.sha256: row for row in rows if row.accuracy}
    shared = common(rows)
    columns = [c for c in COLUMNS if c.title in ANSWERS and c.title not in shared]
    return _table("The same files on images", columns, list(files.values()), notes=())


def _table(
    title: str, columns: Sequence[DisplayColumn], rows: Sequence[Row], *, notes: tuple[str, ...]
) -> TerminalTable:
    return TerminalTable(
        title=title,
        headers=tuple(column.short for column in columns),
        rows=tuple(tuple(_cell(column, row) for column in columns) for row in rows),
        notes=notes,
    )


def _cell(column: DisplayColumn, row: Row) -> str:
    shown, detail = column.show(row), column.detail(row)
    return f"{shown} {detail}".rstrip() if column.whole else shown


def _width(columns: Sequence[DisplayColumn], rows: Sequence[Row]) -> int:
    widths = [max(len(c.short), *(len(_cell(c, row)) for row in rows)) for c in columns]
    return sum(widths) + GAP * len(widths)
