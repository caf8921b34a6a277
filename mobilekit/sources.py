"""What a plan or a command calls a model, found and described before anything is built."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from converters.fidelity import FileRunner
from converters.tflite_reader import read_model
from converters.writer import read_sidecar
from mobilekit.architectures import ARCHITECTURES
from mobilekit.choosing_weights import choose_weights
from mobilekit.conversion import Network
from mobilekit.conversion_checks import expect_input, nothing_says
from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import MeasuredModel
from mobilekit.core.model import UNKNOWN_RECIPE, ModelSpec, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.storage import storage_errors
from mobilekit.core.target import DEFAULT_TARGET, NO_TARGET, Target
from mobilekit.evaluate import Reference
from mobilekit.extras import need
from mobilekit.float_models import TFLiteFloatModel, keras_float_model
from mobilekit.images import ImageSet, read_inputs
from mobilekit.keras_file import read_keras_sidecar

if TYPE_CHECKING:
    import keras


def make_spec(
    architecture: str,
    *,
    alpha: float = 1.0,
    size: int | None = None,
    classes: int | None = None,
    seed: int = 0,
    options: Mapping[str, str] | None = None,
    target: str = DEFAULT_TARGET,
) -> ModelSpec:
    """A spec of a square input, with random weights until others are found.

    Args:
        architecture: A name of the table.
        alpha: The width multiplier.
        size: Height and width, pixels; None for the published one.
        classes: Length of the output; None for the published one.
        seed: Of random weights.
        options: The builder's own.
        target: The delegate whose graph forms it is built of, or "none".

    Raises:
        UnknownNameError: If the architecture or the target does not exist.
        UsageError: If it cannot be, or the architecture has no such option.
    """
    row = ARCHITECTURES[architecture]
    try:
        return ModelSpec(
            architecture=architecture,
            alpha=alpha,
            input_size=row.input_size if size is None else (size, size),
            classes=row.classes if classes is None else classes,
            seed=seed,
            options=row.chosen(options or {}),
            target=target if target == NO_TARGET else str(Target.parse(target)),
        )
    except ValueError as error:
        raise UsageError(f"There is no such network: {error}.") from error


def network_of_spec(
    spec: ModelSpec, weights: str, asked: Mapping[str, str] | None = None
) -> Network:
    """A network to be built.

    Args:
        spec: The network, with random weights.
        weights: "random", "keras", the name of another source, or a file.
        asked: Options that were asked for by name, the usual ones too; None takes the spec's.

    Raises:
        UnknownNameError: If the architecture or the weights do not exist.
        UsageError: If the weights file is missing, or of a network that was built otherwise.
        WeightsFileError: If a weights file is damaged, or of another network.
    """
    chosen = choose_weights(spec, weights, asked)

    def build() -> keras.Model:
        need("tensorflow", "keras")
        from mobilekit.networks import build_network

        return build_network(chosen.spec, chosen.path)

    return Network(
        name=chosen.spec.name,
        identity=digest(chosen.spec),
        preprocessing=chosen.preprocessing,
        build=build,
        spec=chosen.spec,
    )


def network_of_file(path: Path, expects: Preprocessing | None = None) -> Network:
    """A model file: .keras, .h5, a SavedModel folder or a float .tflite.

    What its input expects is in its sidecar, or has to be given where it takes pictures.

    Raises:
        UsageError: If there is no such file.
        StorageError: If the sidecar is broken.
        ModelFileError: If it is a .tflite that cannot be trusted.
        ConversionError: If it is a .tflite that is quantized already, or does not run.
    """
    if not path.exists():
        raise UsageError(f"There is no model file {path}.")
    if path.suffix == ".tflite":
        return _network_of_tflite(path, expects)
    known = read_keras_sidecar(path)

    def build() -> keras.Model:
        need("tensorflow", "keras")
        from mobilekit.model_files import load_model_file

        return load_model_file(path)

    return Network(
        name=known.spec.name if known and known.spec else path.stem,
        identity=known.sha256 if known else _identity(path),
        preprocessing=expects or (known.preprocessing if known else None),
        build=build,
        spec=known.spec if known else None,
    )


def network_of_model(model: keras.Model, expects: Preprocessing | None = None) -> Network:
    """A Keras model in memory."""
    weights = hashlib.sha256()
    for value in model.get_weights():
        weights.update(np.ascontiguousarray(value).tobytes())
    # Custom layers may have no config; their weights and names tell them apart.
    described = [(layer.name, type(layer).__name__) for layer in model.layers]
    return Network(
        name=_file_name(model.name),
        identity=digest([described, weights.hexdigest()]),
        preprocessing=expects,
        build=lambda: model,
    )


def _network_of_tflite(path: Path, expects: Preprocessing | None) -> Network:
    from converters.foreign_float import as_float_file

    content, known = describe_tflite(path)
    ready = as_float_file(content, str(path))

    def build() -> keras.Model:
        raise UsageError(f"{path} is a .tflite, and no Keras model can be built of it.")

    return Network(
        name=known.name,
        identity=known.sha256,
        # A file that scaling was folded into takes raw pixels, whatever is said of the others.
        preprocessing=known.preprocessing if known.folded else expects or known.preprocessing,
        build=build,
        spec=known.spec,
        source=lambda: TFLiteFloatModel(ready, str(path)),
        folded=known.folded,
    )


def _identity(path: Path) -> str:
    """Digest of a file, or of all files of a SavedModel folder."""
    if path.is_file():
        return sha256_file(path)
    files = sorted(each for each in path.rglob("*") if each.is_file())
    return digest([(each.relative_to(path).as_posix(), sha256_file(each)) for each in files])


def _file_name(name: str) -> str:
    """A model's name as a part of a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "model"


def describe_tflite(path: Path) -> tuple[bytes, TFLiteModel]:
    """The bytes of a .tflite, checked by the reader, and what is known of it.

    Raises:
        UsageError: If there is no such file.
        ModelFileError: If it is no .tflite that can be trusted.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}. Give the path of a .tflite file.")
    with storage_errors(path, "read"):
        content = path.read_bytes()
    graph = read_model(content, str(path))
    known = read_sidecar(path)
    if known is not None:
        return content, known
    sha256 = hashlib.sha256(content).hexdigest()
    return content, TFLiteModel(
        name=path.stem,
        sha256=sha256,
        size_bytes=len(content),
        recipe=UNKNOWN_RECIPE,
        recipe_digest=digest(UNKNOWN_RECIPE),
        ops=graph.ops,
    )


def measured_model(model: TFLiteModel) -> MeasuredModel:
    """What a result says of the file that ran."""
    return MeasuredModel(
        name=model.name,
        sha256=model.sha256,
        size_bytes=model.size_bytes,
        spec=model.spec,
        recipe=model.recipe,
        recipe_digest=model.recipe_digest,
        preprocessing=model.preprocessing,
    )


def expected_input(
    path: Path, given: Preprocessing | None, written: Preprocessing | None
) -> Preprocessing:
    """What a file's input expects: what the user gave, or what its provenance says.

    Raises:
        UsageError: If neither says it.
    """
    expects = given or written
    if expects is None:
        raise UsageError(nothing_says(str(path)))
    return expects


def reference_of(path: Path, images: ImageSet, expects: Preprocessing) -> Reference:
    """What a .keras or a float .tflite answers on the pictures that can be read.

    Raises:
        UsageError: If there is no such file, or it is neither.
        ConversionError: If it does not run.
    """
    if path.suffix == ".tflite":
        content, known = describe_tflite(path)
        takes = known.preprocessing if known.folded else None
        readable = _readable(images, takes or expects)
        return Reference(name=known.sha256, logits=FileRunner(content).run(readable))
    network = network_of_file(path, expects)
    model = keras_float_model(network.build())
    expect_input(model.input_shapes, path.name, expects)
    rows = [model.answers((pixels,))[0] for pixels in _readable(images, expects)]
    return Reference(name=network.identity, logits=np.concatenate(rows))


def _readable(images: ImageSet, expects: Preprocessing) -> Iterator[np.ndarray]:
    inputs = (loaded.pixels for loaded in read_inputs(images, expects))
    return (pixels for pixels in inputs if pixels is not None)  # evaluate_file names the rest
