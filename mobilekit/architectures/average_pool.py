"""Means over windows: as Keras pools, or as a depthwise convolution that every delegate takes."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import initializers, layers

IGNORED = "ignored"
COUNTED = "counted"


@dataclass(frozen=True, kw_only=True)
class AveragePool:
    """One average pool.

    Attributes:
        size: Height and width of the window, pixels.
        stride: Of the window, in both directions.
        padding: "valid" or "same"; the latter's borders are TensorFlow's.
        border: "ignored" divides by the pixels within the image, as Keras and TensorFlow do;
            "counted" by all of the window, as Caffe and PyTorch do.
    """

    size: int
    stride: int = 1
    padding: str = "same"
    border: str = IGNORED

    def plain(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """As AveragePooling2D, behind zeros where those count: (N, H, W, C) -> (N, h, w, C)."""
        padding = self.padding
        if self.border == COUNTED and padding == "same":
            ends = tuple(self._ends(length) for length in x.shape[1:3])
            x = layers.ZeroPadding2D(ends, name=f"{name}_zeros")(x)
            padding = "valid"
        return layers.AveragePooling2D(self.size, self.stride, padding=padding, name=name)(x)

    def by_depthwise(
        self, x: keras.KerasTensor, name: str, constant_name: str
    ) -> keras.KerasTensor:
        """The same as a constant depthwise convolution, of stock layers: -> (N, h, w, C).

        Windows over the border sum fewer pixels, so they are multiplied by what they lack. In int8
        that loses less than AVERAGE_POOL_2D, whose output has to have the scale of its input.

        Args:
            x: What is pooled.
            name: Of the pool.
            constant_name: Of the convolution, whose weights are part of the form.
        """
        within = self._pixels_within(*x.shape[1:3])
        alike = within.min() == within.max()
        divisor = within.max() if alike else self.size**2
        x = layers.DepthwiseConv2D(
            self.size,
            self.stride,
            padding=self.padding,
            use_bias=False,
            depthwise_initializer=initializers.Constant(1 / int(divisor)),
            trainable=False,
            name=constant_name,
        )(x)
        if alike:
            return x
        return layers.Rescaling((divisor / within)[..., None].tolist(), name=f"{name}_border")(x)

    def _pixels_within(self, height: int, width: int) -> np.ndarray:
        """By how much the sum of each window is divided: (h, w)."""
        rows, columns = (self._lengths_within(length) for length in (height, width))
        return np.outer(rows, columns)

    def _lengths_within(self, length: int) -> np.ndarray:
        before, after = self._ends(length)
        first = np.arange(-before, length + after - self.size + 1, self.stride)
        if self.border == COUNTED:
            return np.full_like(first, self.size)
        return np.minimum(first + self.size, length) - np.maximum(first, 0)

    def _ends(self, length: int) -> tuple[int, int]:
        """Pixels of border before and behind."""
        if self.padding == "valid":
            return 0, 0
        reach = (-(-length // self.stride) - 1) * self.stride + self.size
        total = max(0, reach - length)
        return total // 2, total - total // 2
