"""The operators that a network becomes in a .tflite, in the order in which they run there.

Batch norm, activations and pads are fused where the converter fuses them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers

from mobilekit.architectures.activations import hard_sigmoid, hard_swish_by_relu6
from mobilekit.architectures.calls import Call, calls_of, in_file_order

WEIGHTED = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
# What may have an activation within it; its other operators follow as operators of their own.
ACTIVATED = (
    *WEIGHTED,
    layers.Add,
    layers.Multiply,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
    layers.BatchNormalization,  # one that is an addition in the end
)
FUSED_MAXIMA = (None, 6.0, 1.0)  # of a ReLU: what an operator can have within it
# Layers that leave nothing, or the same memory under another shape.
VANISHING = (layers.Dropout, layers.Flatten, layers.Reshape, layers.InputLayer)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operator of the file.

    Attributes:
        layer: The layer that it computes, or the first of several.
        fused: The layers that it computes too.
        inputs: Tensors that it reads.
        outputs: Tensors that it writes, by number of values.
        activated: Whether an activation is within it already.
    """

    layer: keras.layers.Layer
    inputs: tuple[int, ...]
    outputs: Mapping[int, int]
    fused: tuple[str, ...] = ()
    activated: bool = False


def steps_of(model: keras.Model) -> list[Step]:
    """The operators of the file in order; the first ones feed the inputs."""
    return _Fusing(model).steps()


def peak_elements(model: keras.Model) -> int:
    """Most values alive at once; a tensor lives from its operator to its last reader."""
    fusing = _Fusing(model)
    steps = fusing.steps()
    last_read = {tensor: place for place, step in enumerate(steps) for tensor in step.inputs}
    last_read.update(dict.fromkeys(fusing.outputs(), len(steps)))
    peak = 0
    alive: dict[int, int] = {}
    for place, step in enumerate(steps):
        alive.update(step.outputs)
        peak = max(peak, sum(alive.values()))
        alive = {t: size for t, size in alive.items() if last_read.get(t, -1) > place}
    return peak


class _Fusing:
    """Goes through the layers in the file's order and keeps what they become."""

    def __init__(self, model: keras.Model) -> None:
        calls = calls_of(model)
        self._model = model
        self._reads: dict[int, list[Call]] = {}
        for call in calls:
            for tensor in call.inputs:
                self._reads.setdefault(id(tensor), []).append(call)
        self._steps: dict[int, Step] = {}  # by the first tensor that each writes, in order
        self._same: dict[int, int] = {}  # a tensor -> the one whose memory it is
        self._fresh = itertools.count(-1, -1)  # tensors that no layer has
        for call in in_file_order(calls):
            self._take(call)

    def steps(self) -> list[Step]:
        return list(self._steps.values())

    def outputs(self) -> Iterator[int]:
        return (self._root(tensor) for tensor in self._model.outputs)

    def _root(self, tensor: keras.KerasTensor) -> int:
        return self._same.get(id(tensor), id(tensor))

    def _take(self, call: Call) -> None:
        layer = call.layer
        if not call.inputs:
            self._add(call)
        elif isinstance(layer, VANISHING) or _is_linear(layer) or self._is_same_border(call):
            self._same[id(call.outputs[0])] = self._root(call.inputs[0])
        elif isinstance(layer, layers.BatchNormalization):
            if not self._into_weights(call):
                self._normalize(call)
        elif _activation(layer) is hard_swish_by_relu6:
            shifted, scaled = (self._write(call, [self._root(call.inputs[0])]) for _ in range(2))
            self._write(call, [shifted, scaled])
        elif _activation(layer) is hard_sigmoid:
            shifted = self._root(call.inputs[0])
            if not self._activate(call, WEIGHTED):  # the 3 that is added goes into the bias
                shifted = self._write(call, [shifted])
            self._write(call, [shifted])
        elif is_scale(layer) and self._into_weights(call):
            pass
        elif not _is_fusable(layer) or not self._activate(call, ACTIVATED):
            self._add(call)

    def _into_weights(self, call: Call) -> bool:
        """Puts a factor, and what is added, into the weights before it, where that can be."""
        before = self._before(call)
        if before is None or not isinstance(before.layer, WEIGHTED):
            return False
        self._fuse(call, before)
        return True

    def _normalize(self, call: Call) -> None:
        product = self._write(call, [self._root(call.inputs[0])])  # a multiplication,
        self._write(call, [product])  # and an addition

    def _activate(self, call: Call, hosts: tuple[type, ...]) -> bool:
        """Puts an activation into the operator before it, where that can be."""
        before = self._before(call)
        if before is None or not isinstance(before.layer, hosts):
            return False
        self._fuse(call, replace(before, activated=True))
        return True

    def _write(self, call: Call, inputs: Sequence[int]) -> int:
        """One of several operators that a layer becomes; the last one writes what it gives."""
        tensor = next(self._fresh)
        size = math.prod(call.outputs[0].shape[1:])
        self._steps[tensor] = Step(layer=call.layer, inputs=tuple(inputs), outputs={tensor: size})
        self._same[id(call.outputs[0])] = tensor
        return tensor

    def _before(self, call: Call) -> Step | None:
        """The operator that makes the only input, where nobody else reads that."""
        [tensor] = call.inputs[:1]
        before = self._steps.get(self._root(tensor))
        if before is None or before.activated or len(self._reads[id(tensor)]) > 1:
            return None
        return before if len(before.outputs) == 1 else None

    def _fuse(self, call: Call, step: Step) -> None:
        """The fused operator stands where the last of its layers stood."""
        tensor = self._root(call.inputs[0])
        del self._steps[tensor]
        self._steps[tensor] = replace(step, fused=(*step.fused, call.layer.name))
        self._same[id(call.outputs[0])] = tensor

    def _add(self, call: Call) -> None:
        outputs = {id(tensor): math.prod(tensor.shape[1:]) for tensor in call.outputs}
        self._steps[next(iter(outputs))] = Step(
            layer=call.layer,
            inputs=tuple(self._root(tensor) for tensor in call.inputs),
            outputs=outputs,
        )

    def _is_same_border(self, call: Call) -> bool:
        """Whether a pad and the convolution behind it are a convolution with SAME borders."""
        if not isinstance(call.layer, layers.ZeroPadding2D):
            return False
        readers = self._reads.get(id(call.outputs[0]), [])
        if len(readers) != 1 or not isinstance(readers[0].layer, WEIGHTED[:2]):
            return False
        conv = readers[0].layer
        if conv.padding != "valid":
            return False
        rows = zip(
            call.inputs[0].shape[1:3],
            conv.kernel_size,
            conv.strides,
            conv.dilation_rate,
            call.layer.padding,
            strict=True,
        )
        return all(_same_border(*row[:4]) == tuple(row[4]) for row in rows)


def _same_border(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    total = max(0, (-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length)
    return total // 2, total - total // 2


def _activation(layer: keras.layers.Layer) -> object:
    """What an Activation computes; None of other layers."""
    return layer.activation if isinstance(layer, layers.Activation) else None


def is_scale(layer: keras.layers.Layer) -> bool:
    """Whether a layer multiplies everything with the same number."""
    return isinstance(layer, layers.Rescaling) and np.ndim(layer.scale) == 0 and layer.offset == 0


def _is_linear(layer: keras.layers.Layer) -> bool:
    return _activation(layer) is keras.activations.linear


def _is_fusable(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, layers.ReLU):
        return layer.max_value in FUSED_MAXIMA and not layer.negative_slope and not layer.threshold
    return _activation(layer) in (keras.activations.relu, keras.activations.relu6)
