"""Which share of a measurement is neither the runner's nor a wait: on this computer and by adb.

Everything that the harness asks of the device goes through one object, so that is where it is
watched: a start of the runner is wrapped by a few lines of shell that take the time just before and
after it where it runs. What is between, and the pauses, is subtracted from the time that measuring
took as a whole.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import measured
import runner_overhead

sys.path.insert(0, str(measured.ROOT))

from android_bench.devices import Device
from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.process import Shell
from android_bench.runners import open_runner
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import Kit, MeasuredModel, Measurement, RunConfig
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.simulated_device.phone import Phone

LIMIT = 0.10
MARK = "MOBILEKIT-WALL-NS"
# Standard output stays the runner's: its document is the last line there.
CLOCKED = f"""\
began=$(date +%s%N); "$@"; status=$?
echo "{MARK} $(($(date +%s%N) - began))" >&2
exit $status
"""


class Watched:
    """A device that notes how long the runner itself took on it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.kind, self.label, self.workspace = device.kind, device.label, device.workspace
        self.info, self.push, self.pull = device.info, device.push, device.pull
        self.runner_s, self.starts, self.shells = 0.0, 0, 0

    def shell(self, argv: Sequence[str], *, timeout_s: float) -> Shell:
        """Runs a command there; the runner between two looks at the clock."""
        self.shells += 1
        if "--model" not in argv:
            return self._device.shell(argv, timeout_s=timeout_s)
        answer = self._device.shell(["sh", "-c", CLOCKED, "sh", *argv], timeout_s=timeout_s)
        stderr, _, nanoseconds = answer.stderr.rpartition(f"{MARK} ")
        self.runner_s += int(nanoseconds) / 1e9
        self.starts += 1
        return Shell(returncode=answer.returncode, stdout=answer.stdout, stderr=stderr)


@contextmanager
def on_host(folder: Path) -> Iterator[Device]:
    yield HostDevice(workspace=folder / "work")


@contextmanager
def on_phone(folder: Path) -> Iterator[Device]:
    phone = Phone()
    with adb_server(modern_adb(), folder) as adb, simulated(adb, phone) as device:
        yield device


DEVICES = {"this computer": on_host, "a simulated phone, by adb": on_phone}


def jobs(repetitions: int) -> list[Job]:
    found = []
    for recipe, path in runner_overhead.models().items():
        model = MeasuredModel(
            name="mobilenet_v2",
            sha256=sha256_file(path),
            size_bytes=path.stat().st_size,
            spec=None,
            recipe=recipe,
            recipe_digest=recipe,
            preprocessing=None,
        )
        found.append(Job(path=path, model=model, config=RunConfig(repetitions=repetitions)))
    return found


def run(device: Device, results: Path, repetitions: int) -> list[Measurement]:
    return measure(
        jobs(repetitions),
        device,
        open_runner("native"),
        results,
        seed=0,
        command="benchmarks/harness_overhead.py",
        kit=Kit(version="0", commit=None),
        progress=lambda done, total, text: print(f"  {done}/{total} {text}", file=sys.stderr),
    )


def waited_s(measurements: Sequence[Measurement]) -> float:
    runs = [run for measurement in measurements for run in measurement.runs]
    pauses = sum(m.config.cooldown_s * len(m.runs) for m in measurements)
    return pauses + sum(run.cool_down.waited_s for run in runs if run.cool_down)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=RunConfig.repetitions)
    args = parser.parse_args()
    rows, worst = [], 0.0
    for title, opened in DEVICES.items():
        with tempfile.TemporaryDirectory() as name, opened(Path(name)) as device:
            folder = Path(name)
            for kind in ("CONFIG", "CACHE", "STATE"):
                os.environ[f"MOBILEKIT_{kind}_DIR"] = str(folder / kind.lower())
            run(device, folder / "before", 1)  # a new device's idle temperature is waited for
            watched, began = Watched(device), time.perf_counter()
            measurements = run(watched, folder / "results", args.repetitions)
            whole_s = time.perf_counter() - began
        waits_s = waited_s(measurements)
        share = (whole_s - watched.runner_s - waits_s) / whole_s
        worst = max(worst, share)
        rows.append(
            f"| {title} | {watched.starts} | {whole_s:.1f} | {watched.runner_s:.1f} |"
            f" {waits_s:.1f} | {watched.shells} | {share:.1%} |"
        )
    verdict = "under" if worst < LIMIT else "NOT under"
    lines = [
        f"MobileNetV2 1.0 224 in {len(runner_overhead.RECIPES)} recipes, the C++ runner,"
        f" {args.repetitions} blocks with the defaults of `mobilekit benchmark`; the output checks,"
        " which start the runner twice for each file, are part of it. Wall seconds; the runner's"
        " are its process's own, taken where it ran. Calls are commands on the device.",
        "",
        "| on | starts of the runner | whole, s | runner, s | waits, s | calls | the rest |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"The rest is {verdict} {LIMIT:.0%} of a measurement on both. The simulated phone runs on"
        " this computer: what a cable or a phone's own services take is not in it.",
    ]
    measured.write("harness_overhead", "What measuring takes beside the runner", lines)


if __name__ == "__main__":
    main()
