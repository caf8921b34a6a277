"""Which layers of a quantized file add how much error: what `mobilekit debug` does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from converters.layer_errors import OperatorError, measure_errors
from converters.layer_names import LayerNames
from converters.methods import EQUALIZE
from converters.tflite_reader import read_model
from mobilekit.conversion import Conversion
from mobilekit.core.errors import ConversionError
from mobilekit.core.model import TFLiteModel
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.folding import fold_preprocessing
from mobilekit.samples import sample_set
from mobilekit.sources import describe_tflite, network_of_file, network_of_model

if TYPE_CHECKING:
    import keras

SAMPLES = 16  # that are run, evenly over what is given
# Colours of a node, by error: white where it is least, red where it is most.
GRADIENT = ({"stop": 0, "bgColor": "#ffffff"}, {"stop": 1, "bgColor": "#d73027"})


@dataclass(frozen=True, kw_only=True)
class LayerError:
    """One operator of the file.

    Attributes:
        operator: Its place in the file.
        op: Its name, e.g. "CONV_2D".
        layer: The Keras layer it came from; None where no name tells.
        tensor: Name of what it writes.
        alone: Error power over signal power of what it writes where it is fed by the float
            network: what it adds itself. None where a tensor has no counterpart in the float model.
        so_far: The same where it is fed by the operators before it; None likewise.
    """

    operator: int
    op: str
    layer: str | None
    tensor: str
    alone: float | None
    so_far: float | None


@dataclass(frozen=True, kw_only=True)
class LayerErrors:
    """A file beside its float model, operator by operator.

    Attributes:
        model: Digest of the file.
        against: Digest of the float model.
        samples: How many inputs were run.
        source: "calibration", or "noise" where no samples were given.
        scaled: Whether channels were compared at their best scale, since the file's are equalized.
        layers: Those that add most first; last what could not be compared.
    """

    model: str
    against: str
    samples: int
    source: str
    scaled: bool
    layers: tuple[LayerError, ...]


def _silent(sentence: str) -> None:
    """The default listener."""


def debug_file(
    model: Path,
    against: Path | keras.Model,
    *,
    calibration: Path | None = None,
    preprocessing: Preprocessing | None = None,
    say: Callable[[str], None] = _silent,
) -> LayerErrors:
    """Ranks the layers of a quantized file by the error that they add.

    Args:
        model: The .tflite file.
        against: The Keras model or float .tflite that it was made from.
        calibration: Photographs, or .npz of arrays; None takes noise in the input's range.
        preprocessing: What the input expects, where no description lies beside a file.
        say: Told in sentences what is done.

    Raises:
        UsageError: If a file does not exist, or samples do not fit.
        ModelFileError: If the file is no .tflite that can be read.
        ConversionError: If either does not run, or they are of different models.
    """
    content, known = describe_tflite(model)
    of = network_of_file if isinstance(against, Path) else network_of_model
    network = of(against, preprocessing or known.folded or known.preprocessing)
    network = fold_preprocessing(network) if known.folded else network
    samples = sample_set(calibration).spread(SAMPLES) if calibration else None
    with tempfile.TemporaryDirectory() as aside:
        conversion = Conversion(network, samples, Path(aside), say)
        real = conversion.float_file().path.read_bytes()
        inputs = list(conversion.probes(SAMPLES))
        layers = conversion.layers()
    if samples is None:
        say("warning: no --calibration, so that noise is fed; photographs tell more")
    _check_signature(content, real, model)
    is_scaled = known.choice is not None and EQUALIZE in known.choice.methods.split("+")
    errors = measure_errors(real, content, inputs, is_scaled=is_scaled)
    return LayerErrors(
        model=known.sha256,
        against=network.identity,
        samples=len(inputs),
        source="noise" if samples is None else "calibration",
        scaled=is_scaled,
        layers=tuple(sorted(_named(content, known, layers, errors), key=_rank)),
    )


def _check_signature(content: bytes, real: bytes, model: Path) -> None:
    ours, theirs = (read_model(each, str(model)).main for each in (content, real))
    given, wanted = ([g.tensors[i].shape for i in g.inputs] for g in (ours, theirs))
    if given != wanted:
        raise ConversionError(
            f"{model} takes inputs of {given}, and the model it is held against of {wanted}: it was"
            " made from another one."
        )


def _named(
    content: bytes, known: TFLiteModel, layers: tuple[str, ...], errors: tuple[OperatorError, ...]
) -> list[LayerError]:
    graph = read_model(content, known.name)
    names = LayerNames(graph, known.layers or layers)
    found = []
    for error in errors:
        operator = graph.main.operators[error.operator]
        found.append(
            LayerError(
                operator=error.operator,
                op=operator.name,
                layer=names.of(operator, graph.main),
                tensor=graph.main.tensors[operator.outputs[0]].name,
                alone=error.alone,
                so_far=error.so_far,
            )
        )
    return found


def _rank(error: LayerError) -> tuple[bool, float, int]:
    return (error.alone is None, -(error.alone or 0.0), error.operator)


def node_data(errors: LayerErrors) -> Mapping[str, object]:
    """Node data that Model Explorer lays over the file: the error of each operator, dB.

    Its nodes are named by the operators' places. An operator that adds no error at all has no
    value, nor has one that could not be compared.
    """
    from converters.decibels import power_db

    return {
        "results": {
            str(each.operator): {"value": round(power_db(each.alone), 2)}
            for each in sorted(errors.layers, key=lambda each: each.operator)
            if each.alone
        },
        "gradient": list(GRADIENT),
    }
