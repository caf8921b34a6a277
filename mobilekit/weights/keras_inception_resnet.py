"""How keras.applications names the weights of Inception-ResNet-v2."""

from __future__ import annotations

from collections.abc import Iterator

from mobilekit.architectures.inception_resnet import STAGES_V2, STEM_V2
from mobilekit.architectures.towers import conv_names, tower_names
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import Pairs, conv, dense

# Modules of residuals, and from which of theirs on each of ours counts.
BLOCKS = {
    "block_a": ("block35", 1),
    "block_b": ("block17", 1),
    "block_c": ("block8", 1),
    "block_c_9": ("block8", 10),
}


def inception_resnet_v2() -> dict[str, Variable]:
    """Names of keras.applications.InceptionResNetV2.

    Its layers are numbered, but for the linear convolutions and the last one.
    """
    pairs = [*conv("conv_7b", "last"), *_norm("conv_7b_bn", "last")]
    for number, ours in enumerate(_numbered()):
        pairs += [*conv(f"conv2d_{number}", ours), *_norm(f"batch_normalization_{number}", ours)]
    for stage in STAGES_V2:
        for index, ours in enumerate(stage.names() if stage.residuals else ()):
            theirs, first = BLOCKS[stage.name]
            pairs += dense(f"{theirs}_{first + index}_conv", f"{ours}_expand")
    return dict([*pairs, *dense("predictions")])


def _numbered() -> Iterator[str]:
    yield from tower_names(STEM_V2, "stem")
    for stage in STAGES_V2:
        for name in stage.names():
            yield from conv_names(stage.towers, name)


def _norm(theirs: str, ours: str) -> Pairs:
    """It has no gamma."""
    for variable in ("beta", "moving_mean", "moving_variance"):
        yield f"{theirs}/{variable}", (f"{ours}_bn", variable)
