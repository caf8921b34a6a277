"""The trainer that `--allow-training` gives the ladder: quantization-aware training."""

from __future__ import annotations

import numpy as np

from mobilekit.core.errors import ConversionError
from mobilekit.extras import need
from mobilekit.ladder.training import Training

EPOCHS = 3
LEARNING_RATE = 1e-4  # a tenth of what networks of ImageNet end their own training with, or less
SEED = 0
LEAST_IMAGES = 100  # a network that is trained on fewer learns them by heart


def finetuned(training: Training) -> bytes:
    """The int8 file of the network, trained further as it will compute.

    Raises:
        ConversionError: If there are too few images, or a layer has no twin.
    """
    need("tensorflow", "keras", "ai_edge_quantizer")
    from converters.qat import convert_aware, finetune

    pairs = list(training.labelled())
    if len(pairs) < LEAST_IMAGES:
        raise ConversionError(
            f"{len(pairs)} labelled images are too few to train on: give {LEAST_IMAGES} beside"
            " those that judge."
        )
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
