"""Which tensors of an int8 file cost most at its output, each measured by itself.

The float file runs with one tensor rounded as the int8 file has it, which needs no int8 kernels.
Errors of different tensors hardly know of each other, so their powers add up nearly: keeping the
worst ones float leaves what the others say.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.graph import Graph
from converters.layer_names import LayerNames
from converters.methods.noise import with_rounded_activations, with_rounded_weights
from converters.methods.parts import run_part
from converters.methods.surgery import Model
from converters.tflite_reader import read_model
from mobilekit.core.quiet import quiet_stderr
from mobilekit.core.recipe import LayerArithmetic, LayerRule

WEIGHTS, ACTIVATIONS = "weights", "activations"
INT8 = schema.TensorType.INT8

Rounding = Callable[[bytes, bytes, Sequence[str]], bytes]
ROUNDINGS: dict[str, Rounding] = {
    WEIGHTS: with_rounded_weights,
    ACTIVATIONS: with_rounded_activations,
}


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What rounding one tensor alone does at the output.

    Attributes:
        tensor: Of the float file; where `kind` is "weights", the output of the layer they are of.
        kind: "weights" or "activations".
        share: Error power over signal power at the output.
    """

    tensor: str
    kind: str
    share: float


def measure_sensitivity(
    real: bytes, integer: bytes, inputs: Sequence[np.ndarray]
) -> tuple[Sensitivity, ...]:
    """Every tensor that the int8 file rounds, the worst first.

    Args:
        real: The float file, of one input and one output.
        integer: The int8 file that was made of exactly this one.
        inputs: Float32 inputs, few: every tensor runs all of them.

    Raises:
        ConversionError: If LiteRT cannot run a variant.
    """
    stacked = [np.stack(inputs)]
    with quiet_stderr():  # LiteRT tells of its delegate
        wanted = run_part(real, stacked)[0].astype(np.float64)
        signal = float(np.square(wanted).sum()) or 1.0
        found = [
            Sensitivity(
                tensor=tensor,
                kind=kind,
                share=float(
                    np.square(
                        run_part(ROUNDINGS[kind](real, integer, [tensor]), stacked)[0] - wanted
                    ).sum()
                )
                / signal,
            )
            for kind, tensor in _rounded_tensors(Model(real), Model(integer))
        ]
    return tuple(sorted(found, key=lambda each: -each.share))


def _rounded_tensors(real: Model, integer: Model) -> Iterator[tuple[str, str]]:
    for theirs, ours in zip(real.layers(), integer.layers(), strict=True):
        if integer.graph.tensors[ours.weights].type == INT8:
            yield WEIGHTS, theirs.name
    known = integer.index()
    for tensor in real.float_activations():
        place = known.get(real.name(tensor))
        if place is not None and integer.graph.tensors[place].type == INT8:
            yield ACTIVATIONS, real.name(tensor)


@dataclass(frozen=True, kw_only=True)
class KeptFloat:
    """Layers that stay float, so that most of the error goes.

    Attributes:
        rules: Of a mixed recipe.
        share: Of the error power that these layers take away, 0..1, as far as powers add up.
    """

    rules: tuple[LayerRule, ...]
    share: float


def float_layers(
    content: bytes, sensitivities: Sequence[Sensitivity], share: float, layers: Sequence[str]
) -> KeptFloat:
    """The few layers to keep float so that about `share` of the error goes.

    Weights are float where their layer is; a tensor is float where all that write and read it are.
    What takes most error away for each operator that turns float comes first. The input's own
    steps stay, since its type is the file's.

    Args:
        content: The float file.
        sensitivities: Of its tensors.
        share: Of the whole error, 0..1.
        layers: Keras layers that the file was made of.
    """
    around = _Surroundings(read_model(content, "the float file"), layers)
    needs = [(each.share, around.needs(each)) for each in sensitivities]
    total = sum(each.share for each in sensitivities)
    floats: frozenset[str] = frozenset()

    def gone(names: frozenset[str]) -> float:
        return sum(error for error, need in needs if need and need <= names)

    def worth(wider: frozenset[str]) -> tuple[float, list[str]]:
        """What more goes for each operator that turns float; names decide between equals."""
        more = gone(wider) - gone(floats)
        return more / around.operators(wider - floats), sorted(wider)

    while gone(floats) < share * total:
        wider = {need | floats for _, need in needs if not need <= floats}
        if not wider:
            break
        floats = max(wider, key=worth)
    return KeptFloat(
        rules=tuple(
            LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern=re.escape(name))
            for name in around.in_order(floats)
        ),
        share=gone(floats) / total if total else 0.0,
    )


class _Surroundings:
    """The operators that write and read each tensor, and names for them."""

    def __init__(self, graph: Graph, layers: Sequence[str]) -> None:
        self._graph = graph.main
        self._writers, self._readers = self._graph.producers(), self._graph.consumers()
        self._places = {tensor.name: tensor.index for tensor in self._graph.tensors}
        names = LayerNames(graph, layers)
        known = {op.index: names.all_of(op, self._graph) for op in self._graph.operators}
        self._counts = collections.Counter(name for found in known.values() for name in found)
        self._names = {
            op.index: self._best(known[op.index], names.of(op, self._graph))
            for op in self._graph.operators
            if known[op.index]
        }

    def needs(self, of: Sensitivity) -> frozenset[str]:
        """Names of the layers that have to be float; none where a tensor cannot be float."""
        place = self._places[of.tensor]
        writer = self._writers.get(place)
        if writer is None:  # the file's input
            return frozenset()
        operators = [writer, *(self._readers.get(place, []) if of.kind == ACTIVATIONS else [])]
        found = [self._names.get(operator.index) for operator in operators]
        return frozenset(name for name in found if name) if all(found) else frozenset()

    def operators(self, names: Iterable[str]) -> int:
        """How many operators bear one of some names."""
        return sum(self._counts[name] for name in names)

    def in_order(self, names: frozenset[str]) -> list[str]:
        """Names in the order of execution."""
        return [name for name in dict.fromkeys(self._names.values()) if name in names]

    def _best(self, names: Iterable[str], main: str | None) -> str:
        """The name that fewest operators bear; of those the layer that does the work."""
        return min(names, key=lambda name: (self._counts[name], name != main, len(name), name))
