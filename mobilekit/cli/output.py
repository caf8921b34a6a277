"""Where results go: tables and JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

from mobilekit.core.records import to_json


def print_json(value: object) -> None:
    """Prints one JSON document with sorted keys."""
    print(json.dumps(to_json(value), indent=1, sort_keys=True, ensure_ascii=False))


def print_plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints aligned columns without importing rich; the last one is wrapped to the terminal."""
    table = [list(headers), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headers) - 1)]
    indent = sum(widths) + 2 * len(widths)
    room = max(24, shutil.get_terminal_size().columns - indent)
    for row in table:
        lead = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        lines = textwrap.wrap(row[-1], room) or [""]
        print(f"{lead}{lines[0]}".rstrip())
        for line in lines[1:]:
            print(" " * indent + line)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table as rich draws it; numbers belong to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from mobilekit.formatting import MISSING

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, header in enumerate(headers):
        numeric = all(
            row[column].lstrip("-")[:1].isdigit() or row[column] == MISSING for row in rows
        )
        table.add_column(header, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_literal, row))

    class Terminal(Console):
        def on_broken_pipe(self) -> None:  # rich's own leaves with 1, which means a finding
            raise BrokenPipeError

    Terminal(file=sys.stdout, highlight=False).print(table)


def print_notes(notes: Iterable[str]) -> None:
    """Prints sentences as a list, wrapped to the terminal."""
    width = max(40, shutil.get_terminal_size().columns)
    for note in notes:
        print(textwrap.fill(note, width, initial_indent="- ", subsequent_indent="  "))


def _literal(text: str) -> str:
    from rich.markup import escape

    return escape(text)
