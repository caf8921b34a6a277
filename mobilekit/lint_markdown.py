"""Lint reports as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from converters.delegates.report import LintReport
from mobilekit.lint_text import Table, headline, matrix, notes, tables


def markdown(path: Path, reports: Sequence[LintReport]) -> Iterator[str]:
    """Reports of one file, line by line."""
    yield f"# Lint of {_escaped(str(path))}"
    yield ""
    if len(reports) == 1:
        (report,) = reports
        for line in headline(path, report):
            yield _escaped(line)
            yield ""
        for table in tables(report):
            yield from _markdown_table(table)
    else:
        yield from _markdown_table(matrix(reports))
    for note in notes(reports):
        yield f"- {_escaped(note)}"


def _markdown_table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"## {table.title}"
        yield ""
    yield "| " + " | ".join(table.headers) + " |"
    yield "|" + "---|" * len(table.headers)
    for row in table.rows:
        yield "| " + " | ".join(map(_escaped, row)) + " |"
    yield ""
    if table.rest:
        yield table.rest
        yield ""


def _escaped(text: str) -> str:
    """Names come out of a file: none may end a cell or begin a tag."""
    for letter in "\\|<>`*_[]":
        text = text.replace(letter, f"\\{letter}")
    return text
