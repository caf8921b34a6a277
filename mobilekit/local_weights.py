"""A weights file that somebody has: read, recognized by its names, put into a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.errors import UsageError, WeightsFileError
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.keras_file import read_keras_sidecar
from mobilekit.weights import (
    OWN,
    RANDOM,
    Layout,
    Variable,
    WeightSource,
    check_mapping,
    names_of,
    own_source,
    sources_of,
)
from mobilekit.weights.h5_file import read_h5_weights
from mobilekit.weights.safetensors_file import read_safetensors
from mobilekit.weights.torch_file import read_torch_file

if TYPE_CHECKING:
    import keras

OF_KERAS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True, kw_only=True)
class StoredWeights:
    """What a file holds.

    Attributes:
        layout: Of its tensors.
        tensors: By name.
        model: The network that is stored with them; None where there is none.
    """

    layout: Layout
    tensors: Mapping[str, np.ndarray]
    model: keras.Model | None = None


@dataclass(frozen=True, kw_only=True)
class Recognized:
    """A file and whose names it has.

    Attributes:
        source: The row that names its tensors; "own" for networks that were built here.
        names: Where each tensor goes.
        stored: What it holds.
        preprocessing: What its own description says; None where there is none.
    """

    source: WeightSource
    names: Mapping[str, Variable]
    stored: StoredWeights
    preprocessing: Preprocessing | None = None

    @property
    def kind(self) -> str:
        """What a spec calls these weights."""
        return self.source.name.partition("/")[0]

    @property
    def classes(self) -> int | None:
        """Length of the output; None for a network without a last dense layer."""
        last = {ours: theirs for theirs, ours in self.names.items()}.get(("logits", "bias"))
        return None if last is None else int(self.stored.tensors[last].size)


def recognize(spec: ModelSpec, path: Path) -> Recognized:
    """Finds out whose names a file has.

    Raises:
        UsageError: If there is no such file, nothing reads its kind, or its names are those of two
            sources whose networks differ.
        WeightsFileError: If it is damaged, or of another network; told by the nearest one.
        ModelFileError: If it is a damaged or hostile file of a whole Keras model.
    """
    if not path.is_file():
        raise UsageError(f"There is no weights file {path}.")
    read = READERS.get(path.suffix)
    if read is None:
        raise UsageError(
            f"{path} is none of the weights files that are read: {', '.join(READERS)}."
        )
    stored = read(path)
    if stored.model is not None:
        found = _own(spec, path, stored)
        if found is not None:
            return found
    fitting = [
        row
        for row in sources_of(spec.architecture).values()
        if row.layout is stored.layout and names_of(row).keys() == _needed(row, stored).keys()
    ]
    if not fitting:
        raise _nothing_fits(spec, path, stored)
    row = _one_of(_asked(fitting, spec), path)
    return Recognized(
        source=row, names=names_of(row), stored=replace(stored, tensors=_needed(row, stored))
    )


def load_recognized(model: keras.Model, spec: ModelSpec, path: Path) -> None:
    """Puts the tensors of a file into `model`; it is untouched if anything does not fit.

    Raises:
        UsageError: As `recognize`.
        WeightsFileError: As `recognize`, or if a tensor has another shape.
    """
    from mobilekit.weights.mapping import AXES, fill

    found = recognize(spec, path)
    fill(model, found.names, found.stored.tensors, str(path), axes=AXES[found.stored.layout])


def _needed(row: WeightSource, stored: StoredWeights) -> Mapping[str, np.ndarray]:
    return _used(stored.tensors, row.unused) if row.unused else stored.tensors


def _asked(fitting: list[WeightSource], spec: ModelSpec) -> list[WeightSource]:
    """Of rows that take more or less of one file, the one whose options the network has."""
    if len({row.file for row in fitting}) > 1:
        return fitting
    usual = {each.name: each.values[0] for each in ARCHITECTURES[spec.architecture].options}
    has = (usual | dict(spec.options)).items()
    return [max(fitting, key=lambda row: len(has & (usual | dict(row.options)).items()))]


def _one_of(fitting: list[WeightSource], path: Path) -> WeightSource:
    """The only row, or the one that the file is named like: never a guess."""
    first = fitting[0]
    alike = all(
        (row.flavour, dict(row.options), row.preprocessing)
        == (first.flavour, dict(first.options), first.preprocessing)
        for row in fitting
    )
    if alike:
        return first
    named = [
        row for row in fitting if path.stem in {Path(w.file).stem for w in row.widths.values()}
    ]
    if len(named) == 1:
        return named[0]
    kinds = ", ".join(f"{row.name.partition('/')[0]} ({row.file})" for row in fitting)
    raise UsageError(
        f"{path} has the names of {len(fitting)} sources whose networks or inputs differ: {kinds};"
        " give it the file name of the one that it is."
    )


def _nothing_fits(spec: ModelSpec, path: Path, stored: StoredWeights) -> Exception:
    rows = [row for row in sources_of(spec.architecture).values() if row.layout is stored.layout]
    if not rows and stored.model is None:
        return UsageError(
            f"No names of {path.suffix} files are known for {spec.architecture}, so {path} cannot"
            " be loaded into it."
        )
    if not rows:
        rows = [own_source(spec.architecture)]
    candidates = {
        row.name.partition("/")[0]: names_of(row) if row.names else _own_names(spec) for row in rows
    }
    if stored.model is not None:
        candidates[OWN] = _own_names(spec)
    nearest = max(candidates, key=lambda kind: len(candidates[kind].keys() & stored.tensors.keys()))
    names = candidates[nearest]
    network = f"{spec.architecture} as {nearest} names it" if nearest != OWN else spec.architecture
    try:
        check_mapping(str(path), network, names, stored.tensors, names.values())
    except WeightsFileError as error:
        return error
    # The names are right, so it is the network around them that was not built like this one.
    return WeightsFileError(
        str(path),
        f"its layers are those of {spec.architecture}, but were built with other options, or for"
        f" the padding and batch norm of another framework than any known",
    )


def _own(spec: ModelSpec, path: Path, stored: StoredWeights) -> Recognized | None:
    """The file as a network that was built here, by its description or by its layers."""
    names = _own_names(spec)
    if names.keys() != stored.tensors.keys():
        return None
    known = read_keras_sidecar(path)
    described = known.spec.weights if known and known.spec else None
    rows = {OWN: own_source(spec.architecture), **sources_of(spec.architecture)}
    kinds = list(rows) if described is None else [OWN if described == RANDOM else described]
    for kind in (each for each in kinds if each in rows):
        if _same_conventions(_shapes(spec, rows[kind]), stored.model):
            return Recognized(
                source=rows[kind],
                names=names,
                stored=stored,
                preprocessing=known.preprocessing if known else None,
            )
    return None


def _own_names(spec: ModelSpec) -> dict[str, Variable]:
    from mobilekit.weights.mapping import variables_of

    model = _shapes(spec, own_source(spec.architecture))
    return {f"{layer}/{variable}": (layer, variable) for layer, variable in variables_of(model)}


def _shapes(spec: ModelSpec, row: WeightSource) -> keras.Model:
    from mobilekit.networks import shapes_of

    return shapes_of(spec, row.flavour)


def _same_conventions(ours: keras.Model, theirs: keras.Model | None) -> bool:
    """Whether two networks of the same weights compute the same, but for forms of a target.

    Layers of the same name have the same settings, and padding and activations are where the other
    has them.
    """
    assert theirs is not None
    settings = [
        {layer.name: _settings(layer) for layer in model.layers} for model in (ours, theirs)
    ]
    common = settings[0].keys() & settings[1].keys()
    around = [
        {name for name in each if name.endswith(("_pad", "_relu", "_elu"))} for each in settings
    ]
    return around[0] == around[1] and all(settings[0][n] == settings[1][n] for n in common)


def _settings(layer: keras.layers.Layer) -> dict[str, object]:
    """What of a layer decides its answers beside its weights."""
    config = layer.get_config()
    keys = ("padding", "strides", "epsilon", "activation", "pool_size", "max_value")
    return {key: config[key] for key in keys if key in config}


def _read_keras(path: Path) -> StoredWeights:
    from mobilekit.model_files import holds_network, load_model_file
    from mobilekit.weights.mapping import keras_tensors

    if path.suffix != ".keras" and not holds_network(path):
        return StoredWeights(layout=Layout.KERAS, tensors=read_h5_weights(path))
    model = load_model_file(path)
    return StoredWeights(layout=Layout.KERAS, tensors=keras_tensors(model), model=model)


def _read_torch(path: Path) -> StoredWeights:
    return StoredWeights(layout=Layout.PYTORCH, tensors=_used(read_torch_file(path)))


def _read_safetensors(path: Path) -> StoredWeights:
    return StoredWeights(layout=Layout.PYTORCH, tensors=_used(read_safetensors(path)))


def _used(tensors: Mapping[str, np.ndarray], unused: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    from mobilekit.weights.mapping import used

    return used(tensors, unused)


READERS: Mapping[str, Callable[[Path], StoredWeights]] = {
    ".pth": _read_torch,
    ".pt": _read_torch,
    ".safetensors": _read_safetensors,
    **dict.fromkeys(OF_KERAS, _read_keras),
}
