"""Bytes of a .tflite to the schema's own objects and back."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def read_objects(content: bytes) -> schema.ModelT:
    """A file's objects; data that stand behind the flatbuffer, as quantizers write them, too."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    whole = np.frombuffer(content, np.uint8)
    for buffer in model.buffers:
        if buffer.offset > 1 and buffer.size:
            buffer.data = whole[buffer.offset : buffer.offset + buffer.size]
        buffer.offset = buffer.size = 0
    return model


def empty_objects() -> schema.ModelT:
    """A file of one subgraph with nothing in it."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes, model.buffers = [], [schema.BufferT()]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    return model


def pack(model: schema.ModelT) -> bytes:
    """The bytes of an object-API model."""
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    builder = flatbuffers.Builder(size + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
