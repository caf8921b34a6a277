"""The network that a selftest measures where no file is named, written without TensorFlow.

A MobileNet in small: a convolution, then pairs of depthwise and pointwise convolutions, a mean and
a dense layer, in float32. Its 53 million multiply-accumulates take 1 to 10 ms on one core of what
phones and computers have: long beside what starting an invocation costs, short beside a second.
Weights are drawn by a generator whose numbers numpy keeps for ever, so every device gets one file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from converters.writer import write_model
from mobilekit.core.digest import digest
from mobilekit.core.model import TFLiteModel

NAME, RECIPE = "mobilekit_selftest", "float32"
SIZE = 128  # pixels of height and width
STEM = 24  # channels after the first convolution, which halves the image
# Stages of depthwise and pointwise convolutions: channels, repeats, stride of the first.
STAGES = ((48, 1, 1), (96, 2, 2), (192, 2, 2), (384, 2, 2))
CLASSES = 100
SEED = 20_261_124

Array = npt.NDArray[np.float32]
Options = Any  # the schema's own object API has no types


@dataclass(kw_only=True)
class _Writer:
    """Collects tensors and operators in the order in which they run."""

    model: Any = field(default_factory=schema.ModelT)
    graph: Any = field(default_factory=schema.SubGraphT)
    random: np.random.RandomState = field(default_factory=lambda: np.random.RandomState(SEED))
    macs: int = 0

    def __post_init__(self) -> None:
        self.model.version, self.model.description = 3, "mobilekit selftest"
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.model.subgraphs, self.model.metadata = [self.graph], []
        self.graph.name, self.graph.tensors, self.graph.operators = "main", [], []

    def tensor(self, name: str, shape: tuple[int, ...], content: npt.NDArray[Any] | None) -> int:
        """Adds a tensor; one without content is computed."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
        integer = content is not None and content.dtype == np.int32
        tensor.type = schema.TensorType.INT32 if integer else schema.TensorType.FLOAT32
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def weights(self, name: str, shape: tuple[int, ...], fan_in: int) -> int:
        """Adds weights that keep the variance of what they are applied to (He et al. 2015)."""
        drawn = self.random.standard_normal(shape) * np.sqrt(2 / fan_in)
        return self.tensor(name, shape, drawn.astype(np.float32))

    def operator(self, kind: str, inputs: list[int], output: int, options: Options) -> None:
        """Adds an operator of version 1."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        row = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, row)
        operator.builtinOptions = options
        self.graph.operators.append(operator)

    def convolution(
        self, source: int, side: int, channels: int, made: int, *, kernel: int, stride: int
    ) -> int:
        """Convolution and ReLU6: (1, side, side, channels) -> (1, ⌈side/stride⌉, …, made)."""
        options = _convolving(schema.Conv2DOptionsT(), stride)
        shape = (made, kernel, kernel, channels)
        return self._filtered("CONV_2D", options, source, shape, -(-side // stride), made)

    def depthwise(self, source: int, side: int, channels: int, *, stride: int) -> int:
        """Depthwise 3x3 and ReLU6: (1, side, side, channels) -> (1, ⌈side/stride⌉, …, channels)."""
        options = _convolving(schema.DepthwiseConv2DOptionsT(), stride)
        options.depthMultiplier = 1
        shape = (1, 3, 3, channels)
        return self._filtered(
            "DEPTHWISE_CONV_2D", options, source, shape, -(-side // stride), channels
        )

    def _filtered(
        self,
        kind: str,
        options: Options,
        source: int,
        shape: tuple[int, ...],
        after: int,
        made: int,
    ) -> int:
        name = f"{kind.lower()}_{len(self.graph.operators)}"
        fan_in = int(np.prod(shape)) // made
        weights = self.weights(f"{name}/weights", shape, fan_in)
        bias = self.tensor(f"{name}/bias", (made,), np.zeros(made, np.float32))
        output = self.tensor(name, (1, after, after, made), None)
        self.operator(kind, [source, weights, bias], output, options)
        self.macs += after * after * made * fan_in
        return output

    def head(self, source: int, channels: int) -> int:
        """Mean over the image and a dense layer: -> (1, CLASSES)."""
        reducing = schema.ReducerOptionsT()
        reducing.keepDims = False
        axes = self.tensor("axes", (2,), np.array((1, 2), np.int32))
        mean = self.tensor("mean", (1, channels), None)
        self.operator("MEAN", [source, axes], mean, reducing)
        weights = self.weights("logits/weights", (CLASSES, channels), channels)
        bias = self.tensor("logits/bias", (CLASSES,), np.zeros(CLASSES, np.float32))
        logits = self.tensor("logits", (1, CLASSES), None)
        dense = schema.FullyConnectedOptionsT()
        self.operator("FULLY_CONNECTED", [mean, weights, bias], logits, dense)
        self.macs += CLASSES * channels
        return logits


def _convolving(options: Options, stride: int) -> Options:
    options.padding = schema.Padding.SAME
    options.strideW = options.strideH = stride
    options.dilationWFactor = options.dilationHFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    return options


def selftest_network() -> bytes:
    """The .tflite file: the same bytes with every call."""
    return _written()[0]


def selftest_macs() -> int:
    """Its multiply-accumulates."""
    return _written()[1]


def write_selftest_network(results: Path) -> Path:
    """Writes the file with its provenance into a folder of results; raises StorageError."""
    content = selftest_network()
    path = results / "models" / NAME / f"{NAME}.tflite"
    described = TFLiteModel(
        name=NAME,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        recipe=RECIPE,
        recipe_digest=digest(RECIPE),
    )
    write_model(path, content, described)
    return path


def _written() -> tuple[bytes, int]:
    writer = _Writer()
    image = writer.tensor("image", (1, SIZE, SIZE, 3), None)
    side, channels = SIZE // 2, STEM
    last = writer.convolution(image, SIZE, 3, STEM, kernel=3, stride=2)
    for made, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            last = writer.depthwise(last, side, channels, stride=stride)
            side //= stride
            last = writer.convolution(last, side, channels, made, kernel=1, stride=1)
            channels = made
    logits = writer.head(last, channels)
    writer.graph.inputs, writer.graph.outputs = [image], [logits]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(writer.model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), writer.macs
