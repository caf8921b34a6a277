"""Operators on constants that a delegate removes: their outputs count as constants."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from converters.delegates.rules import Rules
from converters.graph import Subgraph


def unpackers(subgraph: Subgraph, rules: Rules) -> dict[int, int]:
    """Operators that only unpack constants: the tensor each of them makes, by its place."""
    found: dict[int, int] = {}
    unpacked: set[int] = set()
    for place, operator in enumerate(subgraph.operators):
        if len(operator.inputs) != 1 or len(operator.outputs) != 1:
            continue
        (source,), (result,) = operator.inputs, operator.outputs
        if source < 0 or result < 0:
            continue
        tensor = subgraph.tensors[source]
        folds = any(
            fold.op == operator.name and (fold.dtypes is None or tensor.dtype in fold.dtypes)
            for fold in rules.folds
        )
        if folds and (tensor.is_constant or source in unpacked):
            found[place] = result
            unpacked.add(result)
    return found


def folded(subgraph: Subgraph, unpack: Mapping[int, int], taken: Collection[int]) -> frozenset[int]:
    """Unpackers that vanish, because all that reads them is taken or vanishes itself."""
    gone: set[int] = set()
    if not unpack:
        return frozenset()
    readers = subgraph.consumers()
    for place in sorted(unpack, reverse=True):  # readers stand behind
        result = unpack[place]
        others = {operator.index for operator in readers.get(result, ())}
        if (
            others
            and result not in subgraph.outputs
            and all(place in gone or place in taken for place in others)
        ):
            gone.add(place)
    return frozenset(gone)
