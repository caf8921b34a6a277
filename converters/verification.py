"""What a check of a .tflite file is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from converters.graph import Graph, Operator, Subgraph
from converters.layer_names import LayerNames
from converters.layer_rules import LayerRules
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerArithmetic, Recipe, Scheme

SHOWN_LETTERS = 80  # of a name in a sentence; fused names have hundreds


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a file is said to be.

    Attributes:
        full_integer: Whether every operator computes in integers, inputs and outputs included.
        recipe: How it was made; None for a file from elsewhere.
        preprocessing: What its input expects; None where nobody said.
        io: Element type of its inputs and outputs, e.g. "int8"; None where nobody said.
        per_channel: Whether its convolutions have a scale for every output channel.
        runtime: A row of `converters.operator_versions` that is to run it; None for the newest.
    """

    full_integer: bool = False
    recipe: Recipe | None = None
    preprocessing: Preprocessing | None = None
    io: str | None = None
    per_channel: bool = False
    runtime: str | None = None

    @property
    def integer_inside(self) -> bool:
        """Whether every operator must compute in integers, whatever the inputs and outputs are."""
        is_static = self.recipe is not None and self.recipe.scheme is Scheme.STATIC
        return self.full_integer or is_static


@dataclass(frozen=True, kw_only=True)
class Place:
    """One operator of one subgraph."""

    operator: Operator
    subgraph: Subgraph


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a check found.

    Attributes:
        place: The operator; None where the fault is the file's.
        says: The rest of a sentence about the operator, or a whole one without its full stop.
        remedy: What to do, a whole sentence.
    """

    place: Place | None = None
    says: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A fault, told.

    Attributes:
        check: Name of the check, a row of `converters.verify.CHECKS`.
        operator: Its place in the subgraph; None where the problem is the file's.
        op: Its name, e.g. "CONV_2D".
        layer: The Keras layer it came from; None where no name tells.
        sentence: The problem and what to do, in words.
    """

    check: str
    operator: int | None
    op: str | None
    layer: str | None
    sentence: str


class Subject:
    """One file under examination."""

    def __init__(self, graph: Graph, claim: Claim, layers: tuple[str, ...] = ()) -> None:
        self.graph, self.claim = graph, claim
        self._names = LayerNames(graph, layers)
        self._rules = LayerRules(self._names, claim.recipe) if claim.recipe else None

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every operator of every subgraph, in order."""
        return tuple(
            Place(operator=operator, subgraph=subgraph)
            for subgraph in self.graph.subgraphs
            for operator in subgraph.operators
        )

    def named(self, *names: str) -> Iterator[Place]:
        """The operators of these names."""
        return (place for place in self.places if place.operator.name in names)

    def layer(self, place: Place) -> str | None:
        """The Keras layer an operator came from."""
        return self._names.of(place.operator, place.subgraph)

    def ruled(self, place: Place) -> LayerArithmetic | None:
        """How a rule of the recipe says that an operator computes; None where none does."""
        return self._rules.of(place.operator, place.subgraph) if self._rules else None

    def makes_float_logits(self, place: Place) -> bool:
        """Whether the recipe leaves this operator with float activations, to make the logits."""
        return self._rules is not None and self._rules.makes_float_logits(
            place.operator, place.subgraph
        )

    def may_be_float(self, place: Place) -> bool:
        """Whether the recipe leaves this operator's activations float."""
        return self.ruled(place) is LayerArithmetic.FLOAT or self.makes_float_logits(place)

    def title(self, place: Place) -> str:
        """E.g. "operator 5 (CONV_2D, layer 'block_1_expand')"."""
        where = f" of subgraph {place.subgraph.index}" if place.subgraph.index else ""
        layer = self.layer(place)
        of_layer = f", layer {shown(layer)}" if layer else ""
        return f"operator {place.operator.index}{where} ({place.operator.name}{of_layer})"

    def problem(self, check: str, fault: Fault) -> Problem:
        """The fault as a sentence that names operator, layer and remedy."""
        place = fault.place
        says = fault.says if place is None else f"{self.title(place)} {fault.says}"
        return Problem(
            check=check,
            operator=None if place is None else place.operator.index,
            op=None if place is None else place.operator.name,
            layer=None if place is None else self.layer(place),
            sentence=f"{says[:1].upper()}{says[1:]}. {fault.remedy}",
        )


Check = Callable[[Subject], Iterator[Fault]]


def shown(name: str) -> str:
    """A name in quotes, cut where it is too long for a sentence."""
    return repr(name if len(name) <= SHOWN_LETTERS else f"{name[: SHOWN_LETTERS - 1]}…")
