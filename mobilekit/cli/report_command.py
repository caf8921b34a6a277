"""`mobilekit report`: the report of a folder of results."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.options import add_json

EXAMPLES = """\
  mobilekit report results/ -o report/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the results and the output folder."""
    parser.add_argument("results", type=Path, help="the folder of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the report")
    parser.add_argument(
        "--baseline", default="float32", help="recipe that the others are compared with"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Writes it and prints where the page is."""
    from mobilekit.cli.run_command import print_report
    from mobilekit.report import write_report

    report = write_report(args.results, args.output, baseline={"recipe": args.baseline})
    if args.json:
        print(report.json.read_text(), end="")
        return
    print_report(report)
