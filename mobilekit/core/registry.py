"""The one lookup table type: names to rows, with the nearest name suggested on a miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from mobilekit.core.errors import UnknownNameError


class Named(Protocol):
    """Anything with a `name`."""

    @property
    def name(self) -> str:
        """The key of the row."""


Row = TypeVar("Row", bound=Named)


class Registry(Mapping[str, Row]):
    """An immutable table, written out in full where it is defined.

    Nothing registers itself on import, so a table can be read like one.
    """

    def __init__(self, kind: str, rows: Iterable[Row]) -> None:
        self.kind = kind
        self._rows: dict[str, Row] = {}
        for row in rows:
            if row.name in self._rows:
                raise ValueError(f"Two {kind}s are named {row.name!r}.")
            self._rows[row.name] = row

    def __getitem__(self, name: str) -> Row:
        try:
            return self._rows[name]
        except KeyError:
            raise UnknownNameError(self.kind, name, self._rows) from None

    def __contains__(self, name: object) -> bool:  # Mapping's own expects KeyError
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
