"""`mobilekit list`: the tables. Imports nothing heavy."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from mobilekit.cli.output import print_json, print_plain_table

EXAMPLES = """\
  mobilekit list architectures
  mobilekit list recipes --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what to list."""
    parser.add_argument("kind", choices=tuple(TABLES), metavar="KIND", help=", ".join(TABLES))
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> None:
    """Prints one table."""
    rows = TABLES[args.kind]()
    if args.json:
        print_json(rows)
        return
    if args.kind in PRINTERS:
        PRINTERS[args.kind](rows)
        return
    headers = list(rows[0])
    print_plain_table(headers, [[_cell(row[h]) for h in headers] for row in rows])


def _architectures() -> list[dict[str, object]]:
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.core.records import to_json

    return [to_json(row) for row in ARCHITECTURES.values()]


def _print_architectures(rows: Sequence[Mapping[str, object]]) -> None:
    """Two lines a row: its figures, and who published it."""
    from mobilekit.formatting import MISSING

    heads = ("name", "input", "trainable", "total", "MACs", "top-1")
    cells = [
        (
            str(row["name"]),
            "x".join(map(str, cast(Sequence[int], row["input_size"]))),
            *(_millions(cast(int, row[key])) for key in ("trainable_params", "total_params")),
            _millions(cast(int, row["macs"])),
            MISSING if row["top1"] is None else f"{row['top1']:.1f}",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    papers = ["", *(str(row["paper"]) for row in rows)]
    for (name, *others), paper in zip((heads, *cells), papers, strict=True):
        numbers = "".join(f"  {n:>{w}}" for n, w in zip(others, widths[1:], strict=True))
        print(f"{name:<{widths[0]}}{numbers}")
        if paper:
            print(textwrap.fill(paper, _columns(), initial_indent="  ", subsequent_indent="  "))
    print("\nParameters and MACs of `mobilekit info NAME` and of --json are exact.")


def _millions(count: int) -> str:
    """E.g. "3.50M", "568.7M", "15.47G": four significant digits."""
    scale, unit = (1e9, "G") if count >= 1e9 else (1e6, "M")
    value = count / scale
    return f"{value:.{max(0, 4 - len(str(int(value))))}f}{unit}"


def _columns() -> int:
    return max(40, shutil.get_terminal_size().columns)


def _recipes() -> list[dict[str, object]]:
    from converters.recipes import RECIPES

    return [{"name": row.name, "summary": row.summary} for row in RECIPES.values()]


def _quantizers() -> list[dict[str, object]]:
    from converters.quantizers import QUANTIZERS

    return [{"name": row.name, "summary": row.summary} for row in QUANTIZERS.values()]


def _runtimes() -> list[dict[str, object]]:
    from converters.operator_versions import RUNTIMES

    return [{"name": row.name, "package": row.package} for row in RUNTIMES.values()]


def _methods() -> list[dict[str, object]]:
    from converters.methods import METHODS

    return [{"name": row.name, "summary": row.summary} for row in METHODS.values()]


def _delegates() -> list[dict[str, object]]:
    from mobilekit.core.target import DELEGATES

    return [
        {
            "name": row.name,
            "measured here": "yes" if row.measured_by else "no",
            "what it is, its variants, its runners": row.title
            + (f": @{' @'.join(row.variants)}" if row.variants else "")
            + (f"; by {', '.join(row.measured_by)}" if row.measured_by else ""),
        }
        for row in DELEGATES.values()
    ]


def _device_kinds() -> list[dict[str, object]]:
    from android_bench.devices import DEVICE_KINDS

    return [{"name": row.name, "title": row.title} for row in DEVICE_KINDS.values()]


TABLES: dict[str, Callable[[], list[dict[str, object]]]] = {
    "architectures": _architectures,
    "recipes": _recipes,
    "quantizers": _quantizers,
    "runtimes": _runtimes,
    "methods": _methods,
    "delegates": _delegates,
    "device-kinds": _device_kinds,
}


# What has more columns than a table of names and sentences.
PRINTERS: dict[str, Callable[[Sequence[Mapping[str, object]]], None]] = {
    "architectures": _print_architectures,
}


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return str(value)
