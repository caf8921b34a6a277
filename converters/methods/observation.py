"""What the float network computes on a few images: statistics a channel and image, taken once.

Operators that reduce are appended to the float file, which then runs under XNNPACK like any other.
Statistics stay apart by image, so that any subset of the images can be asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from converters.methods.surgery import ACTIVATIONS, NO_ACTIVATION, Layer, Model
from mobilekit.core.quiet import quiet_stderr

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
        square: Mean of the squares; None where it was not asked for.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    square: np.ndarray | None = None

    def of(self, images: Sequence[int]) -> Spread:
        """The same of some of the images."""
        chosen = list(images)
        square = None if self.square is None else self.square[chosen]
        return Spread(
            low=self.low[chosen], high=self.high[chosen], mean=self.mean[chosen], square=square
        )


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen.

    Attributes:
        tensors: Every float activation by tensor name.
        before: What each layer gives before its fused activation, by the layer's name.
        outputs: What the network answers: (images, classes).
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


def observe(
    content: bytes, inputs: Sequence[np.ndarray], num_threads: int = 1
) -> Observation:
    """Runs a float file on `inputs` and keeps statistics of every activation.

    Args:
        content: A float .tflite of one input and one output.
        inputs: Float32 arrays of the input's shape.
        num_threads: CPU threads.
    """
    taps = _Taps(Model(content))
    with quiet_stderr():  # it tells of its delegate
        interpreter = Interpreter(model_content=taps.content, num_threads=num_threads)
        interpreter.allocate_tensors()
    target = interpreter.get_input_details()[0]["index"]
    places = [detail["index"] for detail in interpreter.get_output_details()]
    rows: list[list[np.ndarray]] = [[] for _ in places]
    for values in inputs:
        interpreter.set_tensor(target, values)
        interpreter.invoke()
        for row, place in zip(rows, places, strict=True):
            row.append(interpreter.get_tensor(place).reshape(-1))
    return taps.observation([np.stack(row) for row in rows])


class _Taps:
    """The float file with statistics as its outputs, and what each output is."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._outputs: list[int] = [int(model.graph.outputs[0])]
        self._of: list[tuple[str, str, str]] = []
        operators = list(model.graph.operators)
        activations = [int(model.graph.inputs[0])] + [
            int(index)
            for operator in operators
            for index in operator.outputs
            if model.graph.tensors[index].type == FLOAT32
        ]
        layers = {layer.position: layer for layer in model.layers()}
        made: list[schema.OperatorT] = []
        self._extra: list[schema.OperatorT] = []
        for position, operator in enumerate(operators):
            made.append(operator)
            if position in layers:
                made += self._expose(layers[position], operator)
        for tensor in dict.fromkeys(activations):
            self._reduce("tensors", model.name(tensor), tensor, square=True)
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
        return Observation(
            tensors=spreads["tensors"], before=spreads["before"], outputs=rows[0]
        )

    def _expose(self, layer: Layer, operator: schema.OperatorT) -> list[schema.OperatorT]:
        """Makes a fused activation an operator of its own, and taps what it reads."""
        model, output = self._model, layer.output
        options = operator.builtinOptions
        fused = options.fusedActivationFunction
        if fused == NO_ACTIVATION or fused not in ACTIVATIONS:
            self._reduce("before", layer.name, output, square=True)
            return []
        shape = model.graph.tensors[output].shape
        before = model.add_tensor(f"mobilekit_before_{output}", list(shape), FLOAT32)
        options.fusedActivationFunction = NO_ACTIVATION
        operator.outputs = [before]
        self._reduce("before", layer.name, before, square=True)
        return [model.operator(ACTIVATIONS[fused], [before], [output])]

    def _reduce(self, kind: str, name: str, tensor: int, *, square: bool = False) -> None:
        for statistic, code in REDUCTIONS.items():
            self._append(code, tensor, (kind, name, statistic))
        if square:
            shape = list(self._model.graph.tensors[tensor].shape)
            squared = self._model.add_tensor(f"mobilekit_squared_{tensor}", shape, FLOAT32)
            self._extra.append(
                self._model.operator(
                    schema.BuiltinOperator.SQUARE, [tensor], [squared], schema.SquareOptionsT()
                )
            )
            self._append(schema.BuiltinOperator.MEAN, squared, (kind, name, "square"))

    def _append(self, code: int, tensor: int, what: tuple[str, str, str]) -> None:
        model = self._model
        shape = model.graph.tensors[tensor].shape
        rank, channels = len(shape), int(shape[-1]) if len(shape) else 1
        axes = model.add_constant(
            f"mobilekit_axes_{len(self._of)}",
            np.arange(max(rank - 1, 0), dtype=np.int32),
            schema.TensorType.INT32,
        )
        output = model.add_tensor(f"mobilekit_{len(self._of)}", [channels], FLOAT32)
        options = schema.ReducerOptionsT()
        options.keepDims = False
        self._extra.append(model.operator(code, [tensor, axes], [output], options))
        self._outputs.append(output)
        self._of.append(what)
