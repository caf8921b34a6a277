"""Bytes of a .tflite to the schema's own objects and back."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

ALIGNMENT = 16


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
    """The bytes of an object-API model, without buffers that nothing refers to."""
    _drop_unused(model)
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    builder = flatbuffers.Builder(size + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Buffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data begin at a multiple of ALIGNMENT, as kernels that map a file expect.

    The schema demands it, and the generated Python code does not do it.
    """

    def __init__(self, data: np.ndarray | None) -> None:
        super().__init__()
        self.data = data

    def Pack(self, builder: flatbuffers.Builder) -> int:
        """Writes it; returns its offset, as the other objects do."""
        data = None
        if self.data is not None and len(self.data):
            octets = np.ascontiguousarray(self.data, np.uint8).tobytes()
            builder.StartVector(1, len(octets), ALIGNMENT)
            head = builder.Head() - len(octets)
            builder.head = head
            builder.Bytes[head : head + len(octets)] = octets
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def _drop_unused(model: schema.ModelT) -> None:
    """Renumbers buffers: the empty first one, then those that tensors and metadata refer to."""
    users = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    users += model.metadata or []
    places = {0: 0}
    for user in users:
        places.setdefault(int(user.buffer), len(places))
    model.buffers = [_Buffer(model.buffers[index].data) for index in places]
    for user in users:
        user.buffer = places[int(user.buffer)]
