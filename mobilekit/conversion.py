"""The conversion stage: a network to the checked files of its recipes, each made only once."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from converters.answers import FileAnswers, Sample
from converters.fidelity import snr_db
from converters.integer_edges import with_uint8_edges
from converters.quantizers import AI_EDGE, OURS, QUANTIZERS, TFLITE
from converters.recipes import needs_images, warnings_of
from converters.tflite_reader import read_model
from converters.writer import read_sidecar, versions, write_model
from mobilekit.arrays import is_array, read_array, write_array
from mobilekit.conversion_checks import (
    CHANNELS,
    FLOAT32_FLOOR_DB,
    FLOORS_DB,
    check_file,
    expect_close,
    expect_input,
    listed,
    nothing_says,
    together,
)
from mobilekit.core.choice import Choice
from mobilekit.core.digest import digest, sha256_sources
from mobilekit.core.errors import UsageError
from mobilekit.core.model import ModelSpec, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import MINMAX, IoType, Recipe, Scheme
from mobilekit.extras import need
from mobilekit.float_models import (
    FloatModel,
    KerasFloatModel,
    check_finite,
    keras_float_model,
)
from mobilekit.images import ImageSet, read_inputs
from mobilekit.kit import ROOT
from mobilekit.samples import ArraySet, SampleSet

if TYPE_CHECKING:
    import keras

    from converters.calibration import Ranges
    from mobilekit.calibrating import Calibrating

Say = Callable[[str], None]
Answers = Callable[[Sample], list[np.ndarray]]

FLOAT32 = Recipe(scheme=Scheme.FLOAT, weight_bits=32)
PROBES = 4  # inputs on which the float file is held against Keras
# What TFLiteConverter quantizes while it converts, by what it is asked for.
BY_CONVERTER = {
    Recipe(scheme=Scheme.DYNAMIC, weight_bits=8): "int8",
    Recipe(scheme=Scheme.FLOAT, weight_bits=16): "float16",
}
METHOD_PHOTOGRAPHS = 20  # that methods look at; ranges come from all


@dataclass(frozen=True, kw_only=True)
class Network:
    """A Keras model that is built when something needs it, since TensorFlow takes seconds.

    Attributes:
        name: For people and file names.
        identity: Digest of everything that decides its weights and layers.
        preprocessing: What its input expects; None where it takes no pictures.
        build: Builds it.
        spec: What it was built from; None for a .keras file from elsewhere.
        source: What it is converted from, where that is no Keras model as it stands.
        folded: The preprocessing before its scaling was folded into the network; None if it was
            not.
    """

    name: str
    identity: str
    preprocessing: Preprocessing | None
    build: Callable[[], keras.Model]
    spec: ModelSpec | None = None
    source: Callable[[], FloatModel] | None = None
    folded: Preprocessing | None = None


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
        calibration: Photographs or arrays for static recipes; None where no recipe needs them.
        folder: Where its files go.
        say: Told in a sentence what is made and what is reused.
        quantizer: A row of `converters.quantizers`.
        states: Where an unfinished calibration is kept; None takes `folder`.
    """

    def __init__(
        self,
        network: Network,
        calibration: SampleSet | None,
        folder: Path,
        say: Say,
        quantizer: str = OURS,
        states: Path | None = None,
    ) -> None:
        self.network, self._calibration, self._say = network, calibration, say
        self._quantizer = QUANTIZERS[quantizer].name
        self._key = digest([network.identity, network.preprocessing, versions(), code_digest()])
        self._folder = folder / f"{network.name}-{self._key[:12]}"
        self._built: FloatModel | None = None
        self._ranges: Ranges | None = None
        self._choices: dict[Recipe, Choice] = {}
        self._states = states or folder
        self._calibrating: Calibrating | None = None

    def file(self, recipe: Recipe) -> ConvertedFile:
        """The file of a recipe.

        Raises:
            UsageError: If calibration is needed and there is none.
            ConversionError: If the network cannot become this file, or the file fails a check.
            StorageError: If it cannot be written.
        """
        found = self._find(recipe)
        if found is None:
            found = self._make(recipe)
        else:
            reused = "reused, nothing it is made of has changed"
            self._say(f"{self.network.name} {recipe.name}: {reused}")
        for sentence in warnings_of(recipe, found.model.ops):
            self._say(f"warning: {recipe.name}: {sentence}")
        return found

    def forget_calibration(self) -> None:
        """Deletes what is kept of unfinished calibrations."""
        if self._calibrating is not None:
            self._calibrating.forget()

    def release(self) -> None:
        """Lets go of the Keras model; it is built again if something needs it."""
        self._built = None

    def reference_logits(self, images: ImageSet) -> np.ndarray:
        """What the Keras model answers on every picture that can be read: (images, classes)."""
        path = self._folder / f"reference-{images.sha256[:12]}.npy"
        if not is_array(path):
            self._say(f"{self.network.name}: asking the Keras model about {images.folder}")
            answers = [self._answers(sample)[0] for sample in self._inputs(images)]
            if not answers:
                raise UsageError(f"There is no picture to ask {self.network.name} about.")
            write_array(path, np.concatenate(answers))
        return read_array(path)

    def _find(self, recipe: Recipe) -> ConvertedFile | None:
        path = self._path(recipe)
        model = read_sidecar(path) if path.exists() else None
        return None if model is None else ConvertedFile(path=path, model=model, recipe=recipe)

    def _path(self, recipe: Recipe) -> Path:
        made_by = [] if self._quantizer == OURS or recipe == FLOAT32 else [self._quantizer]
        key = digest([self._key, recipe.digest, self._images_digest(recipe), *made_by])
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
        return self._keep(self._path(recipe), content, recipe)

    def adopt(self, content: bytes, recipe: Recipe, maker: str) -> ConvertedFile:
        """A file that something else made of this network, after the checks that every file passes.

        Args:
            content: The .tflite.
            recipe: What it is said to be.
            maker: What made it, for its name in the folder.

        Raises:
            ConversionError: If it fails a check.
            StorageError: If it cannot be written.
        """
        name = f"{recipe.name}-{maker}-{hashlib.sha256(content).hexdigest()[:12]}.tflite"
        return self._keep(self._folder / name, content, recipe)

    def float_file(self) -> ConvertedFile:
        """The float32 file, which every other recipe is derived from."""
        return self._float_file()

    def layers(self) -> tuple[str, ...]:
        """Names of the Keras layers, in order."""
        return self._layers()

    def named_inputs(self, samples: SampleSet) -> Iterator[tuple[str, np.ndarray]]:
        """Names (numbers of arrays) beside values of a network's only input, broken ones left out.

        Raises:
            UsageError: If the samples are not what the network takes.
        """
        expects = self.network.preprocessing
        if isinstance(samples, ArraySet) or expects is None:
            yield from ((str(n), values) for n, [values] in enumerate(self._inputs(samples)))
            return
        for loaded in read_inputs(samples, expects):
            if loaded.pixels is not None:
                yield loaded.name, loaded.pixels

    def _keep(self, path: Path, content: bytes, recipe: Recipe) -> ConvertedFile:
        wanted = self._answers if recipe == FLOAT32 else self._float_answers()
        model = self._described(content, recipe)
        ours = self._quantizer == OURS
        # The scale of an input follows from the preprocessing in our files, not in others'.
        found = check_file(content, model if ours else replace(model, preprocessing=None), recipe)
        self._expect_close(wanted, content, recipe)
        write_model(path, content, model)
        arithmetic, ops = found.description.arithmetic, sum(found.description.ops.values())
        self._say(
            f"{model.name} {recipe.name}: verified, {arithmetic} arithmetic in {ops} operators"
        )
        return ConvertedFile(path=path, model=model, recipe=recipe)

    def _freeze(self) -> bytes:
        self._say(f"{self.network.name} float32: building and converting")
        return self._float_model().float_file()

    def _float_answers(self) -> Answers:
        return FileAnswers(self._float_file().path.read_bytes()).of

    def _expect_close(self, wanted: Answers, content: bytes, recipe: Recipe) -> None:
        """Holds every output of a new file against what it was made from, on a few inputs."""
        floor_db = FLOAT32_FLOOR_DB if recipe == FLOAT32 else FLOORS_DB[recipe.scheme]
        what = f"{self.network.name} as {recipe.name}"
        runner = FileAnswers(content)
        samples = list(self.probes(PROBES))
        wants, gots = ([ask(sample) for sample in samples] for ask in (wanted, runner.of))
        pairs = [
            (np.concatenate(want), np.concatenate(got))
            for want, got in zip(zip(*wants, strict=True), zip(*gots, strict=True), strict=True)
        ]
        if len(pairs) > 1 and recipe.scheme is not Scheme.FLOAT:
            for index, (want, got) in enumerate(pairs):
                found = snr_db(want, got)
                if found is not None and found < floor_db:
                    self._say(f"warning: {what}: output {index} has {found:.1f} dB")
            pairs = [together(pairs)]
        for want, got in pairs:
            expect_close(want, got, floor_db, what)

    def _derive(self, recipe: Recipe) -> bytes:
        base = self._float_file().path.read_bytes()
        self._say(f"{self.network.name} {recipe.name}: converting")
        content = self._by_other(base, recipe) if self._quantizer != OURS else None
        if content is None:
            need("ai_edge_quantizer")
            from converters.convert import derive

            ranges = self._calibrated(base) if recipe.needs_calibration else None
            if recipe.method != MINMAX and ranges is not None and self._is_plain(base):
                return self._improved(base, recipe, ranges)
            content = derive(
                base,
                recipe,
                ranges=ranges,
                preprocessing=self.network.preprocessing,
                layers=self._layers(),
            )
        return content

    def _is_plain(self, base: bytes) -> bool:
        """Whether methods can look at the network: they know one input and one output."""
        graph = read_model(base, f"the float file of {self.network.name}").main
        plain = len(graph.inputs) == len(graph.outputs) == 1
        if not plain:
            self._say(
                f"{self.network.name}: several inputs or outputs, so ranges are minima, maxima"
            )
        return plain

    def _improved(self, base: bytes, recipe: Recipe, ranges: Ranges) -> bytes:
        from converters.methods.choice import improve

        images = self._calibration
        assert images is not None  # ranges come from them

        def recalibrate(content: bytes) -> Mapping[str, tuple[float, float]]:
            """Ranges of the float file, or of one that methods made of it."""
            if content == base:
                return ranges.by_tensor
            return self._calibrate(content, images).by_tensor

        made = improve(
            base,
            replace(recipe, io=IoType.NATIVE) if recipe.io is IoType.UINT8 else recipe,
            self.network.preprocessing,
            [sample for [sample] in self._inputs(images.spread(METHOD_PHOTOGRAPHS))],
            recalibrate=recalibrate,
            say=lambda sentence: self._say(f"{self.network.name} {recipe.name}: {sentence}"),
            layers=self._layers(),
        )
        self._choices[recipe] = made.choice
        uint8 = recipe.io is IoType.UINT8
        return with_uint8_edges(made.content) if uint8 else made.content

    def _by_other(self, base: bytes, recipe: Recipe) -> bytes | None:
        """The file by another quantizer; None where ai-edge-quantizer differs in nothing."""
        if self._quantizer == AI_EDGE and not recipe.needs_calibration:
            return None
        if self._quantizer == TFLITE and recipe in BY_CONVERTER:
            return self._float_model().quantized_by_converter(BY_CONVERTER[recipe])
        if self._calibration is None:
            raise UsageError(needs_images(recipe))
        samples = self._inputs(self._calibration)
        if self._quantizer == TFLITE:
            need("tensorflow")
            from converters.stock_quantizer import quantize_by_tflite

            return quantize_by_tflite(base, recipe, samples)
        need("ai_edge_quantizer")
        from converters.quantize import quantize_with_own_calibration

        made = quantize_with_own_calibration(base, recipe, samples, self._layers())
        return with_uint8_edges(made) if recipe.io is IoType.UINT8 else made

    def probes(self, count: int) -> Iterator[Sample]:
        """The first samples, or noise in the input's range where there are none."""
        if self._calibration is not None:
            yield from itertools.islice(self._inputs(self._calibration), count)
            return
        expects = self.network.preprocessing
        low, high = expects.value_range if expects else (-1.0, 1.0)
        random = np.random.default_rng(0)
        for _ in range(count):
            yield tuple(
                random.uniform(low, high, shape).astype(np.float32)
                for shape in self._input_shapes()
            )

    def _calibrated(self, base: bytes) -> Ranges | None:
        if self._calibration is None:
            return None  # derive says what is missing
        if self._ranges is None:
            self._ranges = self._calibrate(base, self._calibration)
            self._say(f"{self.network.name}: calibrated on {self._ranges.samples} images")
        return self._ranges

    def _calibrate(self, content: bytes, samples: SampleSet) -> Ranges:
        from mobilekit.calibrating import Calibrating, Inputs

        inputs = Inputs(
            identity=digest([self._key, samples.sha256]),
            entries=lambda done: self._entries(samples, done),
            total=None if isinstance(samples, ArraySet) else len(samples.paths),
        )
        if self._calibrating is None:
            self._calibrating = Calibrating(
                self._states, lambda sentence: self._say(f"{self.network.name}: {sentence}")
            )
        return self._calibrating.ranges(content, inputs)

    def _inputs(self, samples: SampleSet) -> Iterator[Sample]:
        """The samples, each a sequence of arrays; each broken picture is said."""
        return (entry for entry in self._entries(samples) if entry is not None)

    def _entries(self, samples: SampleSet, skip: int = 0) -> Iterator[Sample | None]:
        """The same with None for each broken picture."""
        if isinstance(samples, ArraySet):
            yield from samples.read(self._input_shapes(), skip=skip)
            return
        if self.network.preprocessing is None:
            raise UsageError(
                f"{self.network.name} takes inputs of {listed(self._input_shapes())}, which no"
                f" picture of {samples.folder} is. Give samples as arrays: --calibration FILE.npz."
            )
        for loaded in read_inputs(samples, self.network.preprocessing, skip=skip):
            if loaded.pixels is None:
                self._say(f"warning: {samples.folder}: {loaded.name} left out: {loaded.problem}")
            yield None if loaded.pixels is None else (loaded.pixels,)

    def _float_model(self) -> FloatModel:
        if self._built is None:
            source = self.network.source
            self._built = source() if source else keras_float_model(self.network.build())
            name, shapes = self.network.name, self._built.input_shapes
            if self.network.preprocessing is not None:
                expect_input(shapes, name, self.network.preprocessing)
            elif len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][-1] == CHANNELS:
                raise UsageError(nothing_says(name))
            if isinstance(self._built, KerasFloatModel) and self._built.is_copy:
                self._say(f"{name}: has layers of 16 bits, which compute in float32 in its files")
        return self._built

    def _answers(self, sample: Sample) -> list[np.ndarray]:
        outputs = self._float_model().answers(sample)
        check_finite(outputs, self.network.name)
        return outputs

    def _input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the float file where there is one, since building takes seconds."""
        found = self._find(FLOAT32) if self._built is None else None
        if found is None:
            return self._float_model().input_shapes
        main = read_model(found.path.read_bytes(), found.path.name).main
        return tuple(main.tensors[index].shape for index in main.inputs)

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
            recipe_rules=recipe.rules,
            quantizer=self._quantizer if recipe != FLOAT32 else OURS,
            choice=self._choices.get(recipe),
            folded=self.network.folded,
        )

    def _layers(self) -> tuple[str, ...]:
        """Names of the Keras layers; the float file's sidecar knows them without TensorFlow."""
        if self._built is not None:
            return self._built.layers
        return self._float_file().model.layers


@cache
def code_digest() -> str:
    """Digest of the sources that decide what a file holds: a changed stage is a changed input."""
    parts = ("mobilekit/architectures", "mobilekit/weights", "mobilekit/core", "converters")
    names = (
        "networks",
        "choosing_weights",
        "local_weights",
        "images",
        "calibrating",
        "conversion",
        "conversion_checks",
        "float_models",
        "folding",
        "samples",
        "model_files",
    )
    files = (f"mobilekit/{name}.py" for name in names)
    return sha256_sources(*(ROOT / part for part in (*parts, *files)))
