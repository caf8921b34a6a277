"""Which tensors of a float graph must keep one factor a channel, with who writes and reads them.

Both sides of an addition, and what padding or pooling passes on, are one group. A group whose
factors cannot all be moved into weights (the network's input and output, a concatenation, a
sigmoid) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

from converters.methods.surgery import NO_ACTIVATION, Layer, Model

OP = schema.BuiltinOperator
RELU = schema.ActivationFunctionType.RELU
RELU6 = schema.ActivationFunctionType.RELU6
# Operators that give each channel back as it came, up to a positive factor.
SUMS = frozenset({OP.ADD, OP.SUB})
TRANSPARENT = SUMS | {
    OP.PAD,
    OP.MEAN,
    OP.MAX_POOL_2D,
    OP.AVERAGE_POOL_2D,
    OP.RELU,
    OP.RESIZE_BILINEAR,
    OP.RESIZE_NEAREST_NEIGHBOR,
}
HOMOGENEOUS = frozenset({NO_ACTIVATION, RELU})


@dataclass(frozen=True, kw_only=True)
class ChannelGroup:
    """Tensors that share one factor a channel.

    Attributes:
        tensors: All of them.
        writers: Layers whose outputs are among them.
        readers: Layers whose inputs are among them.
        bounded: Those writers that end in ReLU6, which lets only some factors through.
    """

    tensors: tuple[int, ...]
    writers: tuple[Layer, ...]
    readers: tuple[Layer, ...]
    bounded: tuple[Layer, ...]


def channel_groups(model: Model) -> Iterator[ChannelGroup]:
    """The groups of a float graph whose factors can be chosen freely, in order of execution."""
    yield from _Grouping(model).groups()


class _Grouping:
    """Union-find over the tensors of one graph."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._leader = list(range(len(model.graph.tensors)))
        self._layers = {layer.position: layer for layer in model.layers()}
        self._fixed = {int(index) for index in (*model.graph.inputs, *model.graph.outputs)}
        for position, operator in enumerate(model.graph.operators):
            if position in self._layers:
                self._fixed.update(self._fixed_by_layer(self._layers[position]))
            elif self._is_transparent(operator):
                self._join(operator)
            else:
                self._fixed.update(map(int, (*operator.inputs, *operator.outputs)))

    def groups(self) -> Iterator[ChannelGroup]:
        members: dict[int, list[int]] = {}
        for tensor in self._model.float_activations():
            members.setdefault(self._lead(tensor), []).append(tensor)
        fixed = {self._lead(tensor) for tensor in self._fixed if tensor >= 0}
        layers = self._layers.values()
        for leader, tensors in members.items():
            writers = tuple(each for each in layers if self._lead(each.output) == leader)
            readers = tuple(each for each in layers if self._lead(each.input) == leader)
            if leader not in fixed and writers and readers:
                yield ChannelGroup(
                    tensors=tuple(tensors),
                    writers=writers,
                    readers=readers,
                    bounded=tuple(each for each in writers if self._fused(each) == RELU6),
                )

    def _fused(self, layer: Layer) -> int:
        options = self._model.graph.operators[layer.position].builtinOptions
        return int(options.fusedActivationFunction)

    def _fixed_by_layer(self, layer: Layer) -> Iterator[int]:
        """Tensors of a layer into whose weights a factor cannot be moved."""
        if self._fused(layer) not in HOMOGENEOUS | {RELU6}:
            yield layer.output
        shape = self._model.graph.tensors[layer.input].shape
        weights = self._model.graph.tensors[layer.weights].shape
        flat = layer.code == OP.FULLY_CONNECTED and len(shape) != 2
        # Grouped convolutions and depth multipliers have other numbers of channels here and there.
        if flat or int(weights[-1]) != int(shape[-1]):
            yield layer.input

    def _is_transparent(self, operator: schema.OperatorT) -> bool:
        model = self._model
        code, inputs = model.code(operator), [int(index) for index in operator.inputs]
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", NO_ACTIVATION)
        if code not in TRANSPARENT or fused not in HOMOGENEOUS:
            return False
        shapes = [_shape(model, index) for index in (inputs[0], int(operator.outputs[0]))]
        if code in SUMS:
            shapes += [_shape(model, index) for index in inputs]
            return not any(map(model.is_constant, inputs)) and len(set(shapes)) == 1
        rank = len(shapes[0])
        if code in (OP.MEAN, OP.PAD) and not model.is_constant(inputs[1]):
            return False
        if code == OP.MEAN:
            axes = {int(axis) % rank for axis in model.values(inputs[1]).reshape(-1)}
            return rank - 1 not in axes and shapes[0][-1] == shapes[1][-1]
        if code == OP.PAD:
            return not model.values(inputs[1])[-1].any()
        return True

    def _join(self, operator: schema.OperatorT) -> None:
        output = int(operator.outputs[0])
        for index in map(int, operator.inputs):
            if index >= 0 and not self._model.is_constant(index):
                self._leader[self._lead(index)] = self._lead(output)

    def _lead(self, tensor: int) -> int:
        while self._leader[tensor] != tensor:
            self._leader[tensor] = self._leader[self._leader[tensor]]
            tensor = self._leader[tensor]
        return tensor


def _shape(model: Model, tensor: int) -> Sequence[int]:
    return tuple(int(length) for length in model.graph.tensors[tensor].shape)
