"""The int8 scale and zero point that follow from a range of real values."""

from __future__ import annotations

from mobilekit.core.preprocessing import Preprocessing

INT8_MIN, INT8_MAX = -128, 127
INT16_MAX = 32767


def quantization_of(low: float, high: float) -> tuple[float, float]:
    """Scale and exact zero point of int8 for values between `low` and `high`.

    The range is widened to hold 0, so that padding with zeros is exact. The zero point is not
    rounded here: halves are rounded to either side by different writers, and both are right.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (INT8_MAX - INT8_MIN)
    if not scale:
        return 1.0, 0.0
    return scale, INT8_MIN - low / scale


def input_quantization(preprocessing: Preprocessing) -> tuple[float, int]:
    """Scale and zero point of an int8 input that takes every pixel exactly once.

    Raw pixels of 0..255 have scale 1 and zero point -128: the file takes `pixel - 128`.
    """
    scale, zero_point = quantization_of(*preprocessing.value_range)
    return scale, max(INT8_MIN, min(INT8_MAX, round(zero_point)))
