"""A signature for a file that has none: other tools feed inputs by its names."""

from __future__ import annotations

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

KEY = b"serving_default"


def with_signature(content: bytes) -> bytes:
    """The file itself if it has a signature, else one that names its inputs and outputs."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if model.signatureDefs:
        return content
    add_signature(model)
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def add_signature(model: schema.ModelT) -> None:
    """Adds one to a model that has none."""
    if model.signatureDefs:
        return
    graph = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = KEY, 0
    signature.inputs = [_entry(graph, index, "input") for index in graph.inputs]
    signature.outputs = [_entry(graph, index, "output") for index in graph.outputs]
    model.signatureDefs = [signature]


def _entry(graph: schema.SubGraphT, index: int, side: str) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    # Tensor names need not be there, nor be unique.
    entry.name, entry.tensorIndex = f"{side}_{int(index)}".encode(), int(index)
    return entry
