"""What a file of any number of inputs and outputs answers, in real numbers.

`converters.fidelity` reads scores of classes from files of one input and one output; this holds any
other file against what it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr

# One array an input, in the file's order, each with batch 1.
Sample = Sequence[np.ndarray]


class FileAnswers:
    """A .tflite file, run on float inputs under XNNPACK.

    Args:
        content: The file's bytes, checked by the reader before.
        num_threads: CPU threads.

    Raises:
        ConversionError: If LiteRT cannot load it.
    """

    def __init__(self, content: bytes, *, num_threads: int = 2) -> None:
        try:
            with quiet_stderr():  # it tells of its delegate
                self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot load the file: {error}") from error

    def of(self, sample: Sample) -> list[np.ndarray]:
        """The outputs for one sample.

        Raises:
            ConversionError: If the file takes other inputs, or LiteRT fails.
        """
        details = self._interpreter.get_input_details()
        takes = [tuple(map(int, detail["shape"])) for detail in details]
        given = [values.shape for values in sample]
        if takes != given:
            raise ConversionError(f"The file takes inputs of {takes}, not of {given}.")
        try:
            for detail, values in zip(details, sample, strict=True):
                self._interpreter.set_tensor(detail["index"], _encoded(values, detail))
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot run the file: {error}") from error
        return [
            _decoded(self._interpreter.get_tensor(detail["index"]), detail)
            for detail in self._interpreter.get_output_details()
        ]


def _encoded(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    scale, zero_point = detail["quantization"]
    if not scale:
        return values.astype(detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    steps = np.round(values / scale) + zero_point
    encoded: np.ndarray = np.clip(steps, limits.min, limits.max).astype(detail["dtype"])
    return encoded


def _decoded(raw: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    scale, zero_point = detail["quantization"]
    if not scale:
        return np.array(raw, np.float32)
    values: np.ndarray = (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
    return values
