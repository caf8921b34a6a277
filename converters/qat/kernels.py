"""Twins of the layers that have weights: what they compute with is what the int8 file holds.

A batch norm behind the layer belongs to it, folded with its moving statistics as the converter
does. The statistics stay as they are: a network that is fine-tuned has them already, and in
Krishnamoorthi 2018, arXiv:1806.08342, section 3.2, frozen ones end better. Its gamma and beta are
trained.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from converters.qat.arithmetic import Tensor, bias_in_steps, fake_quantized_weights, in_steps
from converters.qat.quantizer import PACKAGE, RangeKind
from mobilekit.core.recipe import Granularity

GAMMA, BETA, MEAN, VARIANCE = "gamma", "beta", "moving_mean", "moving_variance"


class Kernel(keras.layers.Layer):  # type: ignore[misc]
    """What the three twins have in common; stands before the Keras layer in their bases.

    Args:
        granularity: Scales of the weights.
        ranges: Whether the largest weight decides their range, or it is learned; a learned range is
            never wider than the weights, since the file's is not either.
        norm: The batch norm behind it, as `norm_of` tells; None where there is none.
        paused: Whether weights stay float.
    """

    # Those of convolutions know of a kernel and a bias alone.
    save_own_variables = keras.layers.Layer.save_own_variables
    load_own_variables = keras.layers.Layer.load_own_variables

    axes: tuple[int, ...]  # of the kernel, that one scale stands for
    plain: type[keras.layers.Layer]  # what is converted

    def __init__(
        self,
        granularity: str,
        ranges: str,
        *,
        norm: dict[str, Any] | None = None,
        paused: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.granularity, self.ranges = Granularity(granularity), RangeKind(ranges)
        self.norm, self.paused = norm, paused

    def build(self, inputs_shape: object, input_scale_shape: object = ()) -> None:
        """Makes the weights of the layer, then those of its batch norm."""
        super().build(inputs_shape)
        add: Any = self.add_weight
        kernel = self.kernel.shape
        self._bound_shape = (
            [1] * len(kernel)
            if self.granularity is Granularity.PER_TENSOR
            else [1 if axis in self.axes else size for axis, size in enumerate(kernel)]
        )
        if self.ranges is RangeKind.LEARNED:
            shape = self._bound_shape
            self.base = add(shape=shape, initializer="ones", trainable=False, name="base")
            self.log_bound = add(shape=shape, initializer="zeros", name="log_bound")
        if self.norm is not None:
            size = self.channels
            self.gamma = add(
                shape=size, initializer="ones", trainable=self.norm["scale"], name=GAMMA
            )
            self.beta = add(
                shape=size, initializer="zeros", trainable=self.norm["center"], name=BETA
            )
            self.moving_mean = add(shape=size, initializer="zeros", trainable=False, name=MEAN)
            self.moving_variance = add(
                shape=size, initializer="ones", trainable=False, name=VARIANCE
            )

    def call(self, inputs: Tensor, input_scale: Tensor) -> Tensor:
        """Computes with weights and bias as the file holds them, in float."""
        kernel, bias = self.folded()
        if self.paused:
            return self.apply(inputs, kernel) + bias
        kernel, scale = fake_quantized_weights(kernel, self._bound(kernel))
        sums = self.apply(in_steps(inputs, input_scale), in_steps(kernel, scale))
        scale = input_scale * ops.reshape(scale, (-1,))
        return (sums + bias_in_steps(bias, scale)) * scale

    def apply(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The layer's own operation with another kernel, without bias."""
        raise NotImplementedError

    def folded(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias with the batch norm in them."""
        kernel = ops.convert_to_tensor(self.kernel)
        bias = self.bias if self.use_bias else None
        if self.norm is None:
            return kernel, 0.0 if bias is None else ops.convert_to_tensor(bias)
        factor = self.gamma / ops.sqrt(self.moving_variance + self.norm["epsilon"])
        shape = [1 if axis in self.axes else n for axis, n in enumerate(kernel.shape)]
        mean = self.moving_mean if bias is None else self.moving_mean - bias
        return kernel * ops.reshape(factor, shape), self.beta - mean * factor

    def start(self, layer: keras.layers.Layer, norm: keras.layers.Layer | None) -> None:
        """Takes the weights of the layer that it is the twin of, and of its batch norm."""
        self.kernel.assign(layer.kernel)
        if layer.use_bias:
            self.bias.assign(layer.bias)
        for name in (GAMMA, BETA, MEAN, VARIANCE) if norm else ():
            values = getattr(norm, name)
            if values is not None:
                getattr(self, name).assign(values)
        if self.ranges is RangeKind.LEARNED:
            self.base.assign(self._largest(self.folded()[0]))

    def plain_weights(self) -> list[np.ndarray]:
        """Kernel and bias of the layer that is converted; the kernel within its range."""
        kernel, bias = self.folded()
        bound = self._bound(kernel)
        values = np.asarray(ops.clip(kernel, -bound, bound), np.float32)
        return [values, np.broadcast_to(np.asarray(bias, np.float32), self.channels)]

    @property
    def channels(self) -> tuple[int, ...]:
        """Shape of a bias: one value an output channel."""
        kernel = self.kernel.shape
        return (int(np.prod([n for axis, n in enumerate(kernel) if axis not in self.axes])),)

    def plain_config(self) -> dict[str, Any]:
        """Of the layer that is converted."""
        config = self.get_config()
        for name in ("granularity", "ranges", "norm", "paused"):
            del config[name]
        return {**config, "use_bias": True}

    def _bound(self, kernel: Tensor) -> Tensor:
        largest = self._largest(kernel)
        if self.ranges is not RangeKind.LEARNED:
            return largest
        return ops.minimum(self.base * ops.exp(self.log_bound), largest)

    def _largest(self, kernel: Tensor) -> Tensor:
        whole = self.granularity is Granularity.PER_TENSOR
        axes = None if whole else self.axes
        return ops.stop_gradient(ops.max(ops.abs(kernel), axis=axes, keepdims=True))

    def get_config(self) -> dict[str, Any]:
        """What the layer is made of."""
        config: dict[str, Any] = super().get_config()
        return {
            **config,
            "granularity": str(self.granularity),
            "ranges": str(self.ranges),
            "norm": self.norm,
            "paused": self.paused,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedConv2D(Kernel, keras.layers.Conv2D):  # type: ignore[misc]
    """Twin of Conv2D: (N, H, W, C), scale -> (N, H', W', filters)."""

    axes = (0, 1, 2)
    plain = keras.layers.Conv2D

    def apply(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The convolution alone."""
        return self.convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedDepthwiseConv2D(Kernel, keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """Twin of DepthwiseConv2D: (N, H, W, C), scale -> (N, H', W', C * depth_multiplier)."""

    axes = (0, 1)
    plain = keras.layers.DepthwiseConv2D

    def apply(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The convolution alone."""
        return ops.depthwise_conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizedDense(Kernel, keras.layers.Dense):  # type: ignore[misc]
    """Twin of Dense: (N, C), scale -> (N, units)."""

    axes = (0,)
    plain = keras.layers.Dense

    def apply(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The product alone."""
        return ops.matmul(inputs, kernel)


def norm_of(layer: keras.layers.Layer) -> dict[str, Any]:
    """What a twin has to know of a batch norm."""
    return {"epsilon": layer.epsilon, "scale": layer.scale, "center": layer.center}


TWINS: dict[type[keras.layers.Layer], type[Kernel]] = {
    twin.plain: twin
    for twin in (FakeQuantizedConv2D, FakeQuantizedDepthwiseConv2D, FakeQuantizedDense)
}
