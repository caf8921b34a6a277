"""Numbers for people: the one place where they are rounded and get their units.

A number is rounded to what its noise allows: the place of a third of its interval's half-width,
which leaves one or two doubtful digits. What machines read (CSV, JSON) is never formatted.
"""

from __future__ import annotations

import math

MISSING = "\N{EN DASH}"  # not measured; a hyphen would read as a minus


def printable(text: str) -> str:
    """`text` with control characters replaced: a name out of a file must not drive a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def plural(count: int, noun: str) -> str:
    """E.g. "1 thread", "12 blocks"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def threads(count: int) -> str:
    """E.g. "2 threads"."""
    return plural(count, "thread")


def milliseconds(us: float | None) -> str:
    """A time without an interval, in ms: three significant digits."""
    return MISSING if us is None else _significant(us / 1000)


def latency(us: float, low_us: float | None, high_us: float | None) -> tuple[str, str]:
    """In ms, the number and its interval: e.g. "14.31" and "[14.20, 14.44]", or "14.3" and ""."""
    if low_us is None or high_us is None:
        return milliseconds(us), ""
    places = _places((high_us - low_us) / 2000, us / 1000)
    low, high = f"{low_us / 1000:.{places}f}", f"{high_us / 1000:.{places}f}"
    return f"{us / 1000:.{places}f}", f"[{low}, {high}]"


def megabytes(count: float | None) -> str:
    """Bytes as MB (10**6), three significant digits."""
    return MISSING if count is None else _significant(count / 1e6)


def decibels(db: float | None) -> str:
    """E.g. "23.4"."""
    return MISSING if db is None else f"{db:.1f}"


def count_of(hits: int | None, total: int | None) -> str:
    """E.g. "18 of 20"."""
    return MISSING if hits is None or not total else f"{hits} of {total}"


def percent(share: float) -> str:
    """A share 0..1 as whole percent: no set of images here supports more digits."""
    return f"{share * 100:.0f}"


def percent_range(low: float, high: float) -> str:
    """E.g. "[70, 97 %]"."""
    return f"[{percent(low)}, {percent(high)} %]"


def at_most_percent(share: float) -> str:
    """A bound, rounded up so that it stays one: e.g. "6 %", "0.4 %"."""
    scale = 1000 if share < 0.01 else 100
    return f"{math.ceil(share * scale - 1e-9) * 100 / scale:g} %"


def speed(ratio: float, low: float, high: float) -> str:
    """A latency ratio with its interval as "1.31x faster [1.27, 1.35]" or "1.31x slower [...]".

    The interval is in the same sense as the number. There are two decimals at least; more are
    added until the printed interval leaves out 1 where the exact one does.
    """
    word = "faster" if ratio <= 1 else "slower"
    shown = (1 / ratio, 1 / high, 1 / low) if ratio <= 1 else (ratio, low, high)
    places = min(4, max(2, _places((shown[2] - shown[1]) * 1.5, shown[0])))
    if low > 1 or high < 1:
        while places < 9 and round(shown[1], places) <= 1 <= round(shown[2], places):
            places += 1
    value, least, most = (f"{number:.{places}f}" for number in shown)
    return f"{value}x {word} [{least}, {most}]"


def _significant(value: float) -> str:
    return f"{value:.{_places(0.0, value)}f}"


def _places(noise: float, value: float) -> int:
    """Decimal places that `noise` allows, or that show three digits of `value` without noise."""
    if noise > 0:
        return min(6, max(0, -math.floor(math.log10(noise / 3))))
    if value == 0:
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(abs(value)))))
