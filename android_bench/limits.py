"""The limits of verdicts, in one table, each with what it rests on.

Where figures are ours, they come from 72 starts of a MobileNetV2 (float32, int8 and
dynamic int8; 1 and 2 threads) on a virtual computer of two processors, while others used it at
times:

    busy share of a start    starts    median of its run median ÷ undisturbed    largest
    under 5 %                56        1.00                                      1.09
    5 to 20 %                2         1.01                                      1.02
    20 to 40 %               2         1.54                                      2.04
    over 40 %                12        1.88                                      3.92

Per cell, undisturbed starts alone, the robust spread of the run medians (the distance between their
quartiles over 1.349, over the median) was 0.1 to 0.9 %, and the median shift from the first to
the second half of a start's invocations at most 1.6 %.
"""

from __future__ import annotations

from dataclasses import dataclass

from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One row of `LIMITS`.

    Attributes:
        name: What is limited.
        value: The limit; shares are 0..1.
        because: Where it is from.
    """

    name: str
    value: float
    because: str


LIMITS: Registry[Limit] = Registry(
    "validity limit",
    [
        Limit(
            name="blocks",
            value=6,
            because="of 5 pairs all can fall on one side in 1 of 16 comparisons of equal files;"
            " of 6, in 1 of 32, which is the first below 5 %",
        ),
        Limit(
            name="spread",
            value=0.05,
            because="five times the largest of an undisturbed cell (0.9 %); above it, the interval"
            " of 12 blocks is wider than 10 %",
        ),
        Limit(
            name="times_floor",
            value=3,
            because="in 20,000 simulated pairs each, 12 starts spread more than three times as far"
            " as the 24 of a selftest under the same noise in 0.1 %, and in 2 % where one start in"
            " twenty is slow",
        ),
        Limit(
            name="harmless_spread",
            value=0.01,
            because="undisturbed cells reach 0.9 % whatever the device's floor; the interval of 12"
            " blocks is then narrower than 3 %",
        ),
        Limit(
            name="busy_processors",
            value=0.2,
            because="of two processors, undisturbed starts leave 0.1 busy; from 0.4 on they were up"
            " to 3.9 times slower; in between, nothing was seen to suffer",
        ),
        Limit(
            name="disturbed_starts",
            value=0.25,
            because="the median and the comparison bear a few slow starts, not a quarter of them",
        ),
        Limit(
            name="drift",
            value=0.05,
            because="three times the largest of an undisturbed cell (1.6 %); a device that heats"
            " up or was not warm yet moves further",
        ),
        Limit(
            name="thermal_status",
            value=1,
            because="Android's definition: from 1 (light) on the device holds its clocks back; no"
            " figure of ours",
        ),
        Limit(
            name="frequency",
            value=0.05,
            because="a latency follows the clock at most in proportion, so this is the limit of"
            " drift; no figure of ours, since virtual computers show no frequencies",
        ),
        Limit(
            name="battery_percent",
            value=20,
            because="Android warns, and begins to save power, at 15 % (its own default), and makers"
            " hold clocks back below it; five more last for a long measurement. No figure of ours",
        ),
        Limit(
            name="partitions",
            value=1,
            because="between two partitions of a delegate the processor works, and tensors are"
            " copied to it and back; one is what `fully delegated` means. No figure of ours",
        ),
    ],
)
