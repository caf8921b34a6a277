"""How timm names the weights of Inception-v4, of Inception-ResNet-v2, of Xception.

These are TensorFlow's weights, ported: Cadene's names for them, and timm took those over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobilekit.architectures.inception_resnet import STAGES_V2, STEM_V2
from mobilekit.architectures.inception_v4 import STEM, modules
from mobilekit.architectures.towers import Conv, Split, Tower, tower_names
from mobilekit.architectures.xception import BLOCKS, LAST
from mobilekit.weights.torchvision import BATCH_NORM, Pairs

Names = dict[str, tuple[str, str]]


def inception_v4_names() -> Names:
    """Names of inception_v4."""
    return dict(_inception_v4())


def inception_resnet_v2_names() -> Names:
    """Names of inception_resnet_v2."""
    return dict(_inception_resnet_v2())


def xception_names() -> Names:
    """Names of legacy_xception."""
    return dict(_xception())


def _inception_v4() -> Pairs:
    """Everything before the classes is one numbered sequence."""
    for number, ours in enumerate(tower_names(STEM, "stem")):
        yield from _conv_bn(f"features.{number}", ours)
    numbered = enumerate(modules(), start=len(STEM))
    for number, (ours, table) in numbered:
        convolutions = [step for steps in table for step in steps if isinstance(step, Conv)]
        if len(convolutions) == 1:  # it has a name of its own then, not that of a branch
            [place] = [place for place, steps in enumerate(table) if isinstance(steps[0], Conv)]
            yield from _conv_bn(f"features.{number}.conv", f"{ours}_tower_{place}_0")
        else:
            yield from _branches(f"features.{number}", table, ours)
    yield from _dense("last_linear")


def _inception_resnet_v2() -> Pairs:
    theirs = ("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a")
    ours = tower_names(STEM_V2, "stem")
    for their_name, our_name in zip(theirs, ours, strict=True):
        yield from _conv_bn(their_name, our_name)
    theirs_of = ("mixed_5b", "repeat", "mixed_6a", "repeat_1", "mixed_7a", "repeat_2", "block8")
    for module, stage in zip(theirs_of, STAGES_V2, strict=True):
        for index, name in enumerate(stage.names()):
            prefix = f"{module}.{index}" if stage.residuals > 1 else module
            yield from _branches(prefix, stage.towers, name)
            if stage.residuals:
                yield f"{prefix}.conv2d.weight", (f"{name}_expand", "kernel")
                yield f"{prefix}.conv2d.bias", (f"{name}_expand", "bias")
    yield from _conv_bn("conv2d_7b", "last")
    yield from _dense("classif")


def _xception() -> Pairs:
    for number in (1, 2):
        yield from _norm(f"bn{number}", f"stem_{number - 1}")
        yield f"conv{number}.weight", (f"stem_{number - 1}", "kernel")
    for number, (ours, filters, pooled) in enumerate(BLOCKS, start=1):
        # Activations are counted; the first block has none in front.
        first = 0 if number == 1 else 1
        for index in range(len(filters)):
            place = first + 3 * index
            rep = f"block{number}.rep"
            yield from _separable(f"{rep}.{place}", f"{rep}.{place + 1}", f"{ours}_{index}")
        if pooled:
            yield f"block{number}.skip.weight", (f"{ours}_shortcut", "kernel")
            yield from _norm(f"block{number}.skipbn", f"{ours}_shortcut")
    for index in range(len(LAST)):
        yield from _separable(f"conv{index + 3}", f"bn{index + 3}", f"last_{index}")
    yield from _dense("fc")


def _branches(prefix: str, table: Sequence[Tower], module: str) -> Pairs:
    for place, steps in enumerate(table):
        ours = tower_names(steps, f"{module}_tower_{place}")
        for suffix, name in zip(_suffixes(steps), ours, strict=True):
            yield from _conv_bn(f"{prefix}.branch{place}{suffix}", name)


def _suffixes(steps: Tower) -> Iterator[str]:
    """What a convolution of a branch is called behind the branch's own name."""
    joint = "_" if any(isinstance(step, Split) for step in steps) else "."
    for place, step in enumerate(steps):
        if isinstance(step, Split):
            yield from (f"{joint}{place}{letter}" for letter in "ab")
        elif isinstance(step, Conv):
            yield f"{joint}{place}" if len(steps) > 1 else ""


def _separable(conv: str, norm: str, ours: str) -> Pairs:
    yield f"{conv}.conv1.weight", (f"{ours}_depthwise", "kernel")
    yield f"{conv}.pointwise.weight", (f"{ours}_pointwise", "kernel")
    yield from _norm(norm, f"{ours}_pointwise")


def _conv_bn(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.conv.weight", (ours, "kernel")
    yield from _norm(f"{theirs}.bn", ours)


def _norm(theirs: str, ours: str) -> Pairs:
    for variable, name in BATCH_NORM.items():
        yield f"{theirs}.{variable}", (f"{ours}_bn", name)


def _dense(theirs: str) -> Pairs:
    yield f"{theirs}.weight", ("logits", "kernel")
    yield f"{theirs}.bias", ("logits", "bias")
