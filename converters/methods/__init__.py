"""Methods that make int8 files more accurate, without labels and without training: the table.

A float method changes the float file, a ranges method says what scales come from, an integer
method mends the integer file. They run in the order of the table, whatever order they are named in.
Importing this module costs nothing; the methods themselves are its neighbours.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from mobilekit.core.errors import UsageError
from mobilekit.core.recipe import MINMAX
from mobilekit.core.registry import Registry


class Stage(enum.StrEnum):
    """What a method changes; in the order in which it happens."""

    FLOAT = "float"
    RANGES = "ranges"
    INTEGER = "integer"


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row of `METHODS`.

    Attributes:
        name: As in a recipe's method, e.g. "equalize+bias_correction".
        stage: What it changes.
        summary: What it does, in a phrase.
        paper: Where it is from.
        excludes: Methods that it breaks together with.
        because: Why, as the rest of a sentence; "" where it excludes none.
    """

    name: str
    stage: Stage
    summary: str
    paper: str
    excludes: tuple[str, ...] = ()
    because: str = ""


PERCENTILE = "percentile"
MSE = "mse"
EQUALIZE = "equalize"
GPTQ = "gptq"
BIAS_CORRECTION = "bias_correction"

METHODS: Registry[Method] = Registry(
    "method",
    [
        Method(
            name=EQUALIZE,
            stage=Stage.FLOAT,
            summary="evens out how wide channels are, between layers",
            paper="Nagel et al. 2019, arXiv:1906.04721, section 4.1; Xiao et al. 2023,"
            " arXiv:2211.10438",
        ),
        Method(
            name=MINMAX,
            stage=Stage.RANGES,
            summary="the smallest and largest value that was seen",
            paper="Jacob et al. 2018, arXiv:1712.05877, section 3.1",
        ),
        Method(
            name=PERCENTILE,
            stage=Stage.RANGES,
            summary="one value in ten thousand stays outside on either side",
            paper="Wu et al. 2020, arXiv:2004.09602, section 5.1",
        ),
        Method(
            name=MSE,
            stage=Stage.RANGES,
            summary="clipped where a tensor's mean squared error is least",
            paper="Nagel et al. 2021, arXiv:2106.08295, section 3.1",
        ),
        Method(
            name=GPTQ,
            stage=Stage.INTEGER,
            summary="weights rounded one by one, the rest takes up each error",
            paper="Frantar et al. 2023, arXiv:2210.17323",
        ),
        Method(
            name=BIAS_CORRECTION,
            stage=Stage.INTEGER,
            summary="every channel gets the mean of the float network",
            paper="Nagel et al. 2019, arXiv:1906.04721, section 4.2 (here by measured means)",
            excludes=(PERCENTILE, MSE),
            because="clipped values move a channel's mean, and a bias that makes up for that shifts"
            " every value that was not clipped",
        ),
    ],
)


def combination(names: Iterable[str]) -> tuple[str, ...]:
    """The methods of these names in the order in which they run; ranges are min-max by default.

    Raises:
        UnknownNameError: If there is no such method.
        UsageError: If one is named twice, or two do not go together.
    """
    given = list(names)
    rows = [METHODS[name] for name in given]
    if len(set(given)) < len(given):
        raise UsageError(f"{'+'.join(given)} names a method twice.")
    ranges = [row.name for row in rows if row.stage is Stage.RANGES]
    if len(ranges) > 1:
        raise UsageError(f"{' and '.join(ranges)} both choose ranges; name one of them.")
    for row in rows:
        broken = [name for name in row.excludes if name in given]
        if broken:
            raise UsageError(f"{row.name} and {broken[0]} break each other: {row.because}.")
    wanted = {*given, *(() if ranges else (MINMAX,))}
    return tuple(name for name in METHODS if name in wanted)


def spelled(methods: Iterable[str]) -> str:
    """The shortest name of a combination: min-max is said only where it stands alone."""
    told = [name for name in methods if name != MINMAX]
    return "+".join(told) or MINMAX
