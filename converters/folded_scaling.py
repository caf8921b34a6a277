"""The input scaling of a float file, folded into its first convolution: the file eats raw pixels.

A pixel p became `(p - mean) / std`, and the convolution padded that with 0. Of raw pixels the
kernel is `w / std` and the bias loses `sum(w * mean / std)`; what was 0 beyond the border is now
the mean of its channel. LiteRT's PAD writes 0 alone, PADV2 has one value for all channels and is
taken by no delegate; so rows and columns of the mean are concatenated to the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.graph import Subgraph
from converters.methods.surgery import Layer, Model
from converters.tflite_schema import names_of
from mobilekit.core.errors import ConversionError
from mobilekit.core.preprocessing import Preprocessing

Code = schema.BuiltinOperator
CONVOLUTIONS = (Code.CONV_2D, Code.DEPTHWISE_CONV_2D)
SIDES = ("lower", "upper")
AXES = (1, 2)  # height and width


@dataclass(frozen=True, kw_only=True)
class _First:
    """The first convolution, and what stands before it.

    Attributes:
        layer: The convolution.
        image: The tensor that is fed.
        pad: Position of an explicit PAD; None where there is none.
        border: Rows and columns of zeros: ((above, below), (left, right)).
    """

    layer: Layer
    image: int
    pad: int | None
    border: tuple[tuple[int, int], tuple[int, int]]


def fold_scaling(content: bytes, expects: Preprocessing, name: str) -> bytes:
    """The float file that takes pixels of 0..255 and answers as `content` does of scaled ones.

    Args:
        content: A float .tflite of one input, batch 1.
        expects: The scaling that is folded: its `mean` and `std`.
        name: What sentences call the file.

    Raises:
        ConversionError: If its first layer is no convolution, or not the only one that reads the
            input, so that nothing exact can be folded.
    """
    model = Model(content)
    first = _first(model, name)
    mean, std = np.asarray(expects.mean), np.asarray(expects.std)
    _scale(model, first.layer, mean, std, name)
    image, ahead = first.image, []
    if mean.any():
        for axis, ends in zip(AXES, first.border, strict=True):
            if any(ends):
                image, joined = _widened(model, image, axis, ends, mean)
                ahead.append(joined)
        _read(model, first, image)
    if ahead and first.pad is not None:
        del model.graph.operators[first.pad]
    model.graph.operators[:0] = ahead
    return model.pack()


def _first(model: Model, name: str) -> _First:
    fed = [int(index) for index in model.graph.inputs]
    if len(fed) != 1:
        raise ConversionError(
            f"{name} has {len(fed)} inputs; input scaling is folded into the first convolution of a"
            " network of one. Convert it without --fold-preprocessing."
        )
    [image] = fed
    position = _only_reader(model, image, name)
    operator, pad, border = model.graph.operators[position], None, None
    if model.code(operator) == Code.PAD:
        pad, border = position, _explicit(model, operator)
        position = _only_reader(model, int(operator.outputs[0]), name)
    layers = {layer.position: layer for layer in model.layers() if layer.code in CONVOLUTIONS}
    layer = layers.get(position)
    if layer is None or (pad is not None and border is None):
        code = model.code(model.graph.operators[position if pad is None else pad])
        raise ConversionError(
            f"The first layer of {name} is no convolution that input scaling could be folded into"
            f" ({names_of('BuiltinOperator')[code]}). Convert it without --fold-preprocessing."
        )
    own = _same(model, layer)
    if border is not None and any(map(any, own)):
        raise ConversionError(
            f"The first convolution of {name} is padded twice, so that input scaling cannot be"
            " folded into it exactly. Convert it without --fold-preprocessing."
        )
    return _First(layer=layer, image=image, pad=pad, border=border or own)


def _only_reader(model: Model, tensor: int, name: str) -> int:
    readers = [
        position
        for position, operator in enumerate(model.graph.operators)
        if tensor in [int(index) for index in operator.inputs]
    ]
    if len(readers) != 1 or tensor in [int(index) for index in model.graph.outputs]:
        raise ConversionError(
            f"{len(readers)} operators of {name} read its input; input scaling is folded into one"
            " convolution that is the only one to. Convert it without --fold-preprocessing."
        )
    return readers[0]


def _explicit(
    model: Model, operator: schema.OperatorT
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """What a PAD adds; None where it adds more than rows and columns."""
    if not model.is_constant(int(operator.inputs[1])):
        return None
    paddings = model.values(int(operator.inputs[1]))
    if paddings.shape != (4, 2) or paddings[[0, 3]].any():
        return None
    (above, below), (left, right) = paddings[1:3].tolist()
    return (above, below), (left, right)


def _same(model: Model, layer: Layer) -> tuple[tuple[int, int], tuple[int, int]]:
    """What the convolution itself adds: TensorFlow puts the odd one below and to the right."""
    options = model.graph.operators[layer.position].builtinOptions
    if options.padding != schema.Padding.SAME:
        return (0, 0), (0, 0)
    lengths = model.shape(layer.input)[1:3]
    kernels = model.shape(layer.weights)[1:3]
    strides = (options.strideH, options.strideW)
    dilations = (options.dilationHFactor, options.dilationWFactor)
    ends = []
    for length, kernel, stride, dilation in zip(lengths, kernels, strides, dilations, strict=True):
        reach = (kernel - 1) * dilation + 1
        total = max(0, (-(-length // stride) - 1) * stride + reach - length)
        ends.append((total // 2, total - total // 2))
    return ends[0], ends[1]


def _scale(model: Model, layer: Layer, mean: np.ndarray, std: np.ndarray, name: str) -> None:
    """The kernel and the bias of raw pixels."""
    stored = model.values(layer.weights)
    if stored.dtype != np.float32:
        raise ConversionError(
            f"The first convolution of {name} has quantized weights; input scaling is folded into a"
            " float file. Convert the model that it was made from."
        )
    # Output channels first; a depthwise kernel has one input channel each.
    depthwise = layer.code == Code.DEPTHWISE_CONV_2D
    kernel = np.swapaxes(stored, 0, 3) if depthwise else stored
    kernel = kernel.astype(np.float64)  # (outputs, height, width, inputs of the group)
    outputs, inputs = kernel.shape[0], kernel.shape[3]
    group = np.arange(outputs) * (len(mean) // inputs) // outputs
    channels = group[:, None] * inputs + np.arange(inputs)  # of the image, (outputs, inputs)
    kernel = kernel / std[channels][:, None, None]
    bias = model.real_bias(layer) - (kernel * mean[channels][:, None, None]).sum((1, 2, 3))
    model.set_values(layer.weights, np.swapaxes(kernel, 0, 3) if depthwise else kernel)
    if layer.bias >= 0:
        model.set_values(layer.bias, bias)
        return
    added = model.add_constant(f"{layer.name}_bias", bias, schema.TensorType.FLOAT32)
    operator = model.graph.operators[layer.position]
    operator.inputs = [layer.input, layer.weights, added]


def _widened(
    model: Model, image: int, axis: int, ends: tuple[int, int], mean: np.ndarray
) -> tuple[int, schema.OperatorT]:
    """The image with `ends` rows or columns of the mean before and behind it."""
    shape = list(model.shape(image))
    parts: list[int] = []
    for side, length in zip(SIDES, ends, strict=True):
        if side == SIDES[1]:
            parts.append(image)
        if length:
            border = [*shape[:axis], length, *shape[axis + 1 :]]
            values = np.broadcast_to(mean.astype(np.float32), border)
            name = f"border_{axis}_{side}"
            parts.append(model.add_constant(name, values, schema.TensorType.FLOAT32))
    shape[axis] += sum(ends)
    wide = model.add_tensor(f"bordered_{axis}", shape, schema.TensorType.FLOAT32)
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    return wide, model.operator(Code.CONCATENATION, parts, [wide], options)


def _read(model: Model, first: _First, image: int) -> None:
    """Lets the convolution read another tensor, to which nothing is added any more."""
    if not any(map(any, first.border)):
        return
    operator = model.graph.operators[first.layer.position]
    operator.inputs = [image, *list(operator.inputs)[1:]]
    operator.builtinOptions.padding = schema.Padding.VALID


def scaled(sample: Sequence[np.ndarray], expects: Preprocessing) -> list[np.ndarray]:
    """Raw pixels as the file before the folding takes them."""
    mean, std = (np.asarray(each, np.float32) for each in (expects.mean, expects.std))
    return [(np.asarray(values, np.float32) - mean) / std for values in sample]


def carriers(graph: Subgraph, image: int, values: tuple[float, float]) -> Iterator[int]:
    """The image, and what only puts a border of such values around it.

    They share one scale: that of a camera's pixels, not of those that calibration saw.
    """
    yield image
    low, high = values
    carried = {image}
    for operator in graph.operators:
        others = [graph.tensors[index] for index in operator.inputs if index not in carried]
        if operator.name != "CONCATENATION" or len(others) == len(operator.inputs):
            continue
        if all(t.data is not None and low <= t.values().min() for t in others) and all(
            t.values().max() <= high for t in others
        ):
            carried.update(operator.outputs)
            yield from operator.outputs
