"""From the names of tensors back to the Keras layer an operator came from.

The converter calls a fused operator by all that went into it, the last first:
"net_1/block_relu_1/Relu6;net_1/block_BN_1/batchnorm/mul_1;net_1/block_1/depthwise2". Between the
slashes stand scopes, models and layers, and at the end TensorFlow's operation with a number that
makes the name unique. Keras appends "_1" to every scope in some routes and to none in others,
so what "conv_1" means is decided by all the names of a file together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from converters.graph import Graph, Operator, Subgraph

_SUFFIX = re.compile(r"_\d+$")
# A fused name is searched for the operations that do the work, then for anything that is no
# addition to it: an activation, a normalization, a bias, padding.
_WORK = re.compile(r"conv|depthwise|matmul|einsum", re.IGNORECASE)
_ADDITIONS = re.compile(
    r"relu|batchnorm|bias|pad|sub|mul|rsqrt|reshape|readvariableop|quant", re.IGNORECASE
)
# Scopes that Keras layers open inside themselves.
_INNER = frozenset({"batchnorm"})
MOST = 0.75  # TensorFlow's own scopes, such as "Mean", never carry one


class LayerNames:
    """Which Keras layer each operator of one file came from."""

    def __init__(self, graph: Graph, layers: Sequence[str] = ()) -> None:
        """Takes the layers of the model that was converted; without them, names are guessed."""
        names = {t.name for subgraph in graph.subgraphs for t in subgraph.tensors}
        self._layers = frozenset(layers)
        self._suffixed = _are_suffixed(names, self._layers)
        self._weights = {subgraph.index: _weights_of(subgraph) for subgraph in graph.subgraphs}

    def of(self, operator: Operator, subgraph: Subgraph) -> str | None:
        """The layer, or None where no name tells.

        Names of outputs tell best; the last operator's output is called "Identity" by the
        converter, and there the names of the weights tell.
        """
        weights = (index for index in operator.inputs if index in self._weights[subgraph.index])
        for index in (*operator.outputs, *weights):
            layer = self.layer_of(subgraph.tensors[index].name) if index >= 0 else None
            if layer is not None:
                return layer
        return None

    def all_of(self, operator: Operator, subgraph: Subgraph) -> frozenset[str]:
        """Every layer that went into an operator, by name and by its path through nested models.

        A fused operator computes several layers: "conv", "conv_relu". The layer "conv" of the
        nested model "backbone" is "conv" and "backbone/conv".
        """
        weights = [index for index in operator.inputs if index in self._weights[subgraph.index]]
        for indices in (operator.outputs, weights):
            names = [subgraph.tensors[index].name for index in indices if index >= 0]
            parts = [part for name in names for part in name.split(";")]
            paths = {path for part in parts for path in self._paths(part)}
            if paths:
                return frozenset(paths)
        return frozenset()

    def layer_of(self, name: str) -> str | None:
        """The layer that a tensor's name tells of; None where it tells of none."""
        parts = [self._split(path) for path in name.split(";")]
        known = [(layer, operation) for layer, operation in parts if layer is not None]
        work = [layer for layer, operation in known if _WORK.search(operation)]
        main = [layer for layer, operation in known if not _ADDITIONS.search(operation)]
        return next(iter([*work, *main, *(layer for layer, _ in known)]), None)

    def _split(self, path: str) -> tuple[str | None, str]:
        """The innermost layer among the scopes of one path, and what stands behind it."""
        scopes = path.split("/")
        place, layer = self._innermost(scopes)
        if layer is None:
            return None, "" if self._layers else scopes[-1]
        return layer, "/".join(scopes[place + 1 :]) if self._layers else scopes[-1]

    def _innermost(self, scopes: Sequence[str]) -> tuple[int, str | None]:
        """Where the innermost layer stands among scopes, and its name."""
        for place in reversed(range(len(scopes) if self._layers else len(scopes) - 1)):
            for candidate in self._readings(scopes[place]):
                if candidate in self._layers or not (self._layers or scopes[place] in _INNER):
                    return place, candidate
        return 0, None

    def _paths(self, path: str) -> Iterator[str]:
        """The innermost layer of one path of scopes, alone and behind the scopes around it."""
        scopes = path.split("/")
        place, layer = self._innermost(scopes)
        if layer is None:
            return
        outer = [self._readings(scope)[0] for scope in scopes[:place]]
        for start in range(len(outer) + 1):
            yield "/".join((*outer[start:], layer))

    def _readings(self, scope: str) -> tuple[str, ...]:
        """What a scope may mean, the most likely first."""
        stripped = _SUFFIX.sub("", scope)
        return (stripped, scope) if self._suffixed else (scope, stripped)


def _weights_of(subgraph: Subgraph) -> frozenset[int]:
    """Constants, and what DEQUANTIZE makes of them."""
    constants = {tensor.index for tensor in subgraph.tensors if tensor.is_constant}
    unpacked = {
        index
        for operator in subgraph.operators
        if operator.name == "DEQUANTIZE" and constants.issuperset(operator.inputs)
        for index in operator.outputs
    }
    return frozenset(constants | unpacked)


def _are_suffixed(names: Iterable[str], layers: frozenset[str]) -> bool:
    """Whether scopes carry a "_1" that is not the layer's own."""
    scopes = {scope for name in names for path in name.split(";") for scope in path.split("/")[:-1]}
    scopes -= _INNER
    ending = {scope for scope in scopes if _SUFFIX.search(scope)}
    stripped = {_SUFFIX.sub("", scope) for scope in ending}
    if layers:
        return len(layers & stripped) > len(layers & scopes)
    # Names that would fall together without their number have it of their own.
    apart = len(stripped) == len(ending) and stripped.isdisjoint(scopes)
    return apart and len(ending) > MOST * len(scopes)
