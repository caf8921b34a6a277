"""Which operators of a graph compute in float, which in integers, and where they meet."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from converters.graph import Tensor
from converters.verification import Place

# Between float and integers, in either direction.
BRIDGES = frozenset({"QUANTIZE", "DEQUANTIZE"})
QUANTIZED = frozenset({"int8", "uint8", "int16"})

_Key = tuple[int, int]  # subgraph and tensor


def arithmetic(places: Iterable[Place]) -> str:
    """How a graph computes, in one word or a few.

    "integer", "integer with float inputs and outputs", "float", "hybrid" (float, and some operators
    have integer weights) or "mixed" (some operators in integers, some in float).
    """
    places = list(places)
    groups = float_groups(places)
    if not groups:
        return "integer"
    if not any(_is_integer_operator(place) for place in places):
        return "hybrid" if any(map(has_integer_weights, places)) else "float"
    if all(map(is_edge, groups)):
        return "integer with float inputs and outputs"
    return "mixed"


def float_groups(places: Iterable[Place]) -> list[list[Place]]:
    """Operators that are joined by float activations, group by group, in order of execution."""
    leader: dict[_Key, _Key] = {}
    of_place: list[tuple[Place, _Key]] = []
    for place in places:
        keys = [(place.subgraph.index, tensor.index) for tensor in float_activations(place)]
        for key in keys:
            leader.setdefault(key, key)
            leader[_lead(leader, key)] = _lead(leader, keys[0])
        if keys:
            of_place.append((place, keys[0]))
    groups: dict[_Key, list[Place]] = collections.defaultdict(list)
    for place, key in of_place:
        groups[_lead(leader, key)].append(place)
    return list(groups.values())


def float_activations(place: Place) -> list[Tensor]:
    """What the operator reads and writes as floating-point numbers, without constants."""
    return [tensor for tensor in place.subgraph.activations(place.operator) if tensor.is_float]


def has_integer_weights(place: Place) -> bool:
    """Whether quantized constants meet float activations here; unpacking them does not count."""
    if place.operator.name in BRIDGES or not float_activations(place):
        return False
    tensors = (place.subgraph.tensors[i] for i in place.operator.inputs if i >= 0)
    return any(t.is_constant and not t.is_float and t.quantization is not None for t in tensors)


def has_bridge(group: Iterable[Place]) -> bool:
    """Whether activations change between float and integers anywhere in a group."""
    return any(place.operator.name in BRIDGES and _is_bridge(place) for place in group)


def is_edge(group: Iterable[Place]) -> bool:
    """Whether a group is only QUANTIZE behind an input, or DEQUANTIZE before an output."""
    for place in group:
        tensors = {tensor.index for tensor in float_activations(place)}
        edge = {*place.subgraph.inputs, *place.subgraph.outputs}
        if place.operator.name not in BRIDGES or not tensors <= edge:
            return False
    return True


def _is_bridge(place: Place) -> bool:
    activations = place.subgraph.activations(place.operator)
    return {tensor.is_float for tensor in activations} == {True, False}


def _is_integer_operator(place: Place) -> bool:
    activations = list(place.subgraph.activations(place.operator))
    return any(tensor.dtype in QUANTIZED for tensor in activations) and not any(
        tensor.is_float for tensor in activations
    )


def _lead(leader: dict[_Key, _Key], key: _Key) -> _Key:
    """The one tensor that stands for all that `key` is joined to."""
    while leader[key] != key:
        leader[key] = leader[leader[key]]
        key = leader[key]
    return key
