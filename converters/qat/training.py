"""Training a classifier on labelled images: as it is, or as a fake-quantized twin."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from converters.qat.kinds import activation_name
from converters.qat.quantizer import RangeKind
from converters.qat.steps import steps_of
from converters.qat.twin import quantization_aware
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.recipe import Recipe, Scheme

RECIPE = Recipe(scheme=Scheme.STATIC, weight_bits=8, activation_bits=8)
BATCH = 32
CALIBRATION = 256  # images that ranges start from
FINAL_RATE = 0.01  # of the first learning rate, at the end of a cosine

Say = Callable[[str], None]


def finetune(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    recipe: Recipe = RECIPE,
    ranges: RangeKind | str = RangeKind.MOVING,
    input_range: tuple[float, float] | None = None,
    batch: int = BATCH,
    say: Say | None = None,
) -> keras.Model:
    """Trains the twin of a classifier further; `convert_aware` makes the file of what it returns.

    Args:
        model: Trained already, one input, one output of scores; it is not changed.
        images: As the model takes them: (images, …), float32.
        labels: Index of the right class: (images,), integers.
        epochs: How often each image is seen.
        learning_rate: Of Adam, at the start; a tenth or less of what the model was trained with.
        seed: Of the order of images and of dropout; also sets the seeds of Keras.
        recipe: A static int8 recipe without rules and float logits; by default, scales by channel.
        ranges: "moving" or "learned".
        input_range: What inputs hold, such as (-1, 1); None takes what the images hold.
        batch: Images a step.
        say: Told the loss after every epoch.

    Raises:
        UsageError: If images and labels do not belong together or to the model.
        ConversionError: If a layer has no twin, or training ends in NaN.
    """
    _check(model, images, labels)
    keras.utils.set_random_seed(seed)  # dropout takes its own from it when the twin is built
    twin = quantization_aware(
        model, recipe, images[:CALIBRATION], ranges=ranges, input_range=input_range
    )
    train(
        twin,
        images,
        labels,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
        logits=not gives_probabilities(model),
        batch=batch,
        say=say,
    )
    return twin


def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    logits: bool = True,
    batch: int = BATCH,
    say: Say | None = None,
) -> None:
    """Trains any classifier in place by cross-entropy, with Adam.

    Args:
        model: One input, one output of scores.
        images: As the model takes them: (images, …), float32.
        labels: Index of the right class: (images,), integers.
        epochs: How often each image is seen.
        learning_rate: At the start; it falls along a cosine.
        seed: Of the order of images and of dropout; also sets the seeds of Keras.
        logits: Whether its scores are logits; else they are probabilities.
        batch: Images a step.
        say: Told the loss after every epoch.

    Raises:
        UsageError: If images and labels do not belong together or to the model.
        ConversionError: If training ends in NaN.
    """
    _check(model, images, labels)
    if epochs < 1 or batch < 1 or not learning_rate > 0:
        raise UsageError(
            f"Training for {epochs} epochs in batches of {batch} at a learning rate of"
            f" {learning_rate:g} is none: all three are above 0."
        )
    keras.utils.set_random_seed(seed)
    steps = epochs * -(-len(images) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=FINAL_RATE)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=logits),
    )
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        mixed = _Mixed(images, labels, order.permutation(len(images)), batch)
        history = model.fit(mixed, shuffle=False, verbose=0)
        loss = float(history.history["loss"][0])
        if not np.isfinite(loss):
            raise ConversionError(
                f"Training {model.name} came to a loss of {loss} in epoch {epoch + 1}: take a"
                f" smaller learning rate than {learning_rate:g}."
            )
        if say is not None:
            say(f"{model.name}: epoch {epoch + 1} of {epochs}, loss {loss:.4f}")


class _Mixed(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches in an order, taken one by one: a copy of all images may not fit in memory."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, order: np.ndarray, batch: int
    ) -> None:
        super().__init__()
        self._images, self._labels, self._order, self._batch = images, labels, order, batch

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[number * self._batch : (number + 1) * self._batch]
        return self._images[chosen], self._labels[chosen]


def gives_probabilities(model: keras.Model) -> bool:
    """Whether what makes the only output of a model is a softmax."""
    steps = steps_of(model)
    last = next((step for step in steps.steps if steps.is_output(step.output)), None)
    if last is None:
        return False
    return isinstance(last.layer, layers.Softmax) or activation_name(last.layer) == "softmax"


def _check(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    shapes = [tuple(each.shape[1:]) for each in model.inputs]
    scores = [tuple(each.shape[1:]) for each in model.outputs]
    if len(shapes) != 1 or len(scores) != 1 or len(scores[0]) != 1:
        raise UsageError(
            f"{model.name} has {len(shapes)} inputs and outputs of {scores}: only classifiers of"
            " one input and one vector of scores are trained here. Train its twin with fit."
        )
    if images.shape[1:] != shapes[0] or not len(images):
        raise UsageError(
            f"{model.name} takes images of {shapes[0]}, and these are {images.shape[1:]}"
            f" ({len(images)} of them)."
        )
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise UsageError(
            f"Labels are one integer an image: ({len(images)},), not {labels.shape} of"
            f" {labels.dtype}."
        )
    if labels.min() < 0 or labels.max() >= scores[0][0]:
        raise UsageError(
            f"Labels go from {labels.min()} to {labels.max()}, and {model.name} has"
            f" {scores[0][0]} classes, numbered from 0."
        )
