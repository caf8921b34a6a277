"""Files, as functions: what the commands that build, convert and judge them do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.model import UNKNOWN_RECIPE, TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Effort, LayerRule, Recipe
from mobilekit.core.target import DEFAULT_TARGET

if TYPE_CHECKING:
    import keras

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
        from mobilekit.conversion_checks import drift

        return drift(self.model.recipe, self.accuracy) if self.accuracy else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is not as it should be, in sentences."""
        sentences = tuple(problem.sentence for problem in self.verification.problems)
        return sentences + ((self.drifted,) if self.drifted else ())


def _silent(sentence: str) -> None:
    """The default listener of the functions below."""


def build_file(
    architecture: str,
    output: Path,
    *,
    alpha: float = 1.0,
    input_size: int | None = None,
    classes: int | None = None,
    weights: str = "random",
    seed: int = 0,
    options: Mapping[str, str] | None = None,
    target: str = DEFAULT_TARGET,
    say: Callable[[str], None] = _silent,
) -> Path:
    """Builds a network and writes it as .keras, with a description beside it.

    `say` is told whose names a weights file has.

    Raises:
        UsageError: If a name does not exist, a size does not fit, or a weights file is missing or
            of a network with other classes or options.
        WeightsFileError: If the weights are of another network, or hostile.
        StorageError: If it cannot be written.
    """
    from mobilekit.keras_file import save_network
    from mobilekit.sources import make_spec, network_of_spec

    spec = make_spec(
        architecture,
        alpha=alpha,
        size=input_size,
        classes=classes,
        seed=seed,
        options=options,
        target=target,
    )
    network = network_of_spec(spec, weights, options)
    assert network.spec is not None  # networks of a spec have both
    assert network.preprocessing is not None
    if network.spec.weights != weights:
        say(f"{weights} has the names of {network.spec.weights} weights of {architecture}.")
    save_network(output, network.build(), network.spec, network.preprocessing)
    return output


def convert_file(
    model: Path | keras.Model,
    recipe: str,
    output: Path,
    *,
    rules: Sequence[LayerRule] = (),
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
    quantizer: str = "ours",
    effort: Effort = Effort.FAST,
    method: str | None = None,
    fold_preprocessing: bool = False,
    say: Callable[[str], None] = _silent,
) -> TFLiteModel:
    """Converts a model and writes a .tflite that has passed its checks, with provenance.

    Args:
        model: A .keras or .h5 file, a SavedModel folder, a float .tflite (for which TensorFlow is
            not imported), or a Keras model in memory.
        recipe: A name of `converters.recipes`.
        output: The .tflite file.
        rules: Layers that compute in another way than the recipe says.
        calibration: Folder of photographs, or .npz of arrays; static recipes need one.
        preprocessing: What the input expects, where no description lies beside the model.
        quantizer: A row of `converters.quantizers`.
        effort: How long a rule may take to choose methods that make a static int8 file more
            accurate; other recipes have none to choose.
        method: Names of `converters.methods` joined by "+" instead of the rule.
        fold_preprocessing: Puts the scaling of pixels into the first convolution, so that the file
            takes pixels of 0..255.
        say: Told in sentences what is done.

    Raises:
        UsageError: If a name, a file or a folder does not exist, calibration is missing, or a rule
            names no layer.
        ConversionError: If the model cannot become this file, or the file fails its checks.
        StorageError: If it cannot be written.
    """
    from converters.quantizers import OURS
    from converters.recipes import parse_recipe, with_method
    from converters.writer import write_model
    from mobilekit.conversion import Conversion
    from mobilekit.folding import fold_preprocessing as folded
    from mobilekit.samples import sample_set
    from mobilekit.sources import network_of_file, network_of_model

    wanted = parse_recipe(recipe, tuple(rules))
    if method is not None:
        wanted = with_method(wanted, method)
    elif quantizer == OURS:
        wanted = wanted.with_effort(effort)
    if output.suffix != ".tflite":
        raise UsageError(f"{output} must end in .tflite, which is what it will be.")
    of = network_of_file if isinstance(model, Path) else network_of_model
    network = of(model, preprocessing)
    network = folded(network) if fold_preprocessing else network
    samples = sample_set(calibration) if calibration else None
    with tempfile.TemporaryDirectory() as aside:
        conversion = Conversion(network, samples, Path(aside), say, quantizer, states=output.parent)
        made = conversion.file(wanted)
        write_model(output, made.path.read_bytes(), made.model)
    conversion.forget_calibration()
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
        reference=reference_of(against, chosen, known.folded or expects) if against else None,
    )


def verify_file(
    model: Path,
    *,
    full_integer: bool = False,
    io: str | None = None,
    per_channel: bool = False,
    runtime: str | None = None,
    against: Path | None = None,
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
) -> VerifiedFile:
    """Checks that a .tflite is what it claims to be.

    Args:
        model: The .tflite file; its provenance, where there is some, is part of the claim.
        full_integer: Whether it claims integers everywhere, inputs and outputs included.
        io: Element type that inputs and outputs are said to have, e.g. "int8".
        per_channel: Whether its convolutions are said to have a scale for every output channel.
        runtime: A name of `converters.operator_versions.RUNTIMES` that is to run it.
        against: The .keras or float .tflite it was made from.
        calibration: Folder of photographs to compare the answers on; `against` needs it.
        preprocessing: What the input expects, where no provenance lies beside the model.

    Raises:
        UsageError: If a file or folder does not exist.
        ModelFileError: If the file is no .tflite that can be read.
    """
    from converters.tflite_reader import read_model
    from converters.verify import verify
    from mobilekit.sources import describe_tflite

    if (against is None) != (calibration is None):
        raise UsageError("--against and --calibration belong together: give both or none.")
    content, known = describe_tflite(model)
    found = verify(
        read_model(content, str(model)),
        full_integer=full_integer,
        recipe=_claimed_recipe(known),
        preprocessing=preprocessing or (known.preprocessing if known.quantizer == "ours" else None),
        io=io,
        per_channel=per_channel,
        runtime=runtime,
        layers=known.layers,
    )
    accuracy = None
    if against is not None and calibration is not None and found.runs:
        accuracy = evaluate_file(model, calibration, against=against, preprocessing=preprocessing)
    return VerifiedFile(path=model, model=known, verification=found, accuracy=accuracy)


def _claimed_recipe(known: TFLiteModel) -> Recipe | None:
    """The recipe that a file's provenance tells; None where it has none."""
    from converters.recipes import parse_recipe

    if known.recipe == UNKNOWN_RECIPE:
        return None
    return parse_recipe(known.recipe, known.recipe_rules)
