"""How keras.applications names the weights of MobileNetV3, whatever its width."""

from __future__ import annotations

from functools import partial

from mobilekit.architectures.mobilenet_v3 import VARIANTS
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import Pairs, conv, dense, norm

SQUEEZE = {"squeeze_excite_conv": "se_reduce", "squeeze_excite_conv_1": "se_expand"}


def _names(name: str, *, minimalistic: str = "no") -> dict[str, Variable]:
    rows, _ = VARIANTS[name]
    pairs = [*conv("conv", "stem"), *norm("conv_bn", "stem")]
    for index, (_, expansion, _, squeeze, _, _) in enumerate(rows):
        squeezes = squeeze and minimalistic == "no"
        theirs = f"expanded_conv_{index}" if index else "expanded_conv"
        pairs += _block(theirs, f"block_{index}", expansion, squeezes)
    pairs += [*conv("conv_1", "last"), *norm("conv_1_bn", "last"), *dense("conv_2", "head")]
    return dict([*pairs, *dense("logits")])


def _block(theirs: str, ours: str, expansion: float, squeezes: bool) -> Pairs:
    for part in ("expand", "depthwise", "project") if expansion > 1 else ("depthwise", "project"):
        yield from conv(f"{theirs}_{part}", f"{ours}_{part}")
        yield from norm(f"{theirs}_{part}_bn", f"{ours}_{part}")
    for layer, part in SQUEEZE.items() if squeezes else ():
        yield from dense(f"{theirs}_{layer}", f"{ours}_{part}")


large = partial(_names, "mobilenet_v3_large")
small = partial(_names, "mobilenet_v3_small")
large_minimalistic = partial(_names, "mobilenet_v3_large", minimalistic="yes")
small_minimalistic = partial(_names, "mobilenet_v3_small", minimalistic="yes")
