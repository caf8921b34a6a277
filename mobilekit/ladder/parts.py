"""Which images calibrate, which train, which judge: none does two of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.images import ImageSet
from mobilekit.samples import SampleSet

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Sets that have no image in common.

    Attributes:
        calibration: What files are made from: ranges, methods, sensitivities.
        judged: What they are judged on.
        training: What a network may be trained on; None where that is not allowed.
    """

    calibration: SampleSet
    judged: SampleSet
    training: SampleSet | None = None


def parts_of(
    calibration: SampleSet, images: SampleSet | None, say: Say, *, training: bool = False
) -> Parts:
    """Splits what was given.

    Args:
        calibration: Without `images`, every second of these judges instead.
        images: To judge on; what is also among the calibration images is left out, as is the
            second of two equal ones, since counts would believe in more images than there are.
        say: Told what was left out.
        training: Whether every second of `images` may be trained on, and judges nothing then.

    Raises:
        UsageError: If nothing is left to judge on.
    """
    if images is None:
        say("every second calibration sample is kept to judge on; --images gives others")
        whole = _distinct(calibration, frozenset(), say)
        return Parts(calibration=whole.every(2, 0), judged=whole.every(2, 1))
    judged = _unseen(calibration, images, say)
    if not training:
        return Parts(calibration=calibration, judged=judged)
    return Parts(calibration=calibration, judged=judged.every(2, 1), training=judged.every(2, 0))


def _unseen(calibration: SampleSet, images: SampleSet, say: Say) -> SampleSet:
    """The images that are not among the calibration images, each once."""
    if isinstance(calibration, ImageSet):
        known = frozenset(sha256_file(path) for path in calibration.paths)
        return _distinct(images, known, say)
    if calibration.sha256 == images.sha256:
        raise UsageError(
            "--images is the file of --calibration, and what files are made from cannot judge"
            " them: give other samples, or leave --images out."
        )
    return images


def _distinct(images: SampleSet, known: frozenset[str], say: Say) -> SampleSet:
    """The images whose bytes are not known, each once; arrays as they are."""
    if not isinstance(images, ImageSet):
        return images
    kept: dict[str, Path] = {}
    for path in images.paths:
        digest = sha256_file(path)
        if digest not in known:
            kept.setdefault(digest, path)
    if not kept:
        raise UsageError(
            f"All images of {images.folder} are calibration images, and what files are made from"
            " cannot judge them: give other images, or leave --images out."
        )
    if len(kept) < len(images.paths):
        say(
            f"{len(images.paths) - len(kept)} of {len(images.paths)} images are calibration images"
            " or equal to another, and are left out"
        )
    return ImageSet(folder=images.folder, paths=tuple(kept.values()))
