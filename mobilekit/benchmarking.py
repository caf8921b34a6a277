"""Measuring, as functions: what the commands that measure .tflite files on devices do."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.digest import canonical_json
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import MeasuredModel, Measurement, Run, RunConfig

if TYPE_CHECKING:
    from android_bench.devices import Device
    from android_bench.fleet import Task
    from android_bench.harness import Progress
    from android_bench.jobs import Reference
    from mobilekit.selftest import Selftest


def benchmark_files(
    models: Sequence[Path],
    results: Path,
    *,
    device: str | Sequence[str] = "host",
    configs: Sequence[RunConfig] = (RunConfig(),),
    runner: str | None = None,
    runner_binary: Path | None = None,
    runner_libraries: Sequence[Path] = (),
    runtime: str | None = None,
    python: Path | None = None,
    command: str = "mobilekit.benchmark_files",
    progress: Progress,
    progress_of: Callable[[str], Progress] | None = None,
    again: bool = False,
    cool_limit_s: float | None = None,
    load: Path | None = None,
    label: str | None = None,
    inputs: Sequence[str] = (),
) -> list[Measurement]:
    """Measures .tflite files together; outputs are checked against the builtin kernels first.

    Several devices are measured side by side.

    Args:
        models: The files.
        results: Folder of the results; what was measured there together is reused.
        device: A device kind, with an address where it has one, e.g. "ssh:user@board"; or several.
        configs: Settings; every file is measured under each. A delegate that only one runner has,
            such as NNAPI, brings the CPU in the same runner with it.
        runner: What runs the files, a name of `android_bench.runners.RUNNERS`; None takes
            "native" on a phone, "litert_python" elsewhere.
        runner_binary: The runner's program, where it is not the one that was built or placed.
        runner_libraries: Files or folders that delegates need beside the runtime's library: a
            GPU's accelerator, an NPU's dispatch library and what that needs.
        runtime: The inference library, one of the runner's; its first where none is named.
        python: The interpreter on the device that has the runtime; None takes this one on this
            computer, `python3` elsewhere.
        command: What repeats this, for the results.
        progress: Told of every start.
        progress_of: Gives what is told instead of each device, by its name, where there are
            several; None tells `progress`, with the name in front.
        again: Measure anew, whatever was measured before.
        cool_limit_s: The longest wait for a device to cool before a start, in seconds; None takes
            `android_bench.cooling.COOL_LIMIT_S`.
        load: A second .tflite file that runs all the time beside each of them.
        label: Tells these measurements from others of the same files and settings.
        inputs: What they are measured and checked on, "FILE.npy" or "NAME=FILE.npy", one a model
            input: stacks (count, ...) in the file's own types. None seeds them.

    Returns:
        One sealed measurement a device, file and setting: devices in order, files within, settings
        within those.

    Raises:
        UsageError: If there is no such file, device or runner, no program of it for a device, a
            device was named twice, or inputs do not fit.
        ModelFileError: If a file is no .tflite that can be read.
        UnfinishedError: If files or devices failed; it carries what was measured all the same.
        RunnerError: If the runner does not work on the only device.
        DeviceError: If the only device fails.
        StorageError: If results cannot be written.
    """
    from android_bench.cooling import Patience
    from android_bench.fleet import all_measured, measure_side_by_side
    from android_bench.harness import measure
    from mobilekit.kit import kit

    names = [device] if isinstance(device, str) else list(device)
    opened = functools.partial(
        _task,
        runner=runner,
        runtime=runtime,
        python=python,
        binary=runner_binary,
        libraries=runner_libraries,
    )
    described = _described(models, load, configs, inputs)
    tasks = [opened(name, described, configs, label=label) for name in names]
    if not tasks:
        raise UsageError("There is nowhere to measure: no device was named.")
    for name, task in zip(names, tasks, strict=True):
        command = _without_address(command, name, task.device)
    patience = Patience() if cool_limit_s is None else Patience(cool_s=cool_limit_s)
    if len(tasks) == 1:
        return measure(
            tasks[0].jobs,
            tasks[0].device,
            tasks[0].runner,
            results,
            seed=0,
            command=command,
            kit=kit(),
            progress=progress,
            again=again,
            patience=patience,
        )
    outcomes = measure_side_by_side(
        tasks,
        results,
        seed=0,
        command=command,
        kit=kit(),
        progress_of=progress_of or functools.partial(_prefixed, progress),
        again=again,
        patience=patience,
    )
    return all_measured(outcomes)


def _prefixed(progress: Progress, name: str) -> Progress:
    """Tells `progress`, with a device's name before each sentence."""

    def tell(done: int, total: int, text: str) -> None:
        progress(done, total, f"{name}: {text}")

    return tell


def _without_address(command: str, name: str, device: Device) -> str:
    """The command without what leads to a device: results are shared, serials are not."""
    from android_bench.devices import DEVICE_KINDS, public_name

    if name in DEVICE_KINDS:
        return command
    public = device.label if device.kind == "adb" else public_name(name)
    return command.replace(shlex.quote(name), public)


def profile_files(
    models: Sequence[Path],
    results: Path,
    *,
    device: str = "host",
    configs: Sequence[RunConfig] = (RunConfig(),),
    runner: str | None = "native",
    runner_binary: Path | None = None,
    runner_libraries: Sequence[Path] = (),
    runtime: str | None = None,
    python: Path | None = None,
    progress: Progress,
    again: bool = False,
    load: Path | None = None,
    inputs: Sequence[str] = (),
) -> list[Run]:
    """Times the operators of .tflite files, in one start each that counts for nothing else.

    The arguments are those of `benchmark_files`; `mobilekit.profiles.profiled` sets what comes back
    beside its measurements.

    Returns:
        One run with its `profile` a file and setting: files in order, settings within.

    Raises:
        UsageError: If there is no such file, device or runner, or the runner cannot profile.
        ModelFileError: If a file is no .tflite that can be read.
        RunnerError: If a file cannot be run or profiled.
        DeviceError: If the device fails.
        StorageError: If profiles cannot be written or read.
    """
    from android_bench.profiling import profile

    task = _task(
        device,
        _described(models, load, configs, inputs),
        configs,
        runner=runner,
        runtime=runtime,
        python=python,
        binary=runner_binary,
        libraries=runner_libraries,
    )
    return profile(task.jobs, task.device, task.runner, results, progress=progress, again=again)


@dataclass(frozen=True, kw_only=True)
class _Files:
    """What is measured, on which inputs, and what runs beside it.

    `references` has one of each file and what of the settings its inputs depend on; None for
    seeded inputs.
    """

    models: Sequence[tuple[Path, MeasuredModel]]
    references: Mapping[tuple[Path, str], Reference | None]
    load: Path | None
    load_sha256: str | None


def _described(
    models: Sequence[Path], load: Path | None, configs: Sequence[RunConfig], inputs: Sequence[str]
) -> _Files:
    """Reads the files, with their inputs; raises ModelFileError, UsageError."""
    from mobilekit.sources import describe_tflite, measured_model

    return _Files(
        models=[(path, measured_model(describe_tflite(path)[1])) for path in models],
        references={
            (path, _input_settings(config)): _reference(path, config, inputs)
            for path in models
            for config in {_input_settings(config): config for config in configs}.values()
        },
        load=load,
        load_sha256=describe_tflite(load)[1].sha256 if load else None,
    )


def _input_settings(config: RunConfig) -> str:
    """What of the settings inputs depend on: equal where they are."""
    return canonical_json([config.signature, config.input_range, dict(config.shapes)])


def _reference(path: Path, config: RunConfig, inputs: Sequence[str]) -> Reference | None:
    if not inputs and config.signature is None and config.input_range is None:
        return None
    from converters.tflite_reader import read_file
    from mobilekit.own_inputs import own_inputs

    return own_inputs(read_file(path), config, inputs)


def _task(
    device: str,
    files: _Files,
    configs: Sequence[RunConfig],
    *,
    runner: str | None,
    runtime: str | None,
    python: Path | None,
    binary: Path | None,
    libraries: Sequence[Path] = (),
    label: str | None = None,
) -> Task:
    """Opens a device and its runner, and gives them every file under every setting."""
    from android_bench.devices import open_device
    from android_bench.fleet import Task
    from android_bench.harness import Job
    from android_bench.runners.choosing import open_runner_for, with_baselines
    from mobilekit.own_inputs import must_take_inputs

    opened = open_device(device)
    driver = open_runner_for(
        opened, runner, runtime=runtime, python=python, binary=binary, libraries=libraries
    )
    if any(files.references.values()):
        must_take_inputs(driver.name)
    jobs = [
        Job(
            path=path,
            model=model,
            config=replace(config, load_sha256=files.load_sha256),
            reference=files.references[path, _input_settings(config)],
            load=files.load,
            label=label,
        )
        for path, model in files.models
        for config in with_baselines(configs, driver.name)
    ]
    return Task(device=opened, runner=driver, jobs=jobs)


def selftest_device(
    model: Path | None = None,
    *,
    device: str = "host",
    results: Path,
    repetitions: int = RunConfig.repetitions,
    runner: str | None = None,
    runner_binary: Path | None = None,
    runtime: str | None = None,
    python: Path | None = None,
    benchmark_model: Path | None = None,
    command: str = "mobilekit.selftest_device",
    progress: Progress,
) -> Selftest:
    """Measures one file against itself, and keeps the noise floor if that went well.

    Args:
        model: A .tflite file; None takes a small network that is written into `results`.
        device: As of `benchmark_files`.
        results: Folder of the raw starts.
        repetitions: Blocks.
        runner: As of `benchmark_files`.
        runner_binary: Likewise.
        runtime: Likewise.
        python: Likewise.
        benchmark_model: Google's program, built for the device, to be held against; None takes the
            one in the cache, if there is one.
        command: What repeats this, for the results.
        progress: Told of every start.

    Raises:
        UsageError: If there is no such file, device or runner, or too few repetitions.
        ModelFileError: If the file is no .tflite that can be read.
        RunnerError: If the file cannot be run.
        DeviceError: If the device fails before the file was measured against itself.
        IncomparableError: If the starts are no pairs.
        StorageError: If results cannot be written.
    """
    from android_bench.devices import open_device
    from android_bench.runners.choosing import open_runner_for
    from android_bench.selftest import SelftestBench
    from mobilekit.selftest import run_selftest
    from mobilekit.selftest_network import write_selftest_network
    from mobilekit.sources import describe_tflite, measured_model

    opened = open_device(device)
    chosen = open_runner_for(opened, runner, runtime=runtime, python=python, binary=runner_binary)
    path = model or write_selftest_network(results)  # nothing is written before both are there
    tested = SelftestBench(
        path=path,
        model=measured_model(describe_tflite(path)[1]),
        config=RunConfig(repetitions=repetitions),
        device=opened,
        runner=chosen,
    )
    return run_selftest(
        tested,
        results,
        benchmark_model=benchmark_model,
        command=_without_address(command, device, opened),
        progress=progress,
    )
