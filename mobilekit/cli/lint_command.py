"""`mobilekit lint`: will this delegate take my model, by its rules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_json

if TYPE_CHECKING:
    from converters.delegates.report import LintReport
    from mobilekit.lint_text import Table

EXAMPLES = """\
  mobilekit lint net.tflite
  mobilekit lint net.tflite --target nnapi@30
  mobilekit lint net.tflite --target xnnpack --fail-on fallback --fail-on partitions:1
  mobilekit lint net.tflite --target gpu --target ethosu@u55-128 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file and what it is held against."""
    parser.add_argument("model", type=Path, help="a .tflite file")
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        help="delegate[@variant], again for more; without it, or with 'all', a table of all",
    )
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="WHAT",
        help="exit 1 for fallback (operators outside), partitions:N (more than N), or unknown"
        " (operators of which the rules cannot tell)",
    )
    parser.add_argument("--md", action="store_true", help="print Markdown")
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints what each target would do; raises a Finding beyond a limit."""
    from mobilekit.cli.output import print_json
    from mobilekit.core.errors import Finding, UsageError
    from mobilekit.lint_markdown import markdown
    from mobilekit.linting import Limit, breach, lint_file

    if args.md and args.json:
        raise UsageError("--md and --json exclude each other.")
    limits = [Limit.parse(text) for text in args.fail_on]
    reports = lint_file(args.model, args.target)
    if args.json:
        print_json(reports)
    elif args.md:
        print("\n".join(markdown(args.model, reports)))
    else:
        _print(args.model, reports)
    found = breach(reports, limits)
    if found is not None:
        raise Finding(f"{args.model}, {found}")


def _print(path: Path, reports: Sequence[LintReport]) -> None:
    from mobilekit.cli.output import print_notes
    from mobilekit.formatting import plural, printable
    from mobilekit.lint_text import headline, matrix, notes, tables

    if len(reports) == 1:
        for line in headline(path, reports[0]):
            _print_wrapped(printable(line))
        for table in tables(reports[0]):
            print(f"\n{table.title}")
            _print_table(table)
    else:
        operators = plural(reports[0].summary.ops, "operator")
        _print_wrapped(f"{path}: {operators}, by the rules of each target; not run")
        _print_table(matrix(reports))
    if notes(reports):
        print()
        print_notes(notes(reports))


def _print_table(table: Table) -> None:
    from mobilekit.cli.output import print_plain_table

    print_plain_table(table.headers, table.rows)
    if table.rest:
        print(table.rest)


def _print_wrapped(text: str) -> None:
    import shutil
    import textwrap

    print(textwrap.fill(text, max(40, shutil.get_terminal_size().columns)))
