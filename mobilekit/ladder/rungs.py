"""The rungs in order, each a row with the function that makes its file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from converters.recipes import parse_recipe
from mobilekit.conversion import ConvertedFile
from mobilekit.core.errors import ConversionError
from mobilekit.core.recipe import Effort
from mobilekit.core.registry import Registry
from mobilekit.ladder.training import Trainer

if TYPE_CHECKING:
    from mobilekit.ladder.climber import Climber

STATIC = parse_recipe("static_wi8_ai8")
INT16 = parse_recipe("static_wi8_ai16")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be tried beyond int8 with float layers.

    Attributes:
        int16: Whether int16 activations are allowed, which no delegate takes.
        trainer: Trains the network; None where that is not allowed.
    """

    int16: bool = False
    trainer: Trainer | None = None


Make = Callable[["Climber"], ConvertedFile]


def _always(options: Options) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One row of `RUNGS`.

    Attributes:
        name: As in the table that a climb prints.
        summary: What it does, in a phrase.
        make: Makes its file; raises ConversionError where there is none.
        wanted: Whether it is climbed.
    """

    name: str
    summary: str
    make: Make
    wanted: Callable[[Options], bool] = _always


def _effort(effort: Effort, climber: Climber) -> ConvertedFile:
    return climber.conversion.file(STATIC.with_effort(effort))


def _float_logits(climber: Climber) -> ConvertedFile:
    return climber.conversion.file(replace(STATIC, float_logits=True, method=climber.methods))


def _mixed(share: float, climber: Climber) -> ConvertedFile:
    rules = climber.float_rules(share)
    if not rules:
        raise ConversionError("No layer that costs accuracy has a name to keep it float by.")
    return climber.conversion.file(replace(STATIC, rules=rules, method=climber.methods))


def _int16(climber: Climber) -> ConvertedFile:
    return climber.conversion.file(INT16)


def _trained(climber: Climber) -> ConvertedFile:
    return climber.conversion.adopt(climber.train(STATIC), STATIC, "trained")


RUNGS: Registry[Rung] = Registry(
    "rung",
    [
        Rung(
            name="minmax",
            summary="int8, the smallest and largest value that was seen",
            make=functools.partial(_effort, Effort.NONE),
        ),
        Rung(
            name="fast",
            summary="methods of --effort fast",
            make=functools.partial(_effort, Effort.FAST),
        ),
        Rung(
            name="high",
            summary="methods of --effort high",
            make=functools.partial(_effort, Effort.HIGH),
        ),
        Rung(
            name="float_logits",
            summary="the same with a last dense layer of float activations",
            make=_float_logits,
        ),
        Rung(
            name="mixed_50",
            summary="the same with the layers float that half of the error is from",
            make=functools.partial(_mixed, 0.5),
        ),
        Rung(
            name="mixed_75",
            summary="the same for three quarters of the error",
            make=functools.partial(_mixed, 0.75),
        ),
        Rung(
            name="mixed_90",
            summary="the same for nine tenths of the error",
            make=functools.partial(_mixed, 0.9),
        ),
        Rung(
            name="int16",
            summary="int16 activations everywhere; no delegate takes them",
            make=_int16,
            wanted=lambda options: options.int16,
        ),
        Rung(
            name="trained",
            summary="int8 after quantization-aware training",
            make=_trained,
            wanted=lambda options: options.trainer is not None,
        ),
    ],
)


def wanted_rungs(options: Options) -> tuple[Rung, ...]:
    """The rungs of a climb; how many they are is known before the first, as their bounds need."""
    return tuple(rung for rung in RUNGS.values() if rung.wanted(options))
