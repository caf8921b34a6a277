"""Three-valued answers: a constraint holds, is broken, or cannot be decided from the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one constraint says about one operator.

    Attributes:
        holds: None where the file does not tell.
        says: Why it does not hold, or why nobody can tell: a clause without a full stop.
    """

    holds: bool | None
    says: str = ""


HOLDS = Answer(holds=True)


def broken(is_: str, taken: str) -> Answer:
    """It is one thing, and another is taken."""
    return Answer(holds=False, says=f"{is_}; taken: {taken}")


def unknown(why: str) -> Answer:
    """The file does not tell."""
    return Answer(holds=None, says=why)


def all_of(answers: Iterable[Answer]) -> Answer:
    """The first broken one, else the first undecided one, else that all hold."""
    undecided = None
    for answer in answers:
        if answer.holds is False:
            return answer
        if answer.holds is None and undecided is None:
            undecided = answer
    return undecided or HOLDS


def any_of(answers: Iterable[Answer]) -> Answer:
    """That one holds, else the first undecided one, else the first broken one."""
    rest = []
    for answer in answers:
        if answer.holds:
            return HOLDS
        rest.append(answer)
    undecided = next((answer for answer in rest if answer.holds is None), None)
    return undecided or next(iter(rest), HOLDS)
