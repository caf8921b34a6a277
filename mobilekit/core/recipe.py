"""Quantization recipes: what the converter is asked to do, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from mobilekit.core.digest import digest

DIGEST_LETTERS = 8  # of the rules, in the name of a mixed recipe


class Scheme(enum.StrEnum):
    """How arithmetic is done; the names are LiteRT's."""

    FLOAT = "float"
    DYNAMIC = "dynamic"  # integer weights; activations are quantized as the model runs
    WEIGHT_ONLY = "weight_only"  # integer weights, dequantized before float arithmetic
    STATIC = "static"  # integer weights and activations; needs calibration


class Granularity(enum.StrEnum):
    """How many scales a weight tensor has."""

    PER_CHANNEL = "per_channel"
    PER_TENSOR = "per_tensor"


class IoType(enum.StrEnum):
    """Element type of the file's inputs and outputs."""

    NATIVE = "native"  # what the arithmetic uses: int8 where static, float elsewhere
    UINT8 = "uint8"
    FLOAT = "float"


class LayerArithmetic(enum.StrEnum):
    """How layers that a rule names compute, whatever the rest of the network does."""

    FLOAT = "float"
    INT16 = "int16"  # int8 weights, int16 activations


@dataclass(frozen=True, kw_only=True)
class LayerRule:
    """Some layers of a mixed recipe.

    Attributes:
        arithmetic: How they compute.
        pattern: A regular expression that has to match all of a Keras layer's name (or of its
            path through nested models, such as "backbone/conv"), or of an operator's name.
    """

    arithmetic: LayerArithmetic
    pattern: str


class Effort(enum.StrEnum):
    """How much time a rule may take to choose methods that make an int8 file more accurate."""

    NONE = "none"  # `method` is applied as it is
    FAST = "fast"
    HIGH = "high"


MINMAX = "minmax"  # the method that needs no choosing
AUTO = "auto"  # the method of a recipe whose effort is not none: a rule chooses

# What can be asked for; other combinations have no kernel or no meaning.
BITS = {
    Scheme.FLOAT: ((32, 32), (16, 32)),
    Scheme.DYNAMIC: ((8, 32), (4, 32)),
    Scheme.WEIGHT_ONLY: ((8, 32), (4, 32)),
    Scheme.STATIC: ((8, 8), (8, 16)),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One quantization of a model.

    Attributes:
        scheme: How arithmetic is done.
        weight_bits: 4 (int4), 8 (int8), 16 (float16) or 32 (float32).
        activation_bits: 8 or 16 where `scheme` is static, else 32.
        granularity: One scale a weight tensor, or one an output channel.
        io: Element type of inputs and outputs; only static recipes have the choice.
        float_logits: Whether the last dense layer, which makes the logits, has float activations
            (its weights stay integers), so that close answers do not tie; static recipes only.
        rules: Layers that compute in another way; of two that name one layer, the later counts.
        method: Names of `converters.methods` joined by "+", or AUTO; "minmax" is the absolute range
            seen in calibration.
        effort: Of the rule where `method` is AUTO, else none.
    """

    scheme: Scheme
    weight_bits: int
    activation_bits: int = 32
    granularity: Granularity = Granularity.PER_CHANNEL
    io: IoType = IoType.NATIVE
    float_logits: bool = False
    rules: tuple[LayerRule, ...] = ()
    method: str = MINMAX
    effort: Effort = Effort.NONE

    def __post_init__(self) -> None:
        bits = (self.weight_bits, self.activation_bits)
        if bits not in BITS[self.scheme]:
            raise ValueError(
                f"{self.scheme} quantization does not exist with {bits[0]}-bit weights and"
                f" {bits[1]}-bit activations"
            )
        if self.scheme is Scheme.FLOAT and self.granularity is not Granularity.PER_CHANNEL:
            raise ValueError("a float recipe has no granularity")
        if self.scheme is not Scheme.STATIC:
            self._check_float_activations()
        elif self.io is IoType.UINT8 and self.activation_bits != 8:
            raise ValueError("uint8 inputs and outputs need 8-bit activations")
        if self.rules and self.weight_bits == 32:
            raise ValueError("float32 is all float: there is no layer to keep or to quantize")
        if (self.method == AUTO) != (self.effort is not Effort.NONE):
            raise ValueError("method auto goes with an effort, and an effort with method auto")
        if self.method != MINMAX and not self.takes_methods:
            raise ValueError(f"only static int8 recipes have methods, not {self.base_name}")

    def _check_float_activations(self) -> None:
        if self.io is not IoType.NATIVE or self.float_logits:
            raise ValueError(f"{self.scheme} quantization has float inputs and outputs anyway")
        if any(rule.arithmetic is LayerArithmetic.INT16 for rule in self.rules):
            raise ValueError(
                f"{self.scheme} quantization has float activations: int16 ones need a static recipe"
            )

    @property
    def name(self) -> str:
        """E.g. "static_wi8_ai8_pertensor": LiteRT's grammar, then what is not the default."""
        return self.base_name + (f"_mixed-{self.rules_digest}" if self.rules else "")

    @property
    def base_name(self) -> str:
        """The name without the rules: what a mixed recipe is a variant of."""
        if self.scheme is Scheme.FLOAT:
            return f"float{self.weight_bits}"
        activations = f"ai{self.activation_bits}" if self.needs_calibration else "afp32"
        name = f"{self.scheme}_wi{self.weight_bits}_{activations}"
        if self.granularity is Granularity.PER_TENSOR:
            name += "_pertensor"
        if self.io is not IoType.NATIVE:
            name += f"_io{self.io}"
        if self.float_logits:
            name += "_floatlogits"
        return name

    @property
    def rules_digest(self) -> str:
        """What stands for the rules in a name."""
        return digest(self.rules)[:DIGEST_LETTERS]

    @property
    def digest(self) -> str:
        """What comparison and caching use: also tells apart what the name leaves out."""
        return digest(self)

    @property
    def full_integer(self) -> bool:
        """Whether every operator of its file computes in integers, inputs and outputs included."""
        floats = self.float_logits or any(r.arithmetic is LayerArithmetic.FLOAT for r in self.rules)
        return self.scheme is Scheme.STATIC and self.io is not IoType.FLOAT and not floats

    @property
    def needs_calibration(self) -> bool:
        """Whether converting needs representative inputs."""
        return self.scheme is Scheme.STATIC

    @property
    def takes_methods(self) -> bool:
        """Whether methods of `converters.methods` know its files: int8, and float where it is not.

        A layer with int16 activations has another bias and other steps than they mend.
        """
        int8 = (self.weight_bits, self.activation_bits) == (8, 8)
        int16 = any(rule.arithmetic is LayerArithmetic.INT16 for rule in self.rules)
        return self.scheme is Scheme.STATIC and int8 and not int16

    def with_effort(self, effort: Effort) -> Recipe:
        """The same with a rule that chooses methods; itself where there are none to choose."""
        if not self.takes_methods:
            return self
        method = MINMAX if effort is Effort.NONE else AUTO
        return replace(self, method=method, effort=effort)
