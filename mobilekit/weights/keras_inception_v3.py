"""How keras.applications names the weights of Inception V3."""

from __future__ import annotations

from mobilekit.architectures.inception_v3 import convolutions
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import conv, dense


def inception_v3() -> dict[str, Variable]:
    """Names of keras.applications.InceptionV3, whose layers are numbered and have no gamma."""
    pairs = [*dense("predictions")]
    for number, ours in enumerate(convolutions()):
        pairs += conv(f"conv2d_{number}", ours)
        for variable in ("beta", "moving_mean", "moving_variance"):
            pairs.append((f"batch_normalization_{number}/{variable}", (f"{ours}_bn", variable)))
    return dict(pairs)
