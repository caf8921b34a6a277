"""The built-in quantization recipes, and names that add options to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from converters.methods import combination, spelled
from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.recipe import Effort, Granularity, IoType, Recipe, Scheme
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
    ],
)

# What may follow a name, from its end: the grammar of docs/formats.md.
SUFFIXES: dict[str, dict[str, Granularity | IoType]] = {
    "_iofloat": {"io": IoType.FLOAT},
    "_pertensor": {"granularity": Granularity.PER_TENSOR},
}


def parse_recipe(name: str) -> Recipe:
    """The recipe of a name such as "static_wi8_ai8_pertensor".

    Raises:
        UnknownNameError: If no recipe has that name.
    """
    base, options = name, {}
    for suffix, option in SUFFIXES.items():
        if base.endswith(suffix):
            base = base.removesuffix(suffix)
            options.update(option)
    if base not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    try:
        recipe = replace(RECIPES[base].recipe, **options)  # type: ignore[arg-type]
    except ValueError:
        raise UnknownNameError("recipe", name, RECIPES) from None
    return recipe


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
