"""How much more eight devices get done than one, when waiting for them to cool takes most time.

Simulated phones: their program sleeps instead of computing, since eight of them share this
computer, and their heat is that of a model; the harness, adb and the waiting are real.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import measured

sys.path.insert(0, str(measured.ROOT))

from android_bench.cooling import Patience
from android_bench.devices.adb import Adb
from android_bench.fleet import Task, all_measured, measure_side_by_side
from android_bench.harness import Job
from android_bench.runners.litert_python import LitertPythonRunner
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import Kit, MeasuredModel, Measurement, RunConfig
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.faulty_scene import PROGRAM
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.simulated_device.thermal import Heat

DEVICES = 8
GOAL = 6.0
BUSY_S = 0.5
# The skin is 11 °C warmer after half a second of work, and within 2 °C of idle some five later.
HEAT = Heat(heating_s=0.5, cooling_s=2.9, speed=1)
PATIENCE = Patience(cool_s=60, poll_s=0.5, settle_s=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=8, help="starts on each device")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often one and eight are compared"
    )
    args = parser.parse_args()
    walls: dict[int, list[float]] = {1: [], DEVICES: []}
    waits: dict[int, list[float]] = {1: [], DEVICES: []}
    with tempfile.TemporaryDirectory() as name, adb_server(modern_adb(), Path(name)) as adb:
        for variable in ("CONFIG", "CACHE", "STATE"):
            os.environ[f"MOBILEKIT_{variable}_DIR"] = str(Path(name) / variable.lower())
        for number in range(args.rounds):
            for count in (1, DEVICES) if number % 2 == 0 else (DEVICES, 1):
                folder = Path(name) / f"{number}-{count}"
                folder.mkdir()
                wall_s, found = measure_on(count, folder, adb, args.repetitions)
                walls[count].append(wall_s)
                waits[count] += [run.cool_down.waited_s for m in found for run in m.runs]
        version = adb.version()
    report(walls, waits, args.repetitions, version)


def measure_on(
    count: int, folder: Path, adb: Adb, repetitions: int
) -> tuple[float, list[Measurement]]:
    """Wall seconds of one file on so many phones, and what came of it."""
    program, net = folder / "program.py", folder / "net.tflite"
    truth = str(folder / "truth.jsonl")
    program.write_text(PROGRAM.format(truth=truth, busy_s=(BUSY_S, BUSY_S)))
    net.write_bytes(os.urandom(1_000_000))
    config = RunConfig(warmup_runs=1, num_runs=4, min_secs=0, repetitions=repetitions)
    job = Job(path=net, model=model_of(net), config=config)
    with ExitStack() as stack:
        tasks = []
        for number in range(count):
            profile = Profile(serial=f"{folder.name}-{number}", model=f"Phone {number}", heat=HEAT)
            device = stack.enter_context(simulated(adb, Phone(profile)))
            runner = LitertPythonRunner(runtime="ai-edge-litert", python=None, program=program)
            tasks.append(Task(device=device, runner=runner, jobs=[job]))
        began = time.monotonic()
        outcomes = measure_side_by_side(
            tasks,
            folder / "results",
            seed=0,
            command="benchmarks/eight_devices.py",
            kit=Kit(version="0", commit=None),
            progress_of=lambda name: lambda done, total, text: None,
            patience=PATIENCE,
        )
        return time.monotonic() - began, all_measured(outcomes)


def model_of(path: Path) -> MeasuredModel:
    return MeasuredModel(
        name=path.stem,
        sha256=sha256_file(path),
        size_bytes=path.stat().st_size,
        spec=None,
        recipe="static_wi8_ai8",
        recipe_digest="none",
        preprocessing=None,
    )


def report(
    walls: dict[int, list[float]], waits: dict[int, list[float]], repetitions: int, version: str
) -> None:
    gains = [DEVICES * one / eight for one, eight in zip(walls[1], walls[DEVICES], strict=True)]
    lines = [
        f"One file on simulated phones of this computer, adb {version}: {repetitions} starts on"
        f" each, beside its two checks of outputs. A start is busy for {BUSY_S} s (it sleeps); the"
        " harness waits before each until the phone's skin is within 2 °C of idle."
        f" {len(gains)} comparisons, in alternating order.",
        "",
        "| phones | wall seconds | starts a minute | wait before a start, median s |",
        "|---|---|---|---|",
    ]
    for count, seconds in walls.items():
        rate = statistics.median(60 * count * repetitions / wall for wall in seconds)
        shown = ", ".join(f"{wall:.1f}" for wall in seconds)
        lines.append(f"| {count} | {shown} | {rate:.1f} | {statistics.median(waits[count]):.2f} |")
    share = statistics.median(waits[1]) / BUSY_S
    least = min(gains)
    lines += [
        "",
        f"With waits of {share:.1f} times the busy time, {DEVICES} phones did"
        f" {statistics.median(gains):.2f} times the work of one ({least:.2f} to {max(gains):.2f});"
        f" the goal of {GOAL:g} was {'met every time' if least >= GOAL else 'NOT met every time'}.",
    ]
    measured.write("eight_devices", "Eight devices against one (simulated phones)", lines)


if __name__ == "__main__":
    main()
