"""Figures as SVG elements that are part of a page.

Text stays text (it can be searched, read aloud and zoomed) and takes the page's own font; ink and
rules take the page's colours, light or dark. The bytes depend on the figure alone: no date, no
random ids.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito 2008, without black (the ink) and yellow (invisible on white), in an order in which
# neighbours differ for every kind of colour blindness. The page has lighter ones for the dark.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
# Stand-ins that no palette has; the page's own colours take their place.
INK, RULE = "#010203", "#040506"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mobilekit",
    "text.parse_math": False,  # a "$" in a name is a "$"
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NAMESPACE = "{http://www.w3.org/2000/svg}"

_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def page_style() -> Iterator[None]:
    """Figures drawn inside have the colours that `inline_svg` gives to the page."""
    with matplotlib.rc_context(cast(Any, _STYLE)):  # its stub wants a literal of 300 keys
        yield


def inline_svg(figure: Figure, prefix: str, title: str, description: str) -> str:
    """The figure as an element that can stand in a page, named for screen readers.

    Args:
        figure: Drawn under `page_style`.
        prefix: Unique in the page; its ids begin with it.
        title: A name, plain text.
        description: What it shows, plain text.
    """
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        # Text is drawn by the reader's fonts, so what ours lacks does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(drawn, format="svg", transparent=True, metadata=_NO_METADATA)
    root = ElementTree.fromstring(drawn.getvalue())
    _remove(root, ("metadata", "style"))
    for element in root.iter():
        _localize(element, prefix)
    root.attrib.pop("width")
    root.attrib.pop("height")
    root.attrib.pop("version", None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-description")
    for place, (tag, suffix, text) in enumerate(
        (("title", "title", title), ("desc", "description", description))
    ):
        element = ElementTree.Element(tag, id=f"{prefix}-{suffix}")
        element.text = text
        root.insert(place, element)
    return ElementTree.tostring(root, encoding="unicode")


def _remove(parent: ElementTree.Element, tags: Sequence[str]) -> None:
    for child in list(parent):
        if child.tag.removeprefix(_NAMESPACE) in tags:
            parent.remove(child)
        else:
            _remove(child, tags)


def _localize(element: ElementTree.Element, prefix: str) -> None:
    """Plain names, ids that are unique in the page, the page's colours and font."""
    element.tag = element.tag.removeprefix(_NAMESPACE)
    for key, value in list(element.attrib.items()):
        plain = key.rpartition("}")[2]
        if plain == "id":
            value = f"{prefix}-{value}"
        elif plain == "href":
            value = value.replace("#", f"#{prefix}-", 1)
        value = value.replace("url(#", f"url(#{prefix}-")
        value = value.replace(INK, "currentColor").replace(RULE, "var(--rule)")
        for number, colour in enumerate(PALETTE):
            value = value.replace(colour, f"var(--series-{number})")
        if plain == "style":
            value = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", value)
        del element.attrib[key]
        element.set(plain, value)
