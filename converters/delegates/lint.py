"""Holds a .tflite against the rules of a delegate. Nothing is run, and nothing heavy imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from converters.delegates.judging import Judged, judge_graph
from converters.delegates.layout import Layout
from converters.delegates.levels import ADVICE, Standing, standing_of
from converters.delegates.mending import best_mends
from converters.delegates.partitions import CUT_ONCE, KEPT, WHOLE_WITH_HALVES
from converters.delegates.report import (
    LintedModel,
    LintedOp,
    LintReport,
    LintSummary,
    LintTarget,
)
from converters.delegates.rule_files import load_rules
from converters.delegates.rules import Rules
from converters.delegates.verdict import Judgement, Verdict
from converters.graph import Graph
from converters.layer_names import LayerNames
from converters.macs import operator_macs
from mobilekit.core.target import Target

NO_RULES = Judgement(
    verdict=Verdict.MAYBE,
    because="there are no rules of this delegate here: only the delegate itself can tell",
    constraint="no_rules",
)


class Linter:
    """One file, to be held against any number of targets."""

    def __init__(self, graph: Graph, layers: Sequence[str] = ()) -> None:
        """Takes the layers of the model that was converted; without them, names are guessed."""
        self._graph = graph
        names = LayerNames(graph, layers)
        self._layers, self._macs = {}, {}
        for subgraph in graph.subgraphs:
            for operator in subgraph.operators:
                spot = subgraph.index, operator.index
                self._layers[spot] = names.of(operator, subgraph)
                self._macs[spot] = operator_macs(operator, subgraph)
        self._model = LintedModel(
            sha256=hashlib.sha256(graph.content).hexdigest(), size_bytes=len(graph.content)
        )

    def lint(self, target: Target, options: Mapping[str, bool | int] | None = None) -> LintReport:
        """Holds the file against the rules of a target.

        Args:
            target: The delegate and its variant.
            options: Options of the delegate by name, where they are not as it comes: e.g.
                `{"accelerator_specified": True}` for NNAPI.
        """
        rules = load_rules(target.delegate)
        standing = Standing(level=None) if rules is None else standing_of(target, rules)
        standing = replace(standing, options={**standing.options, **(options or {})})
        told = LintTarget(
            delegate=target.delegate,
            variant=target.variant,
            level=None if standing.level is None else str(standing.level),
        )
        if rules is None:
            return self._without_rules(told)
        judged = judge_graph(self._graph, rules, standing)
        layout = judged.lay_out(self._macs)
        total = sum(self._macs.values())
        return LintReport(
            model=self._model,
            target=told,
            rules=rules.source,
            ops=tuple(self._ops(judged.judgements, layout)),
            partitions=layout.partitions,
            summary=_summary(judged, layout, total),
            mends=best_mends(judged, layout, self._layers, self._macs),
            notes=tuple(_notes(rules)),
        )

    def _ops(
        self, judgements: Mapping[tuple[int, int], Judgement], layout: Layout | None
    ) -> Iterator[LintedOp]:
        for spot, judgement in judgements.items():
            subgraph, index = spot
            yield LintedOp(
                index=index,
                op=self._graph.subgraphs[subgraph].operators[index].full_name,
                layer=self._layers[spot],
                verdict=judgement.verdict,
                because=judgement.because,
                constraint=judgement.constraint,
                macs=self._macs[spot],
                subgraph=subgraph,
                fails=judgement.fails,
                delegated=layout is not None and spot in layout.delegated,
            )

    def _without_rules(self, target: LintTarget) -> LintReport:
        ops = tuple(self._ops(dict.fromkeys(self._layers, NO_RULES), None))
        return LintReport(
            model=self._model,
            target=target,
            rules=None,
            ops=ops,
            partitions=(),
            summary=LintSummary(
                ops=len(ops), delegated=0, maybe=len(ops), macs_share=None, partitions=None
            ),
        )


def lint(graph: Graph, target: Target, layers: Sequence[str] = ()) -> LintReport:
    """Holds a file that `converters.tflite_reader` has read against one target."""
    return Linter(graph, layers).lint(target)


def _summary(judged: Judged, layout: Layout, total: int) -> LintSummary:
    verdicts = [judgement.verdict for judgement in judged.judgements.values()]
    return LintSummary(
        ops=len(verdicts),
        delegated=len(layout.delegated),
        maybe=verdicts.count(Verdict.MAYBE),
        macs_share=layout.macs / total if total else None,
        partitions=len(layout.partitions),
        kept=sum(partition.kept for partition in layout.partitions),
        fails=any(judgement.fails for judgement in judged.judgements.values()),
        boundary_bytes=layout.boundary_bytes,
    )


def _notes(rules: Rules) -> Iterator[str]:
    """What has to be said of a delegate whatever the file is."""
    if rules.delegate in ADVICE:
        yield ADVICE[rules.delegate]
    if rules.delegate in KEPT:
        yield f"By default, {rules.delegate} {KEPT[rules.delegate][1]}."
    if rules.delegate in WHOLE_WITH_HALVES:
        yield f"{rules.delegate} takes a file with float16 constants as a whole or not at all."
    if rules.delegate in CUT_ONCE:
        yield (
            f"{rules.delegate} cuts the graph once: all behind the first operator that it does not"
            " take stays on the CPU."
        )
