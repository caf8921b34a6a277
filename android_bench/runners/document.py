"""Reads the document that our runners print, and refuses what cannot be.

What a runner prints comes from outside: from a device, or from a process that crashed half-way.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from android_bench.devices import Device, Shell
from android_bench.runners import Start
from android_bench.runners.litert_python_program import EXIT_ERROR, SCHEMA
from mobilekit.core.digest import canonical_json
from mobilekit.core.errors import RunnerError
from mobilekit.core.measurement import Program, Run, RunConfig, Runtime
from mobilekit.core.records import from_json
from mobilekit.core.storage import parse_json

# Of `max_secs`, what the invocations themselves take at least; the rest is between them.
TIME_FOR_INVOCATIONS = 0.5
MAX_QUOTED = 300  # characters of a device's words inside one of our sentences


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The part of the document that is there when nothing ran."""

    runner: Program
    runtime: Runtime
    error: str | None


Answer = TypeVar("Answer", Probe, Run)


def context_of(device: Device) -> str:
    """How our programs run there: a process of this computer, or of a shell elsewhere."""
    return "host" if device.kind == "host" else "shell"


def read_document(record: type[Answer], shell: Shell, program: Program, label: str) -> Answer:
    """Reads the last line of standard output.

    Args:
        record: What it is to be.
        shell: How the program ended.
        program: Which one was started.
        label: The device, for errors.

    Raises:
        RunnerError: If it crashed, printed no document, or another program answered.
    """
    lines = shell.stdout.strip().splitlines()
    if shell.returncode not in (0, EXIT_ERROR) or not lines:
        raise RunnerError(f"{label}: the runner {ending(shell)}")
    try:
        document = parse_json(lines[-1])
        if isinstance(document, dict) and document.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {document.get('schema')!r}, not {SCHEMA}")
        answer = from_json(record, document, ignore_unknown=True)
        canonical_json(answer).encode()  # half of a surrogate pair could not be stored
    except ValueError as error:  # RecordError is one
        raise RunnerError(
            f"{label}: what the runner printed is not its document ({short(str(error))});"
            f" it {ending(shell)}"
        ) from error
    if answer.runner.sha256 != program.sha256:
        raise RunnerError(
            f"{label}: another program answered ({short(answer.runner.sha256)})"
            f" than was started ({program.sha256})."
        )
    return answer


def must_fit(run: Run, start: Start, label: str, more: Mapping[str, tuple[object, object]]) -> None:
    """Refuses a document about something else than was started.

    Args:
        run: The document.
        start: What was started.
        label: The device, for errors.
        more: What else must be equal, beside what every runner is asked: what was printed, and
            what was expected, by name.

    Raises:
        RunnerError: At the first difference.
    """
    config, asked = start.config, run.requested
    facts = {
        "model_sha256": (run.model_sha256, start.model_sha256),
        "requested.delegate": (asked.delegate, config.delegate),
        "requested.num_threads": (asked.num_threads, config.num_threads),
        "requested.affinity": (asked.affinity, config.affinity),
        "requested.options": (dict(asked.options), dict(config.options)),
        "the end of latencies_us": (_ended_well(run, config), True),
        "the order of windows": (_in_order(run), True),
        "inputs.source": (run.inputs.source, "file" if start.inputs else "seeded"),
        "outputs": (run.outputs and run.outputs.path, start.outputs),
        **more,
    }
    for name, (printed, expected) in facts.items():
        if printed != expected:
            raise RunnerError(
                f"{label}: the runner's document is about another start: {name} is"
                f" {short(repr(printed))} where {short(repr(expected))} was asked for."
            )


def _ended_well(run: Run, config: RunConfig) -> bool:
    """Whether there are as many measured invocations as were asked for, or no time for more."""
    took_s = sum(run.latencies_us) / 1e6
    if config.sustained_s is not None:
        return took_s >= config.sustained_s * TIME_FOR_INVOCATIONS
    enough = len(run.latencies_us) >= config.num_runs
    return enough or took_s >= config.max_secs * TIME_FOR_INVOCATIONS


def _in_order(run: Run) -> bool:
    """Whether the windows lie between the measured invocations, one after the other."""
    windows = run.windows or ()
    indexes = [0, *(window.index for window in windows), len(run.latencies_us)]
    times = [0.0, *(window.at_us for window in windows)]
    return indexes == sorted(indexes) and times == sorted(times)


def ending(shell: Shell) -> str:
    """How a process ended, with the last line of its standard error."""
    last = shell.stderr.strip().rpartition("\n")[2]
    said = f": {short(last)}" if last else " and said nothing on standard error."
    if shell.returncode >= 0:
        return f"exited {shell.returncode}{said}"
    try:
        name = signal.Signals(-shell.returncode).name
    except ValueError:
        name = f"signal {-shell.returncode}"
    return f"was ended by {name}{said}"


def short(text: str) -> str:
    """At most MAX_QUOTED characters of what a device said."""
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 3] + "..."
