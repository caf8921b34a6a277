"""`mobilekit debug`: which layers of a quantized file add how much error."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_json, add_preprocessing, preprocessing

if TYPE_CHECKING:
    from mobilekit.debugging import LayerError, LayerErrors

EXAMPLES = """\
  mobilekit debug net.tflite --against net.keras --calibration photos/
  mobilekit debug net.tflite --against float.tflite --calibration photos/ \\
      --node-data errors.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file, its float model, samples and where node data go."""
    parser.add_argument("model", type=Path, help="a quantized .tflite file")
    parser.add_argument(
        "--against",
        type=Path,
        required=True,
        help="the .keras, .h5, SavedModel or float .tflite it was made from",
    )
    parser.add_argument(
        "--calibration", type=Path, help="folder of photographs, or .npz of arrays (default noise)"
    )
    parser.add_argument(
        "--node-data", type=Path, metavar="FILE", help="node data for Model Explorer, as JSON"
    )
    add_preprocessing(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints the layers, those that add most error first."""
    from mobilekit.cli.output import print_json
    from mobilekit.cli.progress import say
    from mobilekit.core.storage import write_json
    from mobilekit.debugging import debug_file, node_data

    found = debug_file(
        args.model,
        args.against,
        calibration=args.calibration,
        preprocessing=preprocessing(args),
        say=say,
    )
    if args.node_data is not None:
        write_json(args.node_data, node_data(found))
        say(f"node data: {args.node_data}; open it in Model Explorer over {args.model}")
    if args.json:
        print_json(found)
        return
    _print(found)


def _print(found: LayerErrors) -> None:
    from mobilekit.cli.output import print_notes, print_table
    from mobilekit.formatting import plural

    rows = [_row(each) for each in found.layers]
    print_table(["layer", "operator", "place", "alone dB", "so far dB"], rows)
    notes = [
        "alone: SNR of what it writes, fed by the float network; so far: fed by the file itself",
        f"on {plural(found.samples, 'sample')} of {found.source}",
    ]
    if found.scaled:
        notes.append("the file is equalized: each channel was compared at its best scale")
    print_notes(notes)


def _row(error: LayerError) -> list[str]:
    from mobilekit.formatting import MISSING, printable

    return [
        printable(error.layer or MISSING),
        error.op,
        str(error.operator),
        _snr(error.alone),
        _snr(error.so_far),
    ]


def _snr(share: float | None) -> str:
    from converters.decibels import power_db
    from mobilekit.formatting import MISSING, decibels

    if share is None:
        return MISSING
    return decibels(-power_db(share)) if share else "exact"
