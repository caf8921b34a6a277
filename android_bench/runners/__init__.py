"""The programs that run a model on a device, and the contract of their drivers.

A driver brings its program to the device, starts it, and turns what it prints into a `Run`. What a
program prints comes from outside: a driver checks it, and refuses what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from android_bench.devices import Device
from mobilekit.core.errors import UsageError
from mobilekit.core.loading import load
from mobilekit.core.measurement import Program, Run, RunConfig, Runtime
from mobilekit.core.registry import Registry

# XNNPACK and LiteRT's built-in kernels without any delegate. The second is no target that a plan
# could name: it is what a file's outputs are compared with where no reference outputs are given.
BUILTIN_KERNELS = "none"
# As long as caches, branch predictors and clocks need at least; then the runner itself looks
# whether successive windows of invocations agree.
WARMUP_MIN_SECS = 0.5


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of a runner.

    Attributes:
        model: The .tflite file, a path on the device.
        model_sha256: What its bytes must be.
        config: Delegate, threads and how many invocations.
        inputs: Stacks of inputs as .npy, one a model input, paths on the device; empty means
            seeded inputs.
        seed: Of seeded inputs.
        outputs: Folder on the device for the outputs of every input; None writes none.
    """

    model: str
    model_sha256: str
    config: RunConfig
    inputs: tuple[str, ...] = ()
    seed: int = 0
    outputs: str | None = None


class Runner(Protocol):
    """What the harness asks of a driver."""

    @property
    def name(self) -> str:
        """A name of `RUNNERS`."""

    def program(self) -> Program:
        """The program that would run, by name, version and digest."""

    def context(self, device: Device) -> str:
        """How the program runs on `device`: "host", "shell" or "app"."""

    def runtime(self, device: Device) -> Runtime:
        """Asks the program on `device` which inference library it finds there.

        Raises:
            RunnerError: If there is none, or the program does not work there.
            DeviceError: If the device fails.
        """

    def forget(self, device: Device) -> None:
        """Brings everything to `device` again when it is started next: it may be gone there."""

    def start(self, device: Device, start: Start, *, timeout_s: float) -> Run:
        """Runs the program once, in a new process.

        Returns:
            What it printed; with `error` set where the program itself says that it failed.

        Raises:
            RunnerError: If it crashed, or printed anything but a document that fits `start`.
            DeviceTimeoutError: If it ran longer than `timeout_s`.
            DeviceError: If the device fails.
        """


@dataclass(frozen=True, kw_only=True)
class RunnerKind:
    """One row of `RUNNERS`.

    Attributes:
        name: As in a plan.
        title: What it is, for people.
        runtimes: The inference libraries it can use, the default first.
        opener: "package.module:function"; takes `runtime`, `python` and `binary`, returns the
            driver.
    """

    name: str
    title: str
    runtimes: tuple[str, ...]
    opener: str


RUNNERS: Registry[RunnerKind] = Registry(
    "runner",
    [
        RunnerKind(
            name="litert_python",
            title="Python's Interpreter, on this computer or a board",
            runtimes=("ai-edge-litert", "tflite-runtime"),
            opener="android_bench.runners.litert_python:open_litert_python",
        ),
        RunnerKind(
            name="native",
            title="our own C++ program on LiteRT's C library, which `make runner` builds",
            runtimes=("litert",),
            opener="android_bench.runners.native:open_native",
        ),
    ],
)


def open_runner(
    name: str = "litert_python",
    *,
    runtime: str | None = None,
    python: Path | None = None,
    binary: Path | None = None,
) -> Runner:
    """Opens a driver.

    Args:
        name: A name of `RUNNERS`.
        runtime: One of its runtimes; the first where none is named.
        python: The interpreter on the device that has the runtime, where it is not the one that
            would be found.
        binary: The program of runner "native", where it is not the one that would be found.

    Raises:
        UnknownNameError: If no runner has that name.
        UsageError: If the runner does not know the runtime, or no program or library is found.
    """
    kind = RUNNERS[name]
    chosen = runtime or kind.runtimes[0]
    if chosen not in kind.runtimes:
        raise UsageError(
            f"Runner {name!r} does not run {chosen!r}; it runs {', '.join(kind.runtimes)}."
        )
    opener = cast(Callable[..., Runner], load(kind.opener))
    return opener(runtime=chosen, python=python, binary=binary)
