"""`mobilekit verify`: is this file what it claims to be."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_json, add_preprocessing, preprocessing

if TYPE_CHECKING:
    from mobilekit.files import VerifiedFile

EXAMPLES = """\
  mobilekit verify net.tflite
  mobilekit verify net.tflite --full-integer --io int8 --per-channel
  mobilekit verify net.tflite --runtime 2.14
  mobilekit verify net.tflite --against net.keras --calibration photos/"""

SHOWN = 3  # findings of one check
IO_TYPES = ("int8", "uint8", "int16", "float32")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file and what it is held against."""
    parser.add_argument("model", type=Path, help="a .tflite file")
    parser.add_argument(
        "--full-integer", action="store_true", help="every operator and the I/O must be integer"
    )
    parser.add_argument(
        "--io", choices=IO_TYPES, help="element type that inputs and outputs must have"
    )
    parser.add_argument(
        "--per-channel",
        action="store_true",
        help="convolutions must have a scale for every output channel",
    )
    parser.add_argument(
        "--runtime", help="that has to run it: 2.14 (tflite-runtime) or litert-1.0 to litert-2.3"
    )
    parser.add_argument("--against", type=Path, help="the .keras or float .tflite it was made from")
    parser.add_argument(
        "--calibration", type=Path, help="folder of photographs, to compare the answers on"
    )
    add_preprocessing(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints what was found; raises a Finding if anything is wrong."""
    from mobilekit.cli.output import print_json
    from mobilekit.core.errors import Finding
    from mobilekit.core.records import to_json
    from mobilekit.files import verify_file

    found = verify_file(
        args.model,
        full_integer=args.full_integer,
        io=args.io,
        per_channel=args.per_channel,
        runtime=args.runtime,
        against=args.against,
        calibration=args.calibration,
        preprocessing=preprocessing(args),
    )
    if args.json:
        print_json({**to_json(found), "problems": found.problems})
    else:
        print("\n".join(_lines(found)))
    problems = found.problems
    if problems:
        count = "1 finding" if len(problems) == 1 else f"{len(problems)} findings"
        raise Finding(f"{args.model} is not what it should be: {count}; the first: {problems[0]}")


def _lines(found: VerifiedFile) -> Iterator[str]:
    """What the file is, then what is wrong with it."""
    from mobilekit.formatting import decibels

    is_ = found.verification.description
    yield f"{found.path}: {is_.arithmetic} arithmetic, {found.model.size_bytes:,} bytes"
    for side, ports in (("input", is_.inputs), ("output", is_.outputs)):
        for port in ports:
            scale = "" if port.scale is None else f", scale {port.scale:g}, zero {port.zero_point}"
            yield f"  {side} {port.name}: {port.dtype} {list(port.shape)}{scale}"
    yield "  operators: " + ", ".join(f"{count} {name}" for name, count in is_.ops.items())
    yield "  weights: " + (", ".join(f"{n} {kind}" for kind, n in is_.weights.items()) or "none")
    runs = {True: "yes", False: "no", None: "not tried: it needs operators from elsewhere"}
    yield f"  runs here: {runs[found.verification.runs]}"
    if found.accuracy is not None:
        snr = found.accuracy.snr_db
        yield (
            f"  beside the model it was made from: {found.accuracy.agreements} of"
            f" {len(found.accuracy.answers)} first answers agree, SNR at the output"
            f" {'infinite: they are equal' if snr is None else f'{decibels(snr)} dB'}"
        )
    yield from _problem_lines(found)


def _problem_lines(found: VerifiedFile) -> Iterator[str]:
    """The first findings of each check: a float file has one an operator."""
    by_check: dict[str, list[str]] = {}
    for problem in found.verification.problems:
        by_check.setdefault(problem.check, []).append(problem.sentence)
    if found.drifted:
        by_check["drift"] = [found.drifted]
    for check, sentences in by_check.items():
        yield from (f"- {check}: {sentence}" for sentence in sentences[:SHOWN])
        if len(sentences) > SHOWN:
            yield f"- {check}: and {len(sentences) - SHOWN} more like these; --json lists all"
