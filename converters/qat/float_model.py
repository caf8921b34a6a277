"""The float model that a twin stands for: what is converted, and what its ranges belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from converters.keras_checks import as_model_takes
from converters.qat.kernels import Kernel
from converters.qat.quantizer import FakeQuantizer


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """An activation of the float model that the twin quantizes.

    Attributes:
        tensor: Before it is quantized.
        quantizer: What holds its range.
    """

    tensor: keras.KerasTensor
    quantizer: FakeQuantizer

    @property
    def layer(self) -> str:
        """The layer that makes it."""
        return str(self.tensor._keras_history.operation.name)


@dataclass(frozen=True, kw_only=True)
class FloatModel:
    """A model of Keras' own layers, batch norms folded, weights within their ranges.

    Attributes:
        model: The model.
        quantized: Its activations that are quantized, inputs first.
    """

    model: keras.Model
    quantized: tuple[Quantized, ...]


def float_model(twin: keras.Model) -> FloatModel:
    """Takes the fake quantizers out of a twin."""
    quantized: list[Quantized] = []
    kernels: list[tuple[keras.layers.Layer, Kernel]] = []

    def called(layer: keras.layers.Layer) -> Callable[..., object]:
        if isinstance(layer, FakeQuantizer):

            def passed(tensor: keras.KerasTensor, **_: object) -> tuple[keras.KerasTensor, ...]:
                quantized.append(Quantized(tensor=tensor, quantizer=layer))
                return tensor, tensor  # the scale, which no plain layer reads

            return passed
        if isinstance(layer, Kernel):
            plain = layer.plain.from_config(layer.plain_config())
            kernels.append((plain, layer))
            return lambda tensor, *_, **__: plain(tensor)
        copy = layer.__class__.from_config(layer.get_config())
        return lambda *args, **_: copy(*args)

    inputs = [keras.Input(each.shape[1:], name=each.name) for each in twin.inputs]
    answers = twin._run_through_graph(inputs, operation_fn=called)
    model = keras.Model(as_model_takes(twin, inputs), answers, name=twin.name)
    for plain, layer in kernels:
        plain.set_weights(layer.plain_weights())
    return FloatModel(model=model, quantized=tuple(quantized))
