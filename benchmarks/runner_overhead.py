"""What the C++ runner adds to a latency: beside LiteRT's own benchmark and the Python runner.

Every start is a process of its own. Within a block all are started once, in random order; starts
whose ratio is taken follow one another, so that what else the computer does hits both alike.

LiteRT's benchmark times the call that runs the model alone, from Python, and reads no output; so it
is held against the same part of our runner's latency. The Python runner times what ours times:
inputs written, invoked, outputs read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import measured
import numpy as np

from android_bench.runners import litert_python
from android_bench.runners.artifacts import find_binary, find_library
from mobilekit.intervals import median_interval

FOLDER = measured.ROOT / "build" / "runner_overhead"
RECIPES = ("float32", "static_wi8_ai8")
THREADS = (1, 2)
WARMUP_RUNS, NUM_RUNS = 10, 60
LIMITS = (0.95, 1.05)

Timings = dict[str, float]


def mobilekit(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "mobilekit", *words], check=True, cwd=measured.ROOT)


def models() -> dict[str, Path]:
    """MobileNetV2 in both recipes, made once by the kit itself."""
    files = {recipe: FOLDER / f"{recipe}.tflite" for recipe in RECIPES}
    if not all(path.exists() for path in files.values()):
        FOLDER.mkdir(parents=True, exist_ok=True)
        keras = str(FOLDER / "net.keras")
        mobilekit("build", "mobilenet_v2", "--weights", "torchvision", "-o", keras)
        calibration = ["--calibration", "build/data/calibration"]
        for recipe, path in files.items():
            given = calibration if recipe.startswith("static") else []
            mobilekit("convert", keras, "--recipe", recipe, *given, "-o", str(path))
    return files


def document(argv: list[str]) -> dict:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def parts(found: dict) -> Timings:
    """Medians of one start of a runner of ours, microseconds."""
    total = np.array(found["latencies_us"])
    around = np.array(found["write_input_us"]) + np.array(found["read_output_us"])
    return {
        "whole": float(np.median(total)),
        "call": float(np.median(total - around)),
        "around": float(np.median(around)),
    }


def common(model: Path, threads: int) -> list[str]:
    words = ["--model", str(model), "--num-threads", str(threads)]
    return [*words, "--warmup-runs", str(WARMUP_RUNS), "--num-runs", str(NUM_RUNS)]


def native(model: Path, threads: int) -> Timings:
    library = find_library()
    words = ["--library", str(library.path), "--library-version", library.version]
    words += ["--warmup-min-secs", "0"]  # the others have no such thing
    return parts(document([str(find_binary()), *common(model, threads), *words]))


def python(model: Path, threads: int) -> Timings:
    return parts(document([sys.executable, str(litert_python.PROGRAM), *common(model, threads)]))


def litert_benchmark(model: Path, threads: int) -> Timings:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model"),
                *("--model", str(model), "--num_threads", str(threads)),
                *("--warmup_runs", str(WARMUP_RUNS), "--num_runs", str(NUM_RUNS)),
                *("--result_json", str(result)),
            ],
            check=True,
            capture_output=True,
        )
        return {"call": json.loads(result.read_text())["latency"]["median_ms"] * 1000}


PROGRAMS: dict[str, Callable[[Path, int], Timings]] = {
    "native": native,
    "python": python,
    "litert-benchmark": litert_benchmark,
}
# Title, numerator, denominator, which part of a latency.
RATIOS = (
    ("C++ runner / litert-benchmark, the call alone", "native", "litert-benchmark", "call"),
    ("Python runner / C++ runner, whole latencies", "python", "native", "whole"),
    ("Python runner / C++ runner, the call alone", "python", "native", "call"),
)


def interval(numerators: list[float], denominators: list[float]) -> tuple[float, float, float]:
    """Median of the paired ratios and its interval of at least 95 %."""
    logs = np.log(np.array(numerators) / np.array(denominators)).tolist()
    found = median_interval(logs)
    if found is None:
        raise SystemExit("an interval needs more --blocks")
    middle, low, high = np.exp([found.median, found.low, found.high]).tolist()
    return middle, low, high


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    files, rng = models(), random.Random(args.seed)
    cells = [(recipe, threads) for recipe in RECIPES for threads in THREADS]
    seen: dict[tuple[str, str, int, str], list[float]] = defaultdict(list)
    for block in range(args.blocks):
        for recipe, threads in rng.sample(cells, len(cells)):
            for program in rng.sample(list(PROGRAMS), len(PROGRAMS)):
                for part, value in PROGRAMS[program](files[recipe], threads).items():
                    seen[program, recipe, threads, part].append(value)
        print(f"block {block + 1} of {args.blocks}", file=sys.stderr, flush=True)
    measured.write("runner_overhead", "The C++ runner beside others", report(seen, args.blocks))


def report(seen: dict[tuple[str, str, int, str], list[float]], blocks: int) -> list[str]:
    lines = [
        f"MobileNetV2 1.0 224. {blocks} blocks; in each, every program, recipe and number of"
        f" threads is started once, in random order; {WARMUP_RUNS} invocations of warm-up, the"
        f" median of {NUM_RUNS} counts. Median over blocks of the ratio of run medians, with an"
        " interval of at least 95 % between order statistics. Other work on this computer: load"
        f" average {os.getloadavg()[2]:.1f} over the last 15 minutes.",
        "",
        "| ratio | recipe | threads | ratio | |",
        "|---|---|---|---|---|",
    ]
    for title, above, below, part in RATIOS:
        for recipe in RECIPES:
            for threads in THREADS:
                middle, low, high = interval(
                    seen[above, recipe, threads, part], seen[below, recipe, threads, part]
                )
                must = ""
                if below == "litert-benchmark":
                    inside = LIMITS[0] <= low and high <= LIMITS[1]
                    must = f"{'within' if inside else 'NOT within'} {LIMITS[0]}-{LIMITS[1]}"
                lines.append(
                    f"| {title} | {recipe} | {threads} | {middle:.3f} [{low:.3f}, {high:.3f}]"
                    f" | {must} |"
                )
    lines += [
        "",
        "Writing the inputs and reading the outputs, median microseconds an invocation:",
        "",
        "| recipe | threads | C++ runner | Python runner |",
        "|---|---|---|---|",
    ]
    for recipe in RECIPES:
        for threads in THREADS:
            ours, theirs = (
                statistics.median(seen[program, recipe, threads, "around"])
                for program in ("native", "python")
            )
            lines.append(f"| {recipe} | {threads} | {ours:.1f} | {theirs:.1f} |")
    return lines


if __name__ == "__main__":
    main()
