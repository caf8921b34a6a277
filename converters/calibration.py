"""Absolute ranges of every activation, from the float file's own outputs.

A REDUCE_MIN and a REDUCE_MAX are appended behind every activation tensor, and the file is run under
XNNPACK like any other. Stock calibration runs builtin kernels almost serially, and gives one
input of a residual addition the range of its output, because it logs tensors after they were
overwritten in place; here the runtime keeps every tensor that a reduction still reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.quiet import quiet_stderr

MIN, MAX = "mobilekit_min", "mobilekit_max"


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """What calibration saw.

    Attributes:
        by_tensor: Smallest and largest value of each activation tensor, by its name.
        samples: How many inputs were run.
    """

    by_tensor: Mapping[str, tuple[float, float]]
    samples: int


def calibrate(
    content: bytes,
    inputs: Iterable[np.ndarray | Sequence[np.ndarray]],
    num_threads: int = 2,
) -> Ranges:
    """Runs a float file on `inputs` and returns absolute ranges.

    Args:
        content: A float .tflite of one subgraph.
        inputs: Float32 arrays of the input's shape, preprocessed; any number, held one at a time.
            For a file of several inputs, one sequence of arrays a sample, in the file's order.
        num_threads: CPU threads of the interpreter.

    Raises:
        UsageError: If there are no inputs, one has another shape or is not finite, or all of them
            are one and the same number.
        ConversionError: If an activation is not finite, or the file has several subgraphs.
    """
    probed, names = _with_reductions(content)
    with quiet_stderr():  # it tells of its delegate
        interpreter = Interpreter(model_content=probed, num_threads=num_threads)
        interpreter.allocate_tensors()
    low = np.full(len(names), np.inf, np.float32)
    high = np.full(len(names), -np.inf, np.float32)
    targets = interpreter.get_input_details()
    shapes = [tuple(map(int, target["shape"])) for target in targets]
    outputs = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    samples = 0
    for samples, values in enumerate(inputs, start=1):
        arrays = [values] if isinstance(values, np.ndarray) else list(values)
        _check_input(arrays, shapes, samples)
        for target, array in zip(targets, arrays, strict=True):
            interpreter.set_tensor(target["index"], array)
        interpreter.invoke()
        low = np.minimum(low, interpreter.get_tensor(outputs[MIN]))
        high = np.maximum(high, interpreter.get_tensor(outputs[MAX]))
    if not samples:
        raise UsageError(
            "Calibration needs at least one image that can be read, and there is none."
            " Pass a folder of photographs with --calibration."
        )
    unusable = [
        name for name, ok in zip(names, np.isfinite(low) & np.isfinite(high), strict=True) if not ok
    ]
    if unusable:
        raise ConversionError(
            f"Calibration saw values that are not finite in {len(unusable)} tensors, first in"
            f" {unusable[0]!r}: the model's weights or inputs are broken."
        )
    pairs = zip(low.tolist(), high.tolist(), strict=True)
    by_tensor = dict(zip(names, pairs, strict=True))
    _check_variety([by_tensor[t["name"]] for t in targets if t["name"] in by_tensor], samples)
    return Ranges(by_tensor=by_tensor, samples=samples)


def _check_input(
    arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], sample: int
) -> None:
    given = [array.shape for array in arrays]
    if given != list(shapes):
        raise UsageError(
            f"Calibration input {sample} has shape {_listed(given)}; the model takes"
            f" {_listed(shapes)}."
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise UsageError(f"Calibration input {sample} holds values that are not finite.")


def _check_variety(ranges: Sequence[tuple[float, float]], samples: int) -> None:
    """Refuses inputs that are one number throughout: no range follows from a blank page."""
    if ranges and all(low == high for low, high in ranges):
        raise UsageError(
            f"The calibration images are all of one colour, value {ranges[0][0]:g} in every pixel"
            f" of {samples}: no range follows from that. Pass photographs with --calibration."
        )


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))


def _with_reductions(content: bytes) -> tuple[bytes, list[str]]:
    """The file with two vectors as its only outputs: minima, maxima, one entry a tensor."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(model.subgraphs) > 1:
        raise ConversionError(
            "The model has a loop (a recurrent layer, or a condition), whose inside cannot be"
            " calibrated. Build recurrent layers with unroll=True, or take a dynamic recipe."
        )
    graph = model.subgraphs[0]
    constants = {i for i, t in enumerate(graph.tensors) if _has_data(model, t)}
    made = [tensor for operator in graph.operators for tensor in operator.outputs]
    activations = [
        tensor
        for tensor in dict.fromkeys([*graph.inputs, *made])
        if graph.tensors[tensor].type == schema.TensorType.FLOAT32 and tensor not in constants
    ]
    names = [graph.tensors[tensor].name.decode() for tensor in activations]
    rewriter = _Appender(model)
    graph.outputs = [
        rewriter.append_extremes(activations, schema.BuiltinOperator.REDUCE_MIN, MIN),
        rewriter.append_extremes(activations, schema.BuiltinOperator.REDUCE_MAX, MAX),
    ]
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(content) + 1024 * len(activations))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), names


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
