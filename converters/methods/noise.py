"""Where the noise of an int8 file comes from: its weights or its activations, and which of them.

Two float files that differ from the original in one thing: weights as the integer file has them,
or activations rounded to the integer file's steps. Both run under XNNPACK like any other.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.fidelity import snr_db
from converters.methods.observation import Observation
from converters.methods.parts import run_part
from converters.methods.surgery import Model
from mobilekit.core.choice import Noise, NoisyTensor

OP, TYPE = schema.BuiltinOperator, schema.TensorType
NAMED = 5  # tensors that are told of
STEPS = 255.0


def measure_noise(
    real: bytes, integer: bytes, inputs: Sequence[np.ndarray], seen: Observation
) -> Noise:
    """Simulates the two kinds of noise apart, and ranks what makes them.

    Args:
        real: The float file.
        integer: What was quantized from it.
        inputs: Float inputs.
        seen: What was observed of the float file on the same inputs.
    """

    def decibels(content: bytes) -> float | None:
        rows = run_part(content, [np.stack(inputs)])[0]
        return snr_db(seen.outputs, rows.reshape(seen.outputs.shape))

    return Noise(
        weights_db=decibels(with_rounded_weights(real, integer)),
        activations_db=decibels(with_rounded_activations(real, integer)),
        tensors=_loudest(Model(real), Model(integer), seen),
    )


def with_rounded_weights(real: bytes, integer: bytes, only: Container[str] | None = None) -> bytes:
    """The float file with the values of the integer file's weights; `only` names some layers."""
    model, rounded = Model(real), Model(integer)
    for theirs, ours in zip(model.layers(), rounded.layers(), strict=True):
        if only is None or theirs.name in only:
            model.set_values(theirs.weights, rounded.real_weights(ours))
    return model.pack()


def with_rounded_activations(
    real: bytes, integer: bytes, only: Container[str] | None = None
) -> bytes:
    """The float file with activations on the integer file's steps; `only` names some tensors."""
    model, rounded = Model(real), Model(integer)
    known = rounded.index()
    graph, made, replaced = model.graph, [], {}

    def rounding(tensor: int) -> list[schema.OperatorT]:
        place = (
            known.get(model.name(tensor)) if only is None or model.name(tensor) in only else None
        )
        if place is None or rounded.graph.tensors[place].type != TYPE.INT8:
            return []
        shape = model.shape(tensor)
        steps = model.add_tensor(f"mobilekit_steps_{tensor}", shape, TYPE.INT8)
        back = model.add_tensor(f"mobilekit_real_{tensor}", shape, TYPE.FLOAT32)
        graph.tensors[steps].quantization = copy.copy(rounded.graph.tensors[place].quantization)
        replaced[tensor] = back
        return [
            model.operator(OP.QUANTIZE, [tensor], [steps], schema.QuantizeOptionsT()),
            model.operator(OP.DEQUANTIZE, [steps], [back], schema.DequantizeOptionsT(), 2),
        ]

    for tensor in map(int, graph.inputs):
        made += rounding(tensor)
    for operator in graph.operators:
        operator.inputs = [replaced.get(int(i), int(i)) for i in operator.inputs]
        made.append(operator)
        for tensor in map(int, operator.outputs):
            made += rounding(tensor)
    graph.operators = made
    graph.outputs = [replaced.get(int(i), int(i)) for i in graph.outputs]
    model.schema.signatureDefs = None
    return model.pack()


def _loudest(real: Model, integer: Model, seen: Observation) -> tuple[NoisyTensor, ...]:
    """The tensors that add most noise beside the signal of the layer that reads them."""
    found = []
    for theirs, ours in zip(real.layers(), integer.layers(), strict=True):
        signal = float(seen.before[theirs.name].variance.sum())
        if not signal or integer.graph.tensors[ours.weights].type != TYPE.INT8:
            continue
        weights, rounded = real.values(theirs.weights), integer.real_weights(ours)
        spread = seen.tensors[real.name(theirs.input)]
        reach = max(0.0, float(spread.high.max())) - min(0.0, float(spread.low.min()))
        activations = (reach / STEPS) ** 2 / 12 * float(np.square(weights).sum())
        errors = np.square(weights - rounded)
        of_weights = float((errors.reshape(-1, errors.shape[-1]).sum(axis=0) * spread.power).sum())
        for kind, noise in (("activations", activations), ("weights", of_weights)):
            name = real.name(theirs.input) if kind == "activations" else theirs.name
            found.append(NoisyTensor(name=name, kind=kind, share=noise / signal))
    found.sort(key=lambda each: -each.share)
    return tuple(found[:NAMED])
