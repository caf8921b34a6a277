"""What is to be measured, and the cell that names it.

A cell is one file under one configuration on one device with one runner and one runtime. Its name
holds everything that could change its numbers, beside what formats.md lists: the inputs and the
reference outputs, and the processors (a disk image keeps its machine-id on another computer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.devices import Device
from android_bench.runners import RUNNERS, Runner, check_modes
from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import MeasuredModel, RunConfig, Runtime, cell_id
from mobilekit.core.records import to_json
from mobilekit.core.target import DELEGATES, Target, check_options, options_of

# Settings that came when there were results already.
YOUNGER_SETTINGS = ("input_range", "signature")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Real inputs, and what the file must answer to them.

    Attributes:
        inputs: Stacks (count, ...) as .npy in the file's own types, one a model input. At least
            16 inputs, or the check says little; every timed invocation gets the first.
        outputs: Stacks as .npy of what LiteRT with XNNPACK, on the computer that converts,
            answers: this very file, integers left as they are. None lets the built-in kernels of
            the runtime that is measured answer instead, without a delegate.
    """

    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file under one configuration.

    Attributes:
        path: The .tflite file.
        model: What it is; its sha256 must be the file's.
        config: How it is measured.
        reference: What its outputs are checked against; None seeds the inputs and lets the
            built-in kernels answer.
        load: The .tflite file that runs beside it, whose sha256 is the config's; None for none.
        label: Tells two jobs apart that are one file under one configuration; None for what
            nobody measures twice.
    """

    path: Path
    model: MeasuredModel
    config: RunConfig
    reference: Reference | None = None
    load: Path | None = None
    label: str | None = None

    @property
    def title(self) -> str:
        """E.g. "mobilenet_v2_1.0_224 static_wi8_ai8, 2 threads, affinity big"."""
        config = self.config
        parts = [
            self.model.title,
            config.delegate if config.delegate != RunConfig.delegate else None,
            f"{config.num_threads} thread" + ("" if config.num_threads == 1 else "s"),
            f"affinity {config.affinity}" if config.affinity else None,
            self.label,
        ]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A device and the runner on it.

    Attributes:
        device: Where things run.
        info: What it is.
        runner: The driver of the program.
        runtime: The library that the program finds there.
        timeout_s: Limit of one start, in seconds.
    """

    device: Device
    info: DeviceInfo
    runner: Runner
    runtime: Runtime
    timeout_s: float

    def start_timeout_s(self, config: RunConfig) -> float:
        """The limit of one start under `config`: what a long one takes longer comes on top."""
        longest = max(config.max_secs, config.sustained_s or 0.0)
        return self.timeout_s + max(0.0, longest - RunConfig.max_secs)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A job on a bench.

    Attributes:
        id: 16 hex digits.
        job: What is measured.
        input_sha256: Digests of the input files; empty for seeded inputs.
        expected_sha256: Digests of the reference outputs' files; None where there are none.
    """

    id: str
    job: Job
    input_sha256: tuple[str, ...]
    expected_sha256: tuple[str, ...] | None

    def remote_model(self, device: Device) -> str:
        """Where the file is on the device."""
        return f"{device.workspace}/files/{self.job.model.sha256}.tflite"

    def remote_inputs(self, device: Device) -> tuple[str, ...]:
        """Where its inputs are on the device."""
        return tuple(f"{device.workspace}/files/{digest}.npy" for digest in self.input_sha256)

    def remote_load(self, device: Device) -> str | None:
        """Where the model that runs beside it is on the device; None where there is none."""
        sha256 = self.job.config.load_sha256
        return None if sha256 is None else f"{device.workspace}/files/{sha256}.tflite"

    def files(self, device: Device) -> tuple[tuple[Path, str], ...]:
        """What a start needs on the device: each file here, and its path there."""
        inputs = self.job.reference.inputs if self.job.reference else ()
        load = self.remote_load(device)
        return (
            (self.job.path, self.remote_model(device)),
            *zip(inputs, self.remote_inputs(device), strict=True),
            *(((self.job.load, load),) if self.job.load and load else ()),
        )


def make_cells(jobs: Sequence[Job], bench: Bench) -> tuple[Cell, ...]:
    """Names the jobs.

    Raises:
        UsageError: If there are none, two are the same, their repetitions differ, a file is not
            the one that its job speaks of, or the runner cannot apply a delegate or a mode.
        StorageError: If a file cannot be read.
    """
    if not jobs:
        raise UsageError("There is nothing to measure: no file was named.")
    repetitions = sorted({job.config.repetitions for job in jobs})
    if len(repetitions) > 1:
        raise UsageError(
            f"All jobs of one session need the same repetitions, not {repetitions}: a repetition"
            " is a block in which each is started once."
        )
    cells: dict[str, Cell] = {}
    for job in jobs:
        cell = _make_cell(job, bench)
        if cell.id in cells:
            raise UsageError(
                f"{job.path} and {cells[cell.id].job.path} are one file under one setting;"
                " name every file and setting once."
            )
        cells[cell.id] = cell
    return tuple(cells.values())


def _check_delegate(job: Job, bench: Bench) -> None:
    """Refuses a delegate or setting that the runner cannot apply; nothing runs in its place."""
    runner, config = bench.runner.name, job.config
    row = DELEGATES[Target.parse(config.delegate).delegate]
    if runner not in row.measured_by:
        applied = [row.name for row in DELEGATES.values() if runner in row.measured_by]
        raise UsageError(
            f"Runner {runner} cannot apply delegate {config.delegate!r} on"
            f" {bench.device.label}; it applies {', '.join(applied)}."
            f" {row.name} is applied by {' or '.join(row.measured_by) or row.elsewhere}."
        )
    check_options(config.delegate, config.options)
    for name in config.options:
        able = options_of(row.name)[name].measured_by
        if runner not in able:
            raise UsageError(
                f"Runner {runner} cannot apply option {name!r} of {row.name}; measure with"
                f" --runner {' or '.join(able)}."
            )
    for name in RUNNERS[runner].without:
        asked, default = getattr(config, name), getattr(RunConfig(), name)
        if asked != default:
            others = [kind.name for kind in RUNNERS.values() if name not in kind.without]
            raise UsageError(
                f"Runner {runner} does not know {name} ({asked}): leave it out, or measure with"
                f" --runner {' or '.join(others)}."
            )


def _check_load(job: Job) -> None:
    found = None if job.load is None else sha256_file(job.load)
    if found != job.config.load_sha256:
        raise UsageError(
            f"{job.path}: the model that runs beside it ({job.load or 'none is named'}) is not the"
            f" one that the settings mean (sha256 {job.config.load_sha256 or 'none'})."
        )


def _settings(config: RunConfig) -> dict[str, object]:
    """What a name holds of the settings; of younger ones only what was asked for: names stay."""
    return {k: v for k, v in to_json(config).items() if v is not None or k not in YOUNGER_SETTINGS}


def _make_cell(job: Job, bench: Bench) -> Cell:
    found = sha256_file(job.path)
    if found != job.model.sha256:
        raise UsageError(
            f"{job.path} is not the file that {job.model.title} means: its sha256"
            f" is {found[:16]}…, not {job.model.sha256[:16]}…. Was it written anew meanwhile?"
        )
    _check_delegate(job, bench)
    check_modes(bench.runner.name, job.config)
    bench.runner.check(job.config)
    _check_load(job)
    reference = job.reference
    inputs = tuple(map(sha256_file, reference.inputs)) if reference else ()
    outputs = reference.outputs if reference else None
    expected = None if outputs is None else tuple(map(sha256_file, outputs))
    identity = {
        **_settings(job.config),
        "inputs": inputs,
        "expected": expected,
        "cpu": bench.info.model,
        "cpu_features": bench.info.cpu_features,
        "cpu_count": bench.info.cpu_count,
        **({} if job.label is None else {"label": job.label}),  # without one, names stay
    }
    return Cell(
        id=cell_id(
            model_sha256=job.model.sha256,
            recipe_digest=job.model.recipe_digest,
            runner_sha256=bench.runner.program().sha256,
            runtime=bench.runtime,
            context=bench.runner.context(bench.device),
            device=bench.info,
            config=identity,
        ),
        job=job,
        input_sha256=inputs,
        expected_sha256=expected,
    )
