"""The layer that stands wherever the integer file has a quantized activation."""

from __future__ import annotations

import enum
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from converters.qat.arithmetic import Tensor, fake_averaged, fake_quantized, scale_and_zero

PACKAGE = "mobilekit"
# Jacob et al. 2018, arXiv:1712.05877, section 3.1, ask for a momentum close to 1.
MOMENTUM = 0.99


class RangeKind(enum.StrEnum):
    """Where ranges come from while a network is trained."""

    MOVING = "moving"  # activations: a moving average of batches' extremes; weights: their largest
    LEARNED = "learned"  # trained along with the weights
    FIXED = "fixed"  # as given: of an input, or of an operator whose kernel decides


@keras.saving.register_keras_serializable(PACKAGE)
class FakeQuantizer(keras.layers.Layer):  # type: ignore[misc]
    """Rounds an activation as int8 does: x -> (x as int8 holds it, its scale).

    Tensors that share a scale in the file are given to one layer, which is called once for each
    and covers the ranges of all. Learned ends move by factors, as in "Trained Quantization
    Thresholds" (Jain et al. 2020, arXiv:1903.08066), so that an optimizer's rate means the same for
    wide and narrow ranges; an end at 0, such as that of a ReLU, stays there.

    Args:
        kind: Where its range comes from.
        members: How many tensors a moving average is kept of.
        paused: Whether values pass unchanged.
    """

    def __init__(self, kind: str, members: int = 1, *, paused: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind, self.members, self.paused = RangeKind(kind), members, paused

    def build(self, input_shape: object) -> None:
        """Makes its variables; a range is 0 to 1 until it is set."""
        del input_shape
        shape = (self.members,)
        self.low = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="low")
        self.high = self.add_weight(shape=shape, initializer="ones", trainable=False, name="high")
        if self.kind is RangeKind.LEARNED:
            self.log_low = self.add_weight(shape=(), initializer="zeros", name="log_low")
            self.log_high = self.add_weight(shape=(), initializer="zeros", name="log_high")

    def call(
        self, inputs: Tensor, member: int | None = None, training: bool | None = None
    ) -> tuple[Tensor, Tensor]:
        """Rounds; in training the tensor of number `member` moves its average."""
        if training and self.kind is RangeKind.MOVING and member is not None and not self.paused:
            self._observe(inputs, member)
        low, high = self.ends()
        scale, _ = scale_and_zero(low, high)
        if self.paused:
            return inputs, scale
        held = fake_quantized if member is not None else fake_averaged
        return held(inputs, low, high), scale

    def ends(self) -> tuple[Tensor, Tensor]:
        """Both ends of the range, which holds 0."""
        low = ops.minimum(ops.min(self.low), 0.0)
        high = ops.maximum(ops.max(self.high), 0.0)
        if self.kind is RangeKind.LEARNED:
            low, high = low * ops.exp(self.log_low), high * ops.exp(self.log_high)
        return low, high

    def range(self) -> tuple[float, float]:
        """The same as numbers."""
        low, high = self.ends()
        return float(low), float(high)

    def set_range(self, low: float, high: float) -> None:
        """Starts from a range, of all members."""
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"{low} to {high} is no range")
        self.low.assign(np.full(self.members, low, np.float32))
        self.high.assign(np.full(self.members, high, np.float32))

    def _observe(self, inputs: Tensor, member: int) -> None:
        chosen = ops.one_hot(member, self.members) * (1 - MOMENTUM)
        self.low.assign(self.low + chosen * (ops.min(inputs) - self.low))
        self.high.assign(self.high + chosen * (ops.max(inputs) - self.high))

    def get_config(self) -> dict[str, Any]:
        """What the layer is made of."""
        config: dict[str, Any] = super().get_config()
        made = {"kind": str(self.kind), "members": self.members, "paused": self.paused}
        return {**config, **made}
