"""A .tflite as objects that can be changed: weighted layers, new operators, parts of a graph.

Everything here works on the main subgraph of a file that `converters.tflite_reader` has checked.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods.objects import empty_objects, pack, read_objects
from mobilekit.core.errors import ConversionError

# Operators whose weights and biases the methods understand, and the axis of output channels.
OUTPUT_AXIS = {
    schema.BuiltinOperator.CONV_2D: 0,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    schema.BuiltinOperator.FULLY_CONNECTED: 0,
}
# What a fused activation is as an operator of its own.
ACTIVATIONS = {
    schema.ActivationFunctionType.RELU: schema.BuiltinOperator.RELU,
    schema.ActivationFunctionType.RELU_N1_TO_1: schema.BuiltinOperator.RELU_N1_TO_1,
    schema.ActivationFunctionType.RELU6: schema.BuiltinOperator.RELU6,
    schema.ActivationFunctionType.TANH: schema.BuiltinOperator.TANH,
}
NO_ACTIVATION = schema.ActivationFunctionType.NONE
DTYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.INT8: np.dtype("i1"),
    schema.TensorType.INT64: np.dtype("<i8"),
}


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One operator with constant weights that no other reads.

    Attributes:
        position: Of the operator, in the order of execution.
        code: Of the operator, a key of OUTPUT_AXIS.
        input: Tensor of its activations.
        weights: Tensor of its weights.
        bias: Tensor of its bias; -1 where it has none, as dense layers may.
        output: Tensor that it writes.
        name: Of `output`.
        version: Of the operator's semantics.
    """

    position: int
    code: int
    input: int
    weights: int
    bias: int
    output: int
    name: str
    version: int

    @property
    def axis(self) -> int:
        """The dimension of `weights` that counts output channels."""
        return OUTPUT_AXIS[self.code]


class Model:
    """The objects of one file.

    Args:
        content: A .tflite of one subgraph; empty for a graph without anything.

    Raises:
        ConversionError: If it has several subgraphs.
    """

    def __init__(self, content: bytes = b"") -> None:
        self.schema = read_objects(content) if content else empty_objects()
        if len(self.schema.subgraphs) != 1:
            raise ConversionError(
                f"The file has {len(self.schema.subgraphs)} subgraphs; the methods change files of"
                " one."
            )
        self.graph = self.schema.subgraphs[0]
        self._unshare_biases()

    def pack(self) -> bytes:
        """The bytes of the file."""
        return pack(self.schema)

    def code(self, operator: schema.OperatorT) -> int:
        """The builtin operator's number."""
        known = self.schema.operatorCodes[operator.opcodeIndex]
        return int(max(known.builtinCode, known.deprecatedBuiltinCode))

    def name(self, tensor: int) -> str:
        """Name of a tensor."""
        return str(self.graph.tensors[tensor].name.decode(errors="replace"))

    def index(self) -> dict[str, int]:
        """Tensors by name."""
        return {self.name(index): index for index in range(len(self.graph.tensors))}

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Lengths of a tensor's dimensions."""
        found = self.graph.tensors[tensor].shape
        return () if found is None else tuple(int(length) for length in found)

    def is_constant(self, tensor: int) -> bool:
        """Whether the file holds the tensor's value."""
        data = self.schema.buffers[self.graph.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def values(self, tensor: int) -> np.ndarray:
        """A constant as the file stores it, shaped; not to be written to."""
        found = self.graph.tensors[tensor]
        data = np.asarray(self.schema.buffers[found.buffer].data, np.uint8)
        values: np.ndarray = data.view(DTYPES[found.type]).reshape(self.shape(tensor))
        return values

    def set_values(self, tensor: int, values: np.ndarray) -> None:
        """Replaces a constant; values of another type are not converted."""
        found = self.graph.tensors[tensor]
        stored = np.ascontiguousarray(values, DTYPES[found.type])
        buffer = schema.BufferT()
        buffer.data = stored.reshape(-1).view(np.uint8)
        self.schema.buffers.append(buffer)  # another tensor may share the old one
        found.buffer = len(self.schema.buffers) - 1

    def scales(self, tensor: int) -> np.ndarray:
        """Scales of a quantized tensor, float32."""
        return np.asarray(self.graph.tensors[tensor].quantization.scale, np.float32)

    def real_bias(self, layer: Layer) -> np.ndarray:
        """A float layer's bias, float32; zeros where it has none."""
        if layer.bias < 0:
            return np.zeros(self.shape(layer.weights)[layer.axis], np.float32)
        return self.values(layer.bias)

    def real_weights(self, layer: Layer) -> np.ndarray:
        """A layer's weights as real numbers, float32, whether they are quantized or not."""
        values = self.values(layer.weights)
        if values.dtype == np.float32:
            return values
        scales = self.scales(layer.weights)
        if len(scales) > 1:
            shape = [1] * values.ndim
            shape[layer.axis] = -1
            scales = scales.reshape(shape)
        return np.asarray(values.astype(np.float32) * scales)

    def zero_point(self, tensor: int) -> int:
        """Zero point of an activation."""
        return int(np.asarray(self.graph.tensors[tensor].quantization.zeroPoint)[0])

    def layers(self) -> Iterator[Layer]:
        """The layers in order; those that share their weights with another are left out."""
        readers = self._readers()
        for position, operator in enumerate(self.graph.operators):
            code = self.code(operator)
            inputs = [int(index) for index in operator.inputs]
            if code not in OUTPUT_AXIS:
                continue
            data, weights, bias = [*inputs, -1][:3]
            alone = readers[weights] == 1
            if alone and self.is_constant(weights) and (bias < 0 or self.is_constant(bias)):
                output = int(operator.outputs[0])
                yield Layer(
                    position=position,
                    code=code,
                    input=data,
                    weights=weights,
                    bias=bias,
                    output=output,
                    name=self.name(output),
                    version=int(self.schema.operatorCodes[operator.opcodeIndex].version),
                )

    def float_activations(self) -> Iterator[int]:
        """The input and whatever float operators write, in order."""
        written = (int(index) for op in self.graph.operators for index in op.outputs)
        for tensor in dict.fromkeys([*map(int, self.graph.inputs), *written]):
            if self.graph.tensors[tensor].type == schema.TensorType.FLOAT32:
                yield tensor

    def reduced(self, code: int, tensor: int) -> tuple[int, schema.OperatorT]:
        """A new tensor with one value a channel of `tensor`, and the operator that writes it."""
        shape = self.graph.tensors[tensor].shape
        channels = [int(shape[-1])] if len(shape) else []
        name = f"mobilekit_{len(self.graph.tensors)}"
        output = self.add_tensor(name, channels, schema.TensorType.FLOAT32)
        axes = np.arange(max(len(shape) - 1, 0), dtype=np.int32)
        axis = self.add_constant(f"{name}_axes", axes, schema.TensorType.INT32)
        options = schema.ReducerOptionsT()
        options.keepDims = False
        return output, self.operator(code, [tensor, axis], [output], options)

    def add_tensor(self, name: str, shape: Sequence[int], kind: int) -> int:
        """Adds an activation; returns its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), kind
        tensor.buffer = 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def add_constant(self, name: str, values: np.ndarray, kind: int) -> int:
        """Adds a constant; returns its index."""
        index = self.add_tensor(name, values.shape, kind)
        self.set_values(index, values)
        return index

    def operator(
        self,
        code: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: object = None,
        version: int = 1,
    ) -> schema.OperatorT:
        """A new operator, which the caller puts where it belongs."""
        made = schema.OperatorT()
        made.opcodeIndex = self._opcode(code, version)
        made.inputs, made.outputs = list(inputs), list(outputs)
        if options is not None:
            row = type(options).__name__.removesuffix("T")
            made.builtinOptionsType = getattr(schema.BuiltinOptions, row)
            made.builtinOptions = options
        return made

    def part(
        self,
        operators: Sequence[schema.OperatorT],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> bytes:
        """Some operators of this file with their constants, as a file of its own."""
        made = schema.ModelT()
        made.version, made.operatorCodes = self.schema.version, self.schema.operatorCodes
        made.buffers = [schema.BufferT()]
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = [], []
        places: dict[int, int] = {-1: -1}

        def place(index: int) -> int:
            if index not in places:
                places[index] = len(graph.tensors)
                tensor = copy.copy(self.graph.tensors[index])
                if self.is_constant(index):
                    made.buffers.append(self.schema.buffers[tensor.buffer])
                    tensor.buffer = len(made.buffers) - 1
                else:
                    tensor.buffer = 0
                graph.tensors.append(tensor)
            return places[index]

        for operator in operators:
            moved = copy.copy(operator)
            moved.inputs = [place(int(index)) for index in operator.inputs]
            moved.outputs = [place(int(index)) for index in operator.outputs]
            graph.operators.append(moved)
        graph.inputs = [place(index) for index in inputs]
        graph.outputs = [place(index) for index in outputs]
        made.subgraphs = [graph]
        return pack(made)

    def _opcode(self, code: int, version: int) -> int:
        for index, known in enumerate(self.schema.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code and (
                known.version == version
            ):
                return index
        added = schema.OperatorCodeT()
        added.builtinCode, added.version = code, version
        added.deprecatedBuiltinCode = min(code, 127)  # old readers look only here
        self.schema.operatorCodes.append(added)
        return len(self.schema.operatorCodes) - 1

    def _readers(self) -> np.ndarray:
        """How many operators read each tensor's data, by tensor."""
        buffers = np.zeros(len(self.schema.buffers), np.int64)
        for operator in self.graph.operators:
            for index in operator.inputs:
                if index >= 0:
                    buffers[self.graph.tensors[index].buffer] += 1
        return buffers[[tensor.buffer for tensor in self.graph.tensors]]

    def _unshare_biases(self) -> None:
        """Gives every layer a bias of its own: converters store equal ones once."""
        seen: set[int] = set()
        for operator in self.graph.operators:
            if self.code(operator) not in OUTPUT_AXIS or len(operator.inputs) != 3:
                continue
            bias = int(operator.inputs[2])
            if bias >= 0 and bias in seen:
                own = copy.deepcopy(self.graph.tensors[bias])
                # The quantizer tells tensors apart by their names.
                own.name = f"{self.name(bias)}_{len(self.graph.tensors)}".encode()
                self.graph.tensors.append(own)
                operator.inputs = [*map(int, operator.inputs[:2]), len(self.graph.tensors) - 1]
            seen.add(bias)
