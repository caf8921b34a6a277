"""Runs the output check where a file is measured, started like the measurement.

The reference's outputs are those that were given, or what the built-in kernels of the same runtime
answer to the same inputs on the same device.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from android_bench.earlier_checks import earlier_check
from android_bench.jobs import Bench, Cell
from android_bench.output_check import (
    LEAST_INPUTS,
    check_outputs,
    digest_outputs,
    rule_for,
)
from android_bench.runners import BUILTIN_KERNELS, RUNNERS, Start
from mobilekit.core.errors import DeviceError, RunnerError, StorageError
from mobilekit.core.measurement import OutputCheck, Run, RunConfig

Array = npt.NDArray[Any]

REMOVE_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A cell whose outputs were looked at.

    Attributes:
        check: What was found; None where the runner gives no outputs and no other checked them.
        output_sha256: Digests of the first input's outputs: every timed start must have the same.
    """

    check: OutputCheck | None
    output_sha256: tuple[str, ...]

    @property
    def wrong(self) -> str | None:
        """What is wrong with them; None where nothing is, or they could not be looked at."""
        return None if self.check is None or self.check.passed else self.check.detail


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One start's outputs of all inputs."""

    run: Run
    outputs: tuple[Array, ...]


class OutputChecks:
    """Checks cells on one bench; the built-in kernels answer once for all cells of a file."""

    def __init__(self, bench: Bench, results: Path | None = None) -> None:
        """`results` is searched for checks by other runners, where this one gives no outputs."""
        self._bench = bench
        self._results = results
        self._builtin: dict[tuple[str, ...], Answers] = {}

    def check(self, cell: Cell) -> Checked:
        """Starts the cell's file with its own delegate and threads, and compares.

        Raises:
            RunnerError: If the runner fails, or its outputs cannot be read.
            DeviceError: If the device fails.
            StorageError: If the reference outputs cannot be read.
        """
        if not RUNNERS[self._bench.runner.name].gives_outputs:
            found = earlier_check(self._results, cell, self._bench.info) if self._results else None
            return Checked(check=found, output_sha256=())
        seen = self._answers(cell, cell.job.config.delegate)
        half, on_cpu = arithmetic(cell.job.config)
        took_some = seen.run.actual.nodes_delegated != 0
        same_kernels = cell.expected_sha256 is not None and took_some and on_cpu and not half
        if cell.expected_sha256 is None:
            want = self._builtin_outputs(cell, seen)
            source = "LiteRT's built-in kernels without a delegate, the same file and runtime"
        else:
            want = _expected(cell, seen.outputs)
            source = "LiteRT with XNNPACK on the computer that converted, the same file"
        if cell.expected_sha256 is None and seen.run.actual.nodes_delegated == 0:
            source += " (no node was delegated, so both sides ran these kernels)"
        integer = all(np.issubdtype(output.dtype, np.integer) for output in seen.outputs)
        rule = rule_for(
            cell.job.model.recipe, integer=integer, same_kernels=same_kernels, half=half
        )
        compared = check_outputs(seen.outputs, want, rule)
        count = len(seen.outputs[0])
        inputs = f"{count} {'seeded' if seen.run.inputs.source == 'seeded' else 'real'} inputs"
        few = f", fewer than the {LEAST_INPUTS} that such a check needs" * (count < LEAST_INPUTS)
        check = OutputCheck(
            against=digest_outputs(want),
            how=f"{rule.title}; against {source}; {inputs}{few}",
            passed=compared.passed,
            detail=compared.detail,
        )
        return Checked(check=check, output_sha256=seen.run.output_sha256)

    def _builtin_outputs(self, cell: Cell, seen: Answers) -> tuple[Array, ...]:
        config = cell.job.config
        key = (
            cell.job.model.sha256,
            *cell.input_sha256,
            *(f"{name}={shape}" for name, shape in sorted(config.shapes.items())),
            f"{config.signature!r}, {config.input_range}",
        )
        if key not in self._builtin:
            self._builtin[key] = self._answers(cell, BUILTIN_KERNELS)
        answers = self._builtin[key]
        if answers.run.inputs.sha256 != seen.run.inputs.sha256:
            raise RunnerError(f"{cell.job.title}: two starts of the runner got different inputs.")
        return answers.outputs

    def _answers(self, cell: Cell, delegate: str) -> Answers:
        device = self._bench.device
        folder = f"{device.workspace}/outputs/{secrets.token_hex(8)}"
        config = untimed(cell.job.config, delegate)
        start = Start(
            model=cell.remote_model(device),
            model_sha256=cell.job.model.sha256,
            config=config,
            inputs=cell.remote_inputs(device),
            outputs=folder,
        )
        try:
            run = self._bench.runner.start(device, start, timeout_s=self._bench.timeout_s)
            if run.error is not None:
                raise RunnerError(run.error)
            return Answers(run=run, outputs=self._fetch(folder, run))
        finally:
            with contextlib.suppress(DeviceError):  # it must not hide the first error
                device.shell(["rm", "-rf", folder], timeout_s=REMOVE_TIMEOUT_S)

    def _fetch(self, folder: str, run: Run) -> tuple[Array, ...]:
        if not run.output_sha256:
            raise RunnerError("the model has no outputs.")
        outputs = []
        with tempfile.TemporaryDirectory(prefix="mobilekit-") as scratch:
            for position in range(len(run.output_sha256)):
                local = Path(scratch) / f"output_{position}.npy"
                self._bench.device.pull(f"{folder}/{local.name}", local)
                try:
                    outputs.append(_load(local))
                except ValueError as error:
                    raise RunnerError(f"the outputs it wrote cannot be read ({error}).") from error
        if len({output.shape[:1] for output in outputs}) != 1 or not outputs[0].shape[:1]:
            raise RunnerError("the outputs it wrote are stacks of different lengths.")
        return tuple(outputs)


def arithmetic(config: RunConfig) -> tuple[bool, bool]:
    """Whether floats may be computed in float16, and whether the CPU's kernels compute."""
    on_cpu = config.delegate in ("xnnpack", BUILTIN_KERNELS)
    if on_cpu:
        return config.options.get("fp16") == "true", True
    return config.options.get("precision") != "fp32", False


def untimed(config: RunConfig, delegate: str) -> RunConfig:
    """The same for a start whose times nobody looks at."""
    return replace(
        config,
        delegate=delegate,
        options=config.options if delegate == config.delegate else {},
        require_delegate=False,  # the timed starts say it
        warmup_runs=0,
        num_runs=1,
        min_secs=0.0,
        paced_fps=None,
        sustained_s=None,
        load_sha256=None,
    )


def _expected(cell: Cell, got: tuple[Array, ...]) -> tuple[Array, ...]:
    """The reference outputs; stacks without the model's batch dimension of 1 get it."""
    reference = cell.job.reference
    arrays = []
    for position, path in enumerate((reference and reference.outputs) or ()):
        try:
            array = _load(path)
        except ValueError as error:
            raise StorageError(str(path), f"is no .npy array ({error})") from error
        shape = got[position].shape if position < len(got) else array.shape
        if array.shape == (*shape[:1], *shape[2:]) and shape[1:2] == (1,):
            array = array.reshape(shape)
        arrays.append(array)
    return tuple(arrays)


def _load(path: Path) -> Array:
    """One array, never a pickle; raises ValueError."""
    try:
        array: Array = np.load(path, allow_pickle=False)
    except (OSError, EOFError, MemoryError) as error:
        raise ValueError(str(error)) from error
    if array.dtype.hasobject or not (
        np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_
    ):
        raise ValueError(f"it holds {array.dtype}")
    return array
