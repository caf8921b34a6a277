"""The report's two plots: accuracy against latency, and every raw latency."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mobilekit.formatting import count_of, milliseconds, threads
from mobilekit.report.display import common, label
from mobilekit.report.rows import Row, Share
from mobilekit.report.svg import INK, PALETTE, inline_svg, page_style

# The markers say without colour what the palette says with it.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Where the label of a point stands, by series: points of two series are often neighbours.
CORNERS = ((7, 5, "left"), (7, -13, "left"), (-7, 5, "right"), (-7, -13, "right"))
# Narrow, so that a phone shows all of it with text that can be read.
WIDTH_IN = 6.4
POINTS_A_LETTER = 6.5  # about, of the legend's text


def accuracy_against_latency(rows: Sequence[Row]) -> str | None:
    """Top-1 (agreement where no image has a label) against the headline; None without either."""
    labelled = any(row.top1 for row in rows)
    points = [
        (row, share, row.latency_us)
        for row in rows
        if (share := row.top1 if labelled else row.agreement) and row.latency_us
    ]
    if not points:
        return None
    what = "Top-1" if labelled else "Agreement with the float model"
    series = _series(rows)
    with page_style():
        figure = Figure(figsize=(WIDTH_IN, 3.2 + 0.1 * len(series)), layout="constrained")
        axes = figure.add_subplot()
        for number, (name, members) in enumerate(series.items()):
            if chosen := [point for point in points if point[0] in members]:
                _draw_series(axes, name, number, chosen)
        axes.set_ylabel(f"{what}, % of {max(share.total for _, share, _ in points)} images")
        axes.set_xlabel("Latency, ms (median over runs of the run medians)")
        axes.grid(alpha=0.5, linewidth=0.5)
        axes.margins(0.16, 0.08)
        longest = max(map(len, series)) * POINTS_A_LETTER + 40
        columns = max(1, int(WIDTH_IN * 72 / longest))
        figure.legend(loc="outside lower left", ncols=columns, frameon=False)
        shared = list(common(rows))
        in_words = "; ".join(
            f"{label(row, shared)}: {milliseconds(us)} ms, {count_of(share.hits, share.total)}"
            for row, share, us in points
        )
        return inline_svg(figure, "accuracy", f"{what} against latency", in_words)


def latency_strips(rows: Sequence[Row]) -> str | None:
    """Every raw latency: a strip a measurement, a line of ticks a run; None without any."""
    drawn = [row for row in rows if any(run.latencies_us for run in row.runs)]
    if not drawn:
        return None
    shared = list(common(rows))
    colours = {name: number for number, name in enumerate(_series(rows))}
    with page_style():
        figure = Figure(figsize=(WIDTH_IN, 0.7 + 0.78 * len(drawn)), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(drawn):
            number = colours[_series_name(row, shared)]
            _draw_strip(axes, row, place, PALETTE[number % len(PALETTE)], label(row, shared))
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        _set_log_scale(
            axes, [us / 1000 for row in drawn for r in row.runs for us in r.latencies_us]
        )
        axes.set_xlabel("Latency, ms (logarithmic)")
        axes.grid(axis="x", alpha=0.5, linewidth=0.5)
        return inline_svg(
            figure,
            "latencies",
            "Distributions of latency",
            "; ".join(_strip_in_words(row, label(row, shared)) for row in drawn),
        )


def _series_name(row: Row, shared: Sequence[str]) -> str:
    return label(row, shared, without=["Threads"])


def _series(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows that differ in threads alone are one series."""
    shared = list(common(rows))
    series: dict[str, list[Row]] = {}
    for row in rows:
        series.setdefault(_series_name(row, shared), []).append(row)
    return series


def _draw_series(
    axes: Axes, name: str, number: int, points: Sequence[tuple[Row, Share, float]]
) -> None:
    x = [us / 1000 for _, _, us in points]
    y = [share.value * 100 for _, share, _ in points]
    ends = [(row.latency_low_us or us, row.latency_high_us or us) for row, _, us in points]
    axes.errorbar(
        x,
        y,
        xerr=[
            [value - low / 1000 for value, (low, _) in zip(x, ends, strict=True)],
            [high / 1000 - value for value, (_, high) in zip(x, ends, strict=True)],
        ],
        yerr=[
            [value - share.low * 100 for value, (_, share, _) in zip(y, points, strict=True)],
            [share.high * 100 - value for value, (_, share, _) in zip(y, points, strict=True)],
        ],
        color=PALETTE[number % len(PALETTE)],
        marker=MARKERS[number % len(MARKERS)],
        linestyle="none",
        elinewidth=1.2,
        markersize=8,
        markeredgecolor=INK,
        markeredgewidth=0.7,
        capsize=3,
        label=f" {name}",  # a label that begins with "_" would be left out
    )
    across, up, side = CORNERS[number % len(CORNERS)]
    for value, height, (row, _, _) in zip(x, y, points, strict=True):
        axes.annotate(
            threads(row.measurement.config.num_threads),
            (value, height),
            textcoords="offset points",
            xytext=(across, up),
            ha=side,
            fontsize=9,
        )


def _draw_strip(axes: Axes, row: Row, place: int, colour: str, name: str) -> None:
    """Ticks between 0.3 above and 0.3 below `place`; above them the name, over them the median."""
    lane = 0.6 / len(row.runs)
    vertices: list[tuple[float, float]] = []
    for index, run in enumerate(row.runs):
        top = place - 0.3 + index * lane
        for us in run.latencies_us:
            vertices += [(us / 1000, top), (us / 1000, top + lane)]
    codes = [Outline.MOVETO, Outline.LINETO] * (len(vertices) // 2)
    # One path a strip: a thousand small ones would make the page slow.
    axes.add_patch(
        PathPatch(Outline(vertices, codes), edgecolor=colour, fill=False, linewidth=1.2, alpha=0.7)
    )
    if row.latency_us is not None:
        median = row.latency_us / 1000
        axes.plot([median, median], [place - 0.31, place + 0.31], color=INK, linewidth=1.6)
    axes.annotate(
        name,
        (0, place - 0.33),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        xytext=(0, 1),
        fontsize=9,
    )


def _set_log_scale(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis with ticks that people count in, about eight of them."""
    low, high = min(values), max(values)
    axes.set_xscale("log")
    axes.set_xlim(low / (high / low * 1.02) ** 0.03, high * (high / low * 1.02) ** 0.03)
    span = math.log10(high / low * 1.02)
    step = 10 ** math.floor(math.log10(low * span)) if span < 0.7 else 0.0
    ticks = _even_ticks(low, high, step) if step else _decade_ticks(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())


def _even_ticks(low: float, high: float, step: float) -> list[float]:
    while (high - low) / step > 9:
        step *= 2.5 if f"{step:e}"[0] == "2" else 2
    first = math.ceil(low / step)
    return [round(index * step, 9) for index in range(first, math.floor(high / step) + 1)]


def _decade_ticks(low: float, high: float) -> list[float]:
    per_decade = (1, 2, 5) if high / low < 1000 else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in per_decade]
    return [tick for tick in ticks if low <= tick <= high]


def _strip_in_words(row: Row, name: str) -> str:
    values = [us for run in row.runs for us in run.latencies_us]
    return (
        f"{name}: median {milliseconds(row.latency_us)} ms, {milliseconds(min(values))} to"
        f" {milliseconds(max(values))} ms"
    )
