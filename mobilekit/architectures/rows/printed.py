"""Figures as papers print them."""

from __future__ import annotations

from collections.abc import Mapping

from mobilekit.core.model import Figure

ZEROS = {"M": 6, "G": 9}


def printed(
    column: str,
    text: str,
    source: str,
    *,
    alpha: float = 1.0,
    input_size: int | None = None,
    options: Mapping[str, str] | None = None,
    differs: str = "",
) -> Figure:
    """A figure from its text, e.g. "3.47M": 3,470,000, of which the last digit is 10,000.

    Args:
        column: The one that it means.
        text: A number, and M or G for a million or a thousand millions; without, it is exact.
        source: Where it stands.
        alpha: Of the variation.
        input_size: Height and width of the variation, pixels; None for the architecture's own.
        options: Of the variation.
        differs: Why ours is another, where it is.
    """
    zeros = ZEROS.get(text[-1], 0)
    whole, _, fraction = text.rstrip("MG").replace(",", "").partition(".")
    unit = 10 ** (zeros - len(fraction))
    return Figure(
        column=column,
        value=int(whole + fraction) * unit,
        unit=unit,
        source=source,
        differs=differs,
        alpha=alpha,
        input_size=input_size,
        options=options or {},
    )
