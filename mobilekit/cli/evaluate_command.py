"""`mobilekit evaluate`: a .tflite judged on images."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_json, add_preprocessing, preprocessing

if TYPE_CHECKING:
    from mobilekit.core.accuracy import Accuracy

EXAMPLES = """\
  mobilekit evaluate net.tflite --images photos/ --labels photos/labels.txt
  mobilekit evaluate int8.tflite --images photos/ --against float.tflite --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file, the pictures, labels and a reference."""
    parser.add_argument("model", type=Path, help="a .tflite file")
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--labels", type=Path, help='lines of "<picture> <class index>"')
    parser.add_argument(
        "--against", type=Path, help="a .keras or float .tflite to agree with, for SNR"
    )
    add_preprocessing(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints what was right, what agrees, and what so few images can show."""
    from mobilekit.cli.output import print_json
    from mobilekit.files import evaluate_file

    accuracy = evaluate_file(
        args.model,
        args.images,
        labels=args.labels,
        against=args.against,
        preprocessing=preprocessing(args),
    )
    if args.json:
        print_json(accuracy)
        return
    print("\n".join(_lines(accuracy)))


def _lines(accuracy: Accuracy) -> Iterator[str]:
    """Counts with their intervals, and the pictures that could not be read."""
    from mobilekit.formatting import count_of, decibels, percent_range
    from mobilekit.intervals import LEVEL_TEXT, share_interval

    labelled = len(accuracy.labelled)
    shares = {
        "top-1": (accuracy.top1_hits, labelled),
        "top-5": (accuracy.top5_hits, labelled),
        "agreement": (accuracy.agreements, len(accuracy.answers)),
    }
    for name, (hits, total) in shares.items():
        if hits is not None and total:
            interval = percent_range(*share_interval(hits, total))
            yield f"{name}: {count_of(hits, total)}, {LEVEL_TEXT} interval {interval}"
    if accuracy.reference is not None:
        snr = "equal" if accuracy.snr_db is None else f"{decibels(accuracy.snr_db)} dB"
        yield f"SNR at the output: {snr}"
    if not labelled and accuracy.reference is None:
        yield f"{len(accuracy.answers)} images were answered; give --labels or --against to judge"
    for broken in accuracy.broken:
        yield f"not read: {broken}"
