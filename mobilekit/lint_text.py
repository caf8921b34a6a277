"""Lint reports in words: sentences and tables."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.delegates.report import LintedOp, LintReport, Mend, Partition
from converters.delegates.verdict import Verdict
from mobilekit.core.target import Target
from mobilekit.formatting import MISSING, plural, printable

SHOWN = 12  # rows of a table; --json lists all
SHOWN_LETTERS = 28  # of a layer's name


@dataclass(frozen=True, kw_only=True)
class Table:
    """A titled table.

    Attributes:
        title: One line.
        headers: Of the columns.
        rows: As many cells each.
        rest: What was left out, in a sentence; "" where nothing was.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rest: str = ""


def target_name(report: LintReport) -> str:
    """E.g. "nnapi@30"."""
    return str(Target(delegate=report.target.delegate, variant=report.target.variant))


def rules_words(report: LintReport) -> str:
    """By whose word: e.g. "by the rules of google-ai-edge/LiteRT 1a2b3c, 2026-08-21; not run"."""
    if report.rules is None:
        return "no rules of it are here; not run"
    return f"by the rules of {report.rules.source}, {report.rules.date}{_level(report)}; not run"


def _level(report: LintReport) -> str:
    """The level where the target's name does not tell it, e.g. ", for ai-edge-litert-2.3.0"."""
    level, variant = report.target.level, report.target.variant
    return f", for {level}" if level is not None and variant is None else ""


def headline(path: Path, report: LintReport) -> list[str]:
    """What the answer is, in a few lines."""
    summary = report.summary
    head = f"{path}, {target_name(report)}: {rules_words(report)}"
    if report.rules is None:
        return [head, f"{plural(summary.ops, 'operator')}: only the delegate itself can tell."]
    lines = [
        head,
        f"{summary.delegated} of {plural(summary.ops, 'operator')} on the delegate"
        f"{_share(summary.macs_share)}, in {plural(summary.partitions or 0, 'partition')}"
        f"{_dropped(report)}; {summary.boundary_bytes:,} bytes cross the boundary.",
    ]
    if summary.maybe:
        lines.append(
            f"Of {plural(summary.maybe, 'operator')} the rules cannot tell, which count as taken: "
            + "; ".join(_doubts(report))
            + "."
        )
    if report.stranded:
        lines.append(
            f"{plural(len(report.stranded), 'operator')} that it would take stay outside, because"
            " it does not keep their partitions."
        )
    if summary.fails:
        lines.append("The delegate would claim what it cannot build, and then fail as a whole.")
    return lines


def _share(share: float | None) -> str:
    return "" if share is None else f" ({percent_of(share)} of the MACs)"


def percent_of(share: float | None) -> str:
    """E.g. "99.7 %"; 100 and 0 only where it is all or nothing."""
    if share is None:
        return MISSING
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99.9, max(0.1, share * 100)):.1f} %"


def _dropped(report: LintReport) -> str:
    summary = report.summary
    if summary.kept == summary.partitions:
        return ""
    return f", of which {summary.kept} kept"


def _doubts(report: LintReport) -> Iterator[str]:
    counts = collections.Counter(op.because for op in report.ops if op.verdict is Verdict.MAYBE)
    for because, count in counts.most_common(3):
        yield because if count == report.summary.maybe else f"{because} ({count})"
    if len(counts) > 3:
        yield "and other reasons"


def tables(report: LintReport) -> Iterator[Table]:
    """What stays outside, what helps, and the partitions, as far as there is any."""
    refused = _grouped(report.refused)
    if refused:
        yield _table("Outside, and why", ("ops", "op", "layer", "why"), refused)
    if report.mends:
        rows = [_mend_row(mend) for mend in report.mends]
        yield _table(
            "What helps most", ("partitions", "MACs", "bytes", "if these were taken"), rows
        )
    if report.summary.partitions:
        parts = [_partition_row(partition) for partition in report.partitions]
        headers = ("from-to", "ops", "MACs", "tensors", "bytes across")
        yield _table("Partitions, in order of execution", headers, parts)


def _table(title: str, headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    more = len(rows) - SHOWN
    rest = f"and {more} more; --json lists all" if more > 0 else ""
    return Table(title=title, headers=headers, rows=tuple(rows[:SHOWN]), rest=rest)


def _grouped(ops: Sequence[LintedOp]) -> list[tuple[str, ...]]:
    """Operators of one kind and reason in one row, the most multiply-accumulates first."""
    groups: dict[tuple[str, str], list[LintedOp]] = {}
    for op in ops:
        groups.setdefault((op.op, op.because), []).append(op)
    ranked = sorted(groups.values(), key=lambda some: (-sum(op.macs for op in some), -len(some)))
    return [(str(len(some)), some[0].op, _layers(some), some[0].because) for some in ranked]


def _layers(ops: Sequence[LintedOp]) -> str:
    names = list(dict.fromkeys(op.layer for op in ops if op.layer))
    if not names:
        return f"operator {ops[0].index}"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    room = SHOWN_LETTERS - len(more)
    first = printable(names[0])
    return (first if len(first) <= room else f"{first[: room - 1]}…") + more


def _mend_row(mend: Mend) -> tuple[str, ...]:
    return (
        str(mend.partitions),
        percent_of(mend.macs_share),
        f"{mend.boundary_bytes:,}",
        f"{len(mend.ops)} {mend.op}: {mend.because}",
    )


def _partition_row(partition: Partition) -> tuple[str, ...]:
    place = f"{partition.first}-{partition.last}"
    if partition.subgraph:
        place = f"subgraph {partition.subgraph}: {place}"
    left = "" if partition.kept else ", not kept"
    return (
        place,
        str(partition.ops),
        f"{partition.macs:,}",
        str(partition.boundary_tensors),
        f"{partition.boundary_bytes:,}{left}",
    )


def matrix(reports: Sequence[LintReport]) -> Table:
    """One row a target; variants that answer alike share one."""
    rows: list[list[str]] = []
    for report in reports:
        cells = _matrix_cells(report)
        previous = rows[-1] if rows else None
        same = previous is not None and previous[1:] == cells
        if same and previous is not None and previous[0].startswith(report.target.delegate + "@"):
            previous[0] = _joined(previous[0], report.target.variant)
        else:
            rows.append([target_name(report), *cells])
    headers = ("target", "yes", "maybe", "parts", "MACs", "the heaviest outside")
    return Table(title="", headers=headers, rows=tuple(map(tuple, rows)))


def _matrix_cells(report: LintReport) -> list[str]:
    counts = collections.Counter(op.verdict for op in report.ops)
    summary = report.summary
    parts = MISSING if summary.partitions is None else str(summary.partitions)
    if summary.partitions != summary.kept:
        parts = f"{summary.kept} of {parts}"
    groups = _grouped(report.refused)
    first = f"{groups[0][1]}: {groups[0][3]}" if groups else ""
    if summary.fails:
        first = "fails as a whole. " + first
    return [
        *(str(counts[verdict]) for verdict in (Verdict.YES, Verdict.MAYBE)),
        parts,
        percent_of(summary.macs_share),
        first,
    ]


def _joined(name: str, variant: str | None) -> str:
    """Variants in one name, e.g. "nnapi@27…28"."""
    return f"{name.partition('…')[0]}…{variant}"


def notes(reports: Sequence[LintReport]) -> list[str]:
    """What has to be said of the delegates, each sentence once."""
    found = dict.fromkeys(note for report in reports for note in report.notes)
    return [*found, *_sources(reports)] if len(reports) > 1 else list(found)


def _sources(reports: Sequence[LintReport]) -> Iterator[str]:
    """By whose word each delegate is judged, those of one source together."""
    delegates: dict[str, dict[str, None]] = {}
    for report in reports:
        delegates.setdefault(rules_words(report), {})[report.target.delegate] = None
    for words, names in delegates.items():
        yield f"{', '.join(names)}: {words}."
