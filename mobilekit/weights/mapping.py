"""Puts a file's tensors into a network's variables, and leaves none over on either side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
from keras import layers

from mobilekit.architectures.blocks import CONSTANT
from mobilekit.core.errors import WeightsFileError
from mobilekit.weights import Layout, Variable, WeightSource, check_mapping, names_of
from mobilekit.weights.layer_names import counted
from mobilekit.weights.torch_file import read_torch_file

# PyTorch counts the batches that its moving statistics have seen; nothing here needs that.
UNUSED = "num_batches_tracked"


def load_torch_weights(model: keras.Model, source: WeightSource, path: Path) -> None:
    """Loads a .pth file into `model`; the model is untouched if anything does not fit.

    Raises:
        WeightsFileError: If the file cannot be read, if a tensor is missing or left over, or if
            one has another shape.
    """
    tensors = used(read_torch_file(path), source.unused)
    fill(model, names_of(source), tensors, str(path), axes=_to_keras_axes)


def used(tensors: Mapping[str, np.ndarray], unused: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The tensors of a PyTorch network that its answers depend on.

    Args:
        tensors: All of a file.
        unused: How names begin that the network here does without.
    """
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.endswith(UNUSED) and not name.startswith(unused)
    }


def load_keras_weights(
    model: keras.Model, names: Mapping[str, Variable], theirs: keras.Model
) -> None:
    """Carries the weights of another Keras model into `model`, by "<layer>/<variable>".

    Raises:
        WeightsFileError: If a tensor is missing or left over, or if one has another shape.
    """
    fill(model, names, keras_tensors(theirs), theirs.name, axes=_without_positions)


def keras_tensors(model: keras.Model) -> dict[str, np.ndarray]:
    """A model's weights by "<layer>/<variable>".

    Layers that Keras named by itself ("conv2d_17") are counted from 0 in the order of the model,
    since that number depends on what was built before.
    """
    holders = _holders(model)
    named = counted([layer.name for layer in holders])
    return {
        f"{named[layer.name]}/{variable.name}": keras.ops.convert_to_numpy(variable)
        for layer in holders
        for variable in layer.weights
    }


def _holders(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers with weights of the network; a dropout's seed is a variable, and none."""
    return [each for each in model.layers if not isinstance(each, layers.Dropout)]


def fill(
    model: keras.Model,
    names: Mapping[str, Variable],
    tensors: Mapping[str, np.ndarray],
    source: str,
    *,
    axes: Callable[[np.ndarray, keras.layers.Layer], np.ndarray],
) -> None:
    """Puts tensors into a model's variables; it is untouched if anything does not fit.

    Args:
        model: The network.
        names: Where each tensor goes.
        tensors: All of the source.
        source: What they are from, for errors.
        axes: Puts a tensor's axes into Keras' order, for the layer that it goes to.

    Raises:
        WeightsFileError: If a tensor is missing or left over, or if one has another shape.
    """
    variables = variables_of(model)
    check_mapping(source, model.name, names, tensors, variables)
    values = {}
    for theirs, ours in names.items():
        value = axes(tensors[theirs], model.get_layer(ours[0]))
        if value.shape != tuple(variables[ours].shape):
            raise WeightsFileError(
                source,
                f"{theirs} has shape {tensors[theirs].shape}, but layer {ours[0]} of {model.name}"
                f" needs {tuple(variables[ours].shape)}, so it is of another width, input size or"
                " number of classes",
            )
        values[ours] = value
    for ours, value in values.items():
        variables[ours].assign(value)


def variables_of(model: keras.Model) -> dict[Variable, keras.Variable]:
    """A network's variables by layer and name, without those that belong to a form."""
    return {
        (layer.name, variable.name): variable
        for layer in _holders(model)
        for variable in layer.weights
        if not layer.name.endswith(CONSTANT)
    }


def _without_positions(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    """A 1x1 convolution is dense where there is one position."""
    dense = isinstance(layer, layers.Dense) and tensor.ndim == 4 and tensor.shape[:2] == (1, 1)
    return tensor[0, 0] if dense else tensor


def _to_keras_axes(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    """PyTorch's (out, in, h, w) to Keras' (h, w, in, out), or (h, w, channel, 1) by depth.

    Behind a Flatten, PyTorch counts a dense layer's inputs channel by channel, Keras pixel by
    pixel.
    """
    if isinstance(layer, layers.BatchNormalization):
        return tensor.reshape(-1)  # of PyTorch's first versions they are (1, channels)
    if tensor.ndim == 4:
        axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
        return _without_positions(tensor.transpose(axes), layer)
    if tensor.ndim == 2:
        before = _flattened(layer)
        if before is not None and math.prod(before) == tensor.shape[1]:
            height, width, channels = before
            pixels = tensor.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
            tensor = pixels.reshape(tensor.shape)
        return tensor.T
    return tensor


def _flattened(layer: keras.layers.Layer) -> tuple[int, ...] | None:
    """The shape (h, w, channels) that a layer's input was before a Flatten; None without one."""
    before = layer
    while isinstance(before, layers.Dropout) or before is layer:
        before = before.input._keras_history.operation
    return before.input.shape[1:] if isinstance(before, layers.Flatten) else None


AXES: Mapping[Layout, Callable[[np.ndarray, keras.layers.Layer], np.ndarray]] = {
    Layout.PYTORCH: _to_keras_axes,
    Layout.KERAS: _without_positions,
}
