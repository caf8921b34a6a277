"""What a Keras model's description says before anything of it is built.

A description from elsewhere is read as JSON only: what holds code, or a class that nobody here has,
is refused with the name of its layer.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from converters.model_size import check_params
from mobilekit.core.errors import ModelFileError

# Descriptions are a few hundred kB; one that is larger is no description of a network.
MAX_CONFIG_BYTES = 64 << 20
# No layer of the known networks is as wide as this: only then are the parameters counted, which
# takes as long as building.
WIDE = 8192
WIDTHS = frozenset({"filters", "input_dim", "key_dim", "output_dim", "units", "value_dim"})
LAMBDAS = ("Lambda",)
# How Keras 2 wrote TensorFlow functions that were called on tensors.
FUNCTIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
MODELS = ("Functional", "Model", "Sequential")
# Layers of this package, and the modules that tell Keras of them when they are imported. A .keras
# file has class and module, an .h5 file "<package>><class>".
PACKAGE = "mobilekit>"
OWN = {"LocalResponseNormalization": "mobilekit.architectures.normalization"}


def check_config(path: str, config: object) -> None:
    """Refuses a description with code in it, or with a layer that neither Keras nor this kit has.

    Args:
        path: The file, for sentences.
        config: The parsed JSON.

    Raises:
        ModelFileError: With the layer's name and what to do.
    """
    import keras

    for name, kind, module in layers_of(config):
        if kind in LAMBDAS:
            raise ModelFileError(
                path,
                f"its layer {name!r} is a Lambda layer, which is code of whoever wrote the file;"
                " build the network with an own layer or a keras.ops function in its place",
            )
        if kind in FUNCTIONS:
            raise ModelFileError(
                path,
                f"its layer {name!r} is a TensorFlow function ({kind}), which Keras 3 does not"
                " read; export the model as a SavedModel folder where it was made, and pass that",
            )
        own = OWN.get(kind.removeprefix(PACKAGE))
        if own is not None and module == ("" if kind.startswith(PACKAGE) else own):
            importlib.import_module(own)
            continue
        known = hasattr(keras.layers, kind) or kind in MODELS or module.startswith("keras.")
        if not known:
            raise ModelFileError(
                path,
                f"its layer {name!r} is of the class {kind!r}, which is not part of Keras; convert"
                " it in Python, where the class is (mobilekit.convert_file takes a model), or"
                " export it as a SavedModel folder and pass that",
            )


def count_config(path: str, config: Mapping[str, Any]) -> None:
    """Refuses a wide model whose file would pass 2 GB, before its weights take memory.

    Raises:
        ConversionError: If it has too many parameters.
    """
    if not any(number > WIDE for number in _widths(config)):
        return
    import keras

    from converters.keras_shapes import count_params

    untrained = {**config, "compile_config": None}  # an optimizer has variables of its own

    def build() -> keras.Model:
        return cast(keras.Model, keras.saving.deserialize_keras_object(untrained, safe_mode=True))

    try:
        params = count_params(build)
    except ValueError:
        return  # a layer that makes its variables early: loading it says what it needs
    check_params(path, params)


def layers_of(config: object) -> Iterator[tuple[str, str, str]]:
    """Name, class and module of every layer, those of nested models included."""
    if isinstance(config, list):
        for item in config:
            yield from layers_of(item)
    if not isinstance(config, dict):
        return
    kind, inner = config.get("class_name"), config.get("config")
    if isinstance(kind, str) and isinstance(inner, dict) and _is_layer(config, inner):
        name = str(config.get("name") or inner.get("name") or kind)
        yield name, kind, str(config.get("module") or "")
    if isinstance(inner, list):  # a Sequential of old
        yield from layers_of(inner)
    if isinstance(inner, dict):
        yield from layers_of(inner.get("layers", []))
        yield from layers_of(inner.get("layer", []))  # of a wrapper, such as TimeDistributed


def _is_layer(config: Mapping[str, Any], inner: Mapping[str, Any]) -> bool:
    """Initializers and policies are written alike, but have no name."""
    return "name" in inner or "name" in config or "layers" in inner


def _widths(value: object) -> Iterator[int]:
    """The numbers that decide how large weights are; seeds and the like may be large anyway."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key in WIDTHS and isinstance(item, int))
        for item in value.values():
            yield from _widths(item)
    elif isinstance(value, list):
        for item in value:
            yield from _widths(item)
