"""Rule files, checked whole when they are loaded."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from converters.delegates.kinds import KINDS
from converters.delegates.rules import Entry, Fold, Level, Rule, Rules, Source
from converters.delegates.vocabulary import (
    FOLDER,
    GLOBAL,
    Constraint,
    RuleError,
    parse_constraint,
    roles_of,
    vocabulary,
    walk,
)

ENTRY_FIELDS = frozenset(
    {
        "min_level",
        "max_level",
        "levels",
        "dtypes",
        "dtype_min_level",
        "dtypes_from",
        "quantization",
        "constraints",
        "provenance",
        "note",
    }
)
SHOWN_HASH = 12  # of a commit
# Fields of constraints that name tensors, by kind or for all.
_TENSOR_FIELDS = ("tensor", "tensors", "num", "den")


@functools.cache
def load_rules(delegate: str) -> Rules | None:
    """The rules of a delegate; None where there are none, as for `gpu-mldrift`.

    Raises:
        RuleError: If the file does not keep to the vocabulary.
    """
    path = FOLDER / f"{delegate}.json"
    if not path.is_file():
        return None
    return parse_rules(json.loads(path.read_text(encoding="utf-8")))


def parse_rules(raw: Mapping[str, Any]) -> Rules:
    """Checks a rule file against the vocabulary, and freezes it.

    Raises:
        RuleError: If anything in it is unknown.
    """
    name = raw["delegate"]
    order = tuple(raw["levels"]["order"])
    about, whole = raw["source"], raw["global"]
    version = str(about.get("version") or about.get("commit", "").split()[0])
    parser = _Parser(name, order)
    return Rules(
        delegate=name,
        source=Source(
            source=f"{about['repo']} {version[:SHOWN_HASH]}",
            date=about.get("commit_date") or about["read"],
        ),
        status=raw["status"],
        order=order,
        unlisted=whole["unlisted"],
        always=tuple(parser.rule(one, "global", "*") for one in whole["constraints"]),
        folds=tuple(
            Fold(op=fold["op"], dtypes=frozenset(fold["from"]) if "from" in fold else None)
            for fold in whole.get("folds", ())
        ),
        ops={
            op: tuple(parser.entry(entry, op, number) for number, entry in enumerate(entries))
            for op, entries in raw["ops"].items()
        },
    )


class _Parser:
    """Turns the entries of one file into values."""

    def __init__(self, delegate: str, order: tuple[Level, ...]) -> None:
        self._delegate, self._order = delegate, order

    def entry(self, raw: Mapping[str, Any], op: str, number: int) -> Entry:
        where = f"{self._delegate}.json: {op}[{number}]"
        words = vocabulary()
        if op not in words["builtin_ops"] and op.partition(":")[0] not in ("CUSTOM", "COMPOSITE"):
            raise RuleError(where, f"there is no operator {op}")
        strange = raw.keys() - ENTRY_FIELDS
        if strange:
            raise RuleError(where, f"an entry has the unknown {sorted(strange)}")
        if raw.get("quantization", "any") not in words["quantization"]:
            raise RuleError(where, f"unknown quantization {raw['quantization']!r}")
        dtypes = {role: tuple(types) for role, types in raw.get("dtypes", {}).items()}
        for role, types in dtypes.items():
            self._check_role(role, op, where)
            unknown = set(types) - set(words["dtypes"])
            if unknown:
                raise RuleError(where, f"{role} names the unknown types {sorted(unknown)}")
        return Entry(
            number=number,
            levels=self._levels(raw, where),
            dtypes=dtypes,
            dtype_levels={
                dtype: self._between(level, None, where)
                for dtype, level in raw.get("dtype_min_level", {}).items()
            },
            constraints=tuple(self.rule(one, where, op) for one in raw.get("constraints", ())),
        )

    def rule(self, raw: Mapping[str, Any], where: str, op: str) -> Rule:
        constraint = parse_constraint(raw, where)
        for inner in walk([constraint]):
            if inner.kind not in KINDS:
                raise RuleError(where, f"kind {inner.kind} is known and not implemented")
            for name in _tensor_names(inner):
                self._check_role(name, op, where)
        only = raw.get("only_levels")
        levels = frozenset(only) if only is not None else self._levels(raw, where)
        if GLOBAL & raw.keys() and op != "*":
            raise RuleError(where, f"only global constraints have {sorted(GLOBAL & raw.keys())}")
        return Rule(
            constraint=constraint,
            levels=levels,
            spared=frozenset(raw.get("except_ops", ())),
            only=frozenset(raw["only_ops"]) if "only_ops" in raw else None,
        )

    def _check_role(self, name: str, op: str, where: str) -> None:
        groups = vocabulary()["tensor_groups"]
        is_place = name[:1] in ("i", "o") and name[1:].isdigit()
        if name not in groups and name not in roles_of(op) and not is_place:
            raise RuleError(where, f"{op} has no tensor {name!r}")

    def _levels(self, raw: Mapping[str, Any], where: str) -> frozenset[Level] | None:
        if "levels" in raw:
            unknown = set(raw["levels"]) - set(self._order)
            if unknown:
                raise RuleError(where, f"unknown levels {sorted(map(str, unknown))}")
            return frozenset(raw["levels"])
        if "min_level" not in raw and "max_level" not in raw:
            return None
        return self._between(raw.get("min_level"), raw.get("max_level"), where)

    def _between(self, low: Level | None, high: Level | None, where: str) -> frozenset[Level]:
        for level in (low, high):
            if level is not None and level not in self._order:
                raise RuleError(where, f"unknown level {level!r}")
        start = 0 if low is None else self._order.index(low)
        end = len(self._order) if high is None else self._order.index(high) + 1
        return frozenset(self._order[start:end])


def _tensor_names(constraint: Constraint) -> Iterator[str]:
    for key in _TENSOR_FIELDS:
        if key in constraint.fields:
            yield from constraint.names(key)
    for key in ("a", "b"):
        if key in constraint.fields:
            yield constraint.fields[key][0]
    if constraint.kind == "axis":
        yield constraint.fields["of"]
        source = constraint.fields["from"]
        if not source.startswith("option:"):
            yield source
