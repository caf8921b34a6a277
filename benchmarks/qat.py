"""Whether quantization-aware training gains anything over training as long without it.

MobileNet v1 0.25 on Fashion-MNIST with one scale a weight tensor. Every seed is a network of its
own: trained in float, then further on the same batches, as fake-quantized twins and as a twin whose
quantizers are paused, which is the control.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import measured
import numpy as np
from scipy import stats

sys.path.insert(0, str(measured.ROOT))

from converters.calibration import calibrate
from converters.fidelity import FileRunner
from converters.freeze import freeze
from converters.methods.choice import improve
from converters.qat import convert_aware, paused, quantization_aware, train
from converters.qat.float_model import float_model
from converters.recipes import parse_recipe
from converters.stock_quantizer import quantize_by_tflite
from mobilekit.architectures.mobilenet_v1 import mobilenet_v1
from mobilekit.core.recipe import Effort, Recipe

INSTALLED = Path("/usr/share/datasets/fashion-mnist")
UNPACKED = (
    measured.ROOT / "build" / "fashion_mnist" / "usr" / "share" / "datasets" / "fashion-mnist"
)
SIZE, ENLARGED = 28, 2
CLASSES = 10
INPUT_RANGE = (-1.0, 1.0)
RECIPE = parse_recipe("static_wi8_ai8_pertensor")
CALIBRATION = 100  # training images
BATCH = 64
FLOAT_RATE, RATE = 2e-3, 2e-4
SEEDS = 5
TITLE = "Quantization-aware training against training as long"
TESTED_ON = 10_000
TRAINED_ON, FLOAT_EPOCHS = 40_000, 2
TUNED_ON, EPOCHS = 15_000, 1  # of the same images, the first

FLOAT, STOCK, MINMAX, OURS = "float", "stock min-max", "our min-max", "ours, effort fast"
CONTROL_FLOAT, CONTROL_MINMAX, CONTROL = (
    "control, float",
    "control, min-max",
    "control, effort fast",
)
MOVING, LEARNED = "QAT, moving ranges", "QAT, learned ranges"
TRAINED = {MOVING: "moving", LEARNED: "learned"}
ROWS = {
    FLOAT: "before fine-tuning, not quantized",
    STOCK: "TFLiteConverter's calibrator and quantizer",
    MINMAX: "absolute ranges",
    OURS: "methods chosen by the rule of `--effort fast`",
    CONTROL_FLOAT: "trained further without fake quantization, not quantized",
    CONTROL_MINMAX: "the same, absolute ranges",
    CONTROL: "the same, `--effort fast`",
    MOVING: "the twin's own ranges",
    LEARNED: "the twin's own ranges",
}


@dataclass(frozen=True, kw_only=True)
class Data:
    """Images as the network takes them, and their classes."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One seed.

    Attributes:
        accuracy: Percent of the test images, by row.
        agreement: Percent of the test images on which a twin and its file answer the same.
    """

    accuracy: dict[str, float]
    agreement: dict[str, float]


def read(folder: Path, part: str, most: int) -> Data:
    """The first images of a part, in -1..1, enlarged, with three channels."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, SIZE, SIZE)[:most]
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)[:most]
    large = pixels.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    grey = large[..., np.newaxis].astype(np.float32) / 127.5 - 1
    images = np.broadcast_to(grey, (*large.shape, 3))  # three channels without their memory
    return Data(images=images, labels=labels.astype(np.int64))


def outcome(seed: int, learning: Data, test: Data, say: Callable[[str], None]) -> Outcome:
    """Trains and judges one network and what becomes of it."""
    keras.utils.set_random_seed(seed)
    tuning = Data(images=learning.images[:TUNED_ON], labels=learning.labels[:TUNED_ON])
    side = SIZE * ENLARGED
    model = mobilenet_v1((side, side), classes=CLASSES, alpha=0.25)
    further(model, learning, seed, FLOAT_EPOCHS, FLOAT_RATE, say)
    samples = [np.array(each[np.newaxis]) for each in learning.images[:CALIBRATION]]
    base = freeze(model)
    files = {
        FLOAT: base,
        STOCK: quantize_by_tflite(base, RECIPE, samples),
        MINMAX: after_training(base, RECIPE, samples),
        OURS: after_training(base, RECIPE.with_effort(Effort.FAST), samples),
    }
    twins = {
        name: quantization_aware(
            model,
            RECIPE,
            learning.images[:CALIBRATION],
            ranges=ranges,
            input_range=INPUT_RANGE,
        )
        for name, ranges in TRAINED.items()
    }
    control = paused(twins[MOVING])
    further(control, tuning, seed, EPOCHS, RATE, say)
    for name, twin in twins.items():
        further(twin, tuning, seed, EPOCHS, RATE, say)
        files[name] = convert_aware(twin, RECIPE)
    plain = freeze(float_model(control).model)
    files |= {
        CONTROL_FLOAT: plain,
        CONTROL_MINMAX: after_training(plain, RECIPE, samples),
        CONTROL: after_training(plain, RECIPE.with_effort(Effort.FAST), samples),
    }
    answers = {name: answered(content, test.images) for name, content in files.items()}
    agreement = {
        name: percent(simulated(twin, test.images), answers[name]) for name, twin in twins.items()
    }
    accuracy = {name: percent(answers[name], test.labels) for name in ROWS}
    return Outcome(accuracy=accuracy, agreement=agreement)


def further(
    model: keras.Model, data: Data, seed: int, epochs: int, rate: float, say: Callable[[str], None]
) -> None:
    """Trains in place."""
    train(
        model,
        data.images,
        data.labels,
        epochs=epochs,
        learning_rate=rate,
        seed=seed,
        batch=BATCH,
        say=say,
    )


def after_training(content: bytes, recipe: Recipe, samples: Sequence[np.ndarray]) -> bytes:
    """The int8 file by methods that need no labels."""
    made = improve(
        content,
        recipe,
        None,
        samples[:20],
        recalibrate=lambda of: calibrate(of, samples).by_tensor,
        say=lambda _: None,
    )
    return made.content


def answered(content: bytes, images: np.ndarray) -> np.ndarray:
    """The class that a file names, image by image."""
    return FileRunner(content, num_threads=1).run(images[:, np.newaxis]).argmax(axis=1)


def simulated(twin: keras.Model, images: np.ndarray) -> np.ndarray:
    """The class that a twin names; not by `predict`, whose compiled graph regroups arithmetic."""
    batches = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return np.concatenate([np.asarray(twin(each)).argmax(axis=1) for each in batches])


def percent(answers: np.ndarray, right: np.ndarray) -> float:
    return 100 * float(np.mean(answers == right))


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Accuracy by row and seed."""
    seeds = range(len(outcomes))
    lines = [
        f"| | what it is | {' | '.join(f'seed {seed}' for seed in seeds)} | mean |",
        f"|---|---|{'---|' * (len(outcomes) + 1)}",
    ]
    for name, what in ROWS.items():
        values = [each.accuracy[name] for each in outcomes]
        listed = " | ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {name} | {what} | {listed} | {statistics.fmean(values):.2f} |")
    return lines


def gains(outcomes: Sequence[Outcome]) -> list[str]:
    """Paired differences in points with their 95 % intervals (Student's t)."""
    lines = ["| gain of | over | points | 95 % interval |", "|---|---|---|---|"]
    for name in TRAINED:
        for other in (CONTROL, CONTROL_MINMAX, OURS, MINMAX, STOCK):
            differences = [each.accuracy[name] - each.accuracy[other] for each in outcomes]
            mean = statistics.fmean(differences)
            lines.append(f"| {name} | {other} | {mean:+.2f} | {interval(differences)} |")
    return lines


def interval(differences: Sequence[float]) -> str:
    if len(set(differences)) < 2:
        return "none: one seed, or all alike"
    found = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    return f"{found.low:+.2f} … {found.high:+.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--data", type=Path, help="folder of the four .gz files")
    args = parser.parse_args()
    folder = args.data or next((each for each in (INSTALLED, UNPACKED) if each.is_dir()), None)
    if folder is None:
        parser.error("no Fashion-MNIST; on Debian: apt install dataset-fashion-mnist")
    learning, test = read(folder, "train", TRAINED_ON), read(folder, "t10k", TESTED_ON)
    outcomes: list[Outcome] = []
    for seed in range(args.seeds):
        began = time.perf_counter()
        outcomes.append(outcome(seed, learning, test, lambda line: print(line, flush=True)))
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
        # After every seed: a run of half an hour that is ended leaves what it has seen.
        measured.write("qat", TITLE, text(outcomes))


def text(outcomes: Sequence[Outcome]) -> list[str]:
    """What the file says."""
    agreed = [value for each in outcomes for value in each.agreement.values()]
    return [
        f"MobileNet v1 0.25 at {SIZE * ENLARGED}x{SIZE * ENLARGED} (28x28, each pixel twice as wide"
        f" and high), int8 with one scale a weight tensor. Seeds: {len(outcomes)}; each trains"
        f" a network of its own on {TRAINED_ON:,} images for {FLOAT_EPOCHS} epochs in float, then"
        f" on the first {TUNED_ON:,} of them for {EPOCHS} more, as a twin or as the control; Adam"
        f" from {FLOAT_RATE:g} and {RATE:g} along a cosine. Batch norms are frozen in both. Percent"
        f" right of {TESTED_ON:,} test images, by the files here; {CALIBRATION} training images"
        " calibrate.",
        "",
        *table(outcomes),
        "",
        "Every pair shares its seed: start, images, order. The control trained as long.",
        "",
        *gains(outcomes),
        "",
        f"A twin and its file name the same class for {min(agreed):.2f} to {max(agreed):.2f} % of"
        " the test images.",
    ]


if __name__ == "__main__":
    main()
