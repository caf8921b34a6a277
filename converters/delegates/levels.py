"""Which level of a rule file a target stands for, and how levels and delegates are spoken of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from converters.delegates.rules import Level, Rules
from mobilekit.core.target import Target

# NNAPI counts feature levels above API 31 from here.
FEATURE_LEVEL_BASE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A target among the rules.

    Attributes:
        level: Level of the rules; None where they have none.
        options: Options of the delegate that the variant sets.
    """

    level: Level | None
    options: Mapping[str, bool | int] = field(default_factory=dict)


def standing_of(target: Target, rules: Rules) -> Standing:
    """The level and options that a target's variant stands for."""
    variant = target.variant
    if variant is None:  # the newest
        return Standing(level=rules.order[-1] if rules.order else None)
    if target.delegate == "coreml":
        return Standing(level=None, options={"coreml_version": int(variant)})
    if target.delegate == "ethosu":
        return Standing(level=f"ethos-{variant.partition('-')[0]}")
    if not rules.order:
        return Standing(level=None)
    if variant.startswith("fl"):
        return Standing(level=FEATURE_LEVEL_BASE + int(variant.removeprefix("fl")))
    return Standing(level=int(variant))


def level_words(delegate: str, level: Level) -> str:
    """E.g. "API 29", "feature level 6", "ethos-u55", "runtime 13"."""
    if not isinstance(level, int):
        return level
    if level > FEATURE_LEVEL_BASE:
        return f"feature level {level - FEATURE_LEVEL_BASE}"
    return f"{'API' if delegate == 'nnapi' else 'runtime'} {level}"


# What has to be said of a delegate whatever the file is.
ADVICE: Mapping[str, str] = {
    "nnapi": "NNAPI is deprecated since Android 15. Use the GPU delegate (gpu, gpu-mldrift) or,"
    " for NPUs, LiteRT's accelerators (qualcomm, mediatek); xnnpack is the CPU.",
    "hexagon": "The Hexagon delegate is superseded and covers Snapdragon DSPs up to 690 only;"
    " newer ones are reached by qualcomm.",
    "edgetpu": "The Edge TPU's compiler is frozen since 2021, and closed: its table of operators"
    " is all there is.",
    "gpu": "The classic GPU delegate; LiteRT 2 uses ML Drift (gpu-mldrift), whose rules are wider.",
    "coreml": "Float models only.",
}
