"""Operators for the rules of delegates, made field by field without any file."""

import numpy as np

from converters.delegates.site import Site
from converters.graph import Operator, Quantization, Subgraph, Tensor


def tensor(
    shape=(1, 8, 8, 4),
    dtype="float32",
    values=None,
    scale=None,
    zero=0,
    axis=0,
    details="",
    signature=None,
    external=False,
):
    """One tensor; `values` make it a constant, `scale` is one number or one a channel."""
    data = quantization = None
    if values is not None:
        array = np.array(values, dtype)
        data, shape = memoryview(array.tobytes()), array.shape
    if scale is not None or details:
        scales = np.atleast_1d(np.array([] if scale is None else scale, np.float32))
        zeros = np.broadcast_to(np.array(zero, np.int64), scales.shape)
        quantization = Quantization(scales=scales, zero_points=zeros, axis=axis, details=details)
    return Tensor(
        index=0,
        name="",
        shape=tuple(shape),
        shape_signature=signature,
        dtype=dtype,
        buffer=0,
        data=data,
        quantization=quantization,
        is_external=external,
    )


def site(op="ADD", inputs=(), outputs=(), version=1, folded=(), delegate=None, **options):
    """An operator; None among the tensors is an optional one that is left out."""
    tensors, places = [], []
    for side in (inputs, outputs):
        indices = []
        for one in side:
            indices.append(-1 if one is None else len(tensors))
            if one is not None:
                tensors.append(replaced(one, len(tensors)))
        places.append(tuple(indices))
    operator = Operator(
        index=0,
        name=op,
        version=version,
        inputs=places[0],
        outputs=places[1],
        options=options,
    )
    subgraph = Subgraph(
        index=0, name="", tensors=tuple(tensors), inputs=(), outputs=(), operators=(operator,)
    )
    return Site(
        operator=operator, subgraph=subgraph, folded=frozenset(folded), options=delegate or {}
    )


def replaced(one, index):
    import dataclasses

    return dataclasses.replace(one, index=index)
