"""One line of what Google's benchmark tools print: its prefix, its numbers, its statistics."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilekit.core.errors import RunnerError

LINE = 2000  # characters that are read of one; longer ones are tables or names

# What logcat puts before a line, in its formats "threadtime" and "time"; the loggers of the tools.
_LOGCAT = r"\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+(?:\d+\s+\d+\s+[VDIWEF]\s+[^:]*|[VDIWEF]/[^:]*): ?"
_LOGGER = r"(?:VERBOSE|DEBUG|INFO|WARN|WARNING|ERROR): ?"
PREFIX = re.compile(rf"^(?:{_LOGCAT})?(?:{_LOGGER})?(?:\[[^\]\s]+:\d+\] ?)?")
TOKEN = re.compile(r"([A-Za-z]\w*)=([^\s,()]*)")


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A "count=" line; times in microseconds. What an older build does not print is None.

    Attributes:
        count: Invocations.
        first_us: The first of them.
        curr_us: The last of them.
        min_us: The shortest.
        max_us: The longest.
        avg_us: Their mean.
        std_us: Their standard deviation.
        quantiles_us: "median", "p5", "p95" and whatever else a build prints, by its name.
    """

    count: int
    first_us: float | None = None
    curr_us: float | None = None
    min_us: float | None = None
    max_us: float | None = None
    avg_us: float | None = None
    std_us: float | None = None
    quantiles_us: Mapping[str, float] = field(default_factory=dict)


def without_prefix(line: str) -> str:
    """The line without what a logger put before it."""
    return PREFIX.sub("", line.strip(), count=1).strip()


def number(text: str, tool: str) -> float:
    """A time or size of the text; raises RunnerError for one that no clock can give."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e15:  # 31 years in microseconds
        raise RunnerError(f"{tool} printed {text[:40]!r} where a time or size stands.")
    return value


def read_statistics(line: str, tool: str) -> Statistics | None:
    """A line that begins with its count; None for any other; raises RunnerError."""
    if not line.startswith("count="):
        return None
    tokens = {name: number(value, tool) for name, value in TOKEN.findall(line)}
    count = tokens.pop("count")
    if count != int(count) or count > 1e9:
        raise RunnerError(f"{tool} counted {count:g} invocations.")
    if "avg" not in tokens and "curr" in tokens and (count == 1 or "(all same)" in line):
        same = tokens["curr"]  # so it is written where all were equal, as one always is
        tokens = {"first": same, "min": same, "max": same, "avg": same, "std": 0.0, **tokens}
        tokens.setdefault("median", same)
        tokens.setdefault("p95", same)
    known = ("first", "curr", "min", "max", "avg", "std")
    return Statistics(
        count=int(count),
        quantiles_us={name: value for name, value in tokens.items() if name not in known},
        **{f"{name}_us": tokens.get(name) for name in known},
    )
