"""What a new file is held against before it is written, and what a network has to take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.fidelity import snr_db
from converters.recipes import scheme_of
from converters.tflite_reader import read_model
from converters.verify import Verification, verify
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.model import UNKNOWN_RECIPE, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Recipe, Scheme

# Signal-to-noise ratio at the logits under which a file is broken, not merely inaccurate, in dB.
# float32 is the same arithmetic in another order; stock int8 of real networks has 12 dB and more.
FLOORS_DB = {Scheme.FLOAT: 40.0, Scheme.WEIGHT_ONLY: 6.0, Scheme.DYNAMIC: 6.0, Scheme.STATIC: 6.0}
FLOAT32_FLOOR_DB = 60.0
CHANNELS = 3  # of a prepared picture


def check_file(content: bytes, model: TFLiteModel, recipe: Recipe) -> Verification:
    """Reads, allocates and verifies a new file.

    Raises:
        ConversionError: If it is not what the recipe says.
    """
    found = verify(
        read_model(content, f"{model.name} as {recipe.name}"),
        recipe=recipe,
        layers=model.layers,
        preprocessing=model.preprocessing,
        full_integer=recipe.full_integer,
    )
    if found.problems:
        raise ConversionError(
            f"{model.name} as {recipe.name} is not what it should be: {found.problems[0].sentence}"
        )
    return found


def expect_input(shapes: Sequence[tuple[int, ...]], name: str, expects: Preprocessing) -> None:
    """Raises UsageError where a model does not take what the preprocessing gives."""
    given = (*expects.input_size, CHANNELS)
    takes = [shape[1:] for shape in shapes]
    if [len(shape) for shape in takes] != [3]:
        raise UsageError(
            f"{name} takes inputs of {listed(takes)}, and a preprocessing prepares pictures: leave"
            " out --mean and --std, and give samples as arrays: --calibration FILE.npz."
        )
    if takes[0][-1] != CHANNELS:
        raise UsageError(
            f"{name} takes inputs of {listed(takes)}, with {takes[0][-1]} channels, and pictures"
            f" have {CHANNELS}: leave out --mean and --std, and give samples as arrays:"
            " --calibration FILE.npz."
        )
    if takes != [given]:
        raise UsageError(
            f"{name} takes inputs of {listed(takes)}, and pictures are prepared as {given}. Give"
            " --crop with its height where that is what differs."
        )


def listed(shapes: Sequence[tuple[int, ...]]) -> str:
    """Shapes in a sentence."""
    return " and ".join(map(str, shapes))


def nothing_says(name: str) -> str:
    """The sentence about a network whose pictures nobody knows how to prepare."""
    return (
        f"Nothing says what the input of {name} expects. Give --mean and --std (pixels are"
        " 0..255), for example --mean 127.5 --std 127.5 for -1..1."
    )


def together(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """All outputs as one.

    A score that is nearly zero on every sample has no signal to measure noise by, so outputs of
    a quantized file are judged together.
    """
    wants, gots = (
        np.concatenate([each.ravel() for each in side]) for side in zip(*pairs, strict=True)
    )
    return wants, gots


def expect_close(want: np.ndarray, got: np.ndarray, floor_db: float, what: str) -> None:
    """Raises ConversionError where `got` is noise beside `want`."""
    found = snr_db(want, got)
    if found is not None and found < floor_db:
        raise ConversionError(
            f"{what} answers something else than the model it is made from: {found:.1f} dB at the"
            f" output, where {floor_db:.0f} dB is the least that a sound conversion gives."
        )


def drift(recipe: str, accuracy: Accuracy) -> str | None:
    """A sentence if a file's answers are noise beside its reference's; None if they are not."""
    scheme = scheme_of(recipe) if recipe != UNKNOWN_RECIPE else Scheme.STATIC
    floor_db = FLOORS_DB[scheme]
    if accuracy.reference is None or accuracy.snr_db is None or accuracy.snr_db >= floor_db:
        return None
    return (
        f"Its answers are {accuracy.snr_db:.1f} dB from those of the model it was made from, where"
        f" {floor_db:.0f} dB is the least of a sound conversion: is it of another model, or fed"
        " with other preprocessing?"
    )
