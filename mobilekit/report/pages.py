"""The four files of a report, written from rows and comparisons."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mobilekit import __version__
from mobilekit.compare import Comparison
from mobilekit.core.errors import StorageError, UsageError
from mobilekit.core.records import to_json
from mobilekit.core.storage import write_text
from mobilekit.formatting import MISSING, printable
from mobilekit.intervals import ALPHA, LEVEL_TEXT
from mobilekit.report.caveats import (
    about_caches,
    about_devices,
    about_images,
    about_outputs,
    about_validation,
)
from mobilekit.report.columns import raw_values
from mobilekit.report.display import COLUMNS, common, heading
from mobilekit.report.provenance import files, sessions
from mobilekit.report.results import read_results
from mobilekit.report.rows import Row, headline, rows
from mobilekit.report.verdicts import Refused, comparisons

SCHEMA = 1
DEFAULT_BASELINE: Mapping[str, str] = {"recipe": "float32"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was written, and what it says.

    Attributes:
        folder: Where it is; the four files lie in it.
        html: One self-contained page.
        markdown: The same without plots.
        csv: One row a measurement.
        json: Rows and comparisons with raw numbers.
        rows: One a measurement.
        comparisons: Every measurement against its baseline.
        notes: What the numbers can and cannot show, in sentences.
    """

    folder: Path
    html: Path
    markdown: Path
    csv: Path
    json: Path
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison | Refused, ...]
    notes: tuple[str, ...]

    @property
    def model_names(self) -> frozenset[str]:
        """Names of the models that were measured."""
        return frozenset(row.measurement.model.name for row in self.rows)


def write_report(
    results: Path,
    out: Path,
    *,
    baseline: Mapping[str, str] = DEFAULT_BASELINE,
    cells: Collection[str] | None = None,
    evaluations: Collection[str] | None = None,
) -> Report:
    """Reads a folder of results and writes `report.html`, `.md`, `.csv` and `.json` into `out`.

    Files of an earlier report are replaced, each as a whole; everything is computed before the
    first one is touched. Equal results give equal bytes.

    Args:
        results: As `mobilekit.report.results` reads it.
        out: A folder, made if it does not exist; not `results` itself.
        baseline: Which measurements the others are compared with.
        cells: Names of the measurements that it is about; None takes all.
        evaluations: Names of the accuracies that it is about; None takes all.

    Raises:
        UsageError: If there is no measurement, or `out` is `results`.
        StorageError: If something cannot be read or believed, or `out` cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise StorageError(str(out), "is a file; a report needs a folder, so name another one")
    if out.resolve() == results.resolve():
        raise UsageError(f"{out} holds the results; write the report into another folder.")
    found = read_results(results, cells=cells, evaluations=evaluations)
    table = rows(found)
    compared = tuple(comparisons([row.measurement for row in table], baseline))
    report = Report(
        folder=out,
        html=out / "report.html",
        markdown=out / "report.md",
        csv=out / "report.csv",
        json=out / "report.json",
        rows=table,
        comparisons=compared,
        notes=(
            *found.notes,
            *about_outputs(table),
            *about_caches(table),
            *about_images(table),
            *about_devices(row.measurement.device for row in table),
            *about_validation(row.measurement for row in table),
        ),
    )
    texts = {
        report.html: _html(report, baseline),
        report.markdown: _markdown(report, baseline),
        report.csv: _csv(table),
        report.json: _json(report, baseline),
    }
    for path, text in texts.items():
        write_text(path, text)
    return report


def _html(report: Report, baseline: Mapping[str, str]) -> str:
    # Importing matplotlib takes 0.7 s, and many commands only read results.
    from mobilekit.report.plots import accuracy_against_latency, latency_strips

    accuracy, strips = accuracy_against_latency(report.rows), latency_strips(report.rows)
    return (
        _environment(autoescape=True)
        .get_template("report.html.j2")
        .render(
            # The SVG is ours: its text was escaped by the serializer that wrote it.
            accuracy_plot=Markup(accuracy) if accuracy else None,
            latency_plot=Markup(strips) if strips else None,
            **_context(report, baseline),
        )
    )


def _markdown(report: Report, baseline: Mapping[str, str]) -> str:
    environment = _environment(autoescape=False, finalize=_markdown_text)
    return environment.get_template("report.md.j2").render(**_context(report, baseline))


def _environment(
    *, autoescape: bool, finalize: Callable[[object], object] | None = None
) -> Environment:
    return Environment(
        loader=PackageLoader("mobilekit"),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _context(report: Report, baseline: Mapping[str, str]) -> dict[str, object]:
    shared = common(report.rows)
    usual = {title for title, value in shared.items() if value == MISSING}
    return {
        "rows": report.rows,
        "columns": [column for column in COLUMNS if column.title not in usual],
        "common": shared,
        "heading": heading(shared),
        "comparisons": [c for c in report.comparisons if isinstance(c, Comparison)],
        "refused": [printable(c.reason) for c in report.comparisons if isinstance(c, Refused)],
        "baseline": printable(" and ".join(f"{k} {v}" for k, v in baseline.items())),
        "notes": report.notes,
        "sessions": sessions(report.rows),
        "files": files(report.rows),
        "headline": headline(report.rows),
        "level": LEVEL_TEXT,
        "version": __version__,
        "printable": printable,
        "missing": MISSING,
    }


def _markdown_text(value: object) -> object:
    """Keeps what comes out of files from being read as Markdown or HTML."""
    return re.sub(r"([\\`*\[\]<>|&~])", r"\\\1", value) if isinstance(value, str) else value


def _csv(table: Sequence[Row]) -> str:
    text = io.StringIO()
    values = [raw_values(row) for row in table]
    writer = csv.DictWriter(text, fieldnames=list(values[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(values)
    return text.getvalue()


def _json(report: Report, baseline: Mapping[str, str]) -> str:
    document = {
        "schema": SCHEMA,
        "kit_version": __version__,
        "headline_statistic": headline(report.rows),
        "alpha": ALPHA,
        "baseline": baseline,
        "rows": [raw_values(row) for row in report.rows],
        "comparisons": [comparison.document() for comparison in report.comparisons],
        "notes": report.notes,
    }
    return json.dumps(to_json(document), sort_keys=True, indent=1, allow_nan=False) + "\n"
