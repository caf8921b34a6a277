"""`mobilekit build`: a network as a .keras file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobilekit.cli.options import add_architecture, named_values

EXAMPLES = """\
  mobilekit build mobilenet_v2 --weights torchvision -o net.keras
  mobilekit build mobilenet_v2 --weights keras --alpha 0.5 -o net.keras
  mobilekit build mobilenet_v1 --alpha 0.25 --input-size 128 --weights random -o net.keras"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the architecture, its options, weights and output."""
    add_architecture(parser)
    parser.add_argument(
        "--weights",
        default="random",
        help="random, keras (which Keras downloads), torchvision, timm or google (files in"
        " build/data/weights), or a .pth, .safetensors, .h5 or .keras file (default random)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of random weights (default 0)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .keras file")


def run(args: argparse.Namespace) -> None:
    """Builds it and prints where it is."""
    from mobilekit.files import build_file

    print(
        build_file(
            args.architecture,
            args.output,
            alpha=args.alpha,
            input_size=args.input_size,
            classes=args.classes,
            weights=args.weights,
            seed=args.seed,
            options=named_values(args.option, "--option"),
            target=args.target,
            say=lambda sentence: print(sentence, file=sys.stderr),
        )
    )
