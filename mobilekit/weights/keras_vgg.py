"""How keras.applications names the weights of VGG."""

from __future__ import annotations

from mobilekit.architectures.vgg import convolutions
from mobilekit.weights import Variable
from mobilekit.weights.keras_applications import dense


def vgg16() -> dict[str, Variable]:
    """Names of keras.applications.VGG16."""
    return _vgg("vgg16")


def vgg19() -> dict[str, Variable]:
    """Names of keras.applications.VGG19."""
    return _vgg("vgg19")


def _vgg(name: str) -> dict[str, Variable]:
    layers = {
        f"block{block}_conv{number}": f"block_{block}_conv_{number}"
        for block, number, _ in convolutions(name)
    }
    layers |= {"fc1": "fc_1", "fc2": "fc_2", "predictions": "logits"}
    return dict(pair for theirs, ours in layers.items() for pair in dense(theirs, ours))
