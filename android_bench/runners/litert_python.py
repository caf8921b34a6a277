"""Drives the Python runner: `litert_python_program.py`, in whatever Python has the runtime."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from android_bench.devices import Device, Shell
from android_bench.runners import Start
from android_bench.runners.litert_python_program import EXIT_ERROR, NAME, SCHEMA, VERSION
from mobilekit.core.digest import canonical_json, sha256_file
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Program, Run, Runtime
from mobilekit.core.records import from_json
from mobilekit.core.storage import parse_json

PROGRAM = Path(__file__).with_name("litert_python_program.py")
PROBE_TIMEOUT_S = 60.0  # an import takes 0.3 s here; a slow board with a cold SD card, some 20 s
LEGACY_PYTHON = Path(".venv-legacy") / "bin" / "python"
MAX_QUOTED = 300  # characters of a device's words inside one of our sentences


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The part of the document that is there when nothing ran."""

    runner: Program
    runtime: Runtime
    error: str | None


Answer = TypeVar("Answer", Probe, Run)


def open_litert_python(*, runtime: str, python: Path | None) -> LitertPythonRunner:
    """The opener of `RUNNERS`; see `open_runner`."""
    return LitertPythonRunner(runtime=runtime, python=python or find_python(runtime))


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

    def __init__(self, *, runtime: str, python: Path, program: Path = PROGRAM) -> None:
        """`python` is a path on the device; `program` is what it runs."""
        self._runtime = runtime
        self._python = str(python)
        self._path = program
        self._program = Program(name=NAME, version=VERSION, sha256=sha256_file(program))

    def program(self) -> Program:
        """The script, by its digest."""
        return self._program

    def context(self, device: Device) -> str:
        """A process of this computer, or of a shell elsewhere."""
        return "host" if device.kind == "host" else "shell"

    def runtime(self, device: Device) -> Runtime:
        """Imports the runtime there, runs nothing."""
        probe = self._ask(Probe, device, ["--probe"], timeout_s=PROBE_TIMEOUT_S)
        if probe.error is not None:
            raise RunnerError(f"{device.label}: {probe.error}")
        return probe.runtime

    def start(self, device: Device, start: Start, *, timeout_s: float) -> Run:
        """Starts the script once and checks what it prints."""
        config = start.config
        arguments = [
            *("--model", start.model),
            *("--delegate", config.delegate),
            *("--num-threads", str(config.num_threads)),
            *("--warmup-runs", str(config.warmup_runs)),
            *("--num-runs", str(config.num_runs)),
            *("--seed", str(start.seed)),
            *(part for path in start.inputs for part in ("--input", path)),
            *(("--outputs", start.outputs) if start.outputs is not None else ()),
        ]
        run = self._ask(Run, device, arguments, timeout_s=timeout_s)
        if run.error is None:
            _must_fit(run, start, self._runtime, device.label)
        return run

    def _ask(
        self, record: type[Answer], device: Device, arguments: Sequence[str], *, timeout_s: float
    ) -> Answer:
        remote = f"{device.workspace}/runners/{self._program.sha256}.py"
        device.push(self._path, remote)
        argv = [self._python, remote, "--runtime", self._runtime]
        argv += ["--context", self.context(device), *arguments]
        answer = _document(record, device.shell(argv, timeout_s=timeout_s), device.label)
        if answer.runner.sha256 != self._program.sha256:
            raise RunnerError(
                f"{device.label}: another program answered ({_short(answer.runner.sha256)})"
                f" than was started ({self._program.sha256})."
            )
        return answer


def _document(record: type[Answer], shell: Shell, label: str) -> Answer:
    """Reads the last line of standard output as a `record`; raises RunnerError."""
    lines = shell.stdout.strip().splitlines()
    if shell.returncode not in (0, EXIT_ERROR) or not lines:
        raise RunnerError(f"{label}: the runner {_ending(shell)}")
    try:
        document = parse_json(lines[-1])
        if isinstance(document, dict) and document.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {document.get('schema')!r}, not {SCHEMA}")
        answer = from_json(record, document, ignore_unknown=True)
        canonical_json(answer).encode()  # half of a surrogate pair could not be stored
    except ValueError as error:  # RecordError is one
        raise RunnerError(
            f"{label}: what the runner printed is not its document ({_short(str(error))});"
            f" it {_ending(shell)}"
        ) from error
    return answer


def _must_fit(run: Run, start: Start, runtime: str, label: str) -> None:
    """Refuses a document about something else than was started; raises RunnerError."""
    config, asked = start.config, run.requested
    facts = {
        "runtime": (run.runtime.name, runtime),
        "model_sha256": (run.model_sha256, start.model_sha256),
        "requested.delegate": (asked.delegate, config.delegate),
        "requested.num_threads": (asked.num_threads, config.num_threads),
        "len(warmup_us)": (len(run.warmup_us), config.warmup_runs),
        "len(latencies_us)": (len(run.latencies_us), config.num_runs),
        "inputs.source": (run.inputs.source, "file" if start.inputs else "seeded"),
        "outputs": (run.outputs and run.outputs.path, start.outputs),
    }
    for name, (printed, expected) in facts.items():
        if printed != expected:
            raise RunnerError(
                f"{label}: the runner's document is about another start: {name} is"
                f" {_short(repr(printed))} where {_short(repr(expected))} was asked for."
            )


def _ending(shell: Shell) -> str:
    """How a process ended, with the last line of its standard error."""
    last = shell.stderr.strip().rpartition("\n")[2]
    said = f": {_short(last)}" if last else " and said nothing on standard error."
    if shell.returncode >= 0:
        return f"exited {shell.returncode}{said}"
    try:
        name = signal.Signals(-shell.returncode).name
    except ValueError:
        name = f"signal {-shell.returncode}"
    return f"was ended by {name}{said}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."
