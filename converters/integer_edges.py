"""uint8 inputs and outputs around an int8 graph, by a rewrite of the file.

TFLite's convention: a uint8 number is the int8 one plus 128, with the same scale and a zero point
that is 128 higher, so nothing is rounded. It takes one QUANTIZE an input and output: no kernel of
LiteRT reads uint8 activations together with the int8 weights of the layer behind it.
"""

from __future__ import annotations

import copy

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

SHIFT = 128


def with_uint8_edges(content: bytes) -> bytes:
    """The file with uint8 in the place of every int8 input and output.

    Args:
        content: A .tflite that this kit made.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    code = _opcode_of_quantize(model)
    inputs = {index: _uint8_twin(graph, index) for index in _int8(graph, graph.inputs)}
    outputs = {index: _uint8_twin(graph, index) for index in _int8(graph, graph.outputs)}
    before = [_quantize(code, twin, index) for index, twin in inputs.items()]
    after = [_quantize(code, index, twin) for index, twin in outputs.items()]
    graph.operators = [*before, *graph.operators, *after]
    graph.inputs = [inputs.get(index, index) for index in graph.inputs]
    graph.outputs = [outputs.get(index, index) for index in graph.outputs]
    for signature in model.signatureDefs or ():
        for maps, twins in ((signature.inputs, inputs), (signature.outputs, outputs)):
            for entry in maps:
                entry.tensorIndex = twins.get(entry.tensorIndex, entry.tensorIndex)
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _int8(graph: schema.SubGraphT, indices: list[int]) -> list[int]:
    return [int(i) for i in indices if graph.tensors[i].type == schema.TensorType.INT8]


def _uint8_twin(graph: schema.SubGraphT, index: int) -> int:
    """Appends a uint8 tensor under the int8 one's name, which gets another; returns its index."""
    inner = graph.tensors[index]
    twin = copy.deepcopy(inner)
    twin.type, twin.buffer = schema.TensorType.UINT8, 0
    twin.quantization.zeroPoint = [int(zero) + SHIFT for zero in inner.quantization.zeroPoint]
    inner.name = inner.name + b"_int8"
    graph.tensors.append(twin)
    return len(graph.tensors) - 1


def _quantize(code: int, source: int, target: int) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.opcodeIndex = code
    operator.inputs, operator.outputs = [source], [target]
    operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
    operator.builtinOptions = schema.QuantizeOptionsT()
    return operator


def _opcode_of_quantize(model: schema.ModelT) -> int:
    """An operator code of its own: its version is that of an integer input."""
    added = schema.OperatorCodeT()
    added.builtinCode = added.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    added.version = 1
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1
