"""Whether a file keeps to a budget, on images that nothing was made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from converters.fidelity import FileRunner, snr_db
from mobilekit.core.errors import UsageError
from mobilekit.evaluate import check_labels
from mobilekit.intervals import drop_at_most, least_total, median_at_least, share_at_most
from mobilekit.ladder.records import AGREEMENT, TOP1, Budget, Verdict

MOST_IMAGES = 10_000_000  # that are asked for


class Judge:
    """Holds files against the float file, image by image.

    Args:
        inputs: Gives the images anew, one at a time and in one order: name, preprocessed pixels.
        labels: Class by name; None judges by agreement.
        reference: The float file.
        error: The chance that a bound may be wrong by.

    Raises:
        UsageError: If there is no image, or a label is beyond the file's classes.
        ConversionError: If the float file does not answer with scores of classes.
    """

    def __init__(
        self,
        inputs: Callable[[], Iterable[tuple[str, np.ndarray]]],
        labels: Mapping[str, int] | None,
        reference: bytes,
        error: float,
    ) -> None:
        self._inputs, self._error = inputs, error
        names: list[str] = []

        def named() -> Iterator[np.ndarray]:
            for name, pixels in inputs():
                names.append(name)
                yield pixels

        self._wanted = FileRunner(reference).run(named())
        if not names:
            raise UsageError("No image is left to judge files on; give more with --images.")
        if labels is not None:
            check_labels(labels, self._wanted.shape[1])
        self._labels = None if labels is None else np.array([labels[name] for name in names])

    @property
    def images(self) -> int:
        """How many there are."""
        return len(self._wanted)

    def verdict(self, content: bytes, budget: Budget) -> Verdict:
        """What a file loses.

        Raises:
            ConversionError: If it does not run, or has other classes.
        """
        answers = FileRunner(content).run(pixels for _, pixels in self._inputs())
        snr = snr_db(self._wanted, answers)
        lost, gained, right = self._compared(answers)
        bound = 100 * bound_of(lost, gained, self.images, self._error, self.measure)
        each = _snr_of_each(self._wanted, answers)
        low = median_at_least(each, self._error)
        enough = budget.min_snr_db is None or (low is not None and low >= budget.min_snr_db)
        return Verdict(
            measure=self.measure,
            images=self.images,
            right=right,
            lost=lost,
            gained=gained,
            drop=100 * (lost - gained) / self.images,
            bound=bound,
            snr_db=snr,
            median_snr_db=_finite(float(np.median(each))),
            snr_bound_db=_finite(low),
            holds=bound <= budget.max_drop and enough,
        )

    @property
    def measure(self) -> str:
        """What is counted."""
        return AGREEMENT if self._labels is None else TOP1

    def _compared(self, answers: np.ndarray) -> tuple[int, int, int]:
        """Images lost, gained and right."""
        wanted, given = self._wanted.argmax(axis=1), answers.argmax(axis=1)
        if self._labels is None:
            same = int((wanted == given).sum())
            return len(wanted) - same, 0, same
        before, after = wanted == self._labels, given == self._labels
        return int((before & ~after).sum()), int((after & ~before).sum()), int(after.sum())


def bound_of(lost: int, gained: int, images: int, error: float, measure: str) -> float:
    """Upper bound of the share that is lost, wrong with a chance of at most `error`."""
    if measure == AGREEMENT:
        return share_at_most(lost, images, error)
    return drop_at_most(lost, gained, images, error)


def images_to_show(verdict: Verdict, budget: Budget, error: float) -> int | None:
    """About how many images would show that a file holds, if it goes on losing as it does.

    None where it lost more than the budget, or where no number of images that anybody has would do.
    """
    if verdict.drop >= budget.max_drop:
        return None
    lost, gained = verdict.lost / verdict.images, verdict.gained / verdict.images

    def shows(images: int) -> bool:
        counts = (math.ceil(lost * images), math.floor(gained * images))
        return 100 * bound_of(*counts, images, error, verdict.measure) <= budget.max_drop

    return least_total(lambda images: images > 0 and shows(images), most=MOST_IMAGES)


def _snr_of_each(wanted: np.ndarray, given: np.ndarray) -> list[float]:
    """SNR of every image in dB; infinite where the answers are equal."""
    found = (snr_db(*pair) for pair in zip(wanted, given, strict=True))
    return [math.inf if db is None else db for db in found]


def _finite(db: float | None) -> float | None:
    return db if db is not None and math.isfinite(db) else None
