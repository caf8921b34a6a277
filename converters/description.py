"""What a .tflite file is: how it computes, how it stores weights, what goes in and out."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass

from converters.arithmetic import arithmetic
from converters.graph import Tensor
from converters.verification import Subject
from converters.weight_checks import stored_weights


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output.

    Attributes:
        name: Of the tensor.
        dtype: Element type, e.g. "int8".
        shape: Lengths of the dimensions, -1 where one is not fixed.
        scale: Of the quantization; None for numbers that stand for themselves.
        zero_point: Of the quantization; None likewise.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True, kw_only=True)
class Description:
    """One file.

    Attributes:
        arithmetic: How it computes; the words are those of `converters.arithmetic.arithmetic`.
        weights: How many operators store their weights in each type, e.g. {"int8": 53};
            "sparse float16" where zeros are left out.
        ops: How often each operator occurs, by name, the most frequent first.
        inputs: Of the first subgraph.
        outputs: Of the first subgraph.
    """

    arithmetic: str
    weights: Mapping[str, int]
    ops: Mapping[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def describe(subject: Subject) -> Description:
    """Describes a file."""
    main = subject.graph.main
    types = collections.Counter(
        f"sparse {weights.dtype}" if weights.is_sparse else weights.dtype
        for _, weights in stored_weights(subject)
    )
    return Description(
        arithmetic=arithmetic(subject.places),
        weights=dict(types.most_common()),
        ops=subject.graph.ops,
        inputs=tuple(_port(main.tensors[index]) for index in main.inputs),
        outputs=tuple(_port(main.tensors[index]) for index in main.outputs),
    )


def _port(tensor: Tensor) -> Port:
    quantization = tensor.quantization
    has_scale = quantization is not None and len(quantization.scales) > 0
    return Port(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape_signature or tensor.shape,
        scale=float(quantization.scales[0]) if quantization and has_scale else None,
        zero_point=int(quantization.zero_points[0]) if quantization and has_scale else None,
    )
