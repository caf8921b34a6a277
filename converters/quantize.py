"""Quantized files from the float file. The one module that runs ai-edge-quantizer.

Its own calibration is a moving average of each sample's extremes, which clips (18.9 dB where
absolute ranges give 37.4 dB on a small trained network, measured 2026-11 with 0.10), so absolute
ranges are handed in.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from unittest import mock

import numpy as np
from ai_edge_quantizer import qtyping, quantizer, recipe_manager
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

from converters.graph import Graph, Operator
from converters.layer_rules import is_last_dense, operators_by_arithmetic
from converters.signature import with_signature
from converters.tflite_reader import read_model
from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet
from mobilekit.core.recipe import Granularity, IoType, LayerArithmetic, Recipe, Scheme

EVERYTHING = ".*"
BELOW = "^.*"  # the same in another spelling: the quantizer keeps one row for each
ALL = qtyping.TFLOperationName.ALL_SUPPORTED
EDGES = (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT)
GRANULARITY = {
    Granularity.PER_CHANNEL: qtyping.QuantGranularity.CHANNELWISE,
    Granularity.PER_TENSOR: qtyping.QuantGranularity.TENSORWISE,
}
# The quantizer cuts an operator's scope (names of its outputs) here before it compares.
MAX_SCOPE_LETTERS = 10_000
# Above, version 0.10 cuts a tensor into pieces that the scales of a convolution no longer fit.
LARGEST_BYTES = 32 * 1024 * 1024
_quantize_whole = uniform_quantize_tensor.uniform_quantize


def quantize(
    content: bytes,
    recipe: Recipe,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    layers: Sequence[str] = (),
) -> bytes:
    """Quantizes a float .tflite as `recipe` says; the same inputs give the same bytes.

    Args:
        content: The float file.
        recipe: Anything but float32; uint8 inputs and outputs are `converters.integer_edges`' work.
        ranges: Smallest and largest value of each activation, by tensor name; static recipes only.
        layers: Keras layers it was made of, which the recipe's rules may name.

    Raises:
        UsageError: If a rule names nothing.
        ConversionError: If the quantizer refuses the model, or there is no dense layer to leave
            with float logits.
    """
    seen = {
        name: {"min": np.float32(low), "max": np.float32(high)}
        for name, (low, high) in (ranges or {}).items()
    }
    rows = rows_of(recipe, content, layers)
    with quantizer_errors(recipe), large_kernels():
        result = quantizer.Quantizer(content, rows).quantize(
            seen, enable_progress_bar=False, enable_progress_report=False
        )
    return bytes(result.quantized_model)


def quantize_with_own_calibration(
    content: bytes,
    recipe: Recipe,
    samples: Iterable[Sequence[np.ndarray]],
    layers: Sequence[str] = (),
) -> bytes:
    """The same with the package's own calibration, for comparison: `--quantizer ai-edge`.

    Args:
        content: The float file.
        recipe: A static recipe.
        samples: Float32 inputs, one sequence of arrays a sample, in the file's order.
        layers: Keras layers it was made of.

    Raises:
        UsageError: If a rule names nothing.
        ConversionError: If the quantizer refuses the model.
    """
    content = with_signature(content)
    graph = read_model(content, "the float file")
    signature = graph.signatures[0]
    names = {index: name for name, index in signature.inputs.items()}
    fed = [names[index] for index in graph.main.inputs]
    data = {signature.key: [dict(zip(fed, sample, strict=True)) for sample in samples]}
    rows = rows_of(recipe, content, layers)
    with quantizer_errors(recipe), large_kernels():
        its = quantizer.Quantizer(content, rows)
        result = its.quantize(
            its.calibrate(data), enable_progress_bar=False, enable_progress_report=False
        )
    return bytes(result.quantized_model)


@contextlib.contextmanager
def large_kernels() -> Iterator[None]:
    """Lets the quantizer take kernels above 32 MiB while it lasts: a channel at a time."""
    with mock.patch.object(uniform_quantize_tensor, "uniform_quantize", _quantize_channels):
        yield


def _quantize_channels(
    tensor: np.ndarray, params: qtyping.UniformQuantParams, is_blockwise_quant: bool = False
) -> object:
    if tensor.ndim < 3 or tensor.nbytes <= LARGEST_BYTES or is_blockwise_quant:
        return _quantize_whole(tensor, params, is_blockwise_quant)
    params = uniform_quantize_tensor.fix_quantization_params_rank(tensor, params)
    scales, zeros = (
        np.broadcast_to(each, (len(tensor), *each.shape[1:]))
        for each in (params.scale, params.zero_point)
    )
    rows = [slice(at, at + 1) for at in range(len(tensor))]
    return np.concatenate(
        [
            _quantize_whole(tensor[row], replace(params, scale=scales[row], zero_point=zeros[row]))
            for row in rows
        ]
    )


@contextlib.contextmanager
def quantizer_errors(recipe: Recipe) -> Iterator[None]:
    """Translates the quantizer's refusals, and keeps it quiet: the caller reports for all alike."""
    failure = None
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        # It raises whatever comes up inside it, such as TypeError of a file without signature.
        except (LookupError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            failure = error  # raised outside, where what was held back stays unsaid
    if failure is not None:
        first = next(iter(str(failure).strip().splitlines()), type(failure).__name__)
        raise ConversionError(
            f"ai-edge-quantizer cannot make {recipe.name} of this model: {first}"
        ) from failure


def rows_of(recipe: Recipe, content: bytes, layers: Sequence[str]) -> list[dict[str, object]]:
    """A recipe in the quantizer's own rows; the later of two that fit one operator counts."""
    rows = recipe_manager.RecipeManager()
    _add_scheme(rows, recipe)
    if recipe.io is IoType.FLOAT:
        for edge in EDGES:
            _keep_float(rows, EVERYTHING, edge)
    if recipe.rules or recipe.float_logits:
        graph = read_model(content, "the float file")
        if recipe.float_logits:
            _add_float_logits(rows, recipe, graph)
        for arithmetic, operators in operators_by_arithmetic(graph, recipe, layers).items():
            for scope in dict.fromkeys(_scope(operator, graph) for operator in operators):
                if arithmetic is LayerArithmetic.FLOAT:
                    _keep_float(rows, scope, ALL)
                else:
                    rows.add_static_config(
                        scope, ALL, 16, recipe.weight_bits, GRANULARITY[recipe.granularity]
                    )
    return list(rows.get_quantization_recipe())


def _add_scheme(rows: recipe_manager.RecipeManager, recipe: Recipe) -> None:
    granularity = GRANULARITY[recipe.granularity]
    if recipe.scheme is Scheme.FLOAT:
        rows.add_weight_only_config(
            EVERYTHING, ALL, recipe.weight_bits, algorithm_key=AlgorithmName.FLOAT_CASTING
        )
    elif recipe.scheme is Scheme.DYNAMIC:
        # A row that the operator has no kernel for does not fit it, so 8 bits stay below 4.
        rows.add_dynamic_config(BELOW, ALL, 8, granularity)
        rows.add_dynamic_config(EVERYTHING, ALL, recipe.weight_bits, granularity)
    elif recipe.scheme is Scheme.WEIGHT_ONLY:
        rows.add_weight_only_config(BELOW, ALL, 8, granularity)
        rows.add_weight_only_config(EVERYTHING, ALL, recipe.weight_bits, granularity)
    else:
        rows.add_static_config(
            EVERYTHING, ALL, recipe.activation_bits, recipe.weight_bits, granularity
        )


def _add_float_logits(rows: recipe_manager.RecipeManager, recipe: Recipe, graph: Graph) -> None:
    last = [operator for operator in graph.main.operators if is_last_dense(operator, graph.main)]
    if not last:
        names = {o.name for o in graph.main.operators if {*o.outputs} & {*graph.main.outputs}}
        raise ConversionError(
            f"{recipe.name} leaves a last FULLY_CONNECTED with float logits, and what makes the"
            f" output of this model is {' and '.join(sorted(names))}: take the recipe without"
            " _floatlogits, or let the network end in a dense layer."
        )
    for operator in last:
        scope = _scope(operator, graph)
        rows.add_dynamic_config(scope, ALL, recipe.weight_bits, GRANULARITY[recipe.granularity])
    if recipe.io is not IoType.FLOAT:
        _keep_float(rows, EVERYTHING, qtyping.TFLOperationName.OUTPUT)


def _keep_float(
    rows: recipe_manager.RecipeManager, scope: str, operation: qtyping.TFLOperationName
) -> None:
    rows.add_quantization_config(scope, operation, algorithm_key=AlgorithmName.NO_QUANTIZE)


def _scope(operator: Operator, graph: Graph) -> str:
    """A regular expression that fits this operator alone, as the quantizer names it."""
    names = [graph.main.tensors[index].name for index in operator.outputs if index >= 0]
    scope = "".join(f"{name};" for name in names if name)
    return f"^{re.escape(scope[:MAX_SCOPE_LETTERS])}$"
