"""HDF5 files with the weights of keras.applications: layers by name, no network around them.

The layout is that of Keras 1 and 2: attribute `layer_names` of the file, attribute `weight_names`
of every layer's group, one dataset a weight. Keras 3's own `.weights.h5` has no names of layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilekit.core.errors import WeightsFileError
from mobilekit.weights.layer_names import counted

# The order of a layer's weights is what Keras loads by; files of 2016 have names of their own.
BY_NUMBER = {
    1: ("kernel",),
    2: ("kernel", "bias"),
    3: ("beta", "moving_mean", "moving_variance"),
    4: ("gamma", "beta", "moving_mean", "moving_variance"),
}
KNOWN = {"kernel", "bias", "depthwise_kernel", "pointwise_kernel", *BY_NUMBER[4]}


class _DamagedError(Exception):
    """What is wrong with the file, without a full stop."""


def read_h5_weights(path: Path) -> dict[str, np.ndarray]:
    """Reads the weights by "<layer>/<variable>"; layers that Keras named are counted from 0.

    Raises:
        WeightsFileError: If the file cannot be read, is truncated or foreign.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _weights(file)
    except _DamagedError as error:
        raise WeightsFileError(str(path), str(error)) from error
    # h5py meets damage with any of these.
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        first = str(error).strip("'\"").splitlines()[0] if str(error) else type(error).__name__
        raise WeightsFileError(
            str(path), f"it is truncated, or no HDF5 file of weights ({first})"
        ) from error


def _weights(file: Any) -> dict[str, np.ndarray]:
    root = _group(file, "model_weights") if "model_weights" in file else file
    if not {"layer_names", "layer_names0"} & set(root.attrs):
        raise _DamagedError(
            "it has no names of layers, as Keras 3's .weights.h5 has none; save the whole network"
            " as .keras, and give that"
        )
    groups = {
        name: _names(_group(root, name), "weight_names") for name in _names(root, "layer_names")
    }
    layers = {name: weights for name, weights in groups.items() if weights}
    named = counted(layers)
    found = {}
    for layer, weights in layers.items():
        for weight, variable in zip(weights, _variables(weights), strict=True):
            found[f"{named[layer]}/{variable}"] = _read(_group(root, layer), weight)
    return found


def _group(root: Any, name: str) -> Any:
    _refuse_link(root, name)
    return root[name]


def _read(group: Any, name: str) -> np.ndarray:
    place = group
    for part in name.split("/")[:-1]:
        place = _group(place, part)
    data = _group(place, name.rpartition("/")[2])
    # A dataset may keep its bytes in another file, or claim more of them than it stores.
    if data.external or data.is_virtual or data.dtype.kind not in "fiu":
        raise _DamagedError(f"its weight {ascii(name)[:100]} is no array of numbers in the file")
    if data.chunks is None and data.id.get_storage_size() != data.nbytes:
        raise _DamagedError(f"its weight {ascii(name)[:100]} has no values")
    return np.asarray(data[()], np.float32)


def _refuse_link(group: Any, name: str) -> None:
    """A link out of the file would read another one of this computer."""
    if type(group.get(name, getlink=True)).__name__ != "HardLink":
        raise _DamagedError(f"its entry {ascii(name)[:100]} is a link to another place")


def _names(group: Any, attribute: str) -> list[str]:
    """Names of an attribute; Keras splits long ones into `<attribute>0`, `<attribute>1` and on."""
    parts = list(group.attrs.get(attribute, ()))
    for number in itertools.count():
        if f"{attribute}{number}" not in group.attrs:
            break
        parts += list(group.attrs[f"{attribute}{number}"])
    return [part.decode() if isinstance(part, bytes) else str(part) for part in parts]


def _variables(weights: Sequence[str]) -> Sequence[str]:
    """What Keras 3 calls a layer's weights."""
    last = [name.rpartition("/")[2].partition(":")[0] for name in weights]
    if "depthwise_kernel" in last and "pointwise_kernel" not in last:
        return ["kernel" if name == "depthwise_kernel" else name for name in last]
    if all(name in KNOWN for name in last):
        return last
    if len(last) not in BY_NUMBER:
        raise _DamagedError(
            f"its weights {ascii(list(weights))[:100]} are of no layer that is known"
        )
    return BY_NUMBER[len(last)]
