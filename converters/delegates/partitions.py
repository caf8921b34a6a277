"""Partitions: how a graph falls apart between a delegate and the CPU.

As TFLite's partitioner forms them: nodes are not cut into consecutive runs but gathered. The first
node that is ready says whose turn it is; then everything of that side is taken that is ready or
becomes ready by it, wherever it stands; then it is the other side's turn.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from converters.graph import Operator, Subgraph


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Nodes that run without leaving one side.

    Attributes:
        taken: Whether it is the delegate's.
        nodes: Places of the operators in the subgraph, in order.
    """

    taken: bool
    nodes: tuple[int, ...]


def turns(subgraph: Subgraph, taken: Collection[int]) -> list[Turn]:
    """Who computes what, in order of execution; linear in the size of the graph."""
    waiting, readers = _dependencies(subgraph)
    ready: dict[bool, list[int]] = {True: [], False: []}
    for place, missing in enumerate(waiting):
        if not missing:
            ready[place in taken].append(place)
    found = []
    turn = bool(ready[True]) and ready[True][0] < (ready[False] or [len(waiting)])[0]
    while ready[True] or ready[False]:
        nodes = []
        mine = ready[turn]
        heapq.heapify(mine)
        while mine:
            place = heapq.heappop(mine)
            nodes.append(place)
            for reader in readers.get(place, ()):
                waiting[reader] -= 1
                if not waiting[reader]:
                    heapq.heappush(ready[reader in taken], reader)
        if nodes:
            found.append(Turn(taken=turn, nodes=tuple(sorted(nodes))))
        turn = not turn
    return found


def _dependencies(subgraph: Subgraph) -> tuple[list[int], dict[int, list[int]]]:
    """How many operators each waits for, and who waits for it."""
    made_by = {
        tensor: place
        for place, operator in enumerate(subgraph.operators)
        for tensor in operator.outputs
        if tensor >= 0
    }
    waiting, readers = [], dict[int, list[int]]()
    for place, operator in enumerate(subgraph.operators):
        # An order of execution has no operator wait for a later one; a file that has is damaged,
        # and what it waits for is left out rather than never run.
        sources = {made_by[t] for t in operator.inputs if t in made_by and made_by[t] < place}
        waiting.append(len(sources))
        for source in sources:
            readers.setdefault(source, []).append(place)
    return waiting, readers


Keep = Callable[[Sequence[Turn]], frozenset[int]]


def _largest(count: int) -> Keep:
    """Only the largest partitions; the first of two that are equal."""

    def keep(found: Sequence[Turn]) -> frozenset[int]:
        order = sorted(range(len(found)), key=lambda place: -len(found[place].nodes))
        return frozenset(order[:count])

    return keep


def _at_least(nodes: int) -> Keep:
    """Only partitions of so many nodes."""
    return lambda found: frozenset(p for p, turn in enumerate(found) if len(turn.nodes) >= nodes)


# What delegates keep of the partitions by default, from the notes of their rules; others keep all.
KEPT: Mapping[str, tuple[Keep, str]] = {
    "gpu": (_largest(1), "keeps only the largest partition"),
    "nnapi": (_largest(3), "keeps only the three largest partitions"),
    "coreml": (_at_least(2), "keeps only partitions of two operators or more"),
}


def kept(delegate: str, found: Sequence[Turn]) -> frozenset[int]:
    """Which of the delegate's turns it keeps."""
    if delegate in KEPT:
        return KEPT[delegate][0](found)
    return frozenset(range(len(found)))


# Delegates that take a file with float16 constants as a whole or not at all.
WHOLE_WITH_HALVES = frozenset({"nnapi"})

# Delegates whose compiler cuts the graph once, and leaves all behind the cut to the CPU.
CUT_ONCE = frozenset({"edgetpu"})


def before_the_cut(operators: Sequence[Operator], taken: Collection[int]) -> frozenset[int]:
    """What is left of `taken` where everything behind the first other operator is dropped."""
    cut = next((place for place in range(len(operators)) if place not in taken), len(operators))
    return frozenset(place for place in taken if place < cut)


def readers_of(subgraph: Subgraph) -> dict[int, list[int]]:
    """Places of the operators that read each tensor; -1 stands for whoever reads an output."""
    found: dict[int, list[int]] = {index: [-1] for index in subgraph.outputs}
    for place, operator in enumerate(subgraph.operators):
        for tensor in operator.inputs:
            found.setdefault(tensor, []).append(place)
    return found


def crossing(
    subgraph: Subgraph, nodes: Collection[int], readers: Mapping[int, Sequence[int]]
) -> list[int]:
    """Tensors that enter or leave a set of operators, those of the graph included."""
    inside = [subgraph.operators[place] for place in nodes]
    made = {tensor for operator in inside for tensor in operator.outputs if tensor >= 0}
    entering = {tensor for operator in inside for tensor in operator.inputs if tensor >= 0} - made
    leaving = {
        tensor for tensor in made if any(reader not in nodes for reader in readers.get(tensor, ()))
    }
    return sorted(entering | leaving)
