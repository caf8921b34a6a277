"""`mobilekit convert`: a model as .tflite."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilekit.cli.laddering import AUTO_RECIPE, add_ladder, refuse_ladder_options, run_ladder
from mobilekit.cli.options import add_json, add_preprocessing, preprocessing
from mobilekit.core.recipe import Effort

EXAMPLES = """\
  mobilekit convert net.keras --recipe float32 -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ \\
      --mean 127.5 --std 127.5 -o net.tflite
  mobilekit convert float.tflite --recipe static_wi8_ai8 --calibration photos/ \\
      --mean 127.5 --std 127.5 --keep-float 'head_.*' -o net.tflite
  mobilekit convert net.keras --recipe static_wi8_ai8 --calibration photos/ \\
      --effort high -o net.tflite
  mobilekit convert net.keras --recipe auto --max-drop 0.5 --calibration photos/ \\
      --images judged/ --labels judged/labels.txt -o net.tflite"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the model, the recipe, the photographs and the output."""
    parser.add_argument(
        "model", type=Path, help="a .keras or .h5 file, a SavedModel folder, or a float .tflite"
    )
    parser.add_argument(
        "--recipe", required=True, help="a name of `mobilekit list recipes`, or auto"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        help="folder of photographs, or .npz of arrays, for static recipes",
    )
    layers = "layers that match PATTERN, a regular expression of a layer's or operator's name"
    parser.add_argument(
        "--keep-float", metavar="PATTERN", action="append", default=[], help=f"float: {layers}"
    )
    parser.add_argument(
        "--int16",
        metavar="PATTERN",
        action="append",
        default=[],
        help="int16 activations: such layers; no delegate takes them",
    )
    parser.add_argument(
        "--quantizer", default="ours", help="ours (default), ai-edge or tflite, to compare with"
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
    parser.add_argument(
        "--fold-preprocessing",
        action="store_true",
        help="put the scaling of pixels into the first convolution: the file takes 0..255",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file")
    add_ladder(parser)
    add_preprocessing(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Converts it, checks it and prints where it is."""
    if args.recipe == AUTO_RECIPE:
        run_ladder(args)
        return
    refuse_ladder_options(args)
    from mobilekit.cli.output import print_json
    from mobilekit.cli.progress import say
    from mobilekit.core.recipe import LayerArithmetic, LayerRule
    from mobilekit.files import convert_file

    options = ((LayerArithmetic.FLOAT, args.keep_float), (LayerArithmetic.INT16, args.int16))
    model = convert_file(
        args.model,
        args.recipe,
        args.output,
        rules=[
            LayerRule(arithmetic=arithmetic, pattern=pattern)
            for arithmetic, patterns in options
            for pattern in patterns
        ],
        calibration=args.calibration,
        preprocessing=preprocessing(args),
        quantizer=args.quantizer,
        effort=Effort(args.effort),
        method=args.method,
        fold_preprocessing=args.fold_preprocessing,
        say=say,
    )
    if args.json:
        print_json(model)
        return
    print(f"{args.output}  {model.recipe}  {model.size_bytes:,} bytes  sha256 {model.sha256[:16]}")
