"""The built-in quantization recipes, and names that add options to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from converters.methods import combination, spelled
from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.recipe import (
    Effort,
    Granularity,
    IoType,
    LayerRule,
    Recipe,
    Scheme,
)
from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class NamedRecipe:
    """One row of `RECIPES`: a recipe with a sentence that says when to take it."""

    recipe: Recipe
    summary: str

    @property
    def name(self) -> str:
        """The recipe's own name."""
        return self.recipe.name


RECIPES: Registry[NamedRecipe] = Registry(
    "recipe",
    [
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.FLOAT, weight_bits=32),
            summary="nothing is quantized; what the others are compared with",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.FLOAT, weight_bits=16),
            summary="half the size, float arithmetic; for GPUs that compute in half precision",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.DYNAMIC, weight_bits=8),
            summary="a quarter of the size, activations quantized as it runs; no calibration",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.WEIGHT_ONLY, weight_bits=8),
            summary="a quarter of the size, float arithmetic; no calibration",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.STATIC, weight_bits=8, activation_bits=8),
            summary="full integer, int8 in and out; what NPUs and fast CPUs want",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.STATIC, weight_bits=8, activation_bits=16),
            summary="int16 activations: nearly float's accuracy, and on a CPU far slower than it",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.DYNAMIC, weight_bits=4),
            summary="an eighth of the size, for large dense layers; slow convolutions",
        ),
        NamedRecipe(
            recipe=Recipe(scheme=Scheme.WEIGHT_ONLY, weight_bits=4),
            summary="an eighth of the size, float arithmetic; costs most accuracy",
        ),
    ],
)


class Option(TypedDict, total=False):
    """What a suffix sets."""

    granularity: Granularity
    io: IoType
    float_logits: bool


# What may follow a name, from its end: the grammar of docs/formats.md. One of each group at most.
SUFFIXES: Sequence[Mapping[str, Option]] = (
    {"_floatlogits": {"float_logits": True}},
    {"_iofloat": {"io": IoType.FLOAT}, "_iouint8": {"io": IoType.UINT8}},
    {"_pertensor": {"granularity": Granularity.PER_TENSOR}},
)
MIXED = re.compile(r"_mixed-([0-9a-f]{8})$")


def parse_recipe(name: str, rules: tuple[LayerRule, ...] = ()) -> Recipe:
    """The recipe of a name such as "static_wi8_ai8_pertensor".

    Args:
        name: With or without the `_mixed-…` of the rules.
        rules: What a mixed recipe does otherwise.

    Raises:
        UnknownNameError: If no recipe has that name.
        UsageError: If the recipe cannot have such rules, or the name is of other ones.
    """
    base = MIXED.sub("", name)
    recipe = _recipe_of(base)
    if recipe is None:
        raise UnknownNameError("recipe", name, RECIPES)
    try:
        recipe = replace(recipe, rules=rules)
    except ValueError as error:
        raise UsageError(f"{name} cannot be mixed so: {error}.") from None
    if name not in (base, recipe.name):
        raise UsageError(
            f"{name} is a mixed recipe, whose name does not tell its layers; name {base} and give"
            " the layers with --keep-float or --int16."
        )
    return recipe


def scheme_of(name: str) -> Scheme:
    """The scheme of a recipe's name, mixed ones included.

    Raises:
        UnknownNameError: If no recipe has that name.
    """
    return parse_recipe(MIXED.sub("", name)).scheme


def needs_images(recipe: Recipe) -> str:
    """The sentence about a static recipe without calibration."""
    return (
        f"Recipe {recipe.name} quantizes activations, and for that it needs to see images."
        " Pass a folder of photographs with --calibration, or take dynamic_wi8_afp32."
    )


def _recipe_of(name: str) -> Recipe | None:
    """The recipe of a name without rules; None where there is none."""
    options: Option = {}
    for group in SUFFIXES:
        for suffix, option in group.items():
            if name.endswith(suffix):
                name = name.removesuffix(suffix)
                options.update(option)
                break
    if name not in RECIPES:
        return None
    try:
        return replace(RECIPES[name].recipe, **options)
    except ValueError:  # a float recipe has no options
        return None


# Figures of this project, on a CPU with AVX2 and without VNNI, under XNNPACK.
WARNINGS = {
    "int16": "no operator with int16 activations is taken by XNNPACK or another delegate: such"
    " files took 21 to 29 times the time of float (measured 2026-11)",
    "int4": "XNNPACK leaves every convolution with 4-bit weights to the builtin kernels: such files"
    " were 2.3 to 2.9 times slower for it (measured 2026-11)",
}


def warnings_of(recipe: Recipe, ops: Mapping[str, int]) -> tuple[str, ...]:
    """What a user should know before taking a recipe, in sentences without a full stop.

    Args:
        recipe: What is asked for.
        ops: How often each operator occurs in the float file.
    """
    found = []
    if recipe.activation_bits == 16 or any(r.arithmetic == "int16" for r in recipe.rules):
        found.append(WARNINGS["int16"])
    if recipe.weight_bits == 4 and {"CONV_2D", "DEPTHWISE_CONV_2D"} & ops.keys():
        found.append(WARNINGS["int4"])
    return tuple(found)


def with_method(recipe: Recipe, method: str) -> Recipe:
    """A static int8 recipe with methods that are named, e.g. "equalize+bias_correction".

    Raises:
        UsageError: If one does not exist, they do not go together, or the recipe takes none.
    """
    methods = spelled(combination(method.split("+")))
    if not recipe.takes_methods:
        raise UsageError(
            f"{recipe.name} has no methods to choose; they make static int8 files more accurate."
        )
    return replace(recipe, method=methods, effort=Effort.NONE)
