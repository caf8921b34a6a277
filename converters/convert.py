"""From one float file to the file of any recipe."""

from __future__ import annotations

from collections.abc import Sequence

from converters.calibration import Ranges
from converters.folded_scaling import carriers
from converters.integer_edges import with_uint8_edges
from converters.quantize import quantize
from converters.recipes import needs_images
from converters.tflite_reader import read_model
from mobilekit.core.errors import UsageError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import IoType, Recipe, Scheme


def derive(
    content: bytes,
    recipe: Recipe,
    *,
    ranges: Ranges | None = None,
    preprocessing: Preprocessing | None = None,
    layers: Sequence[str] = (),
) -> bytes:
    """Makes the file of `recipe`; float32 is the float file itself.

    Args:
        content: A float .tflite of one input.
        recipe: What to make.
        ranges: What calibration saw of exactly this file; static recipes need it.
        preprocessing: What the input expects; its scale follows from this where it is given,
            because calibration photographs seldom hold every value that a camera will.
        layers: Keras layers the file was made of, which the recipe's rules may name.

    Raises:
        UsageError: If the recipe needs calibration and there is none, or a rule names nothing.
        ModelFileError: If `content` is no .tflite.
        ConversionError: If the quantizer refuses the model.
    """
    if recipe.scheme is Scheme.FLOAT and recipe.weight_bits == 32:
        return content
    if not recipe.needs_calibration:
        return quantize(content, recipe, layers=layers)
    if ranges is None:
        raise UsageError(needs_images(recipe))
    seen = dict(ranges.by_tensor)
    if preprocessing is not None:
        graph = read_model(content, "the float file").main
        [image] = graph.inputs  # what is prepared as a picture has one
        for carrier in carriers(graph, image, preprocessing.value_range):
            seen[graph.tensors[carrier].name] = preprocessing.value_range
    made = quantize(content, recipe, seen, layers)
    return with_uint8_edges(made) if recipe.io is IoType.UINT8 else made
