"""Drives the Python runner: `litert_python_program.py`, in whatever Python has the runtime."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from android_bench.devices import Device
from android_bench.runners import WARMUP_MIN_SECS, Start
from android_bench.runners.document import Answer, Probe, context_of, must_fit, read_document
from android_bench.runners.litert_python_program import NAME, VERSION
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Program, Run, RunConfig, Runtime

PROGRAM = Path(__file__).with_name("litert_python_program.py")
PROBE_TIMEOUT_S = 60.0  # an import takes 0.3 s here; a slow board with a cold SD card, some 20 s
LEGACY_PYTHON = Path(".venv-legacy") / "bin" / "python"
BOARD_PYTHON = Path("python3")  # of a device that is not this computer, found on its PATH


def open_litert_python(
    *, runtime: str, python: Path | None, binary: Path | None, abi: str | None = None
) -> LitertPythonRunner:
    """The opener of `RUNNERS`; see `open_runner`. A script runs on any `abi`."""
    if binary is not None:
        raise UsageError(f"Runner {NAME!r} is a script and takes no binary; leave {binary} out.")
    return LitertPythonRunner(runtime=runtime, python=python)


def find_python(runtime: str) -> Path:
    """ai-edge-litert is our own dependency; tflite-runtime needs an environment of its own."""
    if runtime == "ai-edge-litert":
        return Path(sys.executable)
    named = os.environ.get("MOBILEKIT_LEGACY_PYTHON")
    if named is not None:
        if not Path(named).exists():
            raise UsageError(f"MOBILEKIT_LEGACY_PYTHON names {named}, which does not exist.")
        return Path(named)
    checkout = Path(__file__).resolve().parents[2] / LEGACY_PYTHON
    for candidate in (checkout, Path.cwd() / LEGACY_PYTHON):
        if candidate.exists():
            return candidate
    raise UsageError(
        f"No Python with {runtime} was found: it needs an environment of its own with Python 3.11"
        f" and numpy < 2. Make one as {LEGACY_PYTHON.parents[1]}, or name its interpreter in"
        " MOBILEKIT_LEGACY_PYTHON."
    )


class LitertPythonRunner:
    """See `android_bench.runners.Runner`."""

    name = NAME

    def __init__(self, *, runtime: str, python: Path | None, program: Path = PROGRAM) -> None:
        """`python` is a path on the device, None finds one; `program` is what it runs."""
        self._runtime = runtime
        self._python = python
        self._path = program
        self._program = Program(name=NAME, version=VERSION, sha256=sha256_file(program))

    def program(self) -> Program:
        """The script, by its digest."""
        return self._program

    def context(self, device: Device) -> str:
        """A process of this computer, or of a shell elsewhere."""
        return context_of(device)

    def check(self, config: RunConfig) -> None:
        """Nothing to refuse: `RUNNERS` says what it does not know."""

    def python_for(self, device: Device) -> Path:
        """The interpreter on `device`; raises UsageError if this computer has none."""
        if self._python is not None:
            return self._python
        return find_python(self._runtime) if device.kind == "host" else BOARD_PYTHON

    def runtime(self, device: Device) -> Runtime:
        """Imports the runtime there, runs nothing."""
        probe = self._ask(Probe, device, ["--probe"], timeout_s=PROBE_TIMEOUT_S)
        if probe.error is not None:
            raise RunnerError(f"{device.label}: {probe.error}")
        return probe.runtime

    def forget(self, device: Device) -> None:
        """Nothing to do: it is looked for before every start."""

    def start(self, device: Device, start: Start, *, timeout_s: float) -> Run:
        """Starts the script once and checks what it prints."""
        config = start.config
        arguments = [
            *("--model", start.model),
            *("--delegate", config.delegate),
            *("--num-threads", str(config.num_threads)),
            *("--warmup-runs", str(config.warmup_runs)),
            *("--warmup-min-secs", str(WARMUP_MIN_SECS if config.warmup_runs else 0)),
            *("--num-runs", str(config.num_runs)),
            *("--min-secs", str(config.min_secs)),
            *("--max-secs", str(config.max_secs)),
            *(("--affinity", config.affinity) if config.affinity else ()),
            *("--seed", str(start.seed)),
            *_range(config.input_range),
            *(part for path in start.inputs for part in ("--input", path)),
            *(("--outputs", start.outputs) if start.outputs is not None else ()),
        ]
        run = self._ask(Run, device, arguments, timeout_s=timeout_s)
        if run.error is None:
            facts = {
                "runtime": (run.runtime.name, self._runtime),
                "the least of warmup_us": (
                    min(len(run.warmup_us), config.warmup_runs),
                    config.warmup_runs,
                ),
            }
            must_fit(run, start, device.label, facts)
        return run

    def _ask(
        self, record: type[Answer], device: Device, arguments: Sequence[str], *, timeout_s: float
    ) -> Answer:
        remote = f"{device.workspace}/runners/{self._program.sha256}.py"
        device.push(self._path, remote)
        argv = [str(self.python_for(device)), remote, "--runtime", self._runtime]
        argv += ["--context", context_of(device), *arguments]
        shell = device.shell(argv, timeout_s=timeout_s)
        return read_document(record, shell, self._program, device.label)


def _range(limits: tuple[int, int] | None) -> tuple[str, ...]:
    """One word, since argparse takes one that begins with a minus for an option."""
    return () if limits is None else (f"--input-range={limits[0]}:{limits[1]}",)
