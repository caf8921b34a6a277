"""Int8 files from twins: the float file of the folded model, quantized with the twin's ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from converters.calibration import Ranges
from converters.convert import derive
from converters.freeze import freeze
from converters.graph import Graph, Subgraph
from converters.keras_checks import layer_names
from converters.layer_names import LayerNames
from converters.qat.float_model import FloatModel, float_model
from converters.qat.kernels import Kernel
from converters.qat.quantizer import FakeQuantizer
from converters.qat.twin import check_recipe
from converters.ranges import quantization_of
from converters.tflite_reader import read_model
from converters.verify import verify
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.recipe import Recipe

# Operators that give what they read, and its scale; what they are called says nothing.
KEEPING = frozenset(
    ("RESHAPE", "PAD", "MAX_POOL_2D", "AVERAGE_POOL_2D", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS")
)
# Float32 in the twin, and once more in the quantizer.
TOLERANCE = 1e-5


def convert_aware(twin: keras.Model, recipe: Recipe) -> bytes:
    """Makes the int8 file that a twin computes as.

    Args:
        twin: What `quantization_aware` made, trained or not.
        recipe: The recipe it was made for; inputs and outputs may have another type.

    Raises:
        UsageError: If `twin` is none, or of a recipe with another granularity.
        ConversionError: If it cannot be converted, or the file would compute otherwise.
    """
    check_recipe(recipe)
    kernels = [layer for layer in twin.layers if isinstance(layer, Kernel)]
    if not any(isinstance(layer, FakeQuantizer) for layer in twin.layers):
        raise UsageError(f"{twin.name} has no fake quantizers: quantization_aware makes them.")
    if any(layer.granularity is not recipe.granularity for layer in kernels):
        raise UsageError(
            f"{twin.name} was trained for {kernels[0].granularity} weights, which"
            f" {recipe.name} does not have."
        )
    plain = float_model(twin)
    content = freeze(plain.model)
    graph = read_model(content, f"the float file of {twin.name}")
    ranges = _ranges(graph, plain)
    made = derive(content, recipe, ranges=Ranges(by_tensor=ranges, samples=0))
    graph = read_model(made, f"the int8 file of {twin.name}")
    _check(graph.main, ranges, twin.name)
    found = verify(
        graph,
        recipe=recipe,
        full_integer=recipe.full_integer,
        layers=layer_names(plain.model),
    )
    if found.problems:
        raise ConversionError(
            f"{twin.name} as {recipe.name} is not what it should be: {found.problems[0].sentence}"
        )
    return made


def _ranges(graph: Graph, plain: FloatModel) -> dict[str, tuple[float, float]]:
    """The range of each tensor of the float file that has one of its own."""
    main = graph.main
    quantizers = {each.layer: each.quantizer for each in plain.quantized}
    tensors = {
        main.tensors[index].name: quantizers[layer]
        for index, layer in [*_edges(main, plain), *_inside(graph, plain, quantizers)]
        if layer in quantizers
    }
    missing = {each.name for each in quantizers.values()} - {q.name for q in tensors.values()}
    if missing:
        raise ConversionError(
            f"The float file of {plain.model.name} has no tensor for {', '.join(sorted(missing))},"
            " so the ranges of the twin cannot be given to it."
        )
    return {name: quantizer.range() for name, quantizer in tensors.items()}


def _edges(main: Subgraph, plain: FloatModel) -> Iterator[tuple[int, str]]:
    """Inputs and outputs of the file, whose names the converter chooses, with their layers."""
    model = plain.model
    for index, tensor in zip(main.inputs, model.inputs, strict=True):
        yield index, tensor._keras_history.operation.name
    for index, tensor in zip(main.outputs, model.outputs, strict=True):
        yield index, tensor._keras_history.operation.name


def _inside(
    graph: Graph, plain: FloatModel, quantizers: Mapping[str, FakeQuantizer]
) -> Iterator[tuple[int, str]]:
    """What operators give, with the quantized layer that went into each."""
    main = graph.main
    names = LayerNames(graph, tuple(layer.name for layer in plain.model.layers))
    for operator in main.operators:
        if operator.name in KEEPING:
            continue
        owners = names.all_of(operator, main) & quantizers.keys()
        if len(owners) > 1:
            raise ConversionError(
                f"{operator.name} of {plain.model.name} computes {' and '.join(sorted(owners))} at"
                " once, which its twin quantizes apart."
            )
        for index in operator.outputs:
            if owners and index not in main.outputs:
                yield index, next(iter(owners))


def _check(main: Subgraph, ranges: Mapping[str, tuple[float, float]], name: str) -> None:
    """Holds the scales of the file against the twin's ranges."""
    for tensor in main.tensors:
        if tensor.name not in ranges or tensor.dtype != "int8" or tensor.quantization is None:
            continue  # uint8 and float edges follow from the int8 tensor behind them
        scale, zero_point = quantization_of(*ranges[tensor.name])
        same = np.isclose(tensor.quantization.scales[0], scale, rtol=TOLERANCE)
        near = abs(tensor.quantization.zero_points[0] - zero_point) <= 0.5 + 1e-3
        if not (same and near):
            raise ConversionError(
                f"The int8 file of {name} has another scale at {tensor.name!r} than the twin:"
                f" {tensor.quantization.scales[0]:g}, not {scale:g}."
            )
