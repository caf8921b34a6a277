"""Trains a network further for int8, as its int8 file will compute.

    python examples/train_for_int8.py net.keras data.npz -o net.tflite

data.npz holds `images`, float32 as the network takes them, and `labels`, one integer an image. The
last fifth is held out, and says what the file answers. docs/qat.md tells what is done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from converters.answers import FileAnswers
from converters.recipes import parse_recipe
from mobilekit import MobileKitError, convert_aware, finetune
from mobilekit.core.errors import UsageError
from mobilekit.core.storage import write_bytes

HELD_OUT = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a trained .keras file")
    parser.add_argument("data", type=Path, help=".npz of images and labels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .tflite file")
    parser.add_argument("--recipe", default="static_wi8_ai8")
    parser.add_argument("--ranges", choices=("moving", "learned"), default="moving")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    try:
        _train(parser.parse_args(arguments))
    except MobileKitError as error:
        print(f"train_for_int8: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _train(given: argparse.Namespace) -> None:
    import keras

    recipe = parse_recipe(given.recipe)
    images, labels = _read(given.data)
    border = len(images) - int(len(images) * HELD_OUT)
    twin = finetune(
        keras.models.load_model(given.model),
        images[:border],
        labels[:border],
        epochs=given.epochs,
        learning_rate=given.learning_rate,
        seed=given.seed,
        recipe=recipe,
        ranges=given.ranges,
        say=print,
    )
    content = convert_aware(twin, recipe)
    write_bytes(given.output, content)
    file = FileAnswers(content)
    right = [
        int(file.of([image[np.newaxis]])[0].argmax() == label)
        for image, label in zip(images[border:], labels[border:], strict=True)
    ]
    print(f"{given.output}: right on {sum(right)} of {len(right)} images that were held out")


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["images"], np.float32), np.asarray(arrays["labels"])
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"{path} is no .npz of `images` and `labels`: {error}.") from None


if __name__ == "__main__":
    sys.exit(main())
