"""Names of Keras layers, as far as they mean the same in every process."""

from __future__ import annotations

import re
from collections.abc import Iterable

# How Keras names layers that were given no name, with a number behind it from the second on.
NAMED_BY_KERAS = re.compile(
    r"(conv2d|depthwise_conv2d|separable_conv2d|batch_normalization|dense)(?:_(\d+))?"
)


def counted(names: Iterable[str]) -> dict[str, str]:
    """Every name, with those that Keras made ("conv2d_17") counted from 0 a kind.

    The number in such a name depends on what was built before in the same process; layers are
    counted as they are made, so its order is that of the network.
    """
    found = {}
    numbers: dict[str, int] = {}
    for name in sorted(names, key=_number):
        match = NAMED_BY_KERAS.fullmatch(name)
        if match is None:
            found[name] = name
            continue
        number = numbers.setdefault(match[1], 0)
        found[name] = f"{match[1]}_{number}"
        numbers[match[1]] += 1
    return found


def _number(name: str) -> int:
    match = NAMED_BY_KERAS.fullmatch(name)
    return int(match[2] or 0) if match else 0
