"""Every architecture's int8 file as this kit makes it, against the stock route, paired in one run.

Stock is the network of keras.applications where there is one, else ours with every layer as its
paper writes it, through `TFLiteConverter.from_keras_model` as it is without being asked for more,
int8 inputs and outputs. Both see the same random samples; weights are random, which changes no
latency. Each conversion is a process of its own; both files are then measured in one process, in
blocks that take turns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import measured
import numpy as np

from converters.partitions import Partitions, partitions_of
from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.model import Architecture, ModelSpec
from mobilekit.core.target import DEFAULT_TARGET, NO_TARGET
from mobilekit.formatting import MISSING

SAMPLES = 20
RECIPE = "static_wi8_ai8"
BLOCKS, BLOCK_S = 20, 0.25
# TFLiteConverter holds weights many times at once: 14 GB were seen of VGG-16's 138 million.
STOCK_BYTES_A_WEIGHT = 105
# The option of families with response normalization, and what replaces it.
NORM, LRN, BATCH = "norm", "lrn", "batch"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network to convert in both ways."""

    architecture: str
    alpha: float = 1.0
    size: tuple[int, int]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def row(self) -> Architecture:
        """The architecture's."""
        return ARCHITECTURES[self.architecture]

    @property
    def name(self) -> str:
        """For the table; with the options that it is measured with."""
        options = "".join(f", {key}={value}" for key, value in self.options.items())
        alpha = f" {self.alpha:g}" if self.row.has_alpha else ""
        return f"{self.architecture}{alpha}{options}"

    def spec(self, target: str) -> ModelSpec:
        """What is built for a target."""
        return ModelSpec(
            architecture=self.architecture,
            alpha=self.alpha,
            input_size=self.size,
            classes=self.row.classes,
            options=self.row.chosen(self.options),
            target=target,
        )


def application_of(case: Case):
    """The row of the peer; None where the application is another network than this one."""
    from mobilekit.weights.keras_applications import APPLICATIONS

    if case.architecture not in APPLICATIONS:
        return None
    found = APPLICATIONS[case.architecture]
    if case.row.chosen(found.options) != case.row.chosen(case.options):
        return None
    return found


def samples(case: Case) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    shape = (1, *case.size, 3)
    return [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(SAMPLES)]


def ours(case: Case) -> bytes:
    """From the builder to the int8 file, minima and maxima alone: methods change no operator."""
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import parse_recipe
    from mobilekit.networks import build_network

    content = freeze(build_network(case.spec(DEFAULT_TARGET)))
    ranges = calibrate(content, samples(case))
    return derive(content, parse_recipe(RECIPE), ranges=ranges)


def stock(case: Case) -> bytes:
    """From the application, or from our plain layers, by TFLiteConverter."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(stock_model(case))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([each] for each in samples(case))
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def stock_model(case: Case):
    import keras

    from mobilekit.networks import build_network

    application = application_of(case)
    if application is None:
        return build_network(case.spec(NO_TARGET))
    alpha = {"alpha": case.alpha} if case.row.has_alpha else {}
    return getattr(keras.applications, application.function)(
        input_shape=(*case.size, 3),
        weights=None,
        classes=case.row.classes,
        classifier_activation=None,
        **alpha,
        **application.arguments,
    )


ROUTES = {"ours": ours, "stock": stock}


def convert(route: str, case: Case, path: Path) -> str:
    """Converts in a process of its own; returns why it failed, or nothing."""
    arguments = ["--route", route, "--file", str(path), "--architectures", case.architecture]
    arguments += ["--alpha", str(case.alpha), "--size", *map(str, case.size)]
    arguments += [f"--option={key}={value}" for key, value in case.options.items()]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return f"{route}: {said[-1] if said else f'ended with {done.returncode}'}"


class Runner:
    """One file under XNNPACK, one thread."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        [image] = self._interpreter.get_input_details()
        values = np.random.default_rng(0).integers(-128, 128, image["shape"], np.int8)
        self._interpreter.set_tensor(image["index"], values)
        self._count = max(1, round(BLOCK_S / self.block(3)))

    def block(self, count: int | None = None) -> float:
        """Median seconds of an invocation."""
        taken = []
        for _ in range(count or self._count):
            began = time.perf_counter()
            self._interpreter.invoke()
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)


def measure(contents: Sequence[bytes], blocks: int) -> list[list[float]]:
    """Seconds of each file's blocks; the order is turned around each time."""
    runners = [Runner(content) for content in contents]
    taken: list[list[float]] = [[] for _ in runners]
    for number in range(blocks):
        order = list(range(len(runners)))
        for place in order[:: -1 if number % 2 else 1]:
            taken[place].append(runners[place].block())
    return taken


@dataclass(frozen=True, kw_only=True)
class Found:
    """One line of the table: stock's and ours.

    Attributes:
        speed: Stock's latency over ours with its interval: above 1 ours is faster.
    """

    case: Case
    route: str
    sizes: tuple[int, int]
    partitions: tuple[Partitions, Partitions]
    seconds: tuple[float, float]
    speed: tuple[float, float, float]

    def line(self) -> str:
        """The row of the table."""
        mean, low, high = self.speed
        stock_parts, our_parts = self.partitions
        left = ", ".join(sorted(set(our_parts.outside))) or MISSING
        height, width = self.case.size
        cells = (
            self.case.name,
            f"{height}x{width}",
            self.route,
            f"{self.seconds[0] * 1e3:.2f}",
            f"{self.seconds[1] * 1e3:.2f}",
            f"{mean:.2f} [{low:.2f}, {high:.2f}]",
            f"{stock_parts.count} → {our_parts.count}",
            f"{self.sizes[0] / 1e6:.2f} → {self.sizes[1] / 1e6:.2f}",
            left,
        )
        return f"| {' | '.join(cells)} |"


def find(case: Case, blocks: int) -> Found | str:
    """Converts and measures; a sentence where a route fails or there is too little memory."""
    weights = case.row.total_params * max(1.0, case.alpha) ** 2
    needed, free = STOCK_BYTES_A_WEIGHT * weights, free_bytes()
    if needed > free:
        return f"not measured: stock takes about {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free"
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{route}.tflite" for route in ("stock", "ours")]
        for path in paths:
            problem = convert(path.stem, case, path)
            if problem:
                return problem
        contents = [path.read_bytes() for path in paths]
    theirs, own = measure(contents, blocks)
    application = application_of(case)
    return Found(
        case=case,
        route="ours, plain" if application is None else application.function,
        sizes=(len(contents[0]), len(contents[1])),
        partitions=(partitions_of(contents[0]), partitions_of(contents[1])),
        seconds=(statistics.median(theirs), statistics.median(own)),
        speed=measured.interval(theirs, own),
    )


def free_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no MemAvailable here: this benchmark needs Linux")


def cases(args: argparse.Namespace) -> Iterator[Case]:
    """Every architecture; those with response normalization with it and with batch norm."""
    from mobilekit.weights.keras_applications import APPLICATIONS

    for name in args.architectures or ARCHITECTURES:
        row = ARCHITECTURES[name]
        size = (row.min_input_size,) * 2 if args.smallest else row.input_size
        if args.input_size:
            size = (args.input_size,) * 2
        norms = next((option.values for option in row.options if option.name == NORM), ())
        peer = dict(APPLICATIONS[name].options) if name in APPLICATIONS else {}
        wanted = [{NORM: LRN}, {NORM: BATCH}] if {LRN, BATCH} <= set(norms) else [peer]
        for options in wanted:
            yield Case(architecture=name, alpha=args.alpha, size=size, options=options)


HEAD = (
    "| network | input | stock | stock, ms | ours, ms | stock ÷ ours, 95 % | partitions | MB |"
    " left on builtin kernels by ours |"
)


def report(found: Sequence[Found], failed: Sequence[str], blocks: int) -> list[str]:
    lines = [
        f"int8 files, one thread of XNNPACK, {blocks} blocks each in alternating order, medians and"
        " the geometric mean of the blocks' ratios. Stock is the named function of"
        " keras.applications, or our network with every layer as its paper writes it, through"
        f" `TFLiteConverter.from_keras_model` with {SAMPLES} samples.",
        "",
        HEAD,
        "|---" * (HEAD.count("|") - 1) + "|",
        *(each.line() for each in found),
        "",
    ]
    slower = [each.case.name for each in found if each.speed[2] < 1]
    lines.append(f"Slower than stock beyond noise: {'; '.join(slower) or 'none'}.")
    return [*lines, *(f"\n{each}." for each in failed)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", nargs="*", choices=ARCHITECTURES, metavar="NAME")
    parser.add_argument("--smallest", action="store_true", help="each at its smallest input")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--input-size", type=int)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--route", choices=ROUTES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--option", action="append", default=[], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.route:
        options = dict(text.split("=", 1) for text in args.option)
        [name] = args.architectures
        case = Case(architecture=name, alpha=args.alpha, size=tuple(args.size), options=options)
        args.file.write_bytes(ROUTES[args.route](case))
        return
    found: list[Found] = []
    failed: list[str] = []
    for case in cases(args):
        made = find(case, args.blocks)
        if isinstance(made, Found):
            found.append(made)
            print(made.line(), file=sys.stderr, flush=True)
        else:
            failed.append(f"{case.name}: {made}")
            print(failed[-1], file=sys.stderr, flush=True)
    title = "Every architecture in int8, stock against ours"
    measured.write("architectures", title, report(found, failed, args.blocks))


if __name__ == "__main__":
    main()
