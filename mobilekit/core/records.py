"""Frozen dataclasses to JSON values and back, checked against their annotations.

Plans, results and runner documents come from outside: whatever does not fit its type is an error
that names the place ("measure[0].num_threads") and, for a key, the nearest one that exists.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, TypeVar, Union, cast

from mobilekit.core.errors import nearest

Record = TypeVar("Record")


class RecordError(ValueError):
    """A JSON value that does not fit its record.

    Attributes:
        where: The path of the value, e.g. "measure[0].num_threads".
        problem: What is wrong with it.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where, self.problem = where, problem

    def __str__(self) -> str:
        return f"{self.where or 'the document'}: {self.problem}"


def to_json(value: object) -> Any:
    """Turns a record (or anything inside one) into values that `json` can write."""
    if dataclasses.is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    return value


def from_json(
    record: type[Record], value: object, where: str = "", *, ignore_unknown: bool = False
) -> Record:
    """Builds a `record` from parsed JSON or TOML.

    Args:
        record: A dataclass; its annotations say what is accepted.
        value: The parsed document.
        where: The path of `value` inside its document, for errors.
        ignore_unknown: Accept keys the record does not have, as a reader of
            results must: later versions add keys without raising the schema.

    Raises:
        RecordError: If a key is missing or unknown, or a value has the wrong type or is not finite.
    """
    if not isinstance(value, Mapping):
        raise RecordError(where, f"a table is needed, not {_shown(value)}")
    hints = typing.get_type_hints(record)
    fields = {f.name: f for f in dataclasses.fields(cast(Any, record))}
    prefix = f"{where}." if where else ""
    for key in value:
        if key not in fields and not ignore_unknown:
            hint = nearest(str(key), fields)
            known = "" if hint else f" Known: {', '.join(fields)}."
            raise RecordError(f"{prefix}{key}", f"this key does not exist.{hint}{known}")
    given: dict[str, Any] = {}
    for name, field in fields.items():
        if name in value:
            given[name] = _convert(hints[name], value[name], prefix + name, ignore_unknown)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{prefix}{name}", "this key is missing")
    try:
        return record(**given)
    except ValueError as error:  # a record refuses combinations that cannot be
        raise RecordError(where, str(error)) from error


def _convert(hint: Any, value: object, where: str, ignore_unknown: bool) -> object:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, where, ignore_unknown)
    if origin is tuple:
        return _convert_tuple(arguments, value, where, ignore_unknown)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise RecordError(where, f"a table is needed, not {_shown(value)}")
        return {
            str(key): _convert(arguments[1], item, f"{where}.{key}", ignore_unknown)
            for key, item in value.items()
        }
    if dataclasses.is_dataclass(hint):
        return from_json(cast(type, hint), value, where, ignore_unknown=ignore_unknown)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = [member.value for member in hint]
        if value not in values:
            raise RecordError(
                where,
                f"{_shown(value)} does not exist.{nearest(str(value), values)}"
                f" Known: {', '.join(values)}",
            )
        return hint(value)
    return _convert_scalar(hint, value, where)


def _convert_union(
    options: tuple[Any, ...], value: object, where: str, ignore_unknown: bool
) -> object:
    if value is None and type(None) in options:
        return None
    # A list goes to the list among the options, anything else to the first that is none, so that
    # the error speaks of what was most likely meant.
    listed = isinstance(value, list | tuple)
    fitting = [option for option in options if (typing.get_origin(option) is tuple) == listed]
    real = [option for option in fitting or options if option is not type(None)]
    for option in real[:-1]:
        try:
            return _convert(option, value, where, ignore_unknown)
        except RecordError:
            continue
    return _convert(real[-1], value, where, ignore_unknown)


def _convert_tuple(
    arguments: tuple[Any, ...], value: object, where: str, ignore_unknown: bool
) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise RecordError(where, f"a list is needed, not {_shown(value)}")
    kinds = arguments
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        kinds = (arguments[0],) * len(value)
    if len(kinds) != len(value):
        raise RecordError(where, f"{len(kinds)} values are needed, not {len(value)}")
    return tuple(
        _convert(kind, item, f"{where}[{index}]", ignore_unknown)
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _convert_scalar(hint: type, value: object, where: str) -> object:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise RecordError(where, "the number is too large") from None
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise RecordError(where, f"{names.get(hint, hint.__name__)} is needed, not {_shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(where, f"{value} is not a finite number")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
