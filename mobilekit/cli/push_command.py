"""`mobilekit push`: a file on a device, checked there."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.options import add_json, add_phone

EXAMPLES = """\
  mobilekit push net.tflite
  mobilekit push net.tflite --device pixel-8"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file and the device."""
    parser.add_argument("file", type=Path, help="what to bring there")
    add_phone(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Pushes, and prints where the file is."""
    from mobilekit.cli.output import print_json
    from mobilekit.devices import push_file

    pushed = push_file(args.file, device=args.device)
    if args.json:
        print_json(pushed)
        return
    print(f"{pushed.label}: {pushed.remote} ({pushed.size_bytes:,} bytes, sha256 checked there)")
