"""Inputs that a network is calibrated and compared on: photographs, or arrays of any shape."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.storage import storage_errors
from mobilekit.images import ImageSet, image_set

SUFFIX = ".npz"


@dataclass(frozen=True, kw_only=True)
class ArraySet:
    """Samples in a .npz file: one array an input in the file's order, samples along its first axis.

    Attributes:
        path: The file. Pickled objects in it are refused.
        most: How many samples are read, evenly over the whole; None reads all.
        step: Only every `step`-th sample of the file counts.
        first: The first that does.
    """

    path: Path
    most: int | None = None
    step: int = 1
    first: int = 0

    @cached_property
    def sha256(self) -> str:
        """Digest of the file."""
        part = [self.step, self.first] if self.step > 1 else []
        return digest(["arrays", sha256_file(self.path), *part])

    def spread(self, most: int) -> ArraySet:
        """At most `most` samples, evenly over the whole."""
        return replace(self, most=most)

    def every(self, step: int, first: int) -> ArraySet:
        """Every `step`-th of them from `first` on: what different `first` give has none in common.

        Reading raises UsageError if there are none.
        """
        return replace(self, step=self.step * step, first=self.first + first * self.step)

    def read(
        self, shapes: Sequence[tuple[int, ...]], *, skip: int = 0
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Every sample: float32 arrays with batch 1, as they stand in the file.

        Args:
            shapes: Of the model's inputs, with batch 1.
            skip: How many at its beginning are left out.

        Raises:
            UsageError: If it holds other arrays than the model takes, not equally many samples of
                each input, or values that are not finite.
            StorageError: If it cannot be read.
        """
        arrays = self._arrays()
        lengths = {len(array) if array.ndim else 0 for array in arrays}
        if len(lengths) != 1 or lengths == {0}:
            raise UsageError(
                f"{self.path} has to hold equally many samples of every input, and at least one:"
                f" its arrays have shapes {', '.join(str(array.shape) for array in arrays)}."
            )
        given = [(1, *array.shape[1:]) for array in arrays]
        if given != list(shapes):
            raise UsageError(
                f"{self.path} holds samples of {' and '.join(map(str, given))}, and the model takes"
                f" {' and '.join(map(str, shapes))}: one array an input, in the model's order."
            )
        [length] = lengths
        count = min(length, self.most or length)
        for index in (i * length // count for i in range(skip, count)):
            sample = tuple(array[index : index + 1].astype(np.float32) for array in arrays)
            if not all(np.isfinite(array).all() for array in sample):
                raise UsageError(f"{self.path} holds values that are not finite in sample {index}.")
            yield sample

    def _arrays(self) -> list[np.ndarray]:
        with storage_errors(self.path, "read"):
            try:
                with np.load(self.path, allow_pickle=False) as archive:
                    arrays = [archive[name] for name in archive.files]
            except (ValueError, EOFError, zipfile.BadZipFile) as error:
                raise UsageError(f"{self.path} is no .npz of number arrays ({error}).") from error
        return [array[self.first :: self.step] if array.ndim else array for array in arrays]


SampleSet = ImageSet | ArraySet


def sample_set(path: Path) -> SampleSet:
    """A folder of photographs, or a .npz file of arrays.

    Raises:
        UsageError: If it is neither, or holds nothing.
        StorageError: If it cannot be read.
    """
    if path.suffix != SUFFIX:
        return image_set(path)
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    return ArraySet(path=path)
