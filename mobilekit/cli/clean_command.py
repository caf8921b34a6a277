"""`mobilekit clean`: what was pushed to a device long ago is removed."""

from __future__ import annotations

import argparse

from mobilekit.cli.options import add_json, add_phone

EXAMPLES = """\
  mobilekit clean
  mobilekit clean --device pixel-8 --days 0"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the device and the age."""
    from android_bench.devices.cleaning import DEFAULT_DAYS

    add_phone(parser)
    parser.add_argument(
        "--days",
        type=int,
        default=DEFAULT_DAYS,
        help="how old a file has to be (default %(default)s; 0 removes all)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Removes, and prints how much that was."""
    from mobilekit.cli.output import print_json
    from mobilekit.devices import clean_device

    cleaned = clean_device(device=args.device, days=args.days)
    if args.json:
        print_json(cleaned)
        return
    files = "1 file" if cleaned.files == 1 else f"{cleaned.files} files"
    print(f"{cleaned.label}: removed {files}, {cleaned.size_bytes:,} bytes")
