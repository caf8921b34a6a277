"""What was observed on a device: raw values and their circumstances, no statistics.

`Run` is the runner's document, one start of the runner; `Measurement` is the sealed result. Both
are the formats of docs/formats.md, field by field: `mobilekit.core.records` reads and writes them.
"""

from __future__ import annotations

import enum
import math
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import digest
from mobilekit.core.model import UNKNOWN_RECIPE, ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.records import from_json

AFFINITY = re.compile(r"big|little|0x[0-9a-fA-F]{1,32}")
SHAPE = re.compile(r"[1-9]\d{0,9}(,[1-9]\d{0,9}){0,7}")  # up to 8 sizes
SIGNATURE = re.compile(r"[^\x00-\x1f\x7f]{1,1000}")
MOST_INPUT = (1 << 63) - 1  # the runners take 64 bits
COOLING = re.compile(r"idle|none|\d{1,2}(\.\d{1,2})?")  # °C
ROUNDED = (
    1e-4  # a mean printed with six digits can lie a little outside of the whole least and most
)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How a file is measured.

    Attributes:
        delegate: A target, e.g. "xnnpack" or "nnapi@30".
        options: Of the delegate, by name, e.g. {"fp16": "true"}; `OPTIONS` of core.target.
        require_delegate: Whether a node that the delegate did not take is an error.
        num_threads: CPU threads the interpreter is given.
        affinity: Processors: "big", "little" or a mask such as "0xf0"; None leaves it be.
        shapes: Of inputs whose shape is not fixed, by name, e.g. {"image": "1,192,192,3"}.
        warmup_runs: Invocations before the measured ones, at least; they are kept apart. Above
            zero, the warm-up also lasts half a second and until two windows agree within 2 %.
        num_runs: Measured invocations a start, at least, unless `max_secs` ends them.
        min_secs: They also last at least that long, in seconds.
        max_secs: They end there, after one at least, in seconds.
        repetitions: Blocks; in each, every file and setting is started once.
        cooling: What is waited for before a start: "idle" (within 2 °C of the device's own
            recorded idle), a temperature such as "35" (°C), or "none".
        cooldown_s: A pause before every start, in seconds.
        paced_fps: Frames a second that invocations are paced at; None runs one after the other.
        sustained_s: Seconds of one long run for the curve over time; None for a burst.
        load_sha256: Of a second model that runs beside the measured one; None for none.
        input_range: The least and the largest of seeded whole numbers; None takes all of the type.
        signature: The one that runs, by its key; None takes the first.
    """

    delegate: str = "xnnpack"
    options: Mapping[str, str] = field(default_factory=dict)
    require_delegate: bool = False
    num_threads: int = 1
    affinity: str | None = None
    shapes: Mapping[str, str] = field(default_factory=dict)
    warmup_runs: int = 10
    num_runs: int = 50
    min_secs: float = 1.0
    max_secs: float = 150.0
    repetitions: int = 12
    cooling: str = "idle"
    cooldown_s: float = 0.0
    paced_fps: float | None = None
    sustained_s: float | None = None
    load_sha256: str | None = None
    input_range: tuple[int, int] | None = None
    signature: str | None = None

    def __post_init__(self) -> None:
        for name, least, most in (
            ("num_threads", 1, 256),  # far more than any device has; LiteRT crashes at 100,000
            ("warmup_runs", 0, 100_000),
            ("num_runs", 1, 100_000),
            ("min_secs", 0, 3600),
            ("max_secs", max(0.001, self.min_secs), 86_400),
            ("repetitions", 1, 100_000),
            ("cooldown_s", 0, 86_400),
            ("paced_fps", 0.001, 10_000),
            ("sustained_s", 1, 86_400),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} must be {least:g}..{most:g}, not {value:g}")
        if self.affinity is not None and not AFFINITY.fullmatch(self.affinity):
            raise ValueError(f"affinity must be big, little or a mask like 0xf0: {self.affinity!r}")
        if not COOLING.fullmatch(self.cooling):
            raise ValueError(f"cooling must be idle, none or a temperature: {self.cooling!r}")
        for name, shape in self.shapes.items():
            if not name or not SHAPE.fullmatch(shape):
                raise ValueError(f"the shape of {name!r} must be like 1,192,192,3: {shape!r}")
        if self.paced_fps and self.sustained_s:
            raise ValueError("a run is either paced or sustained")
        low, high = self.input_range or (0, 0)
        if not -MOST_INPUT - 1 <= low <= high <= MOST_INPUT:
            raise ValueError(f"input_range must be two numbers, the least first: {low},{high}")
        if self.signature is not None and not SIGNATURE.fullmatch(self.signature):
            raise ValueError(
                f"signature must be a key without control characters: {self.signature!r}"
            )

    @property
    def mode(self) -> str:
        """One of "burst", "paced" and "sustained"."""
        return "paced" if self.paced_fps else "sustained" if self.sustained_s else "burst"


@dataclass(frozen=True, kw_only=True)
class Program:
    """The runner: what ran the model. `sha256` is of its bytes."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The inference library; `sha256` is of its shared objects, `api` how it was called."""

    name: str
    version: str
    sha256: str
    api: str


@dataclass(frozen=True, kw_only=True)
class Requested:
    """What the runner was asked to apply."""

    delegate: str
    num_threads: int
    affinity: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Actual:
    """What the runtime did; None where it does not say.

    Attributes:
        hardware: What an accelerator says that it chose, e.g. a GPU's name; None for the CPU.
    """

    delegate: str | None
    nodes_delegated: int | None
    nodes_total: int | None
    partitions: int | None
    hardware: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunnerInputs:
    """Where the inputs came from ("file" or "seeded") and the digest of each one's bytes."""

    source: str
    sha256: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The runner's own memory, after the measured runs; not `ru_maxrss`."""

    vm_hwm_bytes: int | None
    rss_anon_bytes: int | None
    rss_file_bytes: int | None
    delegate_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Sensors, read outside the timed regions.

    Attributes:
        temperature_c: What the runner or the harness read, °C.
        thermal_status: Android's: 0 none … 6 shutdown.
        frequencies_khz: Of each processor.
        time_in_state: Of each processor, ticks of 10 ms at each frequency in kHz.
        battery_ua: What flows into the battery; out of it, below zero on most devices.
        plugged: Whether power comes from outside.
        battery_percent: Of a full charge.
        screen_on: Whether the screen is on.
        charging: Whether the battery takes it up.
    """

    temperature_c: float | None = None
    thermal_status: int | None = None
    frequencies_khz: Mapping[str, int] | None = None
    time_in_state: Mapping[str, Mapping[str, int]] | None = None
    battery_ua: int | None = None
    plugged: bool | None = None
    battery_percent: int | None = None
    screen_on: bool | None = None
    charging: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BeforeAfter:
    """Conditions around the measured runs."""

    before: Conditions
    after: Conditions


@dataclass(frozen=True, kw_only=True)
class OutputFiles:
    """Where the raw outputs were written, one .npy an output tensor."""

    path: str


@dataclass(frozen=True, kw_only=True)
class ProfileRow:
    """One operator of a per-operator profile.

    Attributes:
        node: Its number in the graph; of a delegate's operator, in the partition.
        op: Its name in the words of the runtime or the delegate.
        delegate: Which ran it; None for the runtime's own kernels.
        us: Mean of all profiled invocations, microseconds; the runtime counts in whole ones.
        partition: Of a delegate's, from 0 in the order in which they ran.
    """

    node: int
    op: str
    delegate: str | None
    us: float
    partition: int | None = None


@dataclass(frozen=True, kw_only=True)
class Paced:
    """What became of invocations that were due at a rate."""

    fps: float
    missed_deadlines: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """The second model that ran beside the measured one.

    Attributes:
        sha256: Of its file.
        invocations: How many it made, from before the warm-up to the end.
        median_us: Of those, microseconds.
    """

    sha256: str
    invocations: int
    median_us: float


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sensors, read between two measured invocations.

    Attributes:
        at_us: Since the first measured invocation began.
        index: Of the invocation that came next, in `latencies_us`.
        conditions: What they said.
    """

    at_us: float
    index: int
    conditions: Conditions


@dataclass(frozen=True, kw_only=True)
class CoolDown:
    """What was waited for before a start.

    Attributes:
        target_c: The temperature that was waited for, °C.
        start_c: The temperature at which the start was made, °C.
        waited_s: For how long, in seconds.
        reached: Whether it got there within the limit.
    """

    target_c: float
    start_c: float
    waited_s: float
    reached: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a runner that keeps no raw latencies says of its measured invocations.

    Attributes:
        count: How many they were.
        avg_us: Their mean, microseconds; the others likewise, None where it is not printed.
        min_us: The shortest.
        max_us: The longest.
        std_us: Their standard deviation.
        median_us: Their median.
        p95_us: Their 95th percentile.
    """

    count: int
    avg_us: float
    min_us: float | None = None
    max_us: float | None = None
    std_us: float | None = None
    median_us: float | None = None
    p95_us: float | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.avg_us <= 0:
            raise ValueError("a summary is of one invocation at least, of some length")
        low, high = self.min_us or 0.0, math.inf if self.max_us is None else self.max_us
        for value in (self.avg_us, self.median_us, self.p95_us):
            if value is not None and not low * (1 - ROUNDED) <= value <= high * (1 + ROUNDED):
                raise ValueError("a summary's values must lie between its least and its largest")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One start of the runner, as it printed it. Times are microseconds of the monotonic clock.

    Attributes:
        schema: Of the runner's document.
        latencies_us: Each measured invocation in order: inputs written, invoked, outputs read.
            Empty where the runner keeps none; `summary` is there then.
        init_us: From the first byte of the file read to tensors allocated.
        first_us: The first invocation.
        warmup_us: The invocations after it that do not count.
        output_sha256: Of each output tensor's bytes after the last invocation.
        error: What went wrong; None where nothing did. Its times are then no result.
        unread: Why a field is None, by name.
        block: Number of the repetition this start belongs to; the harness adds it.
        order: Position of this start within its block; the harness adds it.
        started: UTC, ISO 8601; the harness adds it.
        busy_share: CPU time that other processes used beside this start, as a share of
            all processors' time; None where the device does not tell.
        warmup_settled: Whether the last windows of the warm-up agreed; None where nobody looked.
        processors: Those it was allowed to run on.
        threads: Of its process, after the measured runs.
        paced: Of a paced run.
        load: Of a run with a second model beside it.
        windows: Sensors between invocations, in order.
        cache: "cold" or "warm": whether `init_us` found the delegate's cache filled; None without.
        cool_down: What the harness waited for before it.
        retried: Whether it was made after a start of this cell in this block had failed.
        summary: In the place of `latencies_us`; invocations alone, without writing inputs and
            reading outputs.
        clock_resolution_ns: The smallest step of the clock that times were taken with, nanoseconds.
    """

    schema: int
    runner: Program
    runtime: Runtime
    context: str
    model_sha256: str
    requested: Requested
    actual: Actual
    inputs: RunnerInputs
    init_us: float
    first_us: float
    warmup_us: tuple[float, ...]
    latencies_us: tuple[float, ...]
    write_input_us: tuple[float, ...]
    read_output_us: tuple[float, ...]
    memory: Memory
    conditions: BeforeAfter
    output_sha256: tuple[str, ...]
    outputs: OutputFiles | None = None
    profile: tuple[ProfileRow, ...] | None = None
    error: str | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    block: int | None = None
    order: int | None = None
    started: str | None = None
    busy_share: float | None = None
    warmup_settled: bool | None = None
    processors: tuple[int, ...] | None = None
    threads: int | None = None
    paced: Paced | None = None
    load: Load | None = None
    windows: tuple[Window, ...] | None = None
    cache: str | None = None
    cool_down: CoolDown | None = None
    retried: bool = False
    summary: Summary | None = None
    clock_resolution_ns: int | None = None

    def __post_init__(self) -> None:
        if self.error is not None:
            return
        if not self.latencies_us and self.summary is None:
            raise ValueError("a run without an error must have latencies, or a summary of them")
        if self.latencies_us and self.summary is not None:
            raise ValueError("a run has latencies or a summary in their place, not both")
        if len(self.write_input_us) != len(self.latencies_us) or len(self.read_output_us) != len(
            self.latencies_us
        ):
            raise ValueError("every latency needs its two I/O parts")
        times = (self.init_us, self.first_us, *self.warmup_us, *self.latencies_us)
        if min(times) <= 0 or min((*self.write_input_us, *self.read_output_us, 0.0)) < 0:
            raise ValueError("times must be above zero")

    @property
    def median_us(self) -> float:
        """Median of this start's measured invocations, microseconds.

        Raises:
            ValueError: If the runner printed their mean and no median.
        """
        if self.summary is None:
            return statistics.median(self.latencies_us)
        if self.summary.median_us is None:
            raise ValueError("this start has a mean and no median; `typical_us` is what stands")
        return self.summary.median_us

    @property
    def statistic(self) -> str:
        """What `typical_us` is: "median", or "mean" where the runner printed no median."""
        known = self.summary is None or self.summary.median_us is not None
        return "median" if known else "mean"

    @property
    def typical_us(self) -> float:
        """What stands for this start, microseconds: see `statistic`."""
        if self.summary is not None and self.summary.median_us is None:
            return self.summary.avg_us
        return self.median_us

    @property
    def invocations(self) -> int:
        """How many were measured."""
        return len(self.latencies_us) if self.summary is None else self.summary.count


# A reason of a verdict, where the runner gives no outputs and none of ours checked them there.
UNCHECKED_OUTPUTS = "outputs were not checked by this runner"


class Validity(enum.StrEnum):
    """Whether a number may be used."""

    VALID = "valid"
    SUSPECT = "suspect"
    INVALID = "invalid"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A validity and every reason for it, in sentences."""

    status: Validity
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutputCheck:
    """Outputs where the file was measured, against the reference outputs.

    Attributes:
        against: Digest of the reference outputs.
        how: The rule that was applied, in words.
        passed: Whether it held.
        detail: What was seen, in words.
    """

    against: str
    how: str
    passed: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class MeasuredModel:
    """The file that ran."""

    name: str
    sha256: str
    size_bytes: int
    spec: ModelSpec | None
    recipe: str
    recipe_digest: str
    preprocessing: Preprocessing | None

    @property
    def title(self) -> str:
        """E.g. "mobilenet_v2_1.0_224 float32"; the name alone where the recipe is not known."""
        return self.name if self.recipe == UNKNOWN_RECIPE else f"{self.name} {self.recipe}"


@dataclass(frozen=True, kw_only=True)
class MeasureConfig:
    """How it ran; the harness's settings beside those of `RunConfig`."""

    delegate: str
    num_threads: int
    warmup: int
    num_runs: int
    repetitions: int
    order_seed: int
    options: Mapping[str, str] = field(default_factory=dict)
    affinity: str | None = None
    min_secs: float | None = None
    max_secs: float | None = None
    cooling: str | None = None
    mode: str = "burst"
    require_delegate: bool = False
    shapes: Mapping[str, str] = field(default_factory=dict)
    cooldown_s: float = 0.0
    paced_fps: float | None = None
    sustained_s: float | None = None
    load_sha256: str | None = None
    input_range: tuple[int, int] | None = None
    signature: str | None = None


def measure_config(config: RunConfig, order_seed: int) -> MeasureConfig:
    """What a sealed measurement says of its settings."""
    same = {name: getattr(config, name) for name in SAME_SETTINGS}
    return MeasureConfig(warmup=config.warmup_runs, mode=config.mode, order_seed=order_seed, **same)


def special_settings(config: RunConfig | MeasureConfig) -> str:
    """What tells a measurement from a plain one beside delegate and threads; empty for nothing.

    E.g. "affinity big, paced 30".
    """
    words = {
        "affinity": config.affinity,
        "paced": config.paced_fps and f"{config.paced_fps:g}",
        "sustained": config.sustained_s and f"{config.sustained_s:g} s",
        "beside": config.load_sha256 and config.load_sha256[:8],
        "shape": " ".join(f"{name}={shape}" for name, shape in sorted(config.shapes.items())),
        "input-range": config.input_range and ",".join(map(str, config.input_range)),
        "signature": config.signature,
        "cool-to": config.cooling if config.cooling not in (None, "idle") else None,
        "cooldown": config.cooldown_s and f"{config.cooldown_s:g} s",
    }
    return ", ".join(f"{name} {value}" for name, value in words.items() if value)


def run_config(config: MeasureConfig) -> RunConfig:
    """The settings that a measurement was made with; what it does not say is the default.

    They are equal whether it comes from disk or from memory, where 0 seconds may still be whole.
    """
    said = {name: getattr(config, name) for name in SAME_SETTINGS}
    known = {name: value for name, value in said.items() if value is not None}
    return from_json(RunConfig, {"warmup_runs": config.warmup, **known})


# Fields that `RunConfig` and `MeasureConfig` share by name.
SAME_SETTINGS = tuple(
    f.name for f in fields(RunConfig) if f.name in {other.name for other in fields(MeasureConfig)}
)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """The version of mobilekit, and its commit where it ran from a checkout."""

    version: str
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One file on one device under one configuration: the sealed result.

    Statistics are computed when asked for and never stored, so two reports of one
    measurement cannot disagree. The noise floor is no statistic of this measurement: it is what
    the device was known for when the verdict was given.

    Attributes:
        label: What tells it from another one of the same file under the same configuration.
        noise_floor: The spread of run medians that a selftest had shown, 0..1, with this build,
            runner and runtime; None where there was no selftest: the device was unvalidated.
    """

    schema: int
    cell: str
    model: MeasuredModel
    device: DeviceInfo
    config: MeasureConfig
    runs: tuple[Run, ...]
    output_check: OutputCheck | None
    validity: Verdict
    created: str
    command: str
    kit: Kit
    imported_from: str | None = None
    label: str | None = None
    noise_floor: float | None = None

    @property
    def median_us(self) -> float:
        """The headline: the median over runs of the run medians, microseconds.

        Of the run means where the runner printed no medians.
        """
        return statistics.median(run.typical_us for run in self.runs)


def cell_id(
    *,
    model_sha256: str,
    recipe_digest: str,
    runner_sha256: str,
    runtime: Runtime,
    context: str,
    device: DeviceInfo,
    config: Mapping[str, Any],
) -> str:
    """Names a measurement by everything that could change its numbers: 16 hex digits."""
    return digest(
        {
            "model": model_sha256,
            "recipe": recipe_digest,
            "runner": runner_sha256,
            "runtime": runtime,
            "context": context,
            "device": {"serial": device.serial_hash, "build": device.build_fingerprint},
            "config": config,
        }
    )[:16]
