"""The activations of the literature as Keras layers, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
from keras import layers


@keras.saving.register_keras_serializable("mobilekit")  # type: ignore[untyped-decorator]
def hard_sigmoid(x: keras.KerasTensor) -> keras.KerasTensor:
    """relu6(x + 3) / 6, in the operators that every delegate has; Keras' own clips x/6 + 0.5."""
    return keras.ops.relu6(x + 3.0) * (1 / 6)


@keras.saving.register_keras_serializable("mobilekit")  # type: ignore[untyped-decorator]
def hard_swish_by_relu6(x: keras.KerasTensor) -> keras.KerasTensor:
    """relu6(x + 3) * (x / 6): the converter makes HARD_SWISH of every other order of these."""
    return keras.ops.relu6(x + 3.0) * (x * (1 / 6))


ACTIVATIONS: Mapping[str, Callable[[str], layers.Layer]] = {
    "relu": lambda name: layers.ReLU(name=f"{name}_relu"),
    "relu6": lambda name: layers.ReLU(6.0, name=f"{name}_relu"),
    "elu": lambda name: layers.ELU(name=f"{name}_elu"),
    "sigmoid": lambda name: layers.Activation("sigmoid", name=f"{name}_sigmoid"),
    "hard_sigmoid": lambda name: layers.Activation(hard_sigmoid, name=f"{name}_hard_sigmoid"),
    "hard_swish": lambda name: layers.Activation("hard_swish", name=f"{name}_hard_swish"),
    "hard_swish_by_relu6": lambda name: layers.Activation(
        hard_swish_by_relu6, name=f"{name}_hard_swish"
    ),
}
# An activation, and the form of it that a target may want.
FORM_OF = {"hard_swish": "hard_swish_by_relu6"}
