"""What is built: architectures, specs and the .tflite files they become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilekit.core.choice import Choice
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerRule


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One row of `mobilekit.architectures.ARCHITECTURES`.

    Attributes:
        name: As in a plan, e.g. "mobilenet_v2".
        builder: "package.module:function"; imported when something is built, so that
            listing architectures never imports TensorFlow.
        title: Name of the network as its paper prints it.
        input_size: Height and width of the published model, pixels.
        trainable_params: Trainable weights of the published model, alpha 1, 1000 classes.
        total_params: The same and the moving statistics of batch norm.
        macs: Multiply-accumulates of its convolution and dense layers.
        top1: Published ImageNet top-1 accuracy, percent.
        paper: Authors, year and arXiv number.
        source: Tables of the layers and of the figures, and what was recomputed.
    """

    name: str
    builder: str
    title: str
    input_size: tuple[int, int]
    trainable_params: int
    total_params: int
    macs: int
    top1: float
    paper: str
    source: str


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
    """

    architecture: str
    alpha: float = 1.0
    input_size: tuple[int, int] = (224, 224)
    classes: int = 1000
    weights: str = "random"
    weights_sha256: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        # Specs are read from files too, and their names become names of folders.
        for text in (self.architecture, self.weights):
            if not re.fullmatch(r"[a-z0-9_]+", text):
                raise ValueError(f"{text!r} is no name: a name has a-z, 0-9 and _ alone")
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
    schema: int = 1
