"""`mobilekit compare`: is one measurement faster than another."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.options import add_json

EXAMPLES = """\
  mobilekit compare results/0123456789abcdef.json results/fedcba9876543210.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the two results."""
    parser.add_argument("baseline", type=Path, help="a sealed result, results/<cell>.json")
    parser.add_argument("candidate", type=Path, help="another, of the same session")
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints the sentence, with every warning."""
    from mobilekit.cli.output import print_json
    from mobilekit.compare import compare_measurements
    from mobilekit.core.errors import UsageError
    from mobilekit.report import read_measurement, sentences

    for path in (args.baseline, args.candidate):
        if not path.is_file():
            raise UsageError(f"There is no result {path}. Give two files results/<cell>.json.")
    comparison = compare_measurements(
        read_measurement(args.baseline), read_measurement(args.candidate)
    )
    if args.json:
        print_json(comparison.document())
        return
    print("\n".join(sentences(comparison)))
