"""Model files of every format that is converted, read without running any code in them.

.keras archives, .h5 files of Keras 2 and 3, and SavedModel folders; a float .tflite is read by
`converters.foreign_float`, without TensorFlow.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from converters.model_size import check_params
from mobilekit.core.errors import ConversionError, ModelFileError, UsageError
from mobilekit.core.quiet import quiet_stderr
from mobilekit.core.storage import parse_json, storage_errors
from mobilekit.keras_config import MAX_CONFIG_BYTES, check_config, count_config

if TYPE_CHECKING:
    import keras

# Operations of a SavedModel that reach out of the graph; reading weights is done elsewhere.
OUTSIDE = frozenset(
    {
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "PrintV2",
        "PyFunc",
        "PyFuncStateless",
        "EagerPyFunc",
    }
)
SAVED_MODEL = "saved_model.pb"


def is_saved_model(path: Path) -> bool:
    """Whether it is a folder that TensorFlow exported."""
    return (path / SAVED_MODEL).is_file()


def load_model_file(path: Path) -> keras.Model:
    """Reads a Keras model of any format; code inside it is refused.

    Raises:
        UsageError: If there is no such file, or nothing reads its kind.
        ModelFileError: If it is damaged, holds code, or needs a layer that is not known.
        ConversionError: If it has too many parameters for a .tflite.
    """
    if not path.exists():
        raise UsageError(f"There is no model file {path}.")
    if path.is_dir():
        if not is_saved_model(path):
            raise UsageError(f"{path} is a folder without {SAVED_MODEL}: it is no SavedModel.")
        return _loaded(path, _load_saved_model)
    load = LOADERS.get(path.suffix)
    if load is None:
        known = ", ".join(LOADERS)
        raise UsageError(
            f"{path} is none of the files that are read here: {known}, .tflite, or a SavedModel"
            " folder."
        )
    return _loaded(path, load)


def _loaded(path: Path, load: Callable[[Path], keras.Model]) -> keras.Model:
    failure: Exception
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return load(path)
        except ConversionError as error:
            failure = error
        # A damaged file ends in whatever its decoder meets: BadZipFile, zlib.error, EOFError…
        except Exception as error:
            failure = error
    if isinstance(failure, ConversionError):
        raise failure
    first = next(iter(str(failure).strip().splitlines()), type(failure).__name__)
    raise ModelFileError(str(path), f"Keras cannot load it ({first.rstrip('.')})") from failure


def holds_network(path: Path) -> bool:
    """Whether an HDF5 file has a network around its weights; False too where it is damaged."""
    import h5py

    try:
        with h5py.File(path, "r") as opened:
            return "model_config" in opened.attrs
    except (OSError, RuntimeError):
        return False


def _load_archive(path: Path) -> keras.Model:
    import keras

    if not zipfile.is_zipfile(path):
        raise ModelFileError(str(path), "it is truncated, or no archive that Keras wrote")
    with zipfile.ZipFile(path) as archive:
        described = archive.getinfo("config.json")
        if described.file_size > MAX_CONFIG_BYTES:
            raise ModelFileError(str(path), "its description is larger than any network's")
        config = _parsed(path, archive.read(described))
    check_config(str(path), config)
    count_config(str(path), config)
    return cast("keras.Model", keras.saving.load_model(path, compile=False, safe_mode=True))


def _load_h5(path: Path) -> keras.Model:
    import h5py
    import keras

    with storage_errors(path, "read"), path.open("rb") as file:
        if file.read(8) != b"\x89HDF\r\n\x1a\n":
            raise ModelFileError(str(path), "it is no HDF5 file")
    with h5py.File(path, "r") as opened:
        described = opened.attrs.get("model_config")
        stored = _stored_params(opened)
    if described is None:
        raise ModelFileError(
            str(path), "it holds weights without a network; load them into one, and save that"
        )
    config = _parsed(path, described)
    check_config(str(path), config)
    check_params(str(path), stored)
    return cast(
        "keras.Model",
        keras.saving.load_model(path, compile=False, safe_mode=True, custom_objects=_old_classes()),
    )


def _stored_params(file: Any) -> int:
    """How many weights of layers an HDF5 file holds, by their shapes alone."""
    found = [0]

    def add(_: str, item: Any) -> None:
        found[0] += int(getattr(item, "size", 0))

    if "model_weights" in file:
        file["model_weights"].visititems(add)
    return found[0]


def _old_classes() -> Mapping[str, object]:
    """Layers that Keras 2 wrote with arguments that Keras 3 no longer takes."""
    import keras

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
        """Ignores `groups`, which was 1 always."""

        def __init__(self, *args: object, groups: int = 1, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)

    return {"DepthwiseConv2D": DepthwiseConv2D}


def _load_saved_model(path: Path) -> keras.Model:
    import keras
    import tensorflow as tf

    with storage_errors(path, "read"):
        content = (path / SAVED_MODEL).read_bytes()
    _refuse_outside(path, content)
    signatures = tf.saved_model.load(str(path)).signatures
    if not signatures:
        raise ModelFileError(str(path), "it has no signature, so nothing says what it takes")
    key = "serving_default" if "serving_default" in signatures else min(signatures)
    specs = signatures[key].structured_input_signature[1]
    inputs = {
        name: keras.Input(spec.shape[1:], dtype=spec.dtype.name, name=name)
        for name, spec in sorted(specs.items())
    }
    layer = keras.layers.TFSMLayer(str(path), call_endpoint=key, name="saved_model")
    outputs = layer(**inputs) if len(inputs) > 1 else layer(next(iter(inputs.values())))
    flat = keras.tree.flatten(outputs)
    return keras.Model(list(inputs.values()), flat if len(flat) > 1 else flat[0], name=path.name)


def _refuse_outside(path: Path, content: bytes) -> None:
    """Loading a SavedModel runs a part of its graph: nothing in it may touch files."""
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        model = saved_model_pb2.SavedModel.FromString(content)
    except Exception as error:  # protobuf's DecodeError is of another module in every release
        raise ModelFileError(str(path), f"its {SAVED_MODEL} is damaged ({error})") from error
    for graph in model.meta_graphs:
        for node in _nodes(graph.graph_def):
            if node.op in OUTSIDE:
                raise ModelFileError(
                    str(path),
                    f"its operation {node.name!r} is {node.op}, which reaches out of the model;"
                    " export the network alone",
                )


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _parsed(path: Path, text: bytes | str) -> dict[str, Any]:
    try:
        config = parse_json(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, UnicodeDecodeError) as error:
        raise ModelFileError(str(path), f"its description is no JSON ({error})") from error
    if not isinstance(config, dict):
        raise ModelFileError(str(path), "its description is none of a model")
    return config


LOADERS: Mapping[str, Callable[[Path], Any]] = {
    ".keras": _load_archive,
    ".h5": _load_h5,
    ".hdf5": _load_h5,
}
