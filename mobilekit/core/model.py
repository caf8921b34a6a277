"""What is built: architectures, specs and the .tflite files they become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilekit.core.choice import Choice
from mobilekit.core.errors import UsageError, nearest
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerRule
from mobilekit.core.target import DEFAULT_TARGET


@dataclass(frozen=True, kw_only=True)
class BuilderOption:
    """An option that one family has beside the common ones.

    Attributes:
        name: As in `--option name=value`, and the builder's own argument.
        values: What it takes; the first is what happens without it.
        does: What it changes, for people.
    """

    name: str
    values: tuple[str, ...]
    does: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A count that somebody published, of an architecture or of a variation of it.

    Attributes:
        column: "trainable_params", "total_params" or "macs": the one that it means.
        value: As published, e.g. 3_400_000 for "3.4M".
        unit: What its last digit is worth, e.g. 100_000 for "3.4M"; 1 where it is exact.
        source: Where it stands.
        differs: Why ours is another, where it is.
        alpha: Of the variation.
        input_size: Height and width of the variation, pixels; None for the architecture's own.
        classes: Of the variation.
        options: Of the variation.
    """

    column: str
    value: int
    source: str
    unit: int = 1
    differs: str = ""
    alpha: float = 1.0
    input_size: int | None = None
    classes: int = 1000
    options: Mapping[str, str] = field(default_factory=dict)

    def agrees(self, ours: int) -> bool:
        """Whether a count is this figure, as exactly as it was published."""
        return abs(ours - self.value) <= self.unit / 2 if self.unit > 1 else ours == self.value


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One row of `mobilekit.architectures.ARCHITECTURES`.

    Attributes:
        name: As in a plan, e.g. "mobilenet_v2".
        builder: "package.module:function"; imported when something is built, so that
            listing architectures never imports TensorFlow.
        title: Name of the network as its paper prints it.
        input_size: Height and width of the published model, pixels.
        trainable_params: Trainable weights of the published model, alpha 1, all options as they
            are without being asked for.
        total_params: The same and the moving statistics of batch norm.
        macs: Multiply-accumulates of its convolution and dense layers.
        top1: Published top-1 accuracy, percent, on ImageNet where nothing else is said; None where
            none was published.
        paper: Authors, year and arXiv number.
        source: Tables of the layers and of the figures, what was recomputed, and, where sources
            disagree, which one is followed and why.
        family: What its variants have in common, e.g. "mobilenet_v3".
        min_input_size: The smallest height or width that its strides can divide, pixels.
        classes: Of the published model.
        has_alpha: Whether it has a width multiplier.
        options: What else its builder takes.
        figures: What others print, each held against the builder by a test.
        outside_xnnpack: Operators that its int8 file leaves on built-in kernels, and why; empty
            where XNNPACK takes the file whole.
    """

    name: str
    builder: str
    title: str
    input_size: tuple[int, int]
    trainable_params: int
    total_params: int
    macs: int
    top1: float | None
    paper: str
    source: str
    family: str
    min_input_size: int
    classes: int = 1000
    has_alpha: bool = False
    options: tuple[BuilderOption, ...] = ()
    figures: tuple[Figure, ...] = ()
    outside_xnnpack: str = ""

    def chosen(self, given: Mapping[str, str]) -> dict[str, str]:
        """The options that are not what happens without them, in the order of the row.

        Raises:
            UsageError: If there is no such option or value; the sentence lists those that exist.
        """
        known = {option.name: option for option in self.options}
        for name, value in given.items():
            if name not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise UsageError(
                    f"{self.name} has no option {name!r}; {has}.{nearest(name, known)}"
                )
            if value not in known[name].values:
                raise UsageError(
                    f"Option {name!r} of {self.name} takes {', '.join(known[name].values)}, not"
                    f" {value!r}."
                )
        return {
            option.name: given[option.name]
            for option in self.options
            if given.get(option.name, option.values[0]) != option.values[0]
        }

    def figures_of(self, spec: ModelSpec) -> tuple[Figure, ...]:
        """The figures of exactly this variation."""
        return tuple(figure for figure in self.figures if self._is_of(figure, spec))

    def _is_of(self, figure: Figure, spec: ModelSpec) -> bool:
        size, usual = figure.input_size, Figure.classes
        return (
            figure.alpha == spec.alpha
            and (self.input_size if size is None else (size, size)) == spec.input_size
            and (self.classes if figure.classes == usual else figure.classes) == spec.classes
            and self.chosen(figure.options) == spec.options
        )


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One network, completely: equal specs have equal weights.

    Attributes:
        architecture: A name of the table.
        alpha: The width multiplier.
        input_size: Height and width, pixels.
        classes: Length of the output.
        weights: "random" or the name of a weights source.
        weights_sha256: Digest of the weights file; None for random weights.
        seed: Of random weights.
        options: The builder's own, those alone that are not what happens without them.
        target: The delegate whose graph forms it is built of, or "none".
    """

    architecture: str
    alpha: float = 1.0
    input_size: tuple[int, int] = (224, 224)
    classes: int = 1000
    weights: str = "random"
    weights_sha256: str | None = None
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    target: str = DEFAULT_TARGET

    def __post_init__(self) -> None:
        # Specs are read from files too, and their names become names of folders.
        for text in (self.architecture, self.weights, *self.options, *self.options.values()):
            if not re.fullmatch(r"[a-z0-9_]+", text):
                raise ValueError(f"{text!r} is no name: a name has a-z, 0-9 and _ alone")
        if not re.fullmatch(r"[a-z0-9_@-]+", self.target):
            raise ValueError(f"{self.target!r} is no target: a target is like nnapi@30")
        if not 0 < self.alpha <= 100:
            raise ValueError(f"alpha must be above 0 and at most 100, not {self.alpha}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be 0..4294967295, not {self.seed}")
        sizes = (*self.input_size, self.classes)
        if not all(1 <= size <= 100_000 for size in sizes):
            raise ValueError(f"input size and classes must be 1..100000, not {sizes}")

    @property
    def name(self) -> str:
        """E.g. "mobilenet_v2_1.0_224_torchvision": for file names and tables, no two alike."""
        height, width = self.input_size
        size = f"{height}" if height == width else f"{height}x{width}"
        parts = [self.architecture, f"{self.alpha}", size]
        if self.classes != 1000:
            parts.append(f"{self.classes}classes")
        parts += [f"{option}-{value}" for option, value in sorted(self.options.items())]
        if self.target != DEFAULT_TARGET:
            parts.append(f"for-{self.target}")
        parts.append(f"{self.weights}{self.seed or ''}")
        return "_".join(parts)


UNKNOWN_RECIPE = "unknown"  # of a file from elsewhere


@dataclass(frozen=True, kw_only=True)
class TFLiteModel:
    """A .tflite file and where it is from: the provenance sidecar beside it.

    Attributes:
        name: What people call it: the spec's name, or the stem of a file from elsewhere.
        sha256: Of the file's bytes; what a measurement is tied to.
        size_bytes: Length of the file.
        recipe: The recipe's name, or `UNKNOWN_RECIPE`.
        recipe_digest: Digest of the whole recipe.
        spec: The network; None for a file from elsewhere.
        preprocessing: What its input expects; None where nobody said.
        ops: How often each operator occurs, by schema name.
        layers: The Keras layers in order; operators are traced back to these names.
        made_with: Versions of everything that made it, by package.
        calibration_sha256: Digest of the calibration images in order; None where none were used.
        recipe_rules: Layers of a mixed recipe that compute in another way.
        quantizer: A row of `converters.quantizers`.
        choice: Which methods made it, and why; None where there was nothing to choose.
        folded: The preprocessing of the model it was made from, where its scaling was folded into
            the first convolution; None where nothing was.
        schema: Of this document.
    """

    name: str
    sha256: str
    size_bytes: int
    recipe: str
    recipe_digest: str
    spec: ModelSpec | None = None
    preprocessing: Preprocessing | None = None
    ops: Mapping[str, int] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    made_with: Mapping[str, str] = field(default_factory=dict)
    calibration_sha256: str | None = None
    recipe_rules: tuple[LayerRule, ...] = ()
    quantizer: str = "ours"
    choice: Choice | None = None
    folded: Preprocessing | None = None
    schema: int = 1
