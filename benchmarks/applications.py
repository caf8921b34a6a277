"""Whether the methods do harm anywhere: every network of keras.applications under 100 MB.

Weights are random, with batch norm settled on the photographs that calibrate, so the figures say
nothing of trained networks. Two thirds of the photographs calibrate, the rest judge.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import measured
import numpy as np
from accuracy import DATA

from converters.calibration import calibrate
from converters.convert import derive
from converters.freeze import freeze
from converters.methods.apply import Material, score_db
from converters.methods.choice import choose
from converters.recipes import parse_recipe
from converters.tflite_reader import read_model
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Effort
from mobilekit.images import image_set, read_inputs

NETWORKS = (
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "MobileNetV3Large",
    "NASNetMobile",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2S",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "InceptionV3",
    "Xception",
    "ResNet50",
    "ResNet50V2",
)
SIZE = 160
EXPECTS = Preprocessing(
    input_size=(SIZE, SIZE), resize_shorter=183, mean=(127.5,) * 3, std=(127.5,) * 3
)
WITH_PREPROCESSING = ("MobileNetV3", "EfficientNetV2")  # which can be left out of these alone
SETTLING_PASSES, MOMENTUM = 6, 0.5
WORST_DB = -0.3  # what the issue allows
RECIPE = parse_recipe("static_wi8_ai8")


def photographs() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Those that calibrate, and those that judge."""
    found = [
        loaded.pixels
        for folder in ("calibration", "evaluation")
        for loaded in read_inputs(image_set(DATA / folder), EXPECTS)
        if loaded.pixels is not None
    ]
    order = np.random.default_rng(0).permutation(len(found)).tolist()
    third = len(found) // 3
    return [found[i] for i in order[third:]], [found[i] for i in order[:third]]


def build(name: str, settle_on: Sequence[np.ndarray]):
    """The network with random weights and logits, its batch norm settled."""
    import keras

    keras.utils.set_random_seed(0)
    bare = {"include_preprocessing": False} if name.startswith(WITH_PREPROCESSING) else {}
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(SIZE, SIZE, 3), classifier_activation=None, **bare
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    batch = np.concatenate(settle_on)
    for _ in range(SETTLING_PASSES):
        model(batch, training=True)
    return model


def line(name: str, effort: Effort) -> str:
    seen, judged = photographs()
    content = freeze(build(name, seen))
    began = time.process_time()
    ranges = calibrate(content, seen, num_threads=1)
    plain = derive(content, RECIPE, ranges=ranges, preprocessing=EXPECTS)
    plain_s = time.process_time() - began

    def recalibrate(changed: bytes):
        known = ranges if changed == content else calibrate(changed, seen, num_threads=1)
        return known.by_tensor

    began = time.process_time()
    made = choose(
        content,
        RECIPE.with_effort(effort),
        EXPECTS,
        seen,
        recalibrate=recalibrate,
        say=lambda _: None,
    )
    more_s = time.process_time() - began
    on = Material.of(content, RECIPE, EXPECTS, judged)
    before, after = score_db(plain, on), score_db(made.content, on)
    same = read_model(plain, name).ops == read_model(made.content, name).ops
    return (
        f"| {name} | {before:.1f} | {after:.1f} | {after - before:+.1f} | {made.choice.methods} |"
        f" {'yes' if same else 'NO'} | {plain_s:.1f} | {more_s:.1f} |"
        f"{' worse than allowed' if after - before < WORST_DB else ''}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--effort", choices=("fast", "high"), default="fast")
    args = parser.parse_args()
    lines = [
        f"Random weights with settled batch norm, {SIZE}x{SIZE}, SNR at the logits in dB on"
        f" photographs that were held out, `--effort {args.effort}` against min-max.",
        "",
        "| network | min-max | ours | gain | applied | same operators | min-max, CPU s | more |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in args.networks:
        lines.append(line(name, Effort(args.effort)))
        print(lines[-1], flush=True)
    measured.write("applications", "Networks of keras.applications, min-max against ours", lines)


if __name__ == "__main__":
    main()
