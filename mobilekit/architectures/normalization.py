"""Local response normalization, the layer of the networks before batch norm."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


# Keras' own classes are untyped, so subclassing them needs the exception for mypy.
@keras.saving.register_keras_serializable(package="mobilekit")
class LocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Divides each channel by the energy of its neighbours: (N, H, W, C) -> (N, H, W, C).

    y_i = x_i / (bias + alpha * sum of x_j² over the channels |i - j| <= radius) ** beta; channels
    beyond the first and the last count as 0. One LOCAL_RESPONSE_NORMALIZATION in a .tflite.

    Caffe and PyTorch divide their alpha by the number of channels that are summed, which neither
    AlexNet's paper nor TensorFlow does: their alpha of 1e-4 over 5 channels is 2e-5 here.

    Source: Krizhevsky et al. 2012, section 3.3, whose n is 2 * radius + 1, and k is `bias`.
    """

    def __init__(
        self,
        radius: int = 2,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        **kwargs: Any,
    ) -> None:
        """Takes the paper's constants, which are the defaults, and what every layer takes."""
        super().__init__(**kwargs)
        self.constants = {"radius": radius, "bias": bias, "alpha": alpha, "beta": beta}

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalizes; the shape stays."""
        constants = self.constants
        return tf.nn.local_response_normalization(
            inputs,
            depth_radius=constants["radius"],
            bias=constants["bias"],
            alpha=constants["alpha"],
            beta=constants["beta"],
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constants, beside what every layer has."""
        return {**super().get_config(), **self.constants}
