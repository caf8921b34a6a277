"""Which runner measures on a device, and what it measures beside what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from android_bench.devices import DEVICE_KINDS, Device
from android_bench.runners import RUNNERS, Runner, open_runner
from android_bench.runners.artifacts import MissingBinaryError, instead
from mobilekit.core.measurement import SAME_SETTINGS, Measurement, RunConfig
from mobilekit.core.target import Target


def open_runner_for(
    device: Device,
    name: str | None = None,
    *,
    runtime: str | None = None,
    python: Path | None = None,
    binary: Path | None = None,
    libraries: Sequence[Path] = (),
) -> Runner:
    """Opens the runner that was named, or that of the device's kind; never another in its place.

    Args:
        device: Where it is to run; programs and libraries are looked for by its ABI.
        name: A name of `RUNNERS`; None for that of the device's kind.
        runtime: One of its runtimes; the first where none is named.
        python: As `open_runner`.
        binary: As `open_runner`.
        libraries: As `open_runner`.

    Raises:
        MissingBinaryError: If there is no program for the device; it names what else would run.
        UsageError: As `open_runner`.
        DeviceError: If the device does not answer.
    """
    chosen = name or DEVICE_KINDS[device.kind].runner
    abi = device.info().abi
    try:
        return open_runner(
            chosen, runtime=runtime, python=python, binary=binary, abi=abi, libraries=libraries
        )
    except MissingBinaryError as error:
        raise MissingBinaryError(f"{device.label}: {error}{_instead(abi, chosen)}") from error


def _instead(abi: str, chosen: str) -> str:
    found = [(name, path) for name, path in instead(abi) if name != chosen]
    if not found:
        return " `mobilekit doctor` lists what else could run there."
    name, path = found[0]
    return (
        f" {path} is there and would run, for statistics without raw samples or outputs: ask for"
        f" it with --runner {name}."
    )


def with_baselines(configs: Sequence[RunConfig], runner: str) -> tuple[RunConfig, ...]:
    """The same, and the CPU for every delegate that no other runner could be held against.

    Args:
        configs: What was asked for.
        runner: A name of `RUNNERS`.
    """
    baselined = RUNNERS[runner].baselined
    found = list(configs)
    for config in configs:
        if Target.parse(config.delegate).delegate in baselined:
            baseline = replace(config, delegate=RunConfig.delegate, require_delegate=False)
            found += [baseline] if baseline not in found else []
    return tuple(found)


def baseline_of(candidate: Measurement, among: Sequence[Measurement]) -> Measurement | None:
    """The CPU's measurement of the same file under the same settings, of `with_baselines`."""
    runner = next((run.runner.name for run in candidate.runs), None)
    delegate = Target.parse(candidate.config.delegate).delegate
    if runner is None or runner not in RUNNERS or delegate not in RUNNERS[runner].baselined:
        return None
    settings = [name for name in SAME_SETTINGS if name not in ("delegate", "require_delegate")]
    for other in among:
        if (
            other.model.sha256 == candidate.model.sha256
            and other.config.delegate == RunConfig.delegate
            and all(
                getattr(other.config, name) == getattr(candidate.config, name) for name in settings
            )
        ):
            return other
    return None
