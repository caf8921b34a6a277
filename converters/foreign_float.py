"""A float .tflite of anybody's, made ready to be quantized: no TensorFlow is needed for it.

Weights that are stored as float16 are unpacked, a batch that is not fixed becomes 1, and tensors
get names of their own. What old writers left out (operator codes in the newer field, a signature)
is filled in, since quantizers look only there. What the file computes stays what it was.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.arithmetic import arithmetic
from converters.graph import Graph
from converters.signature import add_signature
from converters.tflite_reader import read_model
from converters.verification import Claim, Subject
from converters.verify import verify
from mobilekit.core.errors import ConversionError, ModelFileError

FLOAT = "float"
BATCH = 0


def as_float_file(content: bytes, name: str) -> bytes:
    """Makes a float file ready, batch 1 and float32 weights.

    Args:
        content: A .tflite from elsewhere.
        name: What sentences call it.

    Raises:
        ModelFileError: If it is no .tflite that can be trusted.
        ConversionError: If it is quantized already, has open dimensions beside its batch, or needs
            what LiteRT does not have.
    """
    graph = read_model(content, name)
    _refuse_quantized(graph)
    fixed = _float32_batch_1(content)
    found = verify(read_model(fixed, name))
    if found.problems:
        raise ConversionError(
            f"{name} is no float file that others can be derived from: {found.problems[0].sentence}"
        )
    return fixed


def takes_pictures(graph: Graph) -> bool:
    """Whether a file has one input, and that has three channels."""
    shapes = [graph.main.tensors[index].shape for index in graph.main.inputs]
    return len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][-1] == 3


def _refuse_quantized(graph: Graph) -> None:
    kind = arithmetic(Subject(graph, Claim()).places)
    tensors = [tensor for subgraph in graph.subgraphs for tensor in subgraph.tensors]
    stored = next((t for t in tensors if t.is_constant and t.quantization is not None), None)
    if kind != FLOAT or stored is not None:
        how = f"it computes in {kind} arithmetic" if kind != FLOAT else "its weights are integers"
        raise ModelFileError(
            graph.name,
            f"it is quantized already ({how}), and recipes are derived from float files; convert"
            " the float file or the Keras model that it was made from",
        )
    sparse = next((tensor for tensor in tensors if tensor.is_sparse), None)
    if sparse is not None:
        raise ModelFileError(
            graph.name, f"tensor {sparse.name[:80]!r} is sparse, which no quantizer here reads"
        )


def _float32_batch_1(content: bytes) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for code in model.operatorCodes:
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    for graph in model.subgraphs:
        _unpack_float16(model, graph)
        _fix_batch(graph)
        _name_apart(graph)
    add_signature(model)
    builder = flatbuffers.Builder(2 * len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _unpack_float16(model: schema.ModelT, graph: schema.SubGraphT) -> None:
    """Turns DEQUANTIZE of float16 constants into float32 constants."""
    kept = []
    for operator in graph.operators:
        halves = _float16_constant(model, graph, operator)
        if halves is None:
            kept.append(operator)
            continue
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(halves.astype("<f4").tobytes(), np.uint8)
        model.buffers.append(buffer)
        graph.tensors[operator.outputs[0]].buffer = len(model.buffers) - 1
        graph.tensors[operator.inputs[0]].buffer = 0
    graph.operators = kept


def _float16_constant(
    model: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT
) -> np.ndarray | None:
    """What a DEQUANTIZE unpacks; None for any other operator."""
    code = model.operatorCodes[operator.opcodeIndex]
    if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEQUANTIZE:
        return None
    source = graph.tensors[operator.inputs[0]]
    data = model.buffers[source.buffer].data
    if source.type != schema.TensorType.FLOAT16 or data is None or not len(data):
        return None
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), "<f2")


def _name_apart(graph: schema.SubGraphT) -> None:
    """Gives tensors of equal names, or of none, names of their own: ranges go by name."""
    taken: set[bytes] = set()
    for index, tensor in enumerate(graph.tensors):
        if not tensor.name or tensor.name in taken:
            tensor.name = (tensor.name or b"") + f"#{index}".encode()
        taken.add(tensor.name)


def _fix_batch(graph: schema.SubGraphT) -> None:
    """Says of every tensor that its batch is what its shape has: 1, as every runtime starts."""
    for tensor in graph.tensors:
        signature = tensor.shapeSignature
        if signature is None or not len(signature) or not len(tensor.shape):
            continue
        if signature[BATCH] == -1 and tensor.shape[BATCH] == 1 and -1 not in list(signature)[1:]:
            tensor.shapeSignature = None
