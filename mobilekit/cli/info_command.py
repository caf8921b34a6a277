"""`mobilekit info`: what a network costs, layer by layer."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_architecture, add_json, named_values
from mobilekit.core.model import Architecture, Figure, ModelSpec

if TYPE_CHECKING:
    from mobilekit.architectures.counts import Counts, LayerCost

EXAMPLES = """\
  mobilekit info mobilenet_v2
  mobilekit info mobilenet_v2 --alpha 0.5 --input-size 160 --json"""

# What the totals are called, in the order in which they are printed.
TOTALS = {
    "trainable_params": "trainable parameters",
    "total_params": "parameters with batch norm's moving statistics",
    "macs": "multiply-accumulates of convolution and dense layers",
    "float32_bytes": "bytes of float32 weights, about; the graph is beside them",
    "int8_bytes": "bytes of int8 weights, about",
    "peak_activation_float32_bytes": "bytes of float32 activations at the peak, in file order",
    "peak_activation_int8_bytes": "bytes of int8 activations at the peak",
}
NARROWEST = 12  # of a layer's name, characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the architecture and its options."""
    add_architecture(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Builds the network of shapes alone and counts it."""
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.cli.output import print_json
    from mobilekit.extras import need
    from mobilekit.sources import make_spec

    row = ARCHITECTURES[args.architecture]
    spec = make_spec(
        args.architecture,
        alpha=args.alpha,
        size=args.input_size,
        classes=args.classes,
        options=named_values(args.option, "--option"),
        target=args.target,
    )
    need("tensorflow", "keras")
    from mobilekit.networks import cost_network

    cost = cost_network(spec)
    totals = _totals(cost.counts)
    figures = row.figures_of(spec)
    if args.json:
        print_json(
            {
                "spec": spec,
                "architecture": row,
                **totals,
                "layers": cost.layers,
                "published": [_compared(figure, cost.counts) for figure in figures],
            }
        )
        return
    _print(row, spec, cost.layers, totals, cost.counts)


def _print(
    row: Architecture,
    spec: ModelSpec,
    costs: Sequence[LayerCost],
    totals: Mapping[str, int],
    counts: Counts,
) -> None:
    width = _width()
    height, wide = spec.input_size
    options = "".join(f", {name} {value}" for name, value in spec.options.items())
    title = f"{row.title}, alpha {spec.alpha}, {height}x{wide}, {spec.classes} classes{options}"
    lines = [
        _wrapped(title, width),
        _wrapped(f"{row.paper}. {row.source}", width, "  "),
        *_option_lines(row, width),
        *_table(costs, width),
        *(f"{value:>15,}  {TOTALS[key]}" for key, value in totals.items()),
        *_published_lines(row, spec, counts, width),
    ]
    print("\n".join(lines))


def _totals(counts: Counts) -> dict[str, int]:
    return {
        "trainable_params": counts.trainable_params,
        "total_params": counts.total_params,
        "macs": counts.macs,
        # Batch norm folds into the convolutions, so what is stored is about the trainable weights.
        "float32_bytes": 4 * counts.trainable_params,
        "int8_bytes": counts.trainable_params,
        "peak_activation_float32_bytes": 4 * counts.peak_activation_elements,
        "peak_activation_int8_bytes": counts.peak_activation_elements,
    }


def _option_lines(row: Architecture, width: int) -> Iterator[str]:
    """The options of the family, the values that need not be asked for first."""
    for option in row.options:
        values = f"{' | '.join(option.values)} (default {option.values[0]}); {option.does}"
        yield _wrapped(f"--option {option.name}={values}", width, "  ")
    if row.outside_xnnpack:
        yield _wrapped(f"outside XNNPACK in int8: {row.outside_xnnpack}", width, "  ")


HEADERS = (
    ("", "layer"),
    ("", "output"),
    ("trainable", "parameters"),
    ("", "MACs"),
    ("int8 bytes;", "float32: x4"),
)


def _table(rows: Sequence[LayerCost], width: int) -> Iterator[str]:
    """One line a layer: numbers to the right, and the name as long as there is room for it."""
    cells = [
        (
            row.name,
            "x".join(map(str, row.output_shape)),
            f"{row.trainable_params:,}" if row.trainable_params else "",
            f"{row.macs:,}" if row.macs else "",
            f"{row.activation_elements:,}",
        )
        for row in rows
    ]
    heads = list(zip(*HEADERS, strict=True))
    widths = [max(map(len, column)) for column in zip(*heads, *cells, strict=True)]
    rest = sum(widths[1:]) + 2 * (len(widths) - 1)
    widths[0] = min(widths[0], max(NARROWEST, width - rest))
    yield ""
    for name, shape, *numbers in (*heads, *cells):
        right = "".join(f"  {n:>{w}}" for n, w in zip(numbers, widths[2:], strict=True))
        yield f"{_shortened(name, widths[0]):<{widths[0]}}  {shape:<{widths[1]}}{right}".rstrip()
    yield ""


def _shortened(name: str, room: int) -> str:
    """The name, or its two ends: what tells layers apart stands at the end."""
    if len(name) <= room:
        return name
    kept = room - 1
    return f"{name[: kept // 3]}\N{HORIZONTAL ELLIPSIS}{name[len(name) - (kept - kept // 3) :]}"


def _compared(figure: Figure, counts: Counts) -> dict[str, object]:
    ours = int(getattr(counts, figure.column))
    return {
        "column": figure.column,
        "value": figure.value,
        "unit": figure.unit,
        "source": figure.source,
        "here": ours,
        "agrees": figure.agrees(ours),
        "differs": figure.differs,
    }


def _published_lines(
    row: Architecture, spec: ModelSpec, counts: Counts, width: int
) -> Iterator[str]:
    """Others' figures of this variation beside ours, and how many there are of others."""
    figures = row.figures_of(spec)
    yield ""
    for figure in figures:
        ours = int(getattr(counts, figure.column))
        agrees = "the same here" if ours == figure.value else f"{ours:,} here"
        why = f" ({figure.differs})" if figure.differs else ""
        what = figure.column.replace("_", " ").replace("macs", "MACs")
        yield _wrapped(
            f"published: {figure.value:,} {what} by {figure.source}; {agrees}{why}", width
        )
    if row.top1 is not None:
        yield _wrapped(f"published: {row.top1} % top-1 as {row.paper} has it", width)
    others = len(row.figures) - len(figures)
    if others:
        yield f"{others} more figures are of other variations; --json has them"


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )


def _width() -> int:
    return max(60, shutil.get_terminal_size().columns)
