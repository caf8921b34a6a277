"""What the int8 step costs: calibrate and quantize, beside TFLiteConverter on the same samples.

Each measurement is a process of its own, the two take turns. Imports and reading photographs do
not count; TFLiteConverter's step holds its own float conversion, because it repeats that in
every `convert()`, so ours is given with and without the float conversion.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import measured
import numpy as np

from mobilekit.core.model import ModelSpec
from mobilekit.images import image_set, read_inputs
from mobilekit.weights import preprocessing_for

SAMPLES = 100
REPEATS = 5
MODEL = ("mobilenet_v2", "torchvision")
PHOTOGRAPHS = measured.ROOT / "build" / "data" / "calibration"


def samples() -> list[np.ndarray]:
    """The photographs, repeated: what a sample shows does not change what it costs."""
    expects = preprocessing_for(*MODEL, (224, 224))
    photographs = [
        loaded.pixels
        for loaded in read_inputs(image_set(PHOTOGRAPHS), expects)
        if loaded.pixels is not None
    ]
    return list(itertools.islice(itertools.cycle(photographs), SAMPLES))


def network():
    from mobilekit.networks import build_network

    return build_network(
        ModelSpec(architecture=MODEL[0], weights=MODEL[1]),
        measured.ROOT / "build/data/weights/mobilenet_v2-b0353104.pth",
    )


def prepare(path: Path) -> None:
    from converters.freeze import freeze

    model = network()
    began = time.process_time()
    path.write_bytes(freeze(model))
    print(json.dumps({"cpu_s": time.process_time() - began}))


def ours(path: Path) -> None:
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.recipes import parse_recipe

    inputs = samples()
    content = path.read_bytes()
    expects = preprocessing_for(*MODEL, (224, 224))
    recipe = parse_recipe("static_wi8_ai8")
    report(
        lambda: derive(content, recipe, ranges=calibrate(content, inputs), preprocessing=expects)
    )


def stock(path: Path) -> None:
    import tensorflow as tf

    del path
    inputs, model = samples(), network()

    def convert() -> bytes:
        function = tf.function(
            lambda image: model(image, training=False),
            input_signature=[tf.TensorSpec((1, 224, 224, 3), tf.float32)],
        ).get_concrete_function()
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        frozen = convert_variables_to_constants_v2(function)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())

    def representative() -> Iterator[list[np.ndarray]]:
        return ([values] for values in inputs)

    report(convert)


def report(step) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    content = step()
    facts = {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_bytes": peak_bytes(),
        "size_bytes": len(content),
    }
    print(json.dumps(facts))


def peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no VmHWM here: this benchmark needs Linux")


STEPS = {"prepare": prepare, "ours": ours, "stock": stock}


def run(step: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--step", step, "--float", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--float", type=Path, default=Path("build/int8_step.tflite"))
    args = parser.parse_args()
    if args.step:
        STEPS[args.step](args.float)
        return
    frozen = run("prepare", args.float)
    pairs = []
    for repeat in range(REPEATS):
        order = ("ours", "stock") if repeat % 2 else ("stock", "ours")
        taken = {step: run(step, args.float) for step in order}
        pairs.append((taken["ours"], taken["stock"]))
    lines = [
        f"MobileNetV2 1.0/224, {SAMPLES} samples, plain min-max, {REPEATS} pairs of processes in"
        " alternating order; medians, and the geometric mean of the paired ratios with its 95 %"
        " interval.",
        "",
        "| | ours | TFLiteConverter | TFLiteConverter ÷ ours |",
        "|---|---|---|---|",
    ]
    for key, name, unit in (
        ("cpu_s", "CPU seconds", 1.0),
        ("wall_s", "wall seconds", 1.0),
        ("peak_bytes", "peak memory of the process, MB", 1e6),
    ):
        a = [pair[0][key] / unit for pair in pairs]
        b = [pair[1][key] / unit for pair in pairs]
        lines.append(
            f"| {name} | {np.median(a):.2f} | {np.median(b):.2f} | {measured.ratio(b, a)} |"
        )
    both = [pair[0]["cpu_s"] + frozen["cpu_s"] for pair in pairs]
    stock_cpu = [pair[1]["cpu_s"] for pair in pairs]
    lines += [
        f"| CPU seconds, with our float conversion ({frozen['cpu_s']:.2f} s for all recipes) |"
        f" {np.median(both):.2f} | {np.median(stock_cpu):.2f} |"
        f" {measured.ratio(stock_cpu, both)} |",
        "",
        f"Sizes: {pairs[0][0]['size_bytes']:,.0f} and {pairs[0][1]['size_bytes']:,.0f} bytes.",
    ]
    measured.write("int8_step", "The int8 step, ours against TFLiteConverter", lines)


if __name__ == "__main__":
    main()
