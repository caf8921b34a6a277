"""The constraint on broadcasting: which shapes of two inputs go together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from converters.delegates.answer import HOLDS, Answer, broken, unknown
from converters.delegates.shape_kinds import shape_text
from converters.delegates.site import Site
from converters.delegates.vocabulary import Constraint


def broadcast(constraint: Constraint, site: Site) -> Answer:
    """What broadcasting of the first two inputs is taken."""
    mode = constraint.fields["mode"]
    first, second = site.tensor("i0"), site.tensor("i1")
    if first is None or second is None:
        return HOLDS
    a, b = first.shape, second.shape
    if -1 in (*a, *b):
        return unknown("shapes of the inputs are not known before it runs")
    constants = (site.is_constant(first), site.is_constant(second))
    if _BROADCASTS[mode](a, b) or (mode == "coreml" and _one_constant(a, b, constants)):
        return HOLDS
    return broken(f"inputs are {shape_text(a)} and {shape_text(b)}", _BROADCAST_WORDS[mode])


Shape = tuple[int, ...]


def _numpy(a: Shape, b: Shape) -> bool:
    return all(x == y or 1 in (x, y) for x, y in zip(reversed(a), reversed(b), strict=False))


def _gpu_basic(a: Shape, b: Shape) -> bool:
    if len(a) == len(b) or min(len(a), len(b)) <= 1:
        return _numpy(a, b)
    large, small = (a, b) if len(a) > len(b) else (b, a)
    if len(large) != 4:
        return False
    if len(small) == 3:
        return large[0] == 1 and _numpy(large, small)
    return (large[0] == 1 and small == (1, 1)) or small == (large[0], large[3])


def _matmul_batch_equal(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and a[:-2] == b[:-2]


def _coreml(a: Shape, b: Shape) -> bool:
    if max(len(a), len(b)) > 4:
        return False
    (batch, *plane, channel), (other, *window, depth) = ((1,) * (4 - len(s)) + s for s in (a, b))
    planes = plane == window or [1, 1] in (plane, window)
    return batch == other and planes and (channel == depth or 1 in (channel, depth))


def _one_constant(a: Shape, b: Shape, constants: tuple[bool, bool]) -> bool:
    """Whether one operand is a constant of one element, whatever the batch."""
    ones = any(
        constant and math.prod(shape) == 1
        for shape, constant in zip((a, b), constants, strict=True)
    )
    return ones and max(len(a), len(b)) <= 4


_BROADCASTS: Mapping[str, Callable[[Shape, Shape], bool]] = {
    "none": lambda a, b: a == b,
    "numpy": _numpy,
    "gpu_basic": _gpu_basic,
    "matmul_batch_equal": _matmul_batch_equal,
    "coreml": _coreml,
}
_BROADCAST_WORDS = {
    "none": "equal shapes",
    "numpy": "shapes that broadcast",
    "gpu_basic": "equal ranks, or a smaller operand of one dimension",
    "matmul_batch_equal": "equal ranks and batches",
    "coreml": "equal batches, and planes and channels that are equal or 1",
}
