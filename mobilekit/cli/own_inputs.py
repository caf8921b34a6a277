"""Options of `mobilekit benchmark` about what the files are measured and checked on."""

from __future__ import annotations

import argparse
import re


def span(text: str) -> tuple[int, int]:
    """Both numbers of "0,255"; raises ArgumentTypeError."""
    found = re.fullmatch(r"(-?\d{1,20}),(-?\d{1,20})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no range; write LOW,HIGH, as in 0,255")
    return int(found.group(1)), int(found.group(2))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of inputs."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a stack of real inputs as .npy, (count, ...) in the file's own type, once for each"
        " model input (default: 16 seeded ones)",
    )
    parser.add_argument(
        "--input-range",
        type=span,
        metavar="LOW,HIGH",
        help="of seeded whole numbers; below zero as in --input-range=-5,5 (default: all that"
        " the type holds)",
    )
    parser.add_argument(
        "--signature", metavar="NAME", help="which of a file's signatures runs (default: the first)"
    )


def words(args: argparse.Namespace) -> list[str]:
    """The options of inputs as they repeat a command."""
    found = [word for each in args.input for word in ("--input", each)]
    if args.input_range is not None:
        found.append(f"--input-range={args.input_range[0]},{args.input_range[1]}")
    return found + (["--signature", args.signature] if args.signature is not None else [])
