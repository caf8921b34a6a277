"""Absolute ranges of every activation, from the float file's own outputs.

A REDUCE_MIN and a REDUCE_MAX are appended behind every activation tensor, and the file is run under
XNNPACK like any other. Stock calibration runs builtin kernels almost serially, and gives one
input of a residual addition the range of its output, because it logs tensors after they were
overwritten in place; here the runtime keeps every tensor that a reduction still reads.

Several threads run samples side by side, each with an interpreter of its own, since the threads of
one interpreter wait for each other at the end of every operator.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from converters.probes import MAX, MIN, Probed, with_probes
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.quiet import quiet_stderr

# An interpreter packs the weights anew. Of larger files there is one, and its threads share it.
MAX_BYTES_OF_LANES = 150_000_000


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """What calibration saw.

    Attributes:
        by_tensor: Smallest and largest value of each activation tensor, by its name; the smallest
            is 0 behind a ReLU.
        samples: How many inputs were run.
    """

    by_tensor: Mapping[str, tuple[float, float]]
    samples: int


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """How far a calibration has come: enough to go on from.

    Attributes:
        low: Smallest value of each activation, float32, in the file's order; infinity before the
            first sample, and 0 behind a ReLU.
        high: Largest value, likewise.
        samples: How many inputs were run.
    """

    low: np.ndarray
    high: np.ndarray
    samples: int


def calibrate(
    content: bytes,
    inputs: Iterable[np.ndarray | Sequence[np.ndarray]],
    num_threads: int = 2,
) -> Ranges:
    """Runs a float file on `inputs` and returns absolute ranges.

    Args:
        content: A float .tflite of one subgraph.
        inputs: Float32 arrays of the input's shape, preprocessed; any number, read one at a time.
            For a file of several inputs, one sequence of arrays a sample, in the file's order.
        num_threads: CPU threads; the ranges do not depend on it.

    Raises:
        UsageError: If there are no inputs, one has another shape or is not finite, or all of them
            are one and the same number.
        ConversionError: If an activation is not finite, or the file has several subgraphs.
    """
    calibration = Calibration(content, num_threads)
    calibration.see(inputs)
    return calibration.ranges()


class Calibration:
    """A calibration that takes its inputs in as many portions as come.

    Args:
        content: A float .tflite of one subgraph.
        num_threads: CPU threads.

    Raises:
        ConversionError: If the file has several subgraphs.
    """

    def __init__(self, content: bytes, num_threads: int = 2) -> None:
        self._probed = with_probes(content)
        lanes = num_threads if len(content) <= MAX_BYTES_OF_LANES else 1
        self._lanes = [_Lane(self._probed, num_threads // lanes) for _ in range(lanes)]
        self._samples = 0

    def see(self, inputs: Iterable[np.ndarray | Sequence[np.ndarray]]) -> None:
        """Runs all of `inputs`, of which no more are held than there are threads, and one.

        Raises:
            UsageError: If one has another shape, or is not finite.
        """
        if len(self._lanes) == 1:
            for values in inputs:
                self._lanes[0].run(self._checked(values))
            return
        with ThreadPoolExecutor(len(self._lanes)) as pool:
            under_way: dict[_Lane, Future[None]] = {}
            for values, lane in zip(inputs, itertools.cycle(self._lanes)):
                arrays = self._checked(values)
                if lane in under_way:
                    under_way[lane].result()
                under_way[lane] = pool.submit(lane.run, arrays)
            for future in under_way.values():
                future.result()

    @property
    def extremes(self) -> Extremes:
        """What was seen so far."""
        low = np.minimum.reduce([lane.low for lane in self._lanes])
        high = np.maximum.reduce([lane.high for lane in self._lanes])
        return Extremes(low=low, high=high, samples=self._samples)

    def resume(self, seen: Extremes) -> None:
        """Goes on from what another calibration of the same file had seen.

        Raises:
            ValueError: If it is of another file.
        """
        lane = self._lanes[0]
        if seen.low.shape != lane.low.shape or seen.high.shape != lane.high.shape:
            raise ValueError("what was seen is of a file with other tensors")
        lane.low, lane.high = np.minimum(lane.low, seen.low), np.maximum(lane.high, seen.high)
        self._samples += seen.samples

    def ranges(self) -> Ranges:
        """The ranges of all that was seen.

        Raises:
            UsageError: If nothing was seen, or one and the same number throughout.
            ConversionError: If an activation is not finite.
        """
        if not self._samples:
            raise UsageError(
                "Calibration needs at least one image that can be read, and there is none."
                " Pass a folder of photographs with --calibration."
            )
        seen = self.extremes
        names = self._probed.names
        finite = np.isfinite(seen.low) & np.isfinite(seen.high)
        unusable = [name for name, ok in zip(names, finite, strict=True) if not ok]
        if unusable:
            raise ConversionError(
                f"Calibration saw values that are not finite in {len(unusable)} tensors, first in"
                f" {unusable[0]!r}: the model's weights or inputs are broken."
            )
        pairs = zip(seen.low.tolist(), seen.high.tolist(), strict=True)
        by_tensor = dict(zip(names, pairs, strict=True))
        fed = self._lanes[0].input_names
        _check_variety([by_tensor[name] for name in fed if name in by_tensor], self._samples)
        return Ranges(by_tensor=by_tensor, samples=self._samples)

    def _checked(self, values: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
        arrays = [values] if isinstance(values, np.ndarray) else list(values)
        self._samples += 1
        _check_input(arrays, self._lanes[0].shapes, self._samples)
        return arrays


class _Lane:
    """An interpreter with the extremes that it saw."""

    def __init__(self, probed: Probed, num_threads: int) -> None:
        with quiet_stderr():  # it tells of its delegate
            self._interpreter = Interpreter(model_content=probed.content, num_threads=num_threads)
            self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()
        self._inputs = [detail["index"] for detail in details]
        self.input_names = [detail["name"] for detail in details]
        self.shapes = [tuple(map(int, detail["shape"])) for detail in details]
        outputs = self._interpreter.get_output_details()
        self._outputs = {detail["name"]: detail["index"] for detail in outputs}
        self._with_minimum = np.array(probed.with_minimum, np.intp)
        self.low = np.zeros(len(probed.names), np.float32)
        self.low[self._with_minimum] = np.inf
        self.high = np.full(len(probed.names), -np.inf, np.float32)

    def run(self, arrays: Sequence[np.ndarray]) -> None:
        for index, array in zip(self._inputs, arrays, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        self.high = np.maximum(self.high, self._interpreter.get_tensor(self._outputs[MAX]))
        if MIN in self._outputs:
            low = self._interpreter.get_tensor(self._outputs[MIN])
            self.low[self._with_minimum] = np.minimum(self.low[self._with_minimum], low)


def _check_input(
    arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]], sample: int
) -> None:
    given = [array.shape for array in arrays]
    if given != list(shapes):
        raise UsageError(
            f"Calibration input {sample} has shape {_listed(given)}; the model takes"
            f" {_listed(shapes)}."
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise UsageError(f"Calibration input {sample} holds values that are not finite.")


def _check_variety(ranges: Sequence[tuple[float, float]], samples: int) -> None:
    """Refuses inputs that are one number throughout: no range follows from a blank page."""
    if ranges and all(low == high for low, high in ranges):
        raise UsageError(
            f"The calibration images are all of one colour, value {ranges[0][0]:g} in every pixel"
            f" of {samples}: no range follows from that. Pass photographs with --calibration."
        )


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))
