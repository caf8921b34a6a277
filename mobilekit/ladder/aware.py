"""The training rung: the network trained further as its int8 file will compute."""

from __future__ import annotations

import numpy as np

from mobilekit.core.errors import UsageError
from mobilekit.ladder.training import Training

EPOCHS = 2
LEARNING_RATE = 1e-4  # a tenth of what such networks were trained with, or less
SEED = 0


def train_aware(training: Training) -> bytes:
    """The int8 file of a network after quantization-aware training.

    All training images are held in memory: 600 kB each at 224 pixels.

    Raises:
        UsageError: If there is no Keras model, or images and labels do not fit it.
        ConversionError: If a layer has no twin, or training ends in NaN.
    """
    from converters.qat import convert_aware, finetune

    pairs = list(training.labelled())
    if not pairs:
        raise UsageError("No training picture can be read.")
    expects = training.preprocessing
    twin = finetune(
        training.build(),
        np.concatenate([values for values, _ in pairs]),
        np.array([label for _, label in pairs]),
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        seed=SEED,
        recipe=training.recipe,
        input_range=expects.value_range if expects else None,
        say=training.say,
    )
    return convert_aware(twin, training.recipe)
