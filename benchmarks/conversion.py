"""What conversion costs beside TFLiteConverter: calibration, the int8 step, four recipes, memory.

Each measurement is a process of its own; the two sides take turns on the same samples. Imports,
building the network and preparing samples do not count. TFLiteConverter's calibration is counted
from its first request for a sample to its last, so without its preparations; ours counts with all
of them. Weights are random (`weights=None`), which changes no cost.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import measured
import numpy as np

SAMPLES, REPEATS = 100, 5
MB = 1e6
VGG = "VGG16"


@dataclass(frozen=True, kw_only=True)
class Net:
    """A network of keras.applications, and the side of its square input in pixels."""

    name: str
    side: int


NETS = {
    net.name: net
    for net in (
        Net(name="MobileNet", side=224),
        Net(name="ResNet50", side=224),
        Net(name="InceptionV3", side=299),
        Net(name="Xception", side=299),
        Net(name=VGG, side=224),
    )
}
COMPARED = tuple(name for name in NETS if name != VGG)
RECIPES = ("static_wi8_ai8", "float32", "float16", "dynamic_wi8_afp32")  # int8 first: its peak


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One row of the table.

    Attributes:
        text: What it compares.
        of: The two quantities, whose ratio should be large (or, `at_most`, small).
        mean: Of the geometric mean over all networks.
        each: Of every network's own.
        at_most: Whether the goals are upper bounds.
    """

    text: str
    of: tuple[str, str]
    mean: float
    each: float
    at_most: bool = False

    def holds(self, mean: float, each: Sequence[float]) -> bool:
        """Whether both are met."""
        if self.at_most:
            return mean <= self.mean and max(each) <= self.each
        return mean >= self.mean and min(each) >= self.each


GOALS = (
    Goal(
        text="calibration, wall, 1 thread",
        of=("stock_calibration_s", "calibration_1_s"),
        mean=2.5,
        each=2.2,
    ),
    Goal(
        text="calibration, wall, 2 threads",
        of=("stock_calibration_s", "calibration_2_s"),
        mean=4.2,
        each=3.8,
    ),
    Goal(
        text="calibration, CPU, 1 thread",
        of=("stock_calibration_cpu_s", "calibration_1_cpu_s"),
        mean=2.5,
        each=2.2,
    ),
    Goal(
        text="our calibration ÷ plain inference, CPU, 1 thread",
        of=("calibration_1_cpu_s", "plain_1_cpu_s"),
        mean=1.6,
        each=1.6,
        at_most=True,
    ),
    Goal(
        text="our calibration ÷ plain inference, 1 thread",
        of=("calibration_1_s", "plain_1_s"),
        mean=1.6,
        each=1.6,
        at_most=True,
    ),
    Goal(
        text="our calibration ÷ plain inference, 2 threads",
        of=("calibration_2_s", "plain_2_s"),
        mean=1.6,
        each=1.6,
        at_most=True,
    ),
    Goal(
        text="int8 step, CPU: from the float file",
        of=("stock_quantize_cpu_s", "step_cpu_s"),
        mean=3.0,
        each=2.7,
    ),
    Goal(
        text="int8 step, CPU: `convert()` against ours from the float file",
        of=("stock_step_cpu_s", "step_cpu_s"),
        mean=3.0,
        each=2.7,
    ),
    Goal(
        text="four recipes, wall, from the Keras model",
        of=("stock_four_s", "four_s"),
        mean=3.5,
        each=1.0,
    ),
    Goal(text="peak memory of the int8 step", of=("stock_peak", "step_peak"), mean=1.0, each=1.0),
)


def samples(net: Net) -> list[np.ndarray]:
    """Noise: what a sample shows does not change what it costs."""
    random = np.random.default_rng(0)
    shape = (1, net.side, net.side, 3)
    return [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(SAMPLES)]


def build(net: Net):
    import keras

    keras.utils.set_random_seed(0)
    return getattr(keras.applications, net.name)(weights=None, input_shape=(net.side, net.side, 3))


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no VmHWM here: this benchmark needs Linux")


def prepare(net: Net, path: Path) -> dict[str, float]:
    """The float file, for the steps that begin with it."""
    from converters.freeze import freeze

    model = build(net)
    wall, cpu = timed(lambda: path.write_bytes(freeze(model)))
    return {"freeze_s": wall, "freeze_cpu_s": cpu, "freeze_peak": peak_bytes()}


def ours_speed(net: Net, path: Path) -> dict[str, float]:
    """Calibration and plain inference of the same samples, taking turns."""
    from ai_edge_litert.interpreter import Interpreter

    from converters.calibration import calibrate

    content, inputs = path.read_bytes(), samples(net)

    def plain(threads: int) -> None:
        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
        image = interpreter.get_input_details()[0]["index"]
        for values in inputs:
            interpreter.set_tensor(image, values)
            interpreter.invoke()

    found = {}
    for threads in (1, 2):
        found[f"plain_{threads}_s"], found[f"plain_{threads}_cpu_s"] = timed(
            lambda t=threads: plain(t)
        )
        found[f"calibration_{threads}_s"], found[f"calibration_{threads}_cpu_s"] = timed(
            lambda t=threads: calibrate(content, inputs, num_threads=t)
        )
    return found


def ours_step(net: Net, path: Path) -> dict[str, float]:
    """Calibrate and quantize, plain min-max, from the float file: no TensorFlow in the process."""
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.recipes import parse_recipe

    content, inputs = path.read_bytes(), samples(net)
    recipe = parse_recipe(RECIPES[0])
    wall, cpu = timed(lambda: derive(content, recipe, ranges=calibrate(content, inputs)))
    return {"step_s": wall, "step_cpu_s": cpu, "step_peak": peak_bytes()}


def ours_four(net: Net, path: Path) -> dict[str, float]:
    """All recipes from a Keras model in memory."""
    del path
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import parse_recipe

    model, inputs = build(net), samples(net)

    def make() -> None:
        content = freeze(model)
        ranges = calibrate(content, inputs)
        for name in RECIPES:
            recipe = parse_recipe(name)
            derive(content, recipe, ranges=ranges if recipe.needs_calibration else None)

    wall, cpu = timed(make)
    return {"four_s": wall, "four_cpu_s": cpu, "four_peak": peak_bytes()}


def stock(net: Net, path: Path) -> dict[str, float]:
    """TFLiteConverter, the same four recipes; the int8 one first, so that the peak is its own."""
    del path
    model, inputs = build(net), samples(net)
    seen: dict[str, float] = {}

    def representative() -> Iterator[list[np.ndarray]]:
        seen["began"], seen["began_cpu"] = time.perf_counter(), time.process_time()
        for values in inputs:
            yield [values]
        seen["ended"], seen["ended_cpu"] = time.perf_counter(), time.process_time()

    wall, cpu = timed(lambda: stock_convert(model, RECIPES[0], representative))
    after = time.process_time() - seen["began_cpu"]
    found = {
        "stock_calibration_s": seen["ended"] - seen["began"],
        "stock_calibration_cpu_s": seen["ended_cpu"] - seen["began_cpu"],
        "stock_quantize_cpu_s": after,
        "stock_step_cpu_s": cpu,
        "stock_peak": peak_bytes(),
    }
    others = [timed(lambda n=name: stock_convert(model, n, representative)) for name in RECIPES[1:]]
    return {**found, "stock_four_s": wall + sum(each for each, _ in others)}


def stock_convert(model, recipe: str, representative: Callable[[], Iterator[list]]) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = tf.function(
        lambda image: model(image, training=False),
        input_signature=[tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)],
    ).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(function)]
    )
    if recipe != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe == "static_wi8_ai8":
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


STEPS = {
    "prepare": prepare,
    "speed": ours_speed,
    "step": ours_step,
    "four": ours_four,
    "stock": stock,
}
TURNS = ("stock", "speed", "step", "four")


def run(step: str, net: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--step", step, "--networks", net, "--float", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{step} of {net} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def repeats_of(net: str, repeats: int, path: Path, raw: Path) -> list[dict[str, float]]:
    """What every repeat found; the order is turned around each time.

    Ratios are of one repeat, so a run that was ended goes on with the repeats that are missing.
    """
    kept = [json.loads(line) for line in raw.read_text().splitlines()] if raw.exists() else []
    found = [each["seconds"] for each in kept if each["net"] == net][:repeats]
    for repeat in range(len(found), repeats):
        taken: dict[str, float] = {}
        for step in TURNS[:: -1 if repeat % 2 else 1]:
            taken |= run(step, net, path)
        found.append(taken)
        with raw.open("a") as file:
            file.write(json.dumps({"net": net, "seconds": taken}) + "\n")
        print(net, repeat, file=sys.stderr, flush=True)
    return found


def mean_ratio(found: Sequence[dict[str, float]], goal: Goal) -> float:
    over, under = goal.of
    return math.exp(statistics.fmean(math.log(each[over] / each[under]) for each in found))


def over_nets(found: dict[str, list[dict[str, float]]], goal: Goal) -> tuple[float, str]:
    """Geometric mean over the networks, with the interval that its repeats have."""
    over, under = goal.of
    rows = zip(*found.values(), strict=True)
    logs = [statistics.fmean(math.log(net[over] / net[under]) for net in row) for row in rows]
    mean = math.exp(statistics.fmean(logs))
    if len(logs) < 2:
        return mean, f"{mean:.2f}"
    return mean, measured.ratio([math.exp(log) for log in logs], [1.0] * len(logs))


def table(found: dict[str, list[dict[str, float]]]) -> list[str]:
    nets = list(found)
    lines = [
        f"| TFLiteConverter ÷ ours | {' | '.join(nets)} | geometric mean, 95 % | goal | held |",
        f"|---|{'---|' * len(nets)}---|---|---|",
    ]
    for goal in GOALS:
        each = [mean_ratio(found[net], goal) for net in nets]
        mean, shown = over_nets(found, goal)
        sign = "≤" if goal.at_most else "≥"
        wanted = f"{sign} {goal.mean:g}, each {sign} {goal.each:g}"
        cells = " | ".join(f"{value:.2f}" for value in each)
        held = "yes" if goal.holds(mean, each) else "NO"
        lines.append(f"| {goal.text} | {cells} | {shown} | {wanted} | {held} |")
    return lines


QUANTITIES = (
    ("calibration_1_s", "calibration, 1 thread, s", 1.0),
    ("calibration_2_s", "calibration, 2 threads, s", 1.0),
    ("plain_1_s", "plain inference, 1 thread, s", 1.0),
    ("plain_2_s", "plain inference, 2 threads, s", 1.0),
    ("stock_calibration_s", "TFLiteConverter's calibration, s", 1.0),
    ("step_cpu_s", "int8 step, CPU s", 1.0),
    ("stock_quantize_cpu_s", "TFLiteConverter's, from its float file, CPU s", 1.0),
    ("stock_step_cpu_s", "TFLiteConverter's `convert()`, CPU s", 1.0),
    ("four_s", "four recipes, s", 1.0),
    ("stock_four_s", "TFLiteConverter's four, s", 1.0),
    ("step_peak", "int8 step, peak MB", MB),
    ("four_peak", "four recipes with Keras, peak MB", MB),
    ("stock_peak", "TFLiteConverter's int8 `convert()`, peak MB", MB),
)


def medians(found: dict[str, list[dict[str, float]]]) -> list[str]:
    lines = ["", f"| median | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    for key, name, unit in QUANTITIES:
        cells = (
            f"{statistics.median(e[key] for e in rows) / unit:,.2f}" for rows in found.values()
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def vgg(path: Path, *, with_stock: bool) -> list[str]:
    """The network whose conversion takes most memory, each part in a process of its own."""
    frozen, step = run("prepare", VGG, path), run("step", VGG, path)
    lines = [
        "",
        f"VGG-16: our float conversion peaks at {frozen['freeze_peak'] / 1e9:.1f} GB"
        f" ({frozen['freeze_cpu_s']:.0f} CPU s), our int8 step at {step['step_peak'] / 1e9:.1f} GB"
        f" ({step['step_cpu_s']:.0f} CPU s).",
    ]
    if with_stock:
        peak = run("stock", VGG, path)["stock_peak"]
        lines[-1] += f" TFLiteConverter's int8 `convert()` peaks at {peak / 1e9:.1f} GB."
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="*", choices=NETS, default=[*COMPARED, VGG])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument(
        "--raw",
        type=Path,
        default=measured.ROOT / "build" / "conversion.jsonl",
        help="repeats that are there are taken; delete it to measure all again",
    )
    parser.add_argument("--vgg-stock", action="store_true", help="14 GB, and minutes")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--float", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(STEPS[args.step](NETS[args.networks[0]], args.float)))
        return
    lines = [
        f"{SAMPLES} samples, plain min-max, {args.repeats} repeats, every step a process of its own"
        " in alternating order. Ratios are geometric means of the repeats' own; the last is over"
        " the networks, with the interval over the repeats.",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for net in (name for name in args.networks if name != VGG):
            path = Path(folder) / f"{net}.tflite"
            run("prepare", net, path)
            found[net] = repeats_of(net, args.repeats, path, args.raw)
        if found:
            lines += table(found) + medians(found)
        if VGG in args.networks:
            lines += vgg(Path(folder) / "vgg.tflite", with_stock=args.vgg_stock)
    measured.write("conversion", "Conversion, ours against TFLiteConverter", lines)


if __name__ == "__main__":
    main()
