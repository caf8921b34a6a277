"""How torchvision names the weights of the networks that are built here."""

from __future__ import annotations

from collections.abc import Iterator

from mobilekit.architectures.mobilenet_v2 import STAGES

# One pair a tensor: torchvision's name, and (layer, variable) here.
Pairs = Iterator[tuple[str, tuple[str, str]]]

BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def mobilenet_v2() -> dict[str, tuple[str, str]]:
    """Names of torchvision.models.mobilenet_v2, whatever its width."""
    return dict(_mobilenet_v2())


def _mobilenet_v2() -> Pairs:
    yield from conv_bn("features.0.0", "features.0.1", "stem")
    expansions = [t for t, _, repeats, _ in STAGES for _ in range(repeats)]
    for block, expansion in enumerate(expansions):
        # torchvision numbers the stem 0; a block without an expansion starts at the depthwise.
        prefix, name = f"features.{block + 1}.conv", f"block_{block}"
        first = 0
        if expansion > 1:
            yield from conv_bn(f"{prefix}.0.0", f"{prefix}.0.1", f"{name}_expand")
            first = 1
        yield from conv_bn(f"{prefix}.{first}.0", f"{prefix}.{first}.1", f"{name}_depthwise")
        yield from conv_bn(f"{prefix}.{first + 1}", f"{prefix}.{first + 2}", f"{name}_project")
    last = len(expansions) + 1
    yield from conv_bn(f"features.{last}.0", f"features.{last}.1", "last")
    yield "classifier.1.weight", ("logits", "kernel")
    yield "classifier.1.bias", ("logits", "bias")


def conv_bn(conv: str, norm: str, layer: str) -> Pairs:
    """The kernel of a convolution, and the four variables of the batch norm behind it."""
    yield f"{conv}.weight", (layer, "kernel")
    for theirs, ours in BATCH_NORM.items():
        yield f"{norm}.{theirs}", (f"{layer}_bn", ours)
