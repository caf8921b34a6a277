"""Reductions behind every activation of a float file, which make it answer its own extremes."""

from __future__ import annotations

from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilekit.core.errors import ConversionError

MIN, MAX = "mobilekit_min", "mobilekit_max"
Activation = schema.ActivationFunctionType
RECTIFIED = (Activation.RELU, Activation.RELU6)
RECTIFIERS = (schema.BuiltinOperator.RELU, schema.BuiltinOperator.RELU6)


@dataclass(frozen=True, kw_only=True)
class Probed:
    """A float file that answers extremes.

    Attributes:
        content: The file. Its outputs are MAX, and MIN where `with_minimum` is not empty.
        names: Its activation tensors; MAX has one entry for each, in this order.
        with_minimum: Indices into `names`; MIN has one entry for each, in this order. The smallest
            value of the others is taken as 0: they are behind a ReLU, and every scale holds 0.
    """

    content: bytes
    names: tuple[str, ...]
    with_minimum: tuple[int, ...]


def with_probes(content: bytes) -> Probed:
    """Appends the reductions; what the file computes stays what it was.

    Raises:
        ConversionError: If the file has several subgraphs.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(model.subgraphs) > 1:
        raise ConversionError(
            "The model has a loop (a recurrent layer, or a condition), whose inside cannot be"
            " calibrated. Build recurrent layers with unroll=True, or take a dynamic recipe."
        )
    graph = model.subgraphs[0]
    activations = _activations(model)
    names = tuple(graph.tensors[tensor].name.decode() for tensor in activations)
    rectified = {t for o in graph.operators if _rectifies(model, o) for t in o.outputs}
    with_minimum = tuple(i for i, t in enumerate(activations) if t not in rectified)
    rewriter = _Appender(model)
    asked = (
        (schema.BuiltinOperator.REDUCE_MIN, MIN, [activations[i] for i in with_minimum]),
        (schema.BuiltinOperator.REDUCE_MAX, MAX, activations),
    )
    graph.outputs = [
        rewriter.append_extremes(tensors, operator, name)
        for operator, name, tensors in asked
        if tensors
    ]
    graph.operators = _each_behind_its_maker(graph)
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(content) + 1024 * len(activations))
    builder.Finish(model.Pack(builder), b"TFL3")
    return Probed(content=bytes(builder.Output()), names=names, with_minimum=with_minimum)


def _each_behind_its_maker(graph: schema.SubGraphT) -> list[schema.OperatorT]:
    """The operators with reductions moved up: what is reduced at once need not be kept."""
    readers: dict[int, list[schema.OperatorT]] = {}
    rest = []
    for operator in graph.operators:
        made = graph.tensors[operator.outputs[0]].name if len(operator.outputs) else b""
        if made.startswith((f"{MIN}_".encode(), f"{MAX}_".encode())):
            readers.setdefault(int(operator.inputs[0]), []).append(operator)
        else:
            rest.append(operator)
    ordered = [reduction for tensor in graph.inputs for reduction in readers.pop(int(tensor), [])]
    for operator in rest:
        ordered.append(operator)
        for tensor in operator.outputs:
            ordered += readers.pop(int(tensor), [])
    return ordered


def _activations(model: schema.ModelT) -> list[int]:
    """Float tensors that are no constants, inputs first."""
    graph = model.subgraphs[0]
    constants = {i for i, t in enumerate(graph.tensors) if _has_data(model, t)}
    made = [tensor for operator in graph.operators for tensor in operator.outputs]
    return [
        tensor
        for tensor in dict.fromkeys([*graph.inputs, *made])
        if graph.tensors[tensor].type == schema.TensorType.FLOAT32 and tensor not in constants
    ]


def _rectifies(model: schema.ModelT, operator: schema.OperatorT) -> bool:
    """Whether what an operator makes is at least 0."""
    code = model.operatorCodes[operator.opcodeIndex]
    if max(code.builtinCode, code.deprecatedBuiltinCode) in RECTIFIERS:
        return True
    fused = getattr(operator.builtinOptions, "fusedActivationFunction", Activation.NONE)
    return fused in RECTIFIED


def _has_data(model: schema.ModelT, tensor: schema.TensorT) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


class _Appender:
    """Appends operators to the only subgraph of a model."""

    def __init__(self, model: schema.ModelT) -> None:
        self._model, self._graph = model, model.subgraphs[0]

    def append_extremes(self, tensors: list[int], operator: int, name: str) -> int:
        """Reduces each tensor to a scalar and packs the scalars; returns the vector's index."""
        scalars = [self._reduce(tensor, operator, name) for tensor in tensors]
        options = schema.PackOptionsT()
        options.valuesCount, options.axis = len(scalars), 0
        output = self._tensor(name, [len(scalars)], schema.TensorType.FLOAT32)
        self._operator(
            schema.BuiltinOperator.PACK,
            scalars,
            output,
            schema.BuiltinOptions.PackOptions,
            options,
        )
        return output

    def _reduce(self, tensor: int, operator: int, name: str) -> int:
        options = schema.ReducerOptionsT()
        options.keepDims = False
        axes = self._axes(len(self._graph.tensors[tensor].shape))
        output = self._tensor(f"{name}_{tensor}", [], schema.TensorType.FLOAT32)
        self._operator(
            operator, [tensor, axes], output, schema.BuiltinOptions.ReducerOptions, options
        )
        return output

    def _axes(self, rank: int) -> int:
        name = f"mobilekit_axes_{rank}".encode()
        for index, tensor in enumerate(self._graph.tensors):
            if tensor.name == name:
                return index
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.arange(rank, dtype="<i4").tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        index = self._tensor(name.decode(), [rank], schema.TensorType.INT32)
        self._graph.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def _tensor(self, name: str, shape: list[int], kind: int) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), shape, kind, 0
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _operator(
        self, code: int, inputs: list[int], output: int, options_type: int, options: object
    ) -> None:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._opcode(code)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self._graph.operators.append(operator)

    def _opcode(self, code: int) -> int:
        for index, known in enumerate(self._model.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
                return index
        added = schema.OperatorCodeT()
        added.builtinCode, added.version = code, 1
        added.deprecatedBuiltinCode = min(code, 127)  # old readers look only here
        self._model.operatorCodes.append(added)
        return len(self._model.operatorCodes) - 1
