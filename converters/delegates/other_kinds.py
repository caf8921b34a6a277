"""Constraints on constraints, and those that no file can decide."""

from __future__ import annotations

from converters.delegates.answer import HOLDS, Answer, unknown
from converters.delegates.site import Site
from converters.delegates.vocabulary import Constraint


def delegate_option(constraint: Constraint, site: Site) -> Answer:
    """An option of the delegate, which is as it comes where nobody says otherwise."""
    fields = constraint.fields
    name, wanted = fields["name"], fields.get("equals", True)
    said = site.options.get(name, fields.get("default"))
    about = f" ({fields['text']})" if "text" in fields else ""
    if said is None:
        return unknown(f"depends on the delegate's option {name}{about}")
    if said == wanted:
        return HOLDS
    is_ = f"the delegate's option {name} is {_shown(said)}"
    default = "" if name in site.options else " by default"
    return Answer(holds=False, says=f"{is_}{default}; taken: {_shown(wanted)}{about}")


def neighbour(constraint: Constraint, site: Site) -> Answer:
    """It depends on what stands before or behind it."""
    return unknown(f"depends on its neighbours: {constraint.fields['text']}")


def external_check(constraint: Constraint, site: Site) -> Answer:
    """A closed library has the last word."""
    return unknown(f"{constraint.fields['by']} has the last word")


def opaque(constraint: Constraint, site: Site) -> Answer:
    """The source says it in words that cannot be checked here."""
    return unknown(f"not checked here: {constraint.fields['text']}")


def _shown(value: object) -> str:
    return str(value).lower()
