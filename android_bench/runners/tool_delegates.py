"""What Google's benchmark tools say about the delegates that they applied."""

from __future__ import annotations

import re
from dataclasses import dataclass

_APPLIED = re.compile(
    r"^(?:Explicitly a|A)pplied (\S+) delegate, and the model graph will be (completely|partially)"
    r" executed (?:by|w/) the delegate(?: w/ (\d{1,6}) delegate kernels)?"
)
_NOT_APPLIED = re.compile(r"^Though (\S+) delegate is explicitly applied, the model graph will not")
_REPLACED = re.compile(
    r"Replacing (\d{1,9}) out of (\d{1,9}) node\(s\) with delegate \(([^)]{1,200})\) node,"
    r" yielding (\d{1,9}) partitions"
)


@dataclass(frozen=True, kw_only=True)
class Delegated:
    """What the tool says about an explicit delegate.

    Attributes:
        delegate: Its name in the tool's words, e.g. "GPU".
        extent: "completely", "partially" or "not".
        kernels: Partitions, where it is partial.
    """

    delegate: str
    extent: str
    kernels: int | None


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What the runtime says of nodes that a delegate took, e.g. "TfLiteNnapiDelegate"."""

    delegate: str
    nodes: int
    nodes_total: int
    partitions: int


def read_delegated(line: str) -> Delegated | None:
    """What a line says of an explicit delegate; None where it says nothing of one."""
    if found := _APPLIED.match(line):
        kernels = found.group(3)
        return Delegated(
            delegate=found.group(1),
            extent=found.group(2),
            kernels=None if kernels is None else int(kernels),
        )
    if found := _NOT_APPLIED.match(line):
        return Delegated(delegate=found.group(1), extent="not", kernels=None)
    return None


def read_replaced(line: str) -> Replaced | None:
    """What a line says of the nodes that a delegate took; None where it says nothing."""
    found = _REPLACED.search(line)
    if found is None:
        return None
    return Replaced(
        delegate=found.group(3),
        nodes=int(found.group(1)),
        nodes_total=int(found.group(2)),
        partitions=int(found.group(4)),
    )
