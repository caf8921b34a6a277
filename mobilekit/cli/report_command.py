"""`mobilekit report`: the report of a folder of results."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.options import add_json

EXAMPLES = """\
  mobilekit report results/ -o report/
  mobilekit report results/ -o report/ --baseline model=float"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the results and the output folder."""
    parser.add_argument("results", type=Path, help="the folder of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the report")
    parser.add_argument(
        "--baseline",
        default="recipe=float32",
        help="what the others are compared with, as model=NAME, recipe=NAME, delegate=NAME or"
        " num_threads=N (default recipe=float32)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Writes it and prints where the page is."""
    from mobilekit.cli.progress import say
    from mobilekit.cli.run_command import print_report
    from mobilekit.report import Refused, write_report

    field, equals, value = args.baseline.partition("=")
    if not equals:
        field, value = "recipe", args.baseline
    report = write_report(args.results, args.output, baseline={field: value})
    if not report.comparisons or all(isinstance(c, Refused) for c in report.comparisons):
        say(
            f"warning: nothing was compared with {field} {value!r}; --baseline names another, for"
            f" example one of the models {', '.join(sorted(report.model_names))}"
        )
    if args.json:
        print(report.json.read_text(), end="")
        return
    print_report(report)
