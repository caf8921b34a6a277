"""The verdicts on all operators of a file, with what a delegate folds away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from converters.delegates.folding import folded, unpackers
from converters.delegates.layout import Layout, Spot, lay_out
from converters.delegates.levels import Standing
from converters.delegates.partitions import WHOLE_WITH_HALVES
from converters.delegates.rules import Rules
from converters.delegates.site import Site
from converters.delegates.verdict import YES, Judgement, Verdict, judge
from converters.graph import Graph

NOT_FOLDED = Judgement(
    verdict=Verdict.NO,
    because="it unpacks a constant for an operator that is not taken",
    constraint="fold",
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A file and the verdicts on it.

    Attributes:
        graph: The file.
        delegate: A name of `mobilekit.core.target.DELEGATES`.
        judgements: The verdict on every operator, in order.
        unpackers: For each subgraph, operators that only unpack constants and what they make.
    """

    graph: Graph
    delegate: str
    judgements: Mapping[Spot, Judgement]
    unpackers: tuple[Mapping[int, int], ...]

    def lay_out(self, macs: Mapping[Spot, int], mended: Collection[Spot] = ()) -> Layout:
        """Lays the file out, as it is or with some operators mended so that they are taken."""
        taken = {s for s, found in self.judgements.items() if found.verdict is not Verdict.NO}
        taken |= set(mended)
        for subgraph in self.graph.subgraphs:
            unpack = self.unpackers[subgraph.index]
            if not unpack:
                continue
            own = {place for number, place in taken if number == subgraph.index}
            gone = folded(subgraph, unpack, own - unpack.keys())
            taken |= {(subgraph.index, place) for place in gone}
        unpacked = {
            (number, tensor)
            for number, unpack in enumerate(self.unpackers)
            for tensor in unpack.values()
        }
        whole = self.delegate in WHOLE_WITH_HALVES and bool(unpacked)
        return lay_out(self.graph, self.delegate, taken, macs, unpacked, whole=whole)


def judge_graph(graph: Graph, rules: Rules, standing: Standing) -> Judged:
    """The verdict on every operator of every subgraph."""
    judgements: dict[Spot, Judgement] = {}
    unpack_all = []
    for subgraph in graph.subgraphs:
        unpack = unpackers(subgraph, rules)
        unpack_all.append(unpack)
        constants = frozenset(unpack.values())
        found = {
            operator.index: judge(
                Site(
                    operator=operator,
                    subgraph=subgraph,
                    folded=constants,
                    options=standing.options,
                ),
                rules,
                standing.level,
            )
            for operator in subgraph.operators
            if operator.index not in unpack
        }
        taken = {place for place, one in found.items() if one.verdict is not Verdict.NO}
        gone = folded(subgraph, unpack, taken)
        found |= {place: YES if place in gone else NOT_FOLDED for place in unpack}
        judgements |= {(subgraph.index, place): found[place] for place in sorted(found)}
    return Judged(
        graph=graph,
        delegate=rules.delegate,
        judgements=judgements,
        unpackers=tuple(unpack_all),
    )
