"""What int8 costs two real networks, method by method, on photographs that were held out.

The photographs are those that `make data` brings, calibration and evaluation together: five folds,
each judged on five crops of its photographs by a file that saw only the other four fifths.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import measured
import numpy as np
from PIL import Image

from converters.calibration import calibrate
from converters.fidelity import FileRunner
from converters.methods.choice import improve
from converters.recipes import parse_recipe, with_method
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Effort, Recipe
from mobilekit.images import FILTERS, centre_box, image_set, load_image, preprocess, resized
from mobilekit.weights import find_source, preprocessing_for

DATA = measured.ROOT / "build" / "data"
NETWORKS = {
    "MobileNetV2": ("mobilenet_v2", "torchvision"),
    "EfficientNet-Lite0": ("efficientnet_lite0", "google"),
}
FOLDS = 5
METHODS = (
    "minmax",
    "percentile",
    "mse",
    "equalize",
    "bias_correction",
    "gptq",
    "equalize+bias_correction",
    "gptq+bias_correction",
    "equalize+gptq+bias_correction",
)
PER_TENSOR = ("minmax", "equalize+bias_correction", "equalize+gptq+bias_correction")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One float network with its photographs.

    Attributes:
        content: The float file.
        expects: What its input expects.
        crops: Five crops of each photograph, the centre first.
        answers: What the float file answers to them.
    """

    content: bytes
    expects: Preprocessing
    crops: list[list[np.ndarray]]
    answers: list[np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Score:
    """What cross-validation found.

    Attributes:
        folds_db: SNR of each fold, all answers pooled.
        pooled_db: SNR over all folds.
        agreement: Share of crops with the float file's answer.
        seconds: Mean wall time beyond reading photographs.
        chosen: Which methods were applied, in each fold.
    """

    folds_db: list[float]
    pooled_db: float
    agreement: float
    seconds: float
    chosen: list[str]


def subject(name: str) -> Subject:
    """Builds and converts a network, and asks it about every crop."""
    from converters.freeze import freeze
    from mobilekit.networks import build_network

    architecture, weights = NETWORKS[name]
    source = find_source(architecture, weights)
    assert source is not None
    model = build_network(
        ModelSpec(architecture=architecture, weights=weights), DATA / "weights" / source.file
    )
    content = freeze(model)
    expects = preprocessing_for(architecture, weights, (224, 224))
    crops = [five_crops(load_image(path), expects) for path in photographs()]
    runner = FileRunner(content, num_threads=1)
    return Subject(
        content=content, expects=expects, crops=crops, answers=[runner.run(each) for each in crops]
    )


def photographs() -> tuple[Path, ...]:
    """All of them, calibration first."""
    return image_set(DATA / "calibration").paths + image_set(DATA / "evaluation").paths


def five_crops(image: Image.Image, expects: Preprocessing) -> list[np.ndarray]:
    """The centre and the four corners of the resized image, each as an input."""
    width, height = resized(image.size, expects.resize_shorter)
    whole = image.resize((width, height), FILTERS[expects.resampling], reducing_gap=None)
    high, wide = expects.input_size
    corners = [(left, top) for top in (0, height - high) for left in (0, width - wide)]
    boxes = [centre_box((width, height), expects.input_size)]
    boxes += [(left, top, left + wide, top + high) for left, top in corners]
    as_it_is = replace(expects, resize_shorter=max(expects.input_size))
    return [preprocess(whole.crop(box), as_it_is)[np.newaxis] for box in boxes]


def folds(count: int) -> Iterator[tuple[list[int], list[int]]]:
    """Photographs to calibrate on, and to judge on; the same ones each time."""
    order = np.random.default_rng(0).permutation(count).tolist()
    for fold in range(FOLDS):
        judged = sorted(order[fold::FOLDS])
        yield [i for i in range(count) if i not in judged], judged


def cross_validate(of: Subject, recipe: Recipe, most_folds: int = FOLDS) -> Score:
    """Judges a recipe's files, each on the photographs that it did not see."""
    powers, taken, agreed, chosen = [], [], [], []
    for seen, judged in list(folds(len(of.crops)))[:most_folds]:
        began = time.perf_counter()
        content, methods = make(of, recipe, [of.crops[i][0] for i in seen])
        taken.append(time.perf_counter() - began)
        chosen.append(methods)
        runner = FileRunner(content, num_threads=1)
        signal = noise = 0.0
        for i in judged:
            want, got = of.answers[i], runner.run(of.crops[i])
            signal += float(np.square(want, dtype=np.float64).sum())
            noise += float(np.square(want.astype(np.float64) - got).sum())
            agreed += (want.argmax(axis=1) == got.argmax(axis=1)).tolist()
        powers.append((signal, noise))
    return Score(
        folds_db=[decibels(signal, noise) for signal, noise in powers],
        pooled_db=decibels(sum(p[0] for p in powers), sum(p[1] for p in powers)),
        agreement=statistics.fmean(agreed),
        seconds=statistics.fmean(taken),
        chosen=chosen,
    )


def make(of: Subject, recipe: Recipe, inputs: Sequence[np.ndarray]) -> tuple[bytes, str]:
    """A recipe's file from some photographs, and the methods that made it."""

    def recalibrate(content: bytes):
        return calibrate(content, inputs, num_threads=1).by_tensor

    made = improve(
        of.content, recipe, of.expects, inputs, recalibrate=recalibrate, say=lambda _: None
    )
    return made.content, made.choice.methods


def decibels(signal: float, noise: float) -> float:
    return 10 * math.log10(signal / noise)


def recipes() -> Iterator[tuple[str, Recipe]]:
    """Every row of the table."""
    for name, methods in (("static_wi8_ai8", METHODS), ("static_wi8_ai8_pertensor", PER_TENSOR)):
        recipe = parse_recipe(name)
        prefix = "per-tensor " if name.endswith("pertensor") else ""
        for method in methods:
            yield prefix + method, with_method(recipe, method)
        for effort in (Effort.FAST, Effort.HIGH):
            yield f"{prefix}**--effort {effort}**", recipe.with_effort(effort)


def table(name: str, most_folds: int, say: Callable[[str], None]) -> list[str]:
    """One network's lines."""
    of = subject(name)
    lines = [
        f"## {name}",
        "",
        "| method | SNR, dB | least and best fold | same answer, % | seconds | applied |",
        "|---|---|---|---|---|---|",
    ]
    for title, recipe in recipes():
        score = cross_validate(of, recipe, most_folds)
        applied = ", ".join(dict.fromkeys(score.chosen)) if "effort" in title else ""
        line = (
            f"| {title} | {score.pooled_db:.2f} | {min(score.folds_db):.1f} …"
            f" {max(score.folds_db):.1f} | {100 * score.agreement:.1f} | {score.seconds:.1f} |"
            f" {applied} |"
        )
        say(f"{name}: {line}")
        lines.append(line)
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many to judge")
    args = parser.parse_args()
    count = len(photographs())
    lines = [
        f"{count} photographs, which is few: agreement has a standard error of about"
        f" {100 * math.sqrt(0.05 * 0.95 / count):.0f} points here, and SNR differs by a decibel"
        f" between folds. {args.folds} of {FOLDS} folds; calibrated on the centre crops of"
        " four fifths, judged on five crops of the rest against the float file. Seconds are wall"
        " time of one thread with calibration, quantization and methods, photographs read before.",
        "",
    ]
    for name in NETWORKS:
        lines += table(name, args.folds, lambda line: print(line, flush=True))
    measured.write("accuracy", "What int8 costs, and what wins it back", lines)


if __name__ == "__main__":
    main()
