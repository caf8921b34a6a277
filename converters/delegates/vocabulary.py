"""The closed vocabulary in which rule files speak, and constraints that were held against it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from mobilekit.core.errors import MobileKitError, nearest

FOLDER = Path(__file__).parent
# Fields that every constraint may have, and the lists of constraints that some hold.
COMMON = frozenset({"kind", "note", "phase", "min_level", "max_level"})
GLOBAL = frozenset({"except_ops", "only_ops", "only_levels"})
PARTS = {"if": ("if", "then", "else"), "any_of": ("of",), "not": ("of",)}
PHASES = frozenset({"check", "build"})


class RuleError(MobileKitError):
    """A rule file says what the vocabulary does not know: our own mistake, never the user's."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where, self.problem = where, problem

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraint:
    """One constraint of a rule file.

    Attributes:
        kind: A row of `converters.delegates.kinds.KINDS`.
        fields: What the file says of it, as it stands there.
        parts: Lists of constraints inside it, by field; `any_of` has one list an alternative.
        build: Whether the delegate does not test it when it picks operators, so that an operator
            that breaks it is claimed and the delegate then fails as a whole.
    """

    kind: str
    fields: Mapping[str, Any] = field(repr=False)
    parts: Mapping[str, tuple[tuple[Constraint, ...], ...]] = field(default_factory=dict)
    build: bool = False

    def names(self, key: str) -> tuple[str, ...]:
        """A field that holds one name or several."""
        value = self.fields[key]
        return (value,) if isinstance(value, str) else tuple(value)

    def part(self, key: str) -> tuple[Constraint, ...]:
        """The one list of constraints behind `key`; empty where there is none."""
        return self.parts.get(key, ((),))[0]


@functools.cache
def vocabulary() -> Mapping[str, Any]:
    """`vocabulary.json` as it is."""
    text = (FOLDER / "vocabulary.json").read_text(encoding="utf-8")
    return cast(Mapping[str, Any], json.loads(text))


def roles_of(op: str) -> Mapping[str, str]:
    """Role -> place ("i1", "o0") of an operator's tensors."""
    roles = vocabulary()["tensor_roles"]
    return {**roles["*"], **roles.get(op, {})}


def parse_constraint(raw: Mapping[str, Any], where: str) -> Constraint:
    """Checks a constraint of a rule file against the vocabulary.

    Raises:
        RuleError: If its kind, a field, a phase or a name in it is unknown.
    """
    known = vocabulary()["kinds"]
    kind = str(raw.get("kind"))
    if kind not in known:
        raise RuleError(where, f"unknown kind of constraint {kind!r}.{nearest(kind, known)}")
    needed, possible = known[kind]["required"], known[kind]["optional"]
    missing = [name for name in needed if name not in raw]
    strange = raw.keys() - COMMON - GLOBAL - {*needed, *possible}
    if missing or strange:
        raise RuleError(where, f"{kind} lacks {missing}, or has the unknown {sorted(strange)}")
    if raw.get("phase", "check") not in PHASES:
        raise RuleError(where, f"{kind} has the unknown phase {raw['phase']!r}")
    _check_names(raw, where)
    parts = {key: _parse_lists(raw[key], where) for key in PARTS.get(kind, ()) if key in raw}
    build = raw.get("phase") == "build" or _is_built_inside(parts, where)
    return Constraint(kind=kind, fields=raw, parts=parts, build=build)


def _is_built_inside(parts: Mapping[str, Sequence[Sequence[Constraint]]], where: str) -> bool:
    """Whether what a condition asks for is asked for by the build: all of it, or none."""
    asked = [one for key in ("then", "else", "of") for some in parts.get(key, ()) for one in some]
    built = {one.build for one in asked}
    if len(built) > 1:
        raise RuleError(where, "a condition mixes what is tested before and during the build")
    return built == {True}


def _parse_lists(raw: Sequence[Any], where: str) -> tuple[tuple[Constraint, ...], ...]:
    lists = raw if raw and isinstance(raw[0], Sequence) else [raw]
    for inner in (one for some in lists for one in some):
        if inner.keys() & ({"min_level", "max_level"} | GLOBAL):
            raise RuleError(where, "a constraint inside another has levels or operators of its own")
    return tuple(tuple(parse_constraint(one, where) for one in some) for some in lists)


def _check_names(raw: Mapping[str, Any], where: str) -> None:
    words = vocabulary()
    for key, values in (
        (
            "in",
            {"dtype": "dtypes", "activation": "activations", "quant_granularity": "granularity"},
        ),
        ("mode", {"broadcast": "broadcast_modes"}),
        ("dtype", {"quant_if_dtype": "dtypes", "const_if_dtype": "dtypes"}),
    ):
        table = values.get(raw["kind"])
        if table is None:
            continue
        given = [raw[key]] if isinstance(raw[key], str) else raw[key]
        for name in given:
            if name not in words[table]:
                raise RuleError(where, f"{raw['kind']} names {name!r}, which is none of {table}")


def walk(constraints: Sequence[Constraint]) -> Iterator[Constraint]:
    """Every constraint and all inside them."""
    for constraint in constraints:
        yield constraint
        for lists in constraint.parts.values():
            for some in lists:
                yield from walk(some)
