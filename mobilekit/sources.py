"""What a plan or a command calls a model, found and described before anything is built."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from converters.fidelity import FileRunner
from converters.tflite_reader import read_model
from converters.writer import read_sidecar
from mobilekit.conversion import Network, expect_input
from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import MeasuredModel
from mobilekit.core.model import UNKNOWN_RECIPE, ModelSpec, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.storage import storage_errors
from mobilekit.evaluate import Reference
from mobilekit.extras import need
from mobilekit.images import ImageSet, read_inputs
from mobilekit.keras_file import load_network, read_keras_sidecar
from mobilekit.weights import preprocessing_for
from mobilekit.weights.locate import find_weights

if TYPE_CHECKING:
    import keras


def make_spec(*, architecture: str, alpha: float, size: int, classes: int, seed: int) -> ModelSpec:
    """A spec of a square input, with random weights until others are found.

    Raises:
        UsageError: If it cannot be.
    """
    try:
        return ModelSpec(
            architecture=architecture,
            alpha=alpha,
            input_size=(size, size),
            classes=classes,
            seed=seed,
        )
    except ValueError as error:
        raise UsageError(f"There is no such network: {error}.") from error


def network_of_spec(spec: ModelSpec, weights: str) -> Network:
    """A network to be built; `weights` is "random", a source's name or a file.

    Raises:
        UnknownNameError: If the architecture or the weights do not exist.
        UsageError: If the weights file is missing.
    """
    found = find_weights(spec.architecture, weights)
    spec = found.complete(spec)

    def build() -> keras.Model:
        need("tensorflow", "keras")
        from mobilekit.networks import build_network

        return build_network(spec, found.path)

    return Network(
        name=spec.name,
        identity=digest(spec),
        preprocessing=preprocessing_for(spec.architecture, spec.weights, spec.input_size),
        build=build,
        spec=spec,
    )


def network_of_file(path: Path, expects: Preprocessing | None = None) -> Network:
    """A .keras file; what its input expects is in its sidecar, or has to be given.

    Raises:
        UsageError: If there is no such file, or nobody says what its input expects.
        StorageError: If the sidecar is broken.
    """
    if not path.is_file():
        raise UsageError(f"There is no model file {path}.")
    known = read_keras_sidecar(path)
    expects = expected_input(path, expects, known.preprocessing if known else None)

    def build() -> keras.Model:
        need("tensorflow", "keras")
        return load_network(path)

    return Network(
        name=known.spec.name if known and known.spec else path.stem,
        identity=known.sha256 if known else sha256_file(path),
        preprocessing=expects,
        build=build,
        spec=known.spec if known else None,
    )


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
        raise UsageError(
            f"Nothing says what the input of {path} expects. Give --mean and --std (pixels are"
            " 0..255), for example --mean 127.5 --std 127.5 for -1..1."
        )
    return expects


def reference_of(path: Path, images: ImageSet, expects: Preprocessing) -> Reference:
    """What a .keras or a float .tflite answers on the pictures that can be read.

    Raises:
        UsageError: If there is no such file, or it is neither.
        ConversionError: If it does not run.
    """
    inputs = (loaded.pixels for loaded in read_inputs(images, expects))
    readable = (pixels for pixels in inputs if pixels is not None)  # evaluate_file names the rest
    if path.suffix == ".tflite":
        content, known = describe_tflite(path)
        return Reference(name=known.sha256, logits=FileRunner(content).run(readable))
    network = network_of_file(path, expects)
    model = network.build()
    expect_input(model, path.name, expects)
    rows = [np.asarray(model(pixels, training=False)) for pixels in readable]
    return Reference(name=network.identity, logits=np.concatenate(rows))
