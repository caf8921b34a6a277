"""The programs that run a model on a device, and the contract of their drivers.

A driver brings its program to the device, starts it, and turns what it prints into a `Run`. What a
program prints comes from outside: a driver checks it, and refuses what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        load: The file of the model that runs beside it, a path on the device; None for none.
        profile: Whether every operator is timed, which slows the run.
        fresh: Whether what earlier starts left in a delegate's cache is removed first.
    """

    model: str
    model_sha256: str
    config: RunConfig
    inputs: tuple[str, ...] = ()
    seed: int = 0
    outputs: str | None = None
    load: str | None = None
    profile: bool = False
    fresh: bool = False


class Runner(Protocol):
    """What the harness asks of a driver."""

    @property
    def name(self) -> str:
        """A name of `RUNNERS`."""

    def program(self) -> Program:
        """The program that would run, by name, version and digest."""

    def context(self, device: Device) -> str:
        """How the program runs on `device`: "host", "shell" or "app"."""

    def check(self, config: RunConfig) -> None:
        """Refuses a setting that this driver, as it was opened, cannot apply.

        Whoever measures asks before anything is started or waited for.

        Raises:
            UsageError: With what to do instead.
        """

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
        opener: "package.module:function"; takes `runtime`, `python`, `binary` and `abi`, and where
            `libraries` is set also that; returns the driver.
        modes: What it can do beside a burst of invocations: rows of `MODES`, and "profile".
        gives_outputs: Whether it gives raw latencies, and outputs that can be checked.
        without: Other settings of `RunConfig` that it does not know, by name.
        baselined: Delegates that mean nothing without the CPU measured by the same program,
            since no other runner of this kit has them.
        libraries: Whether it brings libraries that delegates need.
    """

    name: str
    title: str
    runtimes: tuple[str, ...]
    opener: str
    modes: frozenset[str] = frozenset()
    gives_outputs: bool = True
    without: tuple[str, ...] = ()
    baselined: tuple[str, ...] = ()
    libraries: bool = False


# What Google's programs are not told, or cannot say that they did.
_UNTOLD = ("affinity", "shapes", "input_range", "signature")

RUNNERS: Registry[RunnerKind] = Registry(
    "runner",
    [
        RunnerKind(
            name="litert_python",
            title="Python's Interpreter, on this computer or a board",
            runtimes=("ai-edge-litert", "tflite-runtime"),
            opener="android_bench.runners.litert_python:open_litert_python",
            without=("require_delegate", "shapes", "signature"),
        ),
        RunnerKind(
            name="native",
            title="our own C++ program on LiteRT's C library, which `make runner` builds",
            runtimes=("litert",),
            opener="android_bench.runners.native:open_native",
            modes=frozenset(("paced", "sustained", "load", "profile")),
            libraries=True,
        ),
        RunnerKind(
            name="benchmark_model",
            title="Google's classic tool: statistics only; the one with NNAPI and Hexagon",
            runtimes=("tflite",),
            opener="android_bench.runners.benchmark_model:open_benchmark_model",
            gives_outputs=False,
            without=_UNTOLD,
            baselined=("nnapi",),
        ),
        RunnerKind(
            name="benchmark_litert_model",
            title="Google's tool for LiteRT's CompiledModel: statistics only",
            runtimes=("litert",),
            opener="android_bench.runners.benchmark_model:open_benchmark_litert_model",
            gives_outputs=False,
            without=_UNTOLD,
        ),
    ],
)


# What a runner must be able to do for a setting; each is an option of `mobilekit benchmark`.
MODES: Mapping[str, Callable[[RunConfig], bool]] = {
    "paced": lambda config: config.paced_fps is not None,
    "sustained": lambda config: config.sustained_s is not None,
    "load": lambda config: config.load_sha256 is not None,
}
PROFILE = "profile"


def check_modes(runner: str, config: RunConfig, *, profile: bool = False) -> None:
    """Refuses what a runner cannot do, so that nothing is left out in silence.

    Args:
        runner: A name of `RUNNERS`.
        config: How a file is to be measured.
        profile: Whether its operators are to be timed as well.

    Raises:
        UsageError: If the runner cannot do it, or the two do not go together.
    """
    asked = [name for name, is_asked in MODES.items() if is_asked(config)]
    asked += [PROFILE] if profile else []
    missing = [f"--{name}" for name in asked if name not in RUNNERS[runner].modes]
    if missing:
        able = [row.name for row in RUNNERS.values() if row.modes.issuperset(asked)]
        raise UsageError(
            f"Runner {runner} cannot do {' and '.join(missing)}; measure with"
            f" {' or '.join(f'--runner {name}' for name in able)}."
        )
    if profile and config.sustained_s is not None:
        raise UsageError(
            "--profile and --sustained do not go together: operators are timed in a short start"
            " of their own, so profile without --sustained."
        )


def open_runner(
    name: str = "litert_python",
    *,
    runtime: str | None = None,
    python: Path | None = None,
    binary: Path | None = None,
    abi: str | None = None,
    libraries: Sequence[Path] = (),
) -> Runner:
    """Opens a driver.

    Args:
        name: A name of `RUNNERS`.
        runtime: One of its runtimes; the first where none is named.
        python: The interpreter on the device that has the runtime, where it is not the one that
            would be found.
        binary: The runner's program, where it is not the one that would be found.
        abi: What programs and libraries are looked for; None means this computer's.
        libraries: Files that delegates need beside the runtime's library: a GPU's accelerator, an
            NPU's dispatch library and what that needs.

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
    if binary is not None and not binary.is_file():
        raise UsageError(f"--runner-binary names {binary}, which is no file.")
    opener = cast(Callable[..., Runner], load(kind.opener))
    if libraries and not kind.libraries:
        raise UsageError(f"Runner {name!r} brings no libraries; leave {libraries[0]} out.")
    more = {"libraries": libraries} if kind.libraries else {}
    return opener(runtime=chosen, python=python, binary=binary, abi=abi, **more)
