"""Whether a delegate takes one operator, and which constraint decided that."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from converters.delegates.answer import Answer
from converters.delegates.kinds import check
from converters.delegates.levels import level_words
from converters.delegates.rules import Entry, Level, Rule, Rules
from converters.delegates.shape_kinds import dtype_answer
from converters.delegates.site import Site

# What a broken thing weighs when the entry is looked for that came nearest: another element type or
# version makes another operator of it, while a scale can be mended.
TYPE_WEIGHT = 10
# Their levels are families: none is later than another.
UNORDERED = frozenset({"ethosu"})


class Verdict(enum.StrEnum):
    """Whether the delegate takes an operator."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The verdict on one operator.

    Attributes:
        verdict: Whether it is taken.
        because: What decided it, in words; "" for a plain yes.
        constraint: The kind of the constraint that decided it; "" for a plain yes.
        fails: Whether the delegate claims it and then fails as a whole.
        rule: What tells this reason from others, so that operators with one reason can be grouped.
    """

    verdict: Verdict
    because: str = ""
    constraint: str = ""
    fails: bool = False
    rule: tuple[object, ...] = ()


YES = Judgement(verdict=Verdict.YES)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Objection:
    """Something that does not hold, or that nobody can tell."""

    answer: Answer
    kind: str
    build: bool
    weight: int
    rule: object


def judge(site: Site, rules: Rules, level: Level | None) -> Judgement:
    """Whether the delegate takes an operator at a level.

    Where it does not and a newer level would, the sentence begins with that level.
    """
    found = _at(site, rules, level)
    if found.verdict is not Verdict.NO or level is None or rules.delegate in UNORDERED:
        return found
    for newer in rules.order[rules.order.index(level) + 1 :]:
        if _at(site, rules, newer).verdict is not Verdict.NO:
            return Judgement(
                verdict=found.verdict,
                because=f"{level_words(rules.delegate, newer)} or later: {found.because}",
                constraint=found.constraint,
                fails=found.fails,
                rule=found.rule,
            )
    return found


def _at(site: Site, rules: Rules, level: Level | None) -> Judgement:
    entries = rules.ops.get(site.op)
    if entries is None:
        says = "it is not among the delegate's operators"
        return Judgement(
            verdict=Verdict.NO, because=says, constraint="unlisted", rule=("unlisted",)
        )
    current = [e for e in entries if e.levels is None or level is None or level in e.levels]
    if not current:
        at = "" if level is None else f" at {level_words(rules.delegate, level)}"
        says = f"it is not among the delegate's operators{at}"
        return Judgement(verdict=Verdict.NO, because=says, constraint="level", rule=("level",))
    typed = [(entry, _mismatches(site, entry, level)) for entry in current]
    fitting = [entry for entry, mismatches in typed if not mismatches]
    if not fitting:
        # Another element type makes another operator of it: nothing else needs to be asked.
        entry, (role, *_) = min(typed, key=lambda pair: len(pair[1]))
        answer = dtype_answer(site, [role], entry.taken_dtypes(role, level))
        objection = _Objection(answer=answer, kind="dtype", build=False, weight=1, rule=role)
        return _judgement(Verdict.NO, objection, answer.says, entry)
    always = list(_objections(site, rules.always, level))
    best = None
    for entry in fitting:
        found = _of_entry(site, entry, always, level)
        if best is None or found[0] < best[0]:
            best = found
        if best[1].verdict is Verdict.YES:
            break
    return YES if best is None else best[1]


def _of_entry(
    site: Site, entry: Entry, always: list[_Objection], level: Level | None
) -> tuple[tuple[int, int], Judgement]:
    """The verdict by one entry, behind how near it came: the smallest is the best."""
    found = [*always, *_objections(site, entry.constraints, level)]
    broken = [one for one in found if one.answer.holds is False]
    tested = [one for one in broken if not one.build]
    undecided = [one for one in found if one.answer.holds is None]
    if tested:
        weight = sum(one.weight for one in broken)
        first = max(tested, key=lambda one: one.weight)
        return (3, weight), _judgement(Verdict.NO, first, first.answer.says, entry)
    if broken:
        says = f"it is claimed, and then the delegate fails as a whole: {broken[0].answer.says}"
        return (2, len(broken)), _judgement(Verdict.NO, broken[0], says, entry, fails=True)
    if undecided:
        says = undecided[0].answer.says
        return (1, len(undecided)), _judgement(Verdict.MAYBE, undecided[0], says, entry)
    return (0, 0), YES


def _judgement(
    verdict: Verdict, objection: _Objection, because: str, entry: Entry, fails: bool = False
) -> Judgement:
    return Judgement(
        verdict=verdict,
        because=because,
        constraint=objection.kind,
        fails=fails,
        rule=(entry.number, objection.rule),
    )


def _mismatches(site: Site, entry: Entry, level: Level | None) -> list[str]:
    """Roles whose tensors have an element type that the entry does not take."""
    return [
        role
        for role in entry.dtypes
        if any(
            tensor.dtype not in entry.taken_dtypes(role, level)
            for _, tensor in site.tensors((role,))
        )
    ]


def _objections(site: Site, rules: Iterable[Rule], level: Level | None) -> Iterator[_Objection]:
    for number, rule in enumerate(rules):
        if not rule.applies(site.op, level):
            continue
        answer = check(rule.constraint, site)
        if not answer.holds:
            yield _Objection(
                answer=answer,
                kind=rule.constraint.kind,
                build=rule.constraint.build,
                weight=TYPE_WEIGHT if rule.constraint.kind in ("dtype", "version") else 1,
                rule=(rule.constraint.kind, number),
            )
