"""What a network costs: parameters, multiply-accumulates, activation memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import layers

from mobilekit.architectures.blocks import CONSTANT


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The cost of one inference, batch 1.

    Attributes:
        trainable_params: Weights that training changes.
        total_params: The same and the moving statistics of batch norm.
        macs: Multiply-accumulates of convolution and dense layers.
        peak_activation_elements: Most values alive at once when layers run in order, batch norm
            and activations folded into the layer before them, as the converter folds them.
            One byte each in int8, four in float32.
    """

    trainable_params: int
    total_params: int
    macs: int
    peak_activation_elements: int


def count(model: keras.Model) -> Counts:
    """Counts a functional model with static shapes; what a target's forms add does not count."""
    network = [layer for layer in model.layers if not layer.name.endswith(CONSTANT)]
    return Counts(
        trainable_params=sum(math.prod(w.shape) for w in model.trainable_weights),
        total_params=sum(math.prod(w.shape) for own in network for w in own.weights),
        macs=sum(layer_macs(layer) for layer in network),
        peak_activation_elements=_peak_elements(model),
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


# Layers that write into their input's place, or vanish, when the converter is done.
FOLDED = (
    layers.BatchNormalization,
    layers.ReLU,
    layers.Dropout,
    layers.Activation,
    layers.ZeroPadding2D,
    layers.Flatten,
)


def _peak_elements(model: keras.Model) -> int:
    """Walks the layers in order; a tensor lives from its layer to its last reader."""
    root: dict[int, int] = {}  # a folded tensor -> the tensor whose memory it shares
    steps: list[tuple[list[int], int]] = []
    elements: dict[int, int] = {}
    for layer in model.layers:
        for node in layer._inbound_nodes:
            output = node.outputs[0]
            inputs = [root.get(id(x), id(x)) for x in node.arguments.keras_tensors]
            if isinstance(layer, FOLDED) and inputs:
                root[id(output)] = inputs[0]
                elements[inputs[0]] = max(elements[inputs[0]], math.prod(output.shape[1:]))
                continue
            elements[id(output)] = math.prod(output.shape[1:])
            steps.append((inputs, id(output)))
    last_read = {tensor: step for step, (inputs, _) in enumerate(steps) for tensor in inputs}
    last_read.update({root.get(id(x), id(x)): len(steps) for x in model.outputs})
    peak, alive = 0, {}
    for step, (_, output) in enumerate(steps):
        alive[output] = elements[output]
        peak = max(peak, sum(alive.values()))
        alive = {tensor: size for tensor, size in alive.items() if last_read.get(tensor, -1) > step}
    return peak
