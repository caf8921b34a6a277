"""Which operators the rules of a mixed recipe name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from converters.graph import Graph, Operator, Subgraph
from converters.layer_names import LayerNames
from mobilekit.core.errors import UsageError
from mobilekit.core.recipe import LayerArithmetic, LayerRule, Recipe

SHOWN_NAMES = 3
OPTIONS = {LayerArithmetic.FLOAT: "--keep-float", LayerArithmetic.INT16: "--int16"}
BRIDGES = frozenset({"QUANTIZE", "DEQUANTIZE"})  # a rule is about what computes


class LayerRules:
    """The rules of one recipe, applied to one file.

    Args:
        names: Of the file's operators.
        recipe: Whose rules count; the later of two that name one operator wins.

    Raises:
        UsageError: If a pattern is no regular expression.
    """

    def __init__(self, names: LayerNames, recipe: Recipe) -> None:
        self._names, self._float_logits = names, recipe.float_logits
        self._rules = [(rule, _compiled(rule)) for rule in recipe.rules]

    def of(self, operator: Operator, subgraph: Subgraph) -> LayerArithmetic | None:
        """How an operator computes by a rule; None where no rule names it."""
        for rule, pattern in reversed(self._rules):
            if any(map(pattern.fullmatch, self._known(operator, subgraph))):
                return rule.arithmetic
        return None

    def makes_float_logits(self, operator: Operator, subgraph: Subgraph) -> bool:
        """Whether it is a last dense layer that the recipe leaves with float activations."""
        return self._float_logits and is_last_dense(operator, subgraph)

    def check(self, graph: Graph) -> None:
        """Refuses a pattern that names nothing.

        Raises:
            UsageError: With the nearest names.
        """
        subgraph = graph.main
        known = {
            name
            for operator in subgraph.operators
            if operator.name not in BRIDGES
            for name in self._known(operator, subgraph)
        }
        for rule, pattern in self._rules:
            if not any(map(pattern.fullmatch, known)):
                raise UsageError(
                    f"{OPTIONS[rule.arithmetic]} {rule.pattern!r} names no layer and no operator of"
                    f" {graph.name}{_nearest(rule.pattern, known)}."
                )

    def _known(self, operator: Operator, subgraph: Subgraph) -> Iterator[str]:
        if operator.name not in BRIDGES:
            yield operator.name
            yield from self._names.all_of(operator, subgraph)


def operators_by_arithmetic(
    graph: Graph, recipe: Recipe, layers: Sequence[str]
) -> Mapping[LayerArithmetic, tuple[Operator, ...]]:
    """The operators of a float file that its rules name.

    Raises:
        UsageError: If a pattern is no regular expression, or names nothing.
    """
    rules = LayerRules(LayerNames(graph, layers), recipe)
    rules.check(graph)
    ruled = [(rules.of(operator, graph.main), operator) for operator in graph.main.operators]
    return {
        kind: tuple(operator for arithmetic, operator in ruled if arithmetic is kind)
        for kind in LayerArithmetic
    }


def is_last_dense(operator: Operator, subgraph: Subgraph) -> bool:
    """Whether it is a FULLY_CONNECTED that writes an output of the graph."""
    return operator.name == "FULLY_CONNECTED" and not set(operator.outputs).isdisjoint(
        subgraph.outputs
    )


def _compiled(rule: LayerRule) -> re.Pattern[str]:
    try:
        return re.compile(rule.pattern)
    except re.error as error:
        raise UsageError(
            f"{OPTIONS[rule.arithmetic]} {rule.pattern!r} is no regular expression: {error}."
        ) from None


def _nearest(pattern: str, known: set[str]) -> str:
    """The names closest to a pattern, as the end of a sentence."""
    close = difflib.get_close_matches(pattern, sorted(known), n=SHOWN_NAMES, cutoff=0.3)
    if not close:
        return ""
    return f"; the nearest {'is' if len(close) == 1 else 'are'} {', '.join(map(repr, close))}"
