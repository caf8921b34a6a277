"""What the commands do, as functions: the names that `mobilekit` re-exports."""

from __future__ import annotations

import functools
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit import __version__
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.measurement import MeasuredModel, Measurement, Run, RunConfig
from mobilekit.core.model import UNKNOWN_RECIPE, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing

if TYPE_CHECKING:
    from android_bench.devices import Device
    from android_bench.devices.cleaning import Cleaned
    from android_bench.devices.overview import ListedDevice
    from android_bench.fleet import Task
    from android_bench.harness import Progress
    from converters.verify import Verification
    from mobilekit.selftest import Selftest


@dataclass(frozen=True, kw_only=True)
class VerifiedFile:
    """What `verify_file` found.

    Attributes:
        path: The file.
        model: What its provenance says of it.
        verification: What its bytes say.
        accuracy: Its answers beside those of the model it was made from; None if not asked for.
    """

    path: Path
    model: TFLiteModel
    verification: Verification
    accuracy: Accuracy | None

    @property
    def drifted(self) -> str | None:
        """A sentence if its answers are noise beside those of the model it was made from."""
        from mobilekit.conversion import drift

        return drift(self.model.recipe, self.accuracy) if self.accuracy else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is not as it should be, in sentences."""
        sentences = tuple(problem.sentence for problem in self.verification.problems)
        return sentences + ((self.drifted,) if self.drifted else ())


@dataclass(frozen=True, kw_only=True)
class PushedFile:
    """What `push_file` brought to a device.

    Attributes:
        label: The device.
        remote: Where it is there; its name is its sha256.
        sha256: As computed on the device.
        size_bytes: Of the file.
    """

    label: str
    remote: str
    sha256: str
    size_bytes: int


# The phone that ANDROID_SERIAL names, or the only one.
THE_PHONE = "adb"


def _silent(sentence: str) -> None:
    """The default listener of the functions below."""


def build_file(
    architecture: str,
    output: Path,
    *,
    alpha: float = 1.0,
    input_size: int = 224,
    classes: int = 1000,
    weights: str = "random",
    seed: int = 0,
) -> Path:
    """Builds a network and writes it as .keras, with a description beside it.

    Raises:
        UsageError: If a name does not exist, a size does not fit, or a weights file is missing.
        WeightsFileError: If the weights are of another network, or hostile.
        StorageError: If it cannot be written.
    """
    from mobilekit.keras_file import save_network
    from mobilekit.sources import make_spec, network_of_spec

    spec = make_spec(
        architecture=architecture, alpha=alpha, size=input_size, classes=classes, seed=seed
    )
    network = network_of_spec(spec, weights)
    assert network.spec is not None  # networks of a spec have one
    save_network(output, network.build(), network.spec, network.preprocessing)
    return output


def convert_file(
    model: Path,
    recipe: str,
    output: Path,
    *,
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
    say: Callable[[str], None] = _silent,
) -> TFLiteModel:
    """Converts a .keras file and writes a .tflite that has passed its checks, with provenance.

    Args:
        model: The .keras file.
        recipe: A name of `converters.recipes`.
        output: The .tflite file.
        calibration: Folder of photographs; static recipes need one.
        preprocessing: What the input expects, where no description lies beside the model.
        say: Told in sentences what is done.

    Raises:
        UsageError: If a name, a file or a folder does not exist, or calibration is missing.
        ConversionError: If the model cannot become this file, or the file fails its checks.
        StorageError: If it cannot be written.
    """
    from converters.recipes import parse_recipe
    from converters.writer import write_model
    from mobilekit.conversion import Conversion
    from mobilekit.images import image_set
    from mobilekit.sources import network_of_file

    wanted = parse_recipe(recipe)
    if output.suffix != ".tflite":
        raise UsageError(f"{output} must end in .tflite, which is what it will be.")
    network = network_of_file(model, preprocessing)
    images = image_set(calibration) if calibration else None
    with tempfile.TemporaryDirectory() as aside:
        made = Conversion(network, images, Path(aside), say).file(wanted)
        write_model(output, made.path.read_bytes(), made.model)
    return made.model


def evaluate_file(
    model: Path,
    images: Path,
    *,
    labels: Path | None = None,
    against: Path | None = None,
    preprocessing: Preprocessing | None = None,
) -> Accuracy:
    """Judges a .tflite on a folder of images.

    Args:
        model: The .tflite file.
        images: Folder of pictures.
        labels: Lines of "<picture> <class index>".
        against: A .keras or float .tflite that agreement and SNR are taken against.
        preprocessing: What the input expects, where no provenance lies beside the model.

    Raises:
        UsageError: If a file or folder does not exist, or no picture can be read.
        ConversionError: If the file is no .tflite, does not run, or answers NaN.
    """
    from converters.allocation import allocation_problem
    from mobilekit.evaluate import evaluate_content
    from mobilekit.images import image_set, read_labels
    from mobilekit.sources import describe_tflite, expected_input, reference_of

    content, known = describe_tflite(model)
    expects = expected_input(model, preprocessing, known.preprocessing)
    problem = allocation_problem(content)  # in a process of its own: LiteRT can crash on a file
    if problem is not None:
        raise ConversionError(f"{model} cannot be run: {problem}.")
    chosen = image_set(images)
    return evaluate_content(
        content,
        known.sha256,
        chosen,
        expects,
        labels=read_labels(labels, chosen) if labels else None,
        reference=reference_of(against, chosen, expects) if against else None,
    )


def verify_file(
    model: Path,
    *,
    full_integer: bool = False,
    against: Path | None = None,
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
) -> VerifiedFile:
    """Checks that a .tflite is what it claims to be.

    Args:
        model: The .tflite file; its provenance, where there is some, is part of the claim.
        full_integer: Whether it claims integers everywhere, inputs and outputs included.
        against: The .keras or float .tflite it was made from.
        calibration: Folder of photographs to compare the answers on; `against` needs it.
        preprocessing: What the input expects, where no provenance lies beside the model.

    Raises:
        UsageError: If a file or folder does not exist.
        ModelFileError: If the file is no .tflite that can be read.
    """
    from converters.recipes import parse_recipe
    from converters.tflite_reader import read_model
    from converters.verify import verify
    from mobilekit.sources import describe_tflite

    if (against is None) != (calibration is None):
        raise UsageError("--against and --calibration belong together: give both or none.")
    content, known = describe_tflite(model)
    found = verify(
        read_model(content, str(model)),
        full_integer=full_integer,
        recipe=parse_recipe(known.recipe) if known.recipe != UNKNOWN_RECIPE else None,
        preprocessing=preprocessing or known.preprocessing,
        layers=known.layers,
    )
    accuracy = None
    if against is not None and calibration is not None and found.runs:
        accuracy = evaluate_file(model, calibration, against=against, preprocessing=preprocessing)
    return VerifiedFile(path=model, model=known, verification=found, accuracy=accuracy)


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

    Returns:
        One sealed measurement a device, file and setting: devices in order, files within, settings
        within those.

    Raises:
        UsageError: If there is no such file, device or runner, no program of it for a device, or
            a device was named twice.
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
    described = _described(models, load)
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
        _described(models, load),
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
    """What is measured, and what runs beside it."""

    models: Sequence[tuple[Path, MeasuredModel]]
    load: Path | None
    load_sha256: str | None


def _described(models: Sequence[Path], load: Path | None) -> _Files:
    """Reads the files; raises ModelFileError."""
    from mobilekit.sources import describe_tflite, measured_model

    return _Files(
        models=[(path, measured_model(describe_tflite(path)[1])) for path in models],
        load=load,
        load_sha256=describe_tflite(load)[1].sha256 if load else None,
    )


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

    opened = open_device(device)
    driver = open_runner_for(
        opened, runner, runtime=runtime, python=python, binary=binary, libraries=libraries
    )
    jobs = [
        Job(
            path=path,
            model=model,
            config=replace(config, load_sha256=files.load_sha256),
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
        RunnerError: If the file cannot be run, or `benchmark_model` fails.
        DeviceError: If the device fails.
        IncomparableError: If the starts are no pairs.
        StorageError: If results cannot be written.
    """
    from android_bench.devices import open_device
    from android_bench.runners.choosing import open_runner_for
    from android_bench.selftest import SelftestBench
    from mobilekit.selftest import run_selftest
    from mobilekit.selftest_network import write_selftest_network
    from mobilekit.sources import describe_tflite, measured_model

    path = model or write_selftest_network(results)
    opened = open_device(device)
    tested = SelftestBench(
        path=path,
        model=measured_model(describe_tflite(path)[1]),
        config=RunConfig(repetitions=repetitions),
        device=opened,
        runner=open_runner_for(
            opened, runner, runtime=runtime, python=python, binary=runner_binary
        ),
    )
    return run_selftest(
        tested,
        results,
        benchmark_model=benchmark_model,
        command=_without_address(command, device, opened),
        progress=progress,
    )


def list_devices() -> tuple[ListedDevice, ...]:
    """This computer and every phone that adb sees, with what can be said of them unmeasured.

    Raises:
        DeviceError: If adb does not work.
        StorageError: If the local secret or the labels cannot be read.
    """
    from android_bench.devices.overview import list_devices as listed
    from android_bench.floors import validations

    def validated(row: ListedDevice) -> ListedDevice:
        info = row.overview.info
        passed = validations(info, __version__) if info else ()
        return replace(row, overview=replace(row.overview, validated=passed))

    return tuple(map(validated, listed()))


def push_file(path: Path, *, device: str = THE_PHONE) -> PushedFile:
    """Brings a file to a device, under the name of its content; what is there is not sent again.

    Raises:
        UsageError: If there is no such device.
        DeviceError: If it cannot be written, or is not there with equal sha256 afterwards.
        StorageError: If the file cannot be read.
    """
    from android_bench.devices import open_device
    from mobilekit.core.digest import sha256_file

    sha256 = sha256_file(path)
    opened = open_device(device)
    remote = f"{opened.workspace}/files/{sha256}{path.suffix}"
    opened.push(path, remote)
    return PushedFile(
        label=opened.label, remote=remote, sha256=sha256, size_bytes=path.stat().st_size
    )


def clean_device(*, device: str = THE_PHONE, days: int = 30) -> Cleaned:
    """Removes what was pushed to a device `days` ago or earlier; 0 removes all.

    Raises:
        UsageError: If there is no such device, or `days` is below zero.
        DeviceError: If a measurement holds it, or it fails.
    """
    from android_bench.devices import open_device
    from android_bench.devices.cleaning import clean

    return clean(open_device(device), days=days)
