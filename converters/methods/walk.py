"""One walk through an integer file beside its float file, each layer mended in passing.

The file runs piece by piece under LiteRT, on what the mended layers before really give, so each
layer is fitted to the values that it will see. Rounding changes weights; bias correction then adds
what the mean of each channel before its activation lacks.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods import BIAS_CORRECTION, GPTQ
from converters.methods.gptq import round_weights
from converters.methods.observation import Observation
from converters.methods.parts import run_part
from converters.methods.patches import grouped_weights, second_moments, ungrouped_weights
from converters.methods.surgery import NO_ACTIVATION, Layer, Model
from mobilekit.core.errors import ConversionError

TYPE = schema.TensorType
INT32 = np.iinfo(np.int32)


def mend(
    real: bytes,
    integer: bytes,
    inputs: Sequence[np.ndarray],
    seen: Observation,
    methods: Sequence[str],
) -> bytes:
    """Mends the layers of an integer file.

    Args:
        real: The float file that it was quantized from.
        integer: The quantized file.
        inputs: What it is fed, in its own type.
        seen: What was observed of the float file on the same images.
        methods: GPTQ, BIAS_CORRECTION or both.

    Raises:
        ConversionError: If the two files do not have the same layers.
    """
    walk = _Walk(Model(real), Model(integer), seen, methods)
    walk.run(np.stack(inputs))
    return walk.integer.pack()


class _Walk:
    """The values between layers, on all images at once, while they are needed."""

    def __init__(
        self, real: Model, integer: Model, seen: Observation, methods: Sequence[str]
    ) -> None:
        self.integer = integer
        self._real, self._seen, self._methods = real, seen, methods
        self._pairs = {ours.position: (ours, theirs) for ours, theirs in _pairs(integer, real)}
        self._values: dict[int, np.ndarray] = {}

    def run(self, inputs: np.ndarray) -> None:
        graph = self.integer.graph
        self._values[int(graph.inputs[0])] = inputs
        last = {int(i): place for place, op in enumerate(graph.operators) for i in op.inputs}
        begin = 0
        for position in sorted(self._pairs):
            if position > begin:
                self._execute(begin, position, last)
            self._mend(*self._pairs[position])
            begin = position

    def _execute(self, begin: int, end: int, last: Mapping[int, int]) -> None:
        """Runs operators `begin` to `end`; keeps what later ones read (`last` says which)."""
        operators = self.integer.graph.operators[begin:end]
        inputs = list(
            dict.fromkeys(int(i) for op in operators for i in op.inputs if int(i) in self._values)
        )
        written = [int(index) for op in operators for index in op.outputs]
        outputs = [index for index in written if last.get(index, -1) >= end]
        content = self.integer.part(operators, inputs, outputs)
        rows = run_part(content, [self._values[index] for index in inputs])
        self._values.update(zip(outputs, rows, strict=True))
        for tensor in [each for each in self._values if last.get(each, -1) < end]:
            del self._values[tensor]

    def _mend(self, ours: Layer, theirs: Layer) -> None:
        model = self.integer
        if GPTQ in self._methods:
            self._round(ours, self._real.values(theirs.weights))
        if BIAS_CORRECTION in self._methods:
            want = self._seen.before[theirs.name].mean
            lacking = _shrunk_mean(want - self._means(ours, theirs))
            bias = ours.bias if ours.bias >= 0 else _add_bias(model, ours)
            wanted = self._real.real_bias(theirs).astype(np.float64) + lacking
            steps = np.rint(wanted / model.scales(bias).astype(np.float64))
            model.set_values(bias, np.clip(steps, INT32.min, INT32.max).astype(np.int32))

    def _round(self, ours: Layer, weights: np.ndarray) -> None:
        model = self.integer
        channels = weights.shape[ours.axis]
        grouped = grouped_weights(model, ours, weights)
        steps = np.broadcast_to(model.scales(ours.weights), channels).reshape(grouped.shape[:2])
        moments = second_moments(model, ours, self._rows(ours))
        integers = round_weights(grouped, moments, steps)
        model.set_values(ours.weights, ungrouped_weights(ours, integers, weights.shape))

    def _means(self, ours: Layer, theirs: Layer) -> np.ndarray:
        """What the integer layer gives before its activation, by image and channel."""
        content = _float_twin(self.integer, self._real, ours, theirs)
        return run_part(content, [self._values[ours.input]])[0]

    def _rows(self, ours: Layer) -> np.ndarray:
        """The layer's inputs without the batch of one: (images, …, channels)."""
        values = self._values[ours.input]
        return values.reshape(len(values), *values.shape[2:])


def _shrunk_mean(differences: np.ndarray) -> np.ndarray:
    """The mean over images of each channel, less what a few images only seem to say.

    The positive-part estimate of James and Stein: a mean that is no larger than its own standard
    error becomes 0. On EfficientNet-Lite0 that gave 1.1 dB on photographs that were held out.
    """
    found = differences.astype(np.float64)
    mean = found.mean(axis=0)
    if len(found) < 2:
        return np.asarray(mean)
    error = found.var(axis=0, ddof=1) / len(found)
    kept = 1 - error / np.maximum(np.square(mean), np.finfo(np.float64).tiny)
    return np.asarray(mean * np.maximum(kept, 0))


def _pairs(integer: Model, real: Model) -> list[tuple[Layer, Layer]]:
    """Layers of both files, which have the same order; those that stayed float are left out."""
    ours, theirs = list(integer.layers()), list(real.layers())
    alike = len(ours) == len(theirs) and all(
        integer.shape(a.weights) == real.shape(b.weights) for a, b in zip(ours, theirs, strict=True)
    )
    if not alike:
        raise ConversionError(
            f"The quantized file has {len(ours)} layers with weights and the float file"
            f" {len(theirs)}, or they differ in shape: neither can be held against the other. Take"
            " --effort none."
        )
    return [(a, b) for a, b in zip(ours, theirs, strict=True) if _is_integer(integer, a)]


def _is_integer(model: Model, layer: Layer) -> bool:
    wanted = {layer.input: TYPE.INT8, layer.weights: TYPE.INT8, layer.bias: TYPE.INT32}
    return all(
        index < 0 or model.graph.tensors[index].type == kind for index, kind in wanted.items()
    )


def _add_bias(model: Model, layer: Layer) -> int:
    """Gives an integer layer a bias of zeros, on the steps that the runtime demands."""
    channels = model.shape(layer.weights)[layer.axis]
    bias = model.add_constant(f"{layer.name}_bias", np.zeros(channels, np.int32), TYPE.INT32)
    steps = schema.QuantizationParametersT()
    steps.scale = np.float32(model.scales(layer.input)[0]) * model.scales(layer.weights)
    steps.zeroPoint = np.zeros(len(steps.scale), np.int64)
    model.graph.tensors[bias].quantization = steps
    model.graph.operators[layer.position].inputs = [layer.input, layer.weights, bias]
    return bias


def _float_twin(integer: Model, real: Model, ours: Layer, theirs: Layer) -> bytes:
    """A file of one layer: int8 in, float arithmetic, no activation, the mean of each channel."""
    twin = Model()
    given = copy.copy(integer.graph.tensors[ours.input])
    given.buffer = 0
    twin.graph.tensors.append(given)
    shapes = [list(integer.shape(index)) for index in (ours.input, ours.output)]
    inputs = twin.add_tensor("inputs", shapes[0], TYPE.FLOAT32)
    kernel = twin.add_constant("weights", integer.real_weights(ours), TYPE.FLOAT32)
    bias = twin.add_constant("bias", real.real_bias(theirs), TYPE.FLOAT32)
    output = twin.add_tensor("output", shapes[1], TYPE.FLOAT32)
    options = copy.copy(real.graph.operators[theirs.position].builtinOptions)
    options.fusedActivationFunction = NO_ACTIVATION
    unpack = schema.BuiltinOperator.DEQUANTIZE
    means, mean = twin.reduced(schema.BuiltinOperator.MEAN, output)
    twin.graph.operators = [
        twin.operator(unpack, [0], [inputs], schema.DequantizeOptionsT(), 2),
        twin.operator(theirs.code, [inputs, kernel, bias], [output], options, theirs.version),
        mean,
    ]
    twin.graph.inputs, twin.graph.outputs = [0], [means]
    return twin.pack()
