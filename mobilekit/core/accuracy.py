"""What a file answered on images: the raw answers, from which every share is derived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ImageAnswer:
    """What the file said of one image.

    Attributes:
        image: Name of the picture file.
        label: Index of the right class; None where there is no label.
        top5: The five most likely classes, best first (fewer where the net has fewer).
        reference_top1: What the reference says; None where there is none.
    """

    image: str
    label: int | None
    top5: tuple[int, ...]
    reference_top1: int | None = None


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """A file judged on images, beside its float model on the same images.

    Attributes:
        schema: Of this document.
        model_sha256: The file.
        reference: The model its answers are compared with, named by digest; None if by none.
        images_sha256: Digest of the image set.
        answers: One entry an image that could be read, in order.
        broken: "name: reason" of the pictures that could not be read.
        snr_db: Signal-to-noise ratio of the logits against the reference over all images,
            10*log10(sum(reference^2) / sum((file - reference)^2)); None where they are equal or
            there is no reference.
        created: When it was last asked for, UTC, ISO 8601; of two documents about the same file
            and images, whose labels may differ, a report shows the later.
    """

    schema: int = 1
    model_sha256: str
    reference: str | None
    images_sha256: str
    answers: tuple[ImageAnswer, ...]
    broken: tuple[str, ...]
    snr_db: float | None
    created: str = ""

    @property
    def labelled(self) -> tuple[ImageAnswer, ...]:
        """The answers to images that have a label."""
        return tuple(answer for answer in self.answers if answer.label is not None)

    @property
    def top1_hits(self) -> int:
        """How many labelled images got the right first answer."""
        return sum(answer.top5[0] == answer.label for answer in self.labelled)

    @property
    def top5_hits(self) -> int:
        """How many labelled images have the right class among the first five."""
        return sum(answer.label in answer.top5 for answer in self.labelled)

    @property
    def agreements(self) -> int | None:
        """On how many images the first answer is the reference's; None without a reference."""
        if self.reference is None:
            return None
        return sum(answer.top5[0] == answer.reference_top1 for answer in self.answers)
