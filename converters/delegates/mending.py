"""What would help most if it were mended: operators of one kind that one reason keeps outside."""

from __future__ import annotations

from collections.abc import Mapping

from converters.delegates.judging import Judged
from converters.delegates.layout import Layout, Spot
from converters.delegates.report import Mend
from converters.delegates.verdict import Judgement, Verdict

MOST_MENDS = 3
# Groups that are laid out again: those with the most multiply-accumulates, then operators. A huge
# graph gets fewer, so that its time stays bounded.
MOST_GROUPS = 40
MOST_OPERATORS = 200_000


def best_mends(
    judged: Judged, layout: Layout, layers: Mapping[Spot, str | None], macs: Mapping[Spot, int]
) -> tuple[Mend, ...]:
    """The three kinds of operators whose mending helps most, the best first.

    Help is the share of multiply-accumulates that is won, in partitions that are kept or not, and
    the share of partitions that vanish; between equals, fewer bytes that cross the boundary.
    """
    total = sum(macs.values())
    groups = _groups(judged)
    heavy = sorted(groups, key=lambda key: (-sum(macs[s] for s in groups[key]), -len(groups[key])))
    ranked = []
    tried = min(MOST_GROUPS, max(MOST_MENDS, MOST_OPERATORS // max(1, len(judged.judgements))))
    for key in heavy[:tried]:
        spots = groups[key]
        mended = judged.lay_out(macs, mended=spots)
        mend = _mend(judged, spots, layers, mended, total)
        ranked.append((_help(layout, mended, total), -mended.boundary_bytes, mend))
    ranked.sort(key=lambda row: row[:2], reverse=True)
    return tuple(mend for _, _, mend in ranked[:MOST_MENDS])


def _groups(judged: Judged) -> dict[tuple[object, ...], list[Spot]]:
    found: dict[tuple[object, ...], list[Spot]] = {}
    for spot, judgement in judged.judgements.items():
        if judgement.verdict is Verdict.NO and judgement.constraint != "fold":
            found.setdefault((_name(judged, spot), *_reason(judgement)), []).append(spot)
    return found


def _reason(judgement: Judgement) -> tuple[object, ...]:
    return (judgement.constraint, *judgement.rule)


def _name(judged: Judged, spot: Spot) -> str:
    subgraph, place = spot
    return judged.graph.subgraphs[subgraph].operators[place].full_name


def _help(before: Layout, after: Layout, total: int) -> float:
    won = (after.taken_macs - before.taken_macs) / total if total else 0.0
    pieces = len(before.partitions)
    fewer = (pieces - len(after.partitions)) / pieces if pieces else 0.0
    return won + max(0.0, fewer)  # what is won in pieces is won


def _mend(
    judged: Judged,
    spots: list[Spot],
    layers: Mapping[Spot, str | None],
    mended: Layout,
    total: int,
) -> Mend:
    named = dict.fromkeys(layer for spot in spots if (layer := layers[spot]) is not None)
    return Mend(
        op=_name(judged, spots[0]),
        because=judged.judgements[spots[0]].because,
        ops=tuple(spots),
        layers=tuple(named),
        partitions=len(mended.partitions),
        macs_share=mended.macs / total if total else None,
        boundary_bytes=mended.boundary_bytes,
    )
