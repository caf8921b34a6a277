"""What keeps a Keras model from being converted, found before TensorFlow meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from converters.model_size import check_params
from mobilekit.core.errors import ConversionError


def check_convertible(model: keras.Model) -> None:
    """Refuses what cannot become a .tflite, in one sentence that names the layer.

    Raises:
        ConversionError: If the model is not functional, has an open dimension, too many
            parameters, or NaN among its weights.
    """
    if not getattr(model, "inputs", None):
        raise ConversionError(
            f"{model.name} is a subclass of Model whose inputs nobody has declared. Wrap it:"
            " keras.Model(image, net(image)) with image = keras.Input(shape)."
        )
    for each in model.inputs:
        if None in each.shape[1:]:
            raise ConversionError(
                f"{model.name} has an open dimension in its input {each.shape};"
                " no delegate takes that. Build it with a fixed input size."
            )
    check_params(model.name, model.count_params())
    for layer in leaves(model):
        for weights in layer.weights:
            values = np.asarray(keras.ops.cast(weights.value, "float32"))
            broken = int(np.count_nonzero(~np.isfinite(values)))
            if broken:
                raise ConversionError(
                    f"{model.name} has {broken:,} of {values.size:,} weights that are NaN or"
                    f" infinite in layer {layer.name!r} ({weights.name}): train or load it again."
                )


def as_model_takes(model: keras.Model, values: Sequence[object]) -> object:
    """Inputs in order, packed as they were when the model was built: alone, a list or a dict."""
    try:
        structure = model.input
    except AttributeError:  # a Sequential that was read from a file has `inputs` alone
        structure = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.tree.pack_sequence_as(structure, list(values))


def leaves(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Layers in order, those of nested models in the place of the models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def layer_names(model: keras.Model) -> tuple[str, ...]:
    """Names of layers in order, nested models and what is inside them included."""
    names: list[str] = []
    for layer in model.layers:
        names.append(layer.name)
        if isinstance(layer, keras.Model):
            names += layer_names(layer)
    return tuple(dict.fromkeys(names))


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself, or a copy that computes in float32 where a layer has a shorter policy.

    LiteRT has no float16 kernels on the CPU; a float16 policy is a matter of training.

    Raises:
        ConversionError: If a layer cannot be copied.
    """
    short = [layer for layer in leaves(model) if layer.compute_dtype in ("float16", "bfloat16")]
    if not short:
        return model
    try:
        copy = keras.models.clone_model(model, clone_function=_widened, recursive=True)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ConversionError(
            f"{model.name} computes in {short[0].compute_dtype} (layer {short[0].name!r}), which"
            " LiteRT has no kernels for, and cannot be copied into float32:"
            f" {str(error).splitlines()[0]}. Build it under the policy float32."
        ) from error
    copy.set_weights([np.asarray(keras.ops.cast(w.value, "float32")) for w in model.weights])
    return copy


def _widened(layer: keras.layers.Layer) -> keras.layers.Layer:
    return layer.__class__.from_config({**layer.get_config(), "dtype": "float32"})
