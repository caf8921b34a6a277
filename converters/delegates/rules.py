"""The rules of a delegate as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from converters.delegates.vocabulary import Constraint

Level = int | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where rules were read.

    Attributes:
        source: Repository or document and its version, e.g. "google-ai-edge/LiteRT f67457790c9c".
        date: Of the commit, or of the reading where there is none; ISO 8601.
    """

    source: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One way in which an operator is taken; all of it must hold.

    Attributes:
        number: Its place among the operator's entries.
        levels: The levels it is for; None for all.
        dtypes: Role -> element types; roles that are not named are not checked.
        dtype_levels: Element type -> the level from which on it counts.
        constraints: What must hold, each with the levels it is for (None for all).
    """

    number: int
    levels: frozenset[Level] | None
    dtypes: Mapping[str, tuple[str, ...]]
    dtype_levels: Mapping[str, frozenset[Level]]
    constraints: tuple[Rule, ...]

    def taken_dtypes(self, role: str, level: Level | None) -> tuple[str, ...]:
        """Element types that a role may have at a level."""
        listed = self.dtypes[role]
        if not self.dtype_levels or level is None:
            return listed
        return tuple(dtype for dtype in listed if level in self.dtype_levels.get(dtype, (level,)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A constraint, and where it applies.

    Attributes:
        constraint: What must hold.
        levels: The levels it is for; None for all.
        spared: Operators it is not for.
        only: The only operators it is for; None for all that are not spared.
    """

    constraint: Constraint
    levels: frozenset[Level] | None
    spared: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    def applies(self, op: str, level: Level | None) -> bool:
        """Whether it speaks of this operator at this level."""
        if op in self.spared or (self.only is not None and op not in self.only):
            return False
        return self.levels is None or level is None or level in self.levels


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """An operator on constants that the delegate removes.

    Attributes:
        op: Its name.
        dtypes: Element types it is removed from; None for all.
    """

    op: str
    dtypes: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One rule file.

    Attributes:
        delegate: A name of `mobilekit.core.target.DELEGATES`.
        source: Where it was read.
        status: What became of the delegate, in words.
        order: Levels from the oldest to the newest, or families; empty where there are none.
        unlisted: What happens to operators that it does not list, in words.
        always: Constraints of every operator.
        folds: Operators on constants that the delegate removes.
        ops: Operator -> the ways in which it is taken.
    """

    delegate: str
    source: Source
    status: str
    order: tuple[Level, ...]
    unlisted: str
    always: tuple[Rule, ...]
    folds: tuple[Fold, ...]
    ops: Mapping[str, tuple[Entry, ...]] = field(repr=False)
