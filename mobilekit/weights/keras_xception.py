"""How keras.applications names the weights of Xception."""

from __future__ import annotations

from mobilekit.architectures.xception import BLOCKS, LAST
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import Pairs, conv, dense, norm


def xception() -> dict[str, Variable]:
    """Names of keras.applications.Xception; convolutions of shortcuts are numbered."""
    pairs: list[tuple[str, Variable]] = []
    for index in (0, 1):
        theirs = f"block1_conv{index + 1}"
        pairs += [*conv(theirs, f"stem_{index}"), *norm(f"{theirs}_bn", f"stem_{index}")]
    shortcuts = [name for name, _, pooled in BLOCKS if pooled]
    for number, name in enumerate(shortcuts):
        pairs += conv(f"conv2d_{number}", f"{name}_shortcut")
        pairs += norm(f"batch_normalization_{number}", f"{name}_shortcut")
    blocks = [*((name, filters) for name, filters, _ in BLOCKS), ("last", LAST)]
    for number, (name, filters) in enumerate(blocks, start=2):
        for index in range(len(filters)):
            pairs += _separable(f"block{number}_sepconv{index + 1}", f"{name}_{index}")
    return dict([*pairs, *dense("predictions")])


def _separable(theirs: str, ours: str) -> Pairs:
    """Their one layer is two here."""
    for part in ("depthwise", "pointwise"):
        yield from conv(theirs, f"{ours}_{part}", f"{part}_kernel")
    yield from norm(f"{theirs}_bn", f"{ours}_pointwise")
