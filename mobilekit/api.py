"""What the commands do, as functions: the names that `mobilekit` re-exports."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.measurement import Measurement, RunConfig
from mobilekit.core.model import UNKNOWN_RECIPE, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Effort

if TYPE_CHECKING:
    from android_bench.devices.cleaning import Cleaned
    from android_bench.devices.overview import ListedDevice
    from android_bench.harness import Progress
    from converters.verify import Verification


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
    effort: Effort = Effort.FAST,
    method: str | None = None,
    say: Callable[[str], None] = _silent,
) -> TFLiteModel:
    """Converts a .keras file and writes a .tflite that has passed its checks, with provenance.

    Args:
        model: The .keras file.
        recipe: A name of `converters.recipes`.
        output: The .tflite file.
        calibration: Folder of photographs; static recipes need one.
        preprocessing: What the input expects, where no description lies beside the model.
        effort: How long a rule may take to choose methods that make a static int8 file more
            accurate; other recipes have none to choose.
        method: Names of `converters.methods` joined by "+" instead of the rule.
        say: Told in sentences what is done.

    Raises:
        UsageError: If a name, a file or a folder does not exist, or calibration is missing.
        ConversionError: If the model cannot become this file, or the file fails its checks.
        StorageError: If it cannot be written.
    """
    from converters.recipes import parse_recipe, with_method
    from converters.writer import write_model
    from mobilekit.conversion import Conversion
    from mobilekit.images import image_set
    from mobilekit.sources import network_of_file

    wanted = parse_recipe(recipe).with_effort(effort)
    if method is not None:
        wanted = with_method(parse_recipe(recipe), method)
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
    device: str = "host",
    configs: Sequence[RunConfig] = (RunConfig(),),
    runner: str = "litert_python",
    runner_binary: Path | None = None,
    runtime: str | None = None,
    python: Path | None = None,
    command: str = "mobilekit.benchmark_files",
    progress: Progress,
    again: bool = False,
) -> list[Measurement]:
    """Measures .tflite files together; outputs are checked against the builtin kernels first.

    Args:
        models: The files.
        results: Folder of the results; what was measured there together is reused.
        device: A device kind, with an address where it has one, e.g. "ssh:user@board".
        configs: Settings; every file is measured under each.
        runner: What runs the files: "litert_python" or "native".
        runner_binary: The program of runner "native", where it is not the one that was built.
        runtime: The inference library, one of the runner's; its first where none is named.
        python: The interpreter on the device that has the runtime; None takes this one on this
            computer, `python3` elsewhere.
        command: What repeats this, for the results.
        progress: Told of every start.
        again: Measure anew, whatever was measured before.

    Returns:
        One sealed measurement a file and setting: files in order, settings within.

    Raises:
        UsageError: If there is no such file, device or runner.
        ModelFileError: If a file is no .tflite that can be read.
        RunnerError: If a file cannot be run.
        DeviceError: If the device fails.
        StorageError: If results cannot be written.
    """
    from android_bench.devices import DEVICE_KINDS, open_device, public_name
    from android_bench.harness import Job, measure
    from android_bench.runners import open_runner
    from mobilekit.kit import kit
    from mobilekit.sources import describe_tflite, measured_model

    jobs = [
        Job(path=path, model=measured_model(describe_tflite(path)[1]), config=config)
        for path in models
        for config in configs
    ]
    opened = open_device(device)
    if device not in DEVICE_KINDS:  # results are shared; serials and addresses are not
        public = opened.label if opened.kind == "adb" else public_name(device)
        command = command.replace(shlex.quote(device), public)
    return measure(
        jobs,
        opened,
        open_runner(runner, runtime=runtime, python=python, binary=runner_binary),
        results,
        seed=0,
        command=command,
        kit=kit(),
        progress=progress,
        again=again,
    )


def list_devices() -> tuple[ListedDevice, ...]:
    """This computer and every phone that adb sees, with what can be said of them unmeasured.

    Raises:
        DeviceError: If adb does not work.
        StorageError: If the local secret or the labels cannot be read.
    """
    from android_bench.devices.overview import list_devices as listed

    return listed()


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
