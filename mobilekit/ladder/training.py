"""What a training rung is given: permission, labelled images that judge nothing, the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Recipe

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training.

    Attributes:
        build: Builds the float Keras model; raises UsageError where there is only a .tflite.
        labelled: Gives the training images anew: preprocessed (1, height, width, 3), class.
        calibration: Gives the calibration images anew, preprocessed.
        preprocessing: What the input expects; None where nobody said.
        recipe: What the file has to be.
        say: Told in sentences what is done.
    """

    build: Callable[[], keras.Model]
    labelled: Callable[[], Iterator[tuple[np.ndarray, int]]]
    calibration: Callable[[], Iterator[np.ndarray]]
    preprocessing: Preprocessing | None
    recipe: Recipe
    say: Callable[[str], None]


# Trains a copy of the network and gives the .tflite of the recipe; raises ConversionError.
Trainer = Callable[[Training], bytes]
