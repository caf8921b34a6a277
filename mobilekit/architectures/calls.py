"""Uses of layers, in the order in which the converter imports their operators.

It takes TensorFlow's graph in reverse post-order, with nodes of equal rank by name, so branches
stand one behind the other, by name; Keras orders layers by their distance from the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import keras
from keras import layers
from keras.src.ops.node import Node

# Their constants are nodes of TensorFlow's graph, from which it is walked too.
WITH_CONSTANTS = (
    layers.GlobalAveragePooling2D,
    layers.Concatenate,
    layers.ZeroPadding2D,
    layers.Rescaling,
    layers.Flatten,
    layers.Reshape,
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One use of a layer.

    Attributes:
        layer: The layer.
        name: How its nodes are called in TensorFlow's graph, as far as their order depends on it.
        inputs: Keras' tensors.
        outputs: Likewise.
        readers: Uses of what it writes.
    """

    layer: keras.layers.Layer
    name: str
    inputs: tuple[keras.KerasTensor, ...]
    outputs: tuple[keras.KerasTensor, ...]
    readers: list[Call] = field(default_factory=list, repr=False)


def calls_of(model: keras.Model) -> list[Call]:
    """Every use of a layer of a functional model, in Keras' order."""
    calls, makers = [], {}
    for layer in model.layers:
        for count, node in enumerate(_nodes(layer), 1):
            is_input = isinstance(layer, layers.InputLayer)
            call = Call(
                layer=layer,
                name=layer.name if is_input else f"{model.name}_1/{layer.name}_{count}/",
                inputs=tuple(node.arguments.keras_tensors),
                outputs=tuple(node.outputs),
            )
            calls.append(call)
            makers.update({id(tensor): call for tensor in call.outputs})
    for call in calls:
        for tensor in call.inputs:
            makers[id(tensor)].readers.append(call)
    return calls


def _nodes(layer: keras.layers.Layer) -> Sequence[Node]:
    nodes: Sequence[Node] = layer._inbound_nodes
    return nodes


def in_file_order(calls: Sequence[Call]) -> list[Call]:
    """Reverse post-order from inputs and constants, as TensorFlow's `GetReversePostOrder` has it.

    Of several nodes the one with the last name is walked first, so that it ends up behind.
    """
    roots = [
        call
        for call in calls
        if not call.inputs or call.layer.weights or isinstance(call.layer, WITH_CONSTANTS)
    ]
    order: list[Call] = []
    visited: set[int] = set()
    todo = [(call, False) for call in sorted(roots, key=_name)]
    while todo:
        call, done = todo.pop()
        if done:
            order.append(call)
        elif id(call) not in visited:
            visited.add(id(call))
            todo.append((call, True))
            todo += [(reader, False) for reader in sorted(call.readers, key=_name)]
    return order[::-1]


def _name(call: Call) -> str:
    return call.name
