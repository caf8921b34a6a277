"""The conversion stage: a network to the checked files of its recipes, each made only once."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from converters.fidelity import FileRunner, snr_db
from converters.recipes import parse_recipe
from converters.tflite_reader import read_model
from converters.verify import Verification, verify
from converters.writer import read_sidecar, versions, write_model
from mobilekit.arrays import is_array, read_array, write_array
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.choice import Choice
from mobilekit.core.digest import digest, sha256_sources
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.model import UNKNOWN_RECIPE, ModelSpec, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import MINMAX, IoType, Recipe, Scheme
from mobilekit.extras import need
from mobilekit.images import ImageSet, read_inputs
from mobilekit.kit import ROOT

if TYPE_CHECKING:
    import keras

    from converters.calibration import Ranges

Say = Callable[[str], None]

FLOAT32 = Recipe(scheme=Scheme.FLOAT, weight_bits=32)
# Signal-to-noise ratio at the logits under which a file is broken, not merely inaccurate, in dB.
# float32 is the same arithmetic in another order; stock int8 of real networks has 12 dB and more.
FLOORS_DB = {Scheme.FLOAT: 40.0, Scheme.WEIGHT_ONLY: 6.0, Scheme.DYNAMIC: 6.0, Scheme.STATIC: 6.0}
FLOAT32_FLOOR_DB = 60.0
PROBES = 4  # inputs on which the float file is held against Keras
METHOD_PHOTOGRAPHS = 20  # that methods look at; ranges come from all


@dataclass(frozen=True, kw_only=True)
class Network:
    """A Keras model that is built when something needs it, since TensorFlow takes seconds.

    Attributes:
        name: For people and file names.
        identity: Digest of everything that decides its weights and layers.
        preprocessing: What its input expects.
        build: Builds it.
        spec: What it was built from; None for a .keras file from elsewhere.
    """

    name: str
    identity: str
    preprocessing: Preprocessing
    build: Callable[[], keras.Model]
    spec: ModelSpec | None = None


@dataclass(frozen=True, kw_only=True)
class ConvertedFile:
    """A .tflite on disk that has passed its checks."""

    path: Path
    model: TFLiteModel
    recipe: Recipe


class Conversion:
    """Converts one network into a folder; what is there already is not made again.

    Args:
        network: What to convert.
        calibration: Photographs for static recipes; None where no recipe needs them.
        folder: Where its files go.
        say: Told in a sentence what is made and what is reused.
    """

    def __init__(
        self, network: Network, calibration: ImageSet | None, folder: Path, say: Say
    ) -> None:
        self.network, self._calibration, self._say = network, calibration, say
        self._key = digest([network.identity, network.preprocessing, versions(), code_digest()])
        self._folder = folder / f"{network.name}-{self._key[:12]}"
        self._built: keras.Model | None = None
        self._ranges: Ranges | None = None
        self._choices: dict[Recipe, Choice] = {}

    def file(self, recipe: Recipe) -> ConvertedFile:
        """The file of a recipe.

        Raises:
            UsageError: If calibration is needed and there is none.
            ConversionError: If the network cannot become this file, or the file fails a check.
            StorageError: If it cannot be written.
        """
        found = self._find(recipe)
        if found is None:
            return self._make(recipe)
        self._say(f"{self.network.name} {recipe.name}: reused, nothing it is made of has changed")
        return found

    def release(self) -> None:
        """Lets go of the Keras model; it is built again if something needs it."""
        self._built = None

    def reference_logits(self, images: ImageSet) -> np.ndarray:
        """What the Keras model answers on every picture that can be read: (images, classes)."""
        path = self._folder / f"reference-{images.sha256[:12]}.npy"
        if not is_array(path):
            self._say(f"{self.network.name}: asking the Keras model about {images.folder}")
            write_array(path, self._keras_logits(self._inputs(images)))
        return read_array(path)

    def _find(self, recipe: Recipe) -> ConvertedFile | None:
        path = self._path(recipe)
        model = read_sidecar(path) if path.exists() else None
        return None if model is None else ConvertedFile(path=path, model=model, recipe=recipe)

    def _path(self, recipe: Recipe) -> Path:
        key = digest([self._key, recipe.digest, self._images_digest(recipe)])
        return self._folder / f"{recipe.name}-{key[:12]}.tflite"

    def _images_digest(self, recipe: Recipe) -> str | None:
        if self._calibration is None or not recipe.needs_calibration:
            return None
        return self._calibration.sha256

    def _float_file(self) -> ConvertedFile:
        """What every other recipe is derived from."""
        return self._find(FLOAT32) or self._make(FLOAT32)

    def _make(self, recipe: Recipe) -> ConvertedFile:
        content = self._freeze() if recipe == FLOAT32 else self._derive(recipe)
        path, model = self._path(recipe), self._described(content, recipe)
        found = check_file(content, model, recipe)
        write_model(path, content, model)
        arithmetic, ops = found.description.arithmetic, sum(found.description.ops.values())
        self._say(
            f"{model.name} {recipe.name}: verified, {arithmetic} arithmetic in {ops} operators"
        )
        return ConvertedFile(path=path, model=model, recipe=recipe)

    def _freeze(self) -> bytes:
        need("tensorflow", "keras")
        from converters.freeze import freeze

        self._say(f"{self.network.name} float32: building and converting")
        content = freeze(self._keras_model())
        inputs = list(self._probe_inputs())
        expect_close(
            self._keras_logits(inputs),
            FileRunner(content).run(inputs),
            FLOAT32_FLOOR_DB,
            f"the float32 file of {self.network.name}",
        )
        return content

    def _derive(self, recipe: Recipe) -> bytes:
        need("ai_edge_quantizer")
        from converters.convert import derive

        base = self._float_file().path.read_bytes()
        self._say(f"{self.network.name} {recipe.name}: converting")
        ranges = self._calibrated(base) if recipe.needs_calibration else None
        if recipe.method == MINMAX or ranges is None:
            content = derive(base, recipe, ranges=ranges, preprocessing=self.network.preprocessing)
        else:
            content = self._improved(base, recipe, ranges)
        inputs = list(self._probe_inputs())
        expect_close(
            FileRunner(base).run(inputs),
            FileRunner(content).run(inputs),
            FLOORS_DB[recipe.scheme],
            f"{self.network.name} as {recipe.name}",
        )
        return content

    def _improved(self, base: bytes, recipe: Recipe, ranges: Ranges) -> bytes:
        from converters.calibration import calibrate
        from converters.methods.choice import improve

        images = self._calibration
        assert images is not None  # ranges come from them

        def recalibrate(content: bytes) -> Mapping[str, tuple[float, float]]:
            """Ranges of the float file, or of one that methods made of it."""
            if content == base:
                return ranges.by_tensor
            return calibrate(content, self._inputs(images)).by_tensor

        made = improve(
            base,
            recipe,
            self.network.preprocessing,
            list(self._inputs(images.spread(METHOD_PHOTOGRAPHS))),
            recalibrate=recalibrate,
            say=lambda sentence: self._say(f"{self.network.name} {recipe.name}: {sentence}"),
        )
        self._choices[recipe] = made.choice
        return made.content

    def _probe_inputs(self) -> Iterator[np.ndarray]:
        """A few photographs, or noise in the input's range where there are none."""
        if self._calibration is not None:
            yield from itertools.islice(self._inputs(self._calibration), PROBES)
            return
        low, high = self.network.preprocessing.value_range
        random = np.random.default_rng(0)
        shape = (1, *self.network.preprocessing.input_size, 3)
        for _ in range(PROBES):
            yield random.uniform(low, high, shape).astype(np.float32)

    def _calibrated(self, base: bytes) -> Ranges | None:
        from converters.calibration import calibrate

        if self._calibration is None:
            return None  # derive says what is missing
        if self._ranges is None:
            self._ranges = calibrate(base, self._inputs(self._calibration))
            self._say(f"{self.network.name}: calibrated on {self._ranges.samples} images")
        return self._ranges

    def _inputs(self, images: ImageSet) -> Iterator[np.ndarray]:
        """The readable pictures; each broken one is said."""
        for loaded in read_inputs(images, self.network.preprocessing):
            if loaded.pixels is None:
                self._say(f"warning: {images.folder}: {loaded.name} left out: {loaded.problem}")
            else:
                yield loaded.pixels

    def _keras_model(self) -> keras.Model:
        if self._built is None:
            self._built = self.network.build()
            expect_input(self._built, self.network.name, self.network.preprocessing)
        return self._built

    def _keras_logits(self, inputs: Iterable[np.ndarray]) -> np.ndarray:
        model = self._keras_model()
        rows = [np.asarray(model(values, training=False)) for values in inputs]
        if not rows:
            raise UsageError(f"There is no picture to ask {self.network.name} about.")
        logits = np.concatenate(rows)
        if not np.isfinite(logits).all():
            raise ConversionError(
                f"{self.network.name} itself answers with values that are not finite: its weights"
                " are broken."
            )
        return logits

    def _described(self, content: bytes, recipe: Recipe) -> TFLiteModel:
        return TFLiteModel(
            name=self.network.name,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            recipe=recipe.name,
            recipe_digest=recipe.digest,
            spec=self.network.spec,
            preprocessing=self.network.preprocessing,
            ops=read_model(content, recipe.name).ops,
            layers=self._layers(),
            made_with=versions(),
            calibration_sha256=self._images_digest(recipe),
            choice=self._choices.get(recipe),
        )

    def _layers(self) -> tuple[str, ...]:
        """Names of the Keras layers; the float file's sidecar knows them without TensorFlow."""
        if self._built is not None:
            return tuple(layer.name for layer in self._built.layers)
        return self._float_file().model.layers


def check_file(content: bytes, model: TFLiteModel, recipe: Recipe) -> Verification:
    """Reads, allocates and verifies a new file.

    Raises:
        ConversionError: If it is not what the recipe says.
    """
    found = verify(
        read_model(content, f"{model.name} as {recipe.name}"),
        recipe=recipe,
        layers=model.layers,
        preprocessing=model.preprocessing,
        full_integer=recipe.scheme is Scheme.STATIC and recipe.io is IoType.NATIVE,
    )
    if found.problems:
        raise ConversionError(
            f"{model.name} as {recipe.name} is not what it should be: {found.problems[0].sentence}"
        )
    return found


def expect_input(model: keras.Model, name: str, expects: Preprocessing) -> None:
    """Raises UsageError where a model does not take what the preprocessing gives."""
    given = (*expects.input_size, 3)
    takes = [tuple(each.shape[1:]) for each in model.inputs]
    if len(takes) == 1 and len(takes[0]) == 3 and None in takes[0]:
        return  # freeze says what is wrong with an open dimension
    if takes != [given]:
        raise UsageError(
            f"{name} takes inputs of {' and '.join(map(str, takes))}, and pictures are prepared as"
            f" {given}. Give --crop with its height where that is what differs."
        )


def expect_close(want: np.ndarray, got: np.ndarray, floor_db: float, what: str) -> None:
    """Raises ConversionError where `got` is noise beside `want`."""
    found = snr_db(want, got)
    if found is not None and found < floor_db:
        raise ConversionError(
            f"{what} answers something else than the model it is made from: {found:.1f} dB at the"
            f" output, where {floor_db:.0f} dB is the least that a sound conversion gives."
        )


def drift(recipe: str, accuracy: Accuracy) -> str | None:
    """A sentence if a file's answers are noise beside its reference's; None if they are not."""
    known = recipe if recipe != UNKNOWN_RECIPE else "static_wi8_ai8"
    floor_db = FLOORS_DB[parse_recipe(known).scheme]
    if accuracy.reference is None or accuracy.snr_db is None or accuracy.snr_db >= floor_db:
        return None
    return (
        f"Its answers are {accuracy.snr_db:.1f} dB from those of the model it was made from, where"
        f" {floor_db:.0f} dB is the least of a sound conversion: is it of another model, or fed"
        " with other preprocessing?"
    )


@cache
def code_digest() -> str:
    """Digest of the sources that decide what a file holds: a changed stage is a changed input."""
    parts = ("mobilekit/architectures", "mobilekit/weights", "mobilekit/core", "converters")
    files = ("mobilekit/networks.py", "mobilekit/images.py", "mobilekit/conversion.py")
    return sha256_sources(*(ROOT / part for part in (*parts, *files)))
