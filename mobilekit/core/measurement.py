"""What was observed on a device: raw values and their circumstances, no statistics.

`Run` is the runner's document, one start of the runner; `Measurement` is the sealed result. Both
are the formats of docs/formats.md, field by field: `mobilekit.core.records` reads and writes them.
"""

from __future__ import annotations

import enum
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mobilekit.core.device import DeviceInfo
from mobilekit.core.digest import digest
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How a file is measured.

    Attributes:
        delegate: A target, e.g. "xnnpack" or "nnapi@30".
        num_threads: CPU threads the interpreter is given.
        warmup_runs: Invocations before the measured ones, at least; they are kept apart.
        num_runs: Measured invocations a start.
        repetitions: Blocks; in each, every file and setting is started once.
    """

    delegate: str = "xnnpack"
    num_threads: int = 1
    warmup_runs: int = 10
    num_runs: int = 50
    repetitions: int = 12

    def __post_init__(self) -> None:
        for name, least, most in (
            ("num_threads", 1, 256),  # far more than any device has; LiteRT crashes at 100,000
            ("warmup_runs", 0, 100_000),
            ("num_runs", 1, 100_000),
            ("repetitions", 1, 100_000),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be {least}..{most}, not {value}")


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
    """What the runtime did; None where it does not say."""

    delegate: str | None
    nodes_delegated: int | None
    nodes_total: int | None
    partitions: int | None


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
    """Sensors, read outside the timed regions."""

    temperature_c: float | None = None
    thermal_status: int | None = None
    frequencies_khz: Mapping[str, int] | None = None
    time_in_state: Mapping[str, Mapping[str, int]] | None = None
    battery_ua: int | None = None
    plugged: bool | None = None


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
    """One operator of a per-operator profile."""

    node: int
    op: str
    delegate: str | None
    us: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """One start of the runner, as it printed it. Times are microseconds of the monotonic clock.

    Attributes:
        schema: Of the runner's document.
        latencies_us: Each measured invocation in order: inputs written, invoked, outputs read.
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

    def __post_init__(self) -> None:
        if self.error is not None:
            return
        if not self.latencies_us:
            raise ValueError("a run without an error must have latencies")
        if len(self.write_input_us) != len(self.latencies_us) or len(self.read_output_us) != len(
            self.latencies_us
        ):
            raise ValueError("every latency needs its two I/O parts")
        times = (self.init_us, self.first_us, *self.warmup_us, *self.latencies_us)
        if min(times) <= 0 or min(*self.write_input_us, *self.read_output_us, 0) < 0:
            raise ValueError("times must be above zero")

    @property
    def median_us(self) -> float:
        """Median of this start's measured invocations, microseconds."""
        return statistics.median(self.latencies_us)


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


@dataclass(frozen=True, kw_only=True)
class Kit:
    """The version of mobilekit, and its commit where it ran from a checkout."""

    version: str
    commit: str | None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One file on one device under one configuration: the sealed result.

    Statistics are computed when asked for and never stored, so two reports of one
    measurement cannot disagree.
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

    @property
    def median_us(self) -> float:
        """The headline: the median over runs of the run medians, microseconds."""
        return statistics.median(run.median_us for run in self.runs)


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
