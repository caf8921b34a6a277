"""Whether reading the sensors between invocations changes the latencies that are measured.

Every start is a process of its own. Within a block, every file and way is started once; the starts
of one file follow one another in random order, so that what else the computer does hits all alike.

A computer without readable sensors is given files that look like a phone's: eight processors with
their clocks and twenty thermal zones. Plain files are cheaper to read than the kernel's, so a
third way reads them ten times as often as is ever done.
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
from pathlib import Path

import measured
import numpy as np
from runner_overhead import RECIPES, interval, models

from android_bench.runners.native import find_binary, find_library

OFTEN_S = 0.05
WAYS = {"on": [], "often": ["--sensors", str(OFTEN_S)], "off": ["--sensors", "off"]}
WARMUP_RUNS, MIN_SECS = 10, 2.0
LIMIT = 0.01
PROCESSORS, ZONES = 8, 20
FREQUENCIES_KHZ = range(300_000, 3_000_000, 150_000)


def simulated_phone(root: Path) -> Path:
    """Files such as a phone's /sys has; returns the folder that stands for /."""
    cpus, thermal = root / "sys/devices/system/cpu", root / "sys/class/thermal"
    states = "".join(f"{khz} {khz // 1000}\n" for khz in FREQUENCIES_KHZ)
    for number in range(PROCESSORS):
        stats = cpus / f"cpu{number}" / "cpufreq" / "stats"
        stats.mkdir(parents=True)
        (stats / "time_in_state").write_text(states)
        (stats.parent / "scaling_cur_freq").write_text("1800000\n")
    for number in range(ZONES):
        zone = thermal / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(f"{40_000 + 250 * number}\n")
    battery = root / "sys/class/power_supply/battery"
    battery.mkdir(parents=True)
    (battery / "current_now").write_text("-250000\n")
    (battery / "online").write_text("0\n")
    return root


def start(model: Path, words: list[str]) -> dict:
    library = find_library()
    argv = [str(find_binary()), "--model", str(model), "--library", str(library.path)]
    argv += ["--library-version", library.version, "--context", "host", *words]
    argv += ["--warmup-runs", str(WARMUP_RUNS), "--num-runs", "1", "--min-secs", str(MIN_SECS)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    files, rng = models(), random.Random(args.seed)
    medians: dict[tuple[str, str], list[float]] = defaultdict(list)
    windows: dict[str, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        first = start(files["float32"], [])
        simulated = first["windows"] is None
        root = ["--sysfs-root", str(simulated_phone(Path(folder)))] if simulated else []
        for block in range(args.blocks):
            for recipe in rng.sample(list(files), len(files)):
                for way in rng.sample(list(WAYS), len(WAYS)):
                    found = start(files[recipe], [*root, *WAYS[way]])
                    medians[recipe, way].append(float(np.median(found["latencies_us"])))
                    windows[way].append(len(found["windows"] or ()))
            print(f"block {block + 1} of {args.blocks}", file=sys.stderr, flush=True)
    lines = report(medians, windows, args.blocks, simulated=simulated)
    measured.write("sensor_sampling", "Reading the sensors between invocations", lines)


def report(
    medians: dict[tuple[str, str], list[float]],
    windows: dict[str, list[int]],
    blocks: int,
    *,
    simulated: bool,
) -> list[str]:
    sensors = "The sensors are this computer's own."
    if simulated:
        sensors = (
            f"This computer shows no sensors, so they are simulated: plain files of {PROCESSORS}"
            f" processors with their clocks and tables of {len(FREQUENCIES_KHZ)} frequencies,"
            f" {ZONES} thermal zones and a battery, which are cheaper to read than a kernel's."
        )
    lines = [
        f"MobileNetV2 1.0 224, one thread. {blocks} blocks; in each, every file is started with"
        f" sensors read every 0.5 s, every {OFTEN_S} s, and not at all, in random order;"
        f" {MIN_SECS:g} s of measured invocations, whose median counts. {sensors} Median over"
        " blocks of the ratio of run medians to that without sensors, with an interval of at least"
        " 95 % between order statistics. Other work on this computer: load average"
        f" {os.getloadavg()[2]:.1f} over the last 15 minutes.",
        "",
        "| file | sensors | readings a run | latency, ratio to off | |",
        "|---|---|---|---|---|",
    ]
    for recipe in RECIPES:
        for way, every in (("on", "0.5 s"), ("often", f"{OFTEN_S} s")):
            middle, low, high = interval(medians[recipe, way], medians[recipe, "off"])
            lines.append(
                f"| {recipe} | every {every} | {statistics.median(windows[way]):g}"
                f" | {middle:.4f} [{low:.4f}, {high:.4f}] | {verdict(low, high)} |"
            )
    return lines


def verdict(low: float, high: float) -> str:
    """What the interval says about a difference of LIMIT."""
    if low > 1 + LIMIT or high < 1 - LIMIT:
        return f"A DIFFERENCE OVER {LIMIT:.0%} IS SHOWN"
    if low >= 1 - LIMIT and high <= 1 + LIMIT:
        return f"no difference over {LIMIT:.0%}: the interval lies within it"
    return f"no difference over {LIMIT:.0%} shown, though the interval allows one"


if __name__ == "__main__":
    main()
