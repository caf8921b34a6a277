"""`mobilekit convert`: a .keras file as .tflite."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.options import add_preprocessing, preprocessing
from mobilekit.core.recipe import Effort

EXAMPLES = """\
  mobilekit convert net.keras --recipe float32 -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ \\
      --mean 127.5 --std 127.5 -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ \\
      --effort high -o net.tflite"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the model, the recipe, the photographs and the output."""
    parser.add_argument("model", type=Path, help="a .keras file")
    parser.add_argument("--recipe", required=True, help="a name of `mobilekit list recipes`")
    parser.add_argument(
        "--calibration", type=Path, help="folder of photographs, for static recipes"
    )
    choosing = parser.add_mutually_exclusive_group()
    choosing.add_argument(
        "--effort",
        choices=[effort.value for effort in Effort],
        default=Effort.FAST.value,
        help="time to choose methods that make static int8 files more accurate (default fast)",
    )
    choosing.add_argument(
        "--method", help="names of `mobilekit list methods` joined by +, instead of choosing"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file")
    add_preprocessing(parser)


def run(args: argparse.Namespace) -> None:
    """Converts it, checks it and prints where it is."""
    from mobilekit.api import convert_file
    from mobilekit.cli.progress import say

    model = convert_file(
        args.model,
        args.recipe,
        args.output,
        calibration=args.calibration,
        preprocessing=preprocessing(args),
        effort=Effort(args.effort),
        method=args.method,
        say=say,
    )
    print(f"{args.output}  {model.recipe}  {model.size_bytes:,} bytes  sha256 {model.sha256[:16]}")
