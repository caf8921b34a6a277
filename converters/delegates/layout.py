"""A whole file laid out over a delegate and the CPU."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from converters.delegates.partitions import CUT_ONCE, before_the_cut, crossing, kept, turns
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
) -> Layout:
    """Lays a file out.

    Args:
        graph: The file.
        delegate: A name of `mobilekit.core.target.DELEGATES`.
        taken: Operators that the delegate takes.
        macs: Multiply-accumulates of every operator.
        unpacked: Tensors (subgraph, index) that count as constants.
    """
    partitions, delegated = [], set[Spot]()
    for subgraph in graph.subgraphs:
        own = frozenset(place for number, place in taken if number == subgraph.index)
        if delegate in CUT_ONCE:
            own = before_the_cut(subgraph.operators, own)
        found = [turn for turn in turns(subgraph, own) if turn.taken]
        keeps = kept(delegate, found)
        for number, turn in enumerate(found):
            spots = [(subgraph.index, place) for place in turn.nodes]
            sizes = _boundary(subgraph, frozenset(turn.nodes), unpacked)
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


def _boundary(subgraph: Subgraph, nodes: frozenset[int], unpacked: Collection[Spot]) -> list[int]:
    """Bytes of each tensor that enters or leaves; constants are the delegate's own."""
    return [
        _bytes(subgraph.tensors[index])
        for index in crossing(subgraph, nodes)
        if not subgraph.tensors[index].is_constant and (subgraph.index, index) not in unpacked
    ]


def _bytes(tensor: Tensor) -> int:
    """Bytes of one value; 0 where its type has no fixed size. Open dimensions count as 1."""
    return -(-tensor.elements * BITS.get(tensor.dtype, 0) // 8)
