"""A folder of results, read: measurements, accuracies and the files' provenance.

Everything in it comes from outside: whatever is truncated, of a newer schema, not finite or
contradictory is one `StorageError` that names the file and the place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from android_bench.results import load_measurement
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.errors import StorageError, UsageError
from mobilekit.core.measurement import Measurement
from mobilekit.core.model import TFLiteModel
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.storage import read_json, storage_errors

# The newest schema of each document that this version reads; older ones get a reader here.
SCHEMA = 1

Record = TypeVar("Record", Accuracy, TFLiteModel)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a folder of results holds.

    Attributes:
        measurements: Sealed results, by the names of their files; at least one.
        accuracies: By the files' sha256: one set of images for all files, as far as there is one.
        models: Provenance, by the files' sha256.
        notes: What was left out and why, in sentences.
    """

    measurements: tuple[Measurement, ...]
    accuracies: Mapping[str, Accuracy]
    models: Mapping[str, TFLiteModel]
    notes: tuple[str, ...] = ()


def read_results(
    folder: Path,
    *,
    cells: Collection[str] | None = None,
    evaluations: Collection[str] | None = None,
) -> Results:
    """Reads `<folder>/*.json`, `accuracy/*.json` and `models/**/*.tflite.json`.

    Args:
        folder: Where they are.
        cells: Names of the measurements to read; None reads all.
        evaluations: Names of the accuracies to read; None reads all.

    Raises:
        UsageError: If the folder does not exist, or holds no measurement.
        StorageError: If a file in it cannot be read or believed.
    """
    with storage_errors(folder, "read"):
        if not folder.is_dir():
            raise UsageError(
                f"{folder} is not a folder; give the folder that `mobilekit run` or"
                " `mobilekit benchmark` wrote its results into."
            )
        paths = [
            path for path in _json_files(folder, "*.json") if cells is None or path.stem in cells
        ]
        if not paths:
            raise UsageError(
                f"{folder} holds no measurement (no <cell>.json); run `mobilekit run PLAN.toml"
                f" --out {folder}` first."
            )
        accuracy_paths = _json_files(folder, "accuracy/*.json")
        model_paths = _json_files(folder, "models/**/*.tflite.json")
    accuracies, notes = _chosen(
        [
            read_accuracy(path)
            for path in accuracy_paths
            if evaluations is None or path.stem in evaluations
        ]
    )
    models = [_read(TFLiteModel, path) for path in model_paths]
    return Results(
        measurements=tuple(_without_duplicates(paths)),
        accuracies=accuracies,
        models={model.sha256: model for model in models},
        notes=notes,
    )


def read_measurement(path: Path) -> Measurement:
    """Reads one sealed measurement.

    Raises:
        StorageError: If it cannot be read or believed.
    """
    measurement = load_measurement(path)
    for index, run in enumerate(measurement.runs):
        if run.model_sha256 != measurement.model.sha256:
            raise StorageError(
                str(path),
                f"runs[{index}] ran file {run.model_sha256[:12]}, but the measurement is of"
                f" {measurement.model.sha256[:12]}; measure it again",
            )
    return measurement


def _json_files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _read(record: type[Record], path: Path) -> Record:
    document = read_json(path)
    schema = document.get("schema") if isinstance(document, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise StorageError(
            str(path),
            f"has schema {schema}, and this mobilekit reads {SCHEMA}: a newer version wrote it;"
            " upgrade mobilekit",
        )
    try:
        return from_json(record, document, ignore_unknown=True)
    except (RecordError, OverflowError) as error:  # a whole number beyond every float
        what = f"is no document of {record.__name__}"
        raise StorageError(str(path), f"{what} ({error}); remove it or make it again") from error


def _without_duplicates(paths: list[Path]) -> Iterator[Measurement]:
    seen: dict[str, Path] = {}
    for path in paths:
        measurement = read_measurement(path)
        if measurement.cell in seen:
            raise StorageError(
                str(path),
                f"is the same measurement as {seen[measurement.cell].name}"
                f" (cell {measurement.cell}); remove one of them",
            )
        seen[measurement.cell] = path
        yield measurement


def read_accuracy(path: Path) -> Accuracy:
    """Reads one evaluation.

    Raises:
        StorageError: If it cannot be read or believed.
    """
    accuracy = _read(Accuracy, path)
    for index, answer in enumerate(accuracy.answers):
        if not answer.top5:
            raise StorageError(str(path), f"answers[{index}].top5 is empty; evaluate it again")
    if not accuracy.answers:
        raise StorageError(str(path), "answers is empty; evaluate it again")
    return accuracy


def _chosen(found: list[Accuracy]) -> tuple[Mapping[str, Accuracy], tuple[str, ...]]:
    """One accuracy a file; of several sets of images the one that most files share.

    Answers to different images do not compare, so the choice is made once for all files and not
    for each. Among equals the larger set wins, then the smaller digest. A later document about the
    same file and images, whose labels may have been mended, replaces an earlier one.
    """
    by_set: dict[str, dict[str, Accuracy]] = {}
    for accuracy in sorted(found, key=lambda accuracy: accuracy.created):
        by_set.setdefault(accuracy.images_sha256, {})[accuracy.model_sha256] = accuracy

    def rank(images: str) -> tuple[int, int, str]:
        largest = max(len(accuracy.answers) for accuracy in by_set[images].values())
        return (-len(by_set[images]), -largest, images)

    ranked = sorted(by_set, key=rank)
    if not ranked:
        return {}, ()
    chosen = by_set[ranked[0]]
    others = {sha256 for images in ranked[1:] for sha256 in by_set[images]}
    notes = []
    if others:
        notes.append(
            f"Accuracies are those on image set {ranked[0][:12]}, which most files share;"
            f" {len(ranked) - 1} other image set(s) in the folder are left out, because answers to"
            " different images do not compare."
        )
    return chosen, tuple(notes)
