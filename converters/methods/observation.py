"""What the float network computes on a few images: statistics a channel and image, taken once.

Operators that reduce are appended to the float file, which then runs under XNNPACK like any other.
Statistics stay apart by image, so that any subset of the images can be asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods.parts import run_part
from converters.methods.surgery import ACTIVATIONS, NO_ACTIVATION, Layer, Model

FLOAT32 = schema.TensorType.FLOAT32
REDUCTIONS = {
    "low": schema.BuiltinOperator.REDUCE_MIN,
    "high": schema.BuiltinOperator.REDUCE_MAX,
    "mean": schema.BuiltinOperator.MEAN,
}


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One tensor's values, each field shaped (images, channels).

    Attributes:
        low: Smallest value.
        high: Largest value.
        mean: Mean over positions.
        square: Mean of the squares.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    square: np.ndarray

    def of(self, images: Sequence[int]) -> Spread:
        """The same of some of the images."""
        chosen = list(images)
        return Spread(
            low=self.low[chosen],
            high=self.high[chosen],
            mean=self.mean[chosen],
            square=self.square[chosen],
        )

    def scaled(self, factors: np.ndarray) -> Spread:
        """The same of a tensor whose channels are multiplied by positive factors."""
        return Spread(
            low=self.low * factors,
            high=self.high * factors,
            mean=self.mean * factors,
            square=self.square * factors**2,
        )

    @property
    def largest(self) -> np.ndarray:
        """Largest absolute value of each channel over all images."""
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)).max(axis=0))

    @property
    def power(self) -> np.ndarray:
        """Mean square of each channel over all images."""
        return np.asarray(self.square.mean(axis=0))

    @property
    def variance(self) -> np.ndarray:
        """Variance of each channel over all images and positions."""
        return np.asarray(np.maximum(self.power - self.mean.mean(axis=0) ** 2, 0))


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen.

    Attributes:
        tensors: Every float activation by tensor name.
        before: What each layer gives before its fused activation, by the layer's name.
        outputs: What the network answers, flat: (images, classes).
    """

    tensors: Mapping[str, Spread]
    before: Mapping[str, Spread]
    outputs: np.ndarray

    def of(self, images: Sequence[int]) -> Observation:
        """The same of some of the images."""
        return Observation(
            tensors={name: spread.of(images) for name, spread in self.tensors.items()},
            before={name: spread.of(images) for name, spread in self.before.items()},
            outputs=self.outputs[list(images)],
        )

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Smallest and largest value of each activation, over all channels and images."""
        return {
            name: (float(spread.low.min()), float(spread.high.max()))
            for name, spread in self.tensors.items()
        }


def observe(content: bytes, inputs: Sequence[np.ndarray]) -> Observation:
    """Runs a float file on `inputs` and keeps statistics of every activation.

    Args:
        content: A float .tflite of one input and one output.
        inputs: Float32 arrays of the input's shape.
    """
    taps = _Taps(Model(content))
    rows = run_part(taps.content, [np.stack(inputs)])
    return taps.observation([values.reshape(len(inputs), -1) for values in rows])


class _Taps:
    """The float file with statistics as its outputs, and what each output is."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._outputs: list[int] = [int(model.graph.outputs[0])]
        self._of: list[tuple[str, str, str]] = []
        self._extra: list[schema.OperatorT] = []
        activations = list(model.float_activations())
        layers = {layer.position: layer for layer in model.layers()}
        made: list[schema.OperatorT] = []
        for position, operator in enumerate(model.graph.operators):
            made.append(operator)
            if position in layers:
                made += self._expose(layers[position], operator)
        for tensor in activations:
            self._reduce("tensors", model.name(tensor), tensor)
        model.graph.operators = made + self._extra
        model.graph.outputs = self._outputs
        model.schema.signatureDefs = None
        self.content = model.pack()

    def observation(self, rows: Sequence[np.ndarray]) -> Observation:
        """The outputs, sorted by what they are."""
        found: dict[str, dict[str, dict[str, np.ndarray]]] = {"tensors": {}, "before": {}}
        for (kind, name, statistic), values in zip(self._of, rows[1:], strict=True):
            found[kind].setdefault(name, {})[statistic] = values
        spreads = {
            kind: {name: Spread(**fields) for name, fields in by_name.items()}
            for kind, by_name in found.items()
        }
        return Observation(tensors=spreads["tensors"], before=spreads["before"], outputs=rows[0])

    def _expose(self, layer: Layer, operator: schema.OperatorT) -> Iterator[schema.OperatorT]:
        """Makes a fused activation an operator of its own, and taps what it reads."""
        model, output, options = self._model, layer.output, operator.builtinOptions
        fused = options.fusedActivationFunction
        if fused not in ACTIVATIONS:
            self._reduce("before", layer.name, output)
            return
        shape = list(model.graph.tensors[output].shape)
        before = model.add_tensor(f"mobilekit_before_{output}", shape, FLOAT32)
        options.fusedActivationFunction = NO_ACTIVATION
        operator.outputs = [before]
        self._reduce("before", layer.name, before)
        yield model.operator(ACTIVATIONS[fused], [before], [output])

    def _reduce(self, kind: str, name: str, tensor: int) -> None:
        for statistic, code in REDUCTIONS.items():
            self._append(code, tensor, (kind, name, statistic))
        shape = list(self._model.graph.tensors[tensor].shape)
        squared = self._model.add_tensor(f"mobilekit_squared_{len(self._of)}", shape, FLOAT32)
        square = schema.BuiltinOperator.SQUARE
        self._extra.append(
            self._model.operator(square, [tensor], [squared], schema.SquareOptionsT())
        )
        self._append(schema.BuiltinOperator.MEAN, squared, (kind, name, "square"))

    def _append(self, code: int, tensor: int, what: tuple[str, str, str]) -> None:
        output, operator = self._model.reduced(code, tensor)
        self._extra.append(operator)
        self._outputs.append(output)
        self._of.append(what)
