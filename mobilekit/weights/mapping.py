"""Puts a file's tensors into a network's variables, and leaves none over on either side."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from mobilekit.core.errors import WeightsFileError
from mobilekit.weights import WeightSource, check_mapping, names_of
from mobilekit.weights.torch_file import read_torch_file

# PyTorch counts the batches that its moving statistics have seen; nothing here needs that.
UNUSED = "num_batches_tracked"


def load_torch_weights(model: keras.Model, source: WeightSource, path: Path) -> None:
    """Loads a .pth file into `model`; the model is untouched if anything does not fit.

    Raises:
        WeightsFileError: If the file cannot be read, if a tensor is missing or left over, or if
            one has another shape.
    """
    tensors = {
        name: tensor for name, tensor in read_torch_file(path).items() if not name.endswith(UNUSED)
    }
    names, variables = names_of(source), _variables(model)
    check_mapping(path, model.name, names, tensors, variables)
    values = {}
    for theirs, ours in names.items():
        value = _to_keras_axes(tensors[theirs], model.get_layer(ours[0]))
        if value.shape != tuple(variables[ours].shape):
            raise WeightsFileError(
                str(path),
                f"{theirs} has shape {tensors[theirs].shape}, but layer {ours[0]} of {model.name}"
                f" needs {tuple(variables[ours].shape)}, so it is of another width or number of"
                " classes",
            )
        values[ours] = value
    for ours, value in values.items():
        variables[ours].assign(value)


def _variables(model: keras.Model) -> dict[tuple[str, str], keras.Variable]:
    return {
        (layer.name, variable.name): variable
        for layer in model.layers
        for variable in layer.weights
        if not isinstance(layer, layers.Dropout)  # its seed is a variable, not a weight
    }


def _to_keras_axes(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    """PyTorch's (out, in, h, w) to Keras' (h, w, in, out), or (h, w, channel, 1) by depth."""
    if tensor.ndim == 4:
        axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
        return tensor.transpose(axes)
    return tensor.T if tensor.ndim == 2 else tensor
