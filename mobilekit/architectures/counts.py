"""What a network costs: parameters, multiply-accumulates, activation memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import keras
from keras import layers

from mobilekit.architectures.blocks import CONSTANT
from mobilekit.architectures.file_order import is_scale, peak_elements, steps_of


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The cost of one inference, batch 1.

    Attributes:
        trainable_params: Weights that training changes.
        total_params: The same and the moving statistics of batch norm.
        macs: Multiply-accumulates of convolution and dense layers.
        peak_activation_elements: Most values alive at once when the operators of the file run in
            its order. One byte each in int8, four in float32.
    """

    trainable_params: int
    total_params: int
    macs: int
    peak_activation_elements: int


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """One row of `layer_costs`: a layer with whatever is folded into it, batch 1.

    Attributes:
        name: Of the layer.
        kind: Its class in Keras, e.g. "Conv2D".
        output_shape: What it and the folded ones give, e.g. (112, 112, 64).
        trainable_params: Their weights that training changes; constants of a form are none.
        total_params: The same and the moving statistics of batch norm.
        macs: Multiply-accumulates.
        activation_elements: Values that it writes: one byte each in int8, four in float32.
        folded: Layers within it: batch norm, activations, dropout, pads.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    trainable_params: int
    total_params: int
    macs: int
    activation_elements: int
    folded: tuple[str, ...]


def count(model: keras.Model) -> Counts:
    """Counts a functional model with static shapes; what a target's forms add does not count."""
    network = [layer for layer in model.layers if not layer.name.endswith(CONSTANT)]
    return Counts(
        trainable_params=sum(math.prod(w.shape) for w in model.trainable_weights),
        total_params=sum(math.prod(w.shape) for own in network for w in own.weights),
        macs=sum(layer_macs(layer) for layer in network),
        peak_activation_elements=peak_elements(model),
    )


def layer_macs(layer: keras.layers.Layer) -> int:
    """Multiply-accumulates of one layer, batch 1; 0 for all but convolution and dense layers."""
    if isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
        # A kernel element works once an output position; a depthwise kernel holds one filter a
        # channel, a grouped one only its group's inputs, so this holds for all three.
        positions = math.prod(layer.output.shape[1:3])
        return int(positions * math.prod(layer.kernel.shape))
    if isinstance(layer, layers.Dense):
        return int(math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape))
    return 0


# Layers that stand in the row of another one.
FOLDED = (
    layers.BatchNormalization,
    layers.ReLU,
    layers.ELU,
    layers.Dropout,
    layers.Activation,
    layers.ZeroPadding2D,
    layers.Flatten,
    layers.Reshape,
)
# Of these, those whose output is not what the row shows.
SHAPELESS = (layers.ZeroPadding2D, layers.Reshape)


def layer_costs(model: keras.Model) -> list[LayerCost]:
    """One row a layer in the file's order; folded layers stand in the row of their neighbour."""
    rows = _rows(model)
    places = {id(step.layer): place for place, step in enumerate(steps_of(model))}
    ordered = sorted(rows, key=lambda row: places[id(row[0])])
    return [_cost(row[0], row) for row in ordered]


def _rows(model: keras.Model) -> list[list[keras.layers.Layer]]:
    """Layers by row, the one that gives it its name first; pads go to their reader's row."""
    makers = {id(output): layer for layer in model.layers for output in _outputs(layer)}
    rows: dict[int, list[keras.layers.Layer]] = {}
    host: dict[int, int] = {}
    waiting: list[keras.layers.Layer] = []
    for layer in model.layers:
        if isinstance(layer, layers.ZeroPadding2D):
            waiting.append(layer)
        elif isinstance(layer, FOLDED) or is_scale(layer):
            host[id(layer)] = at = _host_of(layer, makers, host)
            rows[at].append(layer)
        else:
            rows[id(layer)] = [layer]
            host[id(layer)] = id(layer)
    readers = {id(tensor): layer for layer in model.layers for tensor in _inputs(layer)}
    for pad in waiting:
        rows[host[id(readers[id(pad.output)])]].append(pad)
    return list(rows.values())


def _host_of(
    layer: keras.layers.Layer, makers: dict[int, keras.layers.Layer], host: dict[int, int]
) -> int:
    maker = makers[id(next(_inputs(layer)))]
    while isinstance(maker, layers.ZeroPadding2D):
        maker = makers[id(next(_inputs(maker)))]
    return host[id(maker)]


def _inputs(layer: keras.layers.Layer) -> Iterator[keras.KerasTensor]:
    for node in layer._inbound_nodes:
        yield from node.arguments.keras_tensors


def _outputs(layer: keras.layers.Layer) -> Iterator[keras.KerasTensor]:
    for node in layer._inbound_nodes:
        yield from node.outputs


def _cost(main: keras.layers.Layer, row: list[keras.layers.Layer]) -> LayerCost:
    own = [layer for layer in row if not layer.name.endswith(CONSTANT)]
    after = [layer for layer in row if not isinstance(layer, SHAPELESS)]
    shape = tuple(int(length) for length in after[-1].output.shape[1:])
    return LayerCost(
        name=main.name,
        kind=type(main).__name__,
        output_shape=shape,
        trainable_params=sum(math.prod(w.shape) for each in own for w in each.trainable_weights),
        total_params=sum(math.prod(w.shape) for each in own for w in each.weights),
        macs=sum(layer_macs(layer) for layer in own),
        activation_elements=math.prod(shape),
        folded=tuple(layer.name for layer in row[1:]),
    )
