"""A whole file laid out over a delegate and the CPU."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from converters.delegates.partitions import (
    CUT_ONCE,
    before_the_cut,
    crossing,
    kept,
    readers_of,
    turns,
)
from converters.delegates.report import Partition
from converters.graph import BITS, Graph, Subgraph, Tensor

Spot = tuple[int, int]  # subgraph, place of the operator


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Who computes what.

    Attributes:
        partitions: In order of execution, subgraph by subgraph.
        delegated: Operators in partitions that are kept.
        macs: Multiply-accumulates of these.
    """

    partitions: tuple[Partition, ...]
    delegated: frozenset[Spot]
    macs: int

    @property
    def taken_macs(self) -> int:
        """Multiply-accumulates of all partitions, those among them that are not kept."""
        return sum(one.macs for one in self.partitions)

    @property
    def boundary_bytes(self) -> int:
        """Bytes that enter or leave the kept partitions."""
        return sum(one.boundary_bytes for one in self.partitions if one.kept)


def lay_out(
    graph: Graph,
    delegate: str,
    taken: Collection[Spot],
    macs: Mapping[Spot, int],
    unpacked: Collection[Spot],
    *,
    whole: bool = False,
) -> Layout:
    """Lays a file out.

    Args:
        graph: The file.
        delegate: A name of `mobilekit.core.target.DELEGATES`.
        taken: Operators that the delegate takes.
        macs: Multiply-accumulates of every operator.
        unpacked: Tensors (subgraph, index) that count as constants.
        whole: Whether a subgraph is delegated as a whole or not at all.
    """
    partitions, delegated = [], set[Spot]()
    by_subgraph: dict[int, set[int]] = {}
    for number, place in taken:
        by_subgraph.setdefault(number, set()).add(place)
    for subgraph in graph.subgraphs:
        own = frozenset(by_subgraph.get(subgraph.index, ()))
        readers = readers_of(subgraph)
        if delegate in CUT_ONCE:
            own = before_the_cut(subgraph.operators, own)
        found = [turn for turn in turns(subgraph, own) if turn.taken]
        is_cut = sum(len(turn.nodes) for turn in found) < len(subgraph.operators)
        keeps = frozenset[int]() if whole and is_cut else kept(delegate, found)
        for number, turn in enumerate(found):
            spots = [(subgraph.index, place) for place in turn.nodes]
            crossed = crossing(subgraph, frozenset(turn.nodes), readers)
            sizes = _sizes(subgraph, crossed, unpacked)
            partitions.append(
                Partition(
                    first=turn.nodes[0],
                    last=turn.nodes[-1],
                    ops=len(turn.nodes),
                    macs=sum(macs[spot] for spot in spots),
                    boundary_bytes=sum(sizes),
                    boundary_tensors=len(sizes),
                    subgraph=subgraph.index,
                    kept=number in keeps,
                )
            )
            if number in keeps:
                delegated.update(spots)
    return Layout(
        partitions=tuple(partitions),
        delegated=frozenset(delegated),
        macs=sum(macs[spot] for spot in delegated),
    )


def _sizes(subgraph: Subgraph, tensors: Collection[int], unpacked: Collection[Spot]) -> list[int]:
    """Bytes of each of the tensors that is none of the delegate's own constants."""
    return [
        _bytes(subgraph.tensors[index])
        for index in tensors
        if not subgraph.tensors[index].is_constant and (subgraph.index, index) not in unpacked
    ]


def _bytes(tensor: Tensor) -> int:
    """Bytes of one value; 0 where its type has no fixed size. Open dimensions count as 1."""
    return -(-tensor.elements * BITS.get(tensor.dtype, 0) // 8)
