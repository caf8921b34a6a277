"""`mobilekit report`: the report of a folder of results."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """\
  mobilekit report results/ -o report/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the results and the output folder."""
    parser.add_argument("results", type=Path, help="the folder of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the report")
    parser.add_argument(
        "--baseline", default="float32", help="recipe that the others are compared with"
    )


def run(args: argparse.Namespace) -> None:
    """Writes it and prints where the page is."""
    from mobilekit.cli.run_command import print_report
    from mobilekit.report import write_report

    print_report(write_report(args.results, args.output, baseline={"recipe": args.baseline}))
