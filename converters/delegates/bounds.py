"""Numeric bounds of constraints: whether a value keeps them, and how they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Bound = Callable[[Any, Any], bool]

_CHECKS: Mapping[str, Bound] = {
    "min": lambda value, bound: bool(value >= bound),
    "max": lambda value, bound: bool(value <= bound),
    "equals": lambda value, bound: bool(value == bound),
    "in": lambda value, bound: value in bound,
    "not": lambda value, bound: bool(value != bound),
    "multiple_of": lambda value, bound: bound != 0 and value % bound == 0,
}
_WORDS: Mapping[str, Callable[[Any], str]] = {
    "min": lambda bound: f"at least {_shown(bound)}",
    "max": lambda bound: f"at most {_shown(bound)}",
    "equals": lambda bound: _shown(bound),
    "in": lambda bound: one_of(bound),
    "not": lambda bound: f"not {_shown(bound)}",
    "multiple_of": lambda bound: f"a multiple of {_shown(bound)}",
}
NAMES = tuple(_CHECKS)


def keeps(value: Any, fields: Mapping[str, Any]) -> bool:
    """Whether a number (or a name) keeps every bound among the fields."""
    if isinstance(value, str) and fields.keys() & {"min", "max", "multiple_of"}:
        return False
    return all(check(value, fields[name]) for name, check in _CHECKS.items() if name in fields)


def bounds_words(fields: Mapping[str, Any]) -> str:
    """E.g. "2 to 5", "at least 1", "not 0"."""
    if "min" in fields and "max" in fields:
        low, high = _shown(fields["min"]), _shown(fields["max"])
        ends = low if low == high else f"{low} to {high}"
        rest = [_WORDS[n](fields[n]) for n in NAMES if n in fields and n not in ("min", "max")]
        return " and ".join([ends, *rest])
    return " and ".join(_WORDS[name](fields[name]) for name in NAMES if name in fields)


def one_of(values: Any) -> str:
    """E.g. "float32, int8 or uint8"."""
    *first, last = [_shown(value) for value in values] or ["nothing"]
    return f"{', '.join(first)} or {last}" if first else last


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("_", " ") if str(value).islower() else str(value)
