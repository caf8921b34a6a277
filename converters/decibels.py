"""Ratios of powers in decibels."""

from __future__ import annotations

import math


def power_db(ratio: float) -> float:
    """10*log10 of a ratio above 0."""
    return 10 * math.log10(ratio)
