"""`mobilekit list`: the tables. Imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

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
    headers = list(rows[0])
    print_plain_table(headers, [[_cell(row[h]) for h in headers] for row in rows])


def _architectures() -> list[dict[str, object]]:
    from mobilekit.architectures import ARCHITECTURES

    return [
        {
            "name": row.name,
            "input": "x".join(map(str, row.input_size)),
            "params": row.trainable_params,
            "macs": row.macs,
            "top1": row.top1,
            "paper": row.paper,
        }
        for row in ARCHITECTURES.values()
    ]


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


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return str(value)
