"""The rescue ladder as a function: what `convert --recipe auto` does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from android_bench.devices import open_device
from converters.writer import write_model
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import RunConfig
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.images import ImageSet, read_labels
from mobilekit.ladder.climber import Climber
from mobilekit.ladder.judging import images_to_show
from mobilekit.ladder.latency import QUICK, latencies_of
from mobilekit.ladder.parts import parts_of
from mobilekit.ladder.records import LEAST_SNR_DB, Budget, Climb, Reached
from mobilekit.ladder.rungs import Options
from mobilekit.samples import SampleSet, sample_set
from mobilekit.sources import network_of_file, network_of_model

if TYPE_CHECKING:
    import keras

    from android_bench.harness import Progress


def _silent(sentence: str) -> None:
    """The default listener."""


def _uncounted(done: int, total: int, text: str) -> None:
    """The default listener of a measurement."""


def climb_ladder(
    model: Path | keras.Model,
    output: Path,
    *,
    max_drop: float,
    calibration: Path,
    images: Path | None = None,
    labels: Path | None = None,
    min_snr_db: float | None = None,
    preprocessing: Preprocessing | None = None,
    options: Options = Options(),  # noqa: B008
    devices: Sequence[str] = ("host",),
    config: RunConfig = QUICK,
    say: Callable[[str], None] = _silent,
    progress: Progress = _uncounted,
) -> Climb:
    """Converts a model by the plainest way that is shown to lose no more than is allowed.

    Args:
        model: As of `mobilekit.convert_file`.
        output: The .tflite file; written only where a rung holds.
        max_drop: Points (of 100) of top-1 below the float model's; without labels, of first answers
            that differ.
        calibration: Photographs, or .npz of arrays, to make files from.
        images: Others to judge them on; None keeps every second one of `calibration` for that.
        labels: Lines of "<picture> <class index>" for `images`.
        min_snr_db: Least SNR at the logits of the median image; None asks for LEAST_SNR_DB without
            labels, for none with them.
        preprocessing: What the input expects, where no description lies beside the model.
        options: What may be tried beyond int8 with float layers.
        devices: Where all files are measured; none measures nothing.
        config: How.
        say: Told in sentences what is done.
        progress: Told of every start of a measurement.

    Returns:
        The climb; its `chosen` is None where nothing is shown to hold, and nothing was written.

    Raises:
        UsageError: If something that was named does not exist or does not fit.
        ConversionError: If the model cannot become a float file that answers with scores.
        DeviceError: If a device is there and cannot be used.
        StorageError: If a file cannot be written.
    """
    if output.suffix != ".tflite":
        raise UsageError(f"{output} must end in .tflite, which is what it will be.")
    if min_snr_db is None and labels is None:
        min_snr_db = LEAST_SNR_DB
    budget = Budget(max_drop=max_drop, min_snr_db=min_snr_db)
    for name in devices:  # one that is not there is said before the climb, not after it
        open_device(name)
    given = sample_set(images) if images else None
    known = _labels(labels, given)
    if options.trainer is not None and known is None:
        raise UsageError("Training needs labelled images: give --images and --labels.")
    parts = parts_of(sample_set(calibration), given, say, training=options.trainer is not None)
    of = network_of_file if isinstance(model, Path) else network_of_model
    network = of(model, preprocessing)
    if options.trainer is not None and network.source is not None:
        raise UsageError(f"{model} is a .tflite; training needs the Keras model it was made from.")
    with tempfile.TemporaryDirectory() as aside:
        climber = Climber(network, parts, known, budget, options, Path(aside), say)
        reached = list(climber.climb())
        climber.conversion.release()  # what is measured next has the memory for itself
        reached, problem = _measured(climber, reached, Path(aside), devices, config, progress)
        climb = _told(climber, budget, reached, problem)
        if climb.chosen is not None:
            made = climber.files[climb.chosen]
            write_model(output, made.path.read_bytes(), made.model)
    return climb


def _labels(path: Path | None, images: SampleSet | None) -> Mapping[str, int] | None:
    if path is None:
        return None
    if not isinstance(images, ImageSet):
        raise UsageError("--labels names pictures: give their folder with --images.")
    return read_labels(path, images)


def _measured(
    climber: Climber,
    reached: Sequence[Reached],
    folder: Path,
    devices: Sequence[str],
    config: RunConfig,
    progress: Progress,
) -> tuple[list[Reached], str | None]:
    """The rungs with their latencies, and why some are missing."""
    if not devices:
        return list(reached), "No device was named to measure on."
    paths = [file.path for file in climber.files.values()]
    found, problem = latencies_of(paths, folder / "measured", devices, config, progress)
    timed = [replace(each, latencies=found.get(each.sha256 or "", ())) for each in reached]
    return timed, problem


def _told(
    climber: Climber,
    budget: Budget,
    reached: Sequence[Reached],
    unmeasured: str | None,
) -> Climb:
    last, first = reached[-1], reached[0]
    assert first.verdict is not None  # of the float file itself
    climb = Climb(
        budget=budget,
        images=first.verdict.images,
        error=climber.error,
        rungs=tuple(reached),
        chosen=last.rung if last.verdict and last.verdict.holds and len(reached) > 1 else None,
        wanted_images=None,
        unmeasured=unmeasured,
    )
    if climb.chosen is not None or climb.best is None or climb.best.verdict is None:
        return climb
    return replace(climb, wanted_images=images_to_show(climb.best.verdict, budget, climber.error))
