"""From a float file to an int8 file by a combination of methods, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from converters.calibration import Ranges
from converters.convert import derive
from converters.fidelity import FileRunner, snr_db
from converters.methods import BIAS_CORRECTION, EQUALIZE, GPTQ
from converters.methods.clipping import CHOICES, clipped_ranges
from converters.methods.equalize import equalize
from converters.methods.observation import Observation, observe
from converters.methods.walk import mend
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.quiet import quiet_stderr
from mobilekit.core.recipe import MINMAX, Granularity, Recipe

# A float file that equalization changed must answer like the one it was made from.
FLOAT_FLOOR_DB = 40.0

Recalibrate = Callable[[bytes], Mapping[str, tuple[float, float]]]


@dataclass(frozen=True, kw_only=True)
class Material:
    """What an int8 file is made of.

    Attributes:
        content: The float file.
        recipe: A static int8 recipe; its method is not looked at.
        preprocessing: What the input expects; None where nobody says.
        inputs: Preprocessed photographs, (1, height, width, 3) each.
        seen: What the float file computes on them.
        layers: Keras layers of the file, which the recipe's rules may name.
    """

    content: bytes
    recipe: Recipe
    preprocessing: Preprocessing | None
    inputs: Sequence[np.ndarray] = field(repr=False)
    seen: Observation = field(repr=False)
    layers: Sequence[str] = ()

    @classmethod
    def of(
        cls,
        content: bytes,
        recipe: Recipe,
        preprocessing: Preprocessing | None,
        inputs: Sequence[np.ndarray],
        layers: Sequence[str] = (),
    ) -> Material:
        """Observes the float file on `inputs`."""
        with quiet_stderr():  # LiteRT tells of its delegate
            seen = observe(content, inputs)
        return cls(
            content=content,
            recipe=recipe,
            preprocessing=preprocessing,
            inputs=inputs,
            seen=seen,
            layers=layers,
        )

    def some(self, images: Sequence[int]) -> Material:
        """The same with some of the photographs."""
        return replace(self, inputs=[self.inputs[i] for i in images], seen=self.seen.of(images))


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `apply` made.

    Attributes:
        content: The int8 file.
        base: The float file that it was quantized from.
    """

    content: bytes
    base: bytes


def apply(
    material: Material,
    methods: Sequence[str],
    *,
    held_out: Material | None = None,
    recalibrate: Recalibrate | None = None,
) -> Made:
    """Makes an int8 file by `methods`, as `converters.methods.combination` orders them.

    Args:
        material: What it is made of.
        methods: Names of methods.
        held_out: Photographs that show whether an equalized float file is still the same network;
            None takes the material's own.
        recalibrate: Gives true ranges of a float file; None takes those of the material.

    Raises:
        ConversionError: If a step fails.
    """
    with quiet_stderr():
        content, seen = material.content, material.seen
        if EQUALIZE in methods:
            content, seen = _equalized(material, held_out or material)
        inputs = material.inputs
        clipping = next((name for name in methods if name in CHOICES), MINMAX)
        if clipping != MINMAX:
            ranges: Mapping[str, tuple[float, float]] = {
                **seen.ranges(),
                **clipped_ranges(content, inputs, clipping),
            }
        else:
            ranges = recalibrate(content) if recalibrate else seen.ranges()
        made = derive(
            content,
            material.recipe,
            ranges=Ranges(by_tensor=ranges, samples=len(inputs)),
            preprocessing=material.preprocessing,
            layers=material.layers,
        )
        mending = [name for name in methods if name in (GPTQ, BIAS_CORRECTION)]
        if mending:
            runner = FileRunner(made, num_threads=1)
            made = mend(content, made, [runner.encode(each) for each in inputs], seen, mending)
    return Made(content=made, base=content)


def score_db(content: bytes, judged: Material) -> float:
    """SNR at the output on photographs; infinite where all answers are equal."""
    answers = FileRunner(content, num_threads=1).run(judged.inputs)
    found = snr_db(judged.seen.outputs, answers.reshape(judged.seen.outputs.shape))
    return float("inf") if found is None else found


def _equalized(material: Material, held_out: Material) -> tuple[bytes, Observation]:
    """The float file, equalized as far as it stays the same network on held-out photographs."""
    per_tensor = material.recipe.granularity is Granularity.PER_TENSOR
    for through_relu6 in (True, False):
        found = equalize(
            material.content, material.seen, per_tensor=per_tensor, through_relu6=through_relu6
        )
        if score_db(found.content, held_out) >= FLOAT_FLOOR_DB:
            return found.content, found.seen
    return material.content, material.seen
