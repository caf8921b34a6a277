"""What a file answers on images, beside what its float model answers on the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from converters.fidelity import FileRunner, snr_db
from mobilekit.core.accuracy import Accuracy, ImageAnswer
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.images import ImageSet, read_inputs

TOP = 5


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Logits that a file's answers are compared with.

    Attributes:
        name: Digest of the model that gave them.
        logits: One row an image that could be read, in the set's order.
    """

    name: str
    logits: np.ndarray


def evaluate_content(
    content: bytes,
    sha256: str,
    images: ImageSet,
    preprocessing: Preprocessing,
    *,
    labels: Mapping[str, int] | None = None,
    reference: Reference | None = None,
    num_threads: int = 2,
) -> Accuracy:
    """Runs a file on every image of a set.

    Args:
        content: The bytes of a .tflite that the reader has checked.
        sha256: Their digest.
        images: Broken pictures among them are named in the result, and do not count.
        preprocessing: What the file's input expects.
        labels: Index of the right class by picture name; None where nobody knows.
        reference: What to compare with; its rows are those of the same set.
        num_threads: CPU threads.

    Raises:
        UsageError: If no picture can be read, or a label is beyond the file's classes.
        ConversionError: If the file does not run, or answers NaN.
    """
    runner = FileRunner(content, num_threads=num_threads)
    names, rows, broken = [], [], []
    for loaded in read_inputs(images, preprocessing):
        if loaded.pixels is None:
            broken.append(f"{loaded.name}: {loaded.problem}")
            continue
        names.append(loaded.name)
        rows.append(runner.run([loaded.pixels])[0])
    if not rows:
        raise UsageError(f"Not one picture of {images.folder} can be read; first: {broken[0]}.")
    logits = np.stack(rows)
    if reference is not None and len(reference.logits) != len(logits):
        raise ConversionError(
            f"The reference answered {len(reference.logits)} pictures, the file {len(logits)}: they"
            " are not of the same images."
        )
    check_labels(labels or {}, logits.shape[1])
    return Accuracy(
        model_sha256=sha256,
        reference=reference.name if reference else None,
        images_sha256=images.sha256,
        answers=_answers(names, logits, labels or {}, reference),
        broken=tuple(broken),
        created=now(),
        snr_db=snr_db(reference.logits, logits) if reference else None,
    )


def now() -> str:
    """This moment, as results record it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _answers(
    names: list[str],
    logits: np.ndarray,
    labels: Mapping[str, int],
    reference: Reference | None,
) -> tuple[ImageAnswer, ...]:
    # A stable sort puts the lower class first among equals, as argmax does: int8 logits tie.
    best = np.argsort(-logits, axis=1, kind="stable")[:, :TOP]
    first = reference.logits.argmax(axis=1) if reference else None
    return tuple(
        ImageAnswer(
            image=name,
            label=labels.get(name),
            top5=tuple(int(index) for index in best[row]),
            reference_top1=int(first[row]) if first is not None else None,
        )
        for row, name in enumerate(names)
    )


def check_labels(labels: Mapping[str, int], classes: int) -> None:
    """Refuses labels of another model: raises UsageError for one beyond the file's classes."""
    beyond = [name for name, label in labels.items() if label >= classes]
    if beyond:
        raise UsageError(
            f"{beyond[0]} has label {labels[beyond[0]]}, but the file has {classes} outputs,"
            " numbered from 0; the labels are of another model."
        )
