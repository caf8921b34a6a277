"""How far a file's answers are from a reference: runs it here, without any device.

This judges files, not speed: it is the bench host's interpreter, in this process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr


class FileRunner:
    """A .tflite file of one input and one output, run on float inputs under XNNPACK.

    Args:
        content: The file's bytes, checked by the reader before.
        num_threads: CPU threads.

    Raises:
        ConversionError: If LiteRT cannot load it, or it has several inputs or outputs.
    """

    def __init__(self, content: bytes, *, num_threads: int = 2) -> None:
        try:
            with quiet_stderr():  # it tells of its delegate
                self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot load the file: {error}") from error
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ConversionError(
                f"The file has {len(inputs)} inputs and {len(outputs)} outputs; answers are read"
                " only of files with one each."
            )
        self._input, self._output = inputs[0], outputs[0]

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Float inputs in the file's own type: rounded to nearest, clipped to int8."""
        quantization = _quantization(self._input)
        if quantization is None:
            return values.astype(np.float32)
        scale, zero_point = quantization
        limits = np.iinfo(self._input["dtype"])
        steps = np.round(values / scale) + zero_point
        return np.clip(steps, limits.min, limits.max).astype(self._input["dtype"])

    def raw(self, values: np.ndarray) -> np.ndarray:
        """The output in the file's own type, for one float input of the file's shape.

        Raises:
            ConversionError: If the input has another shape, or LiteRT fails.
        """
        encoded, wanted = self.encode(values), tuple(map(int, self._input["shape"]))
        if encoded.shape != wanted:
            raise ConversionError(f"The file takes inputs of shape {wanted}, not {values.shape}.")
        try:
            self._interpreter.set_tensor(self._input["index"], encoded)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot run the file: {error}") from error
        return np.array(self._interpreter.get_tensor(self._output["index"]))

    def decode(self, raw: np.ndarray) -> np.ndarray:
        """An output in real numbers."""
        quantization = _quantization(self._output)
        if quantization is None:
            return raw.astype(np.float32)
        scale, zero_point = quantization
        return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)

    def run(self, inputs: Iterable[np.ndarray]) -> np.ndarray:
        """Outputs in real numbers, stacked: (images, classes).

        Raises:
            ConversionError: If an output has another form, or is not finite.
        """
        rows = [self.decode(self.raw(values)) for values in inputs]
        for row in rows:
            if row.ndim != 2 or row.shape[0] != 1 or not row.size:
                raise ConversionError(
                    f"The file answers with shape {row.shape}, which are no scores of classes"
                    " (1, classes)."
                )
            if not np.isfinite(row).all():
                raise ConversionError("The file answers with values that are not finite.")
        return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


def _quantization(detail: dict[str, Any]) -> tuple[float, int] | None:
    scale, zero_point = detail["quantization"]
    return (float(scale), int(zero_point)) if scale else None


def snr_db(reference: np.ndarray, outputs: np.ndarray) -> float | None:
    """10*log10 of signal over error power, over all values; None where they are equal.

    Raises:
        ConversionError: If the shapes differ, or a value is not finite.
    """
    if reference.shape != outputs.shape:
        raise ConversionError(
            f"Answers of shape {outputs.shape} cannot be compared with a reference of shape"
            f" {reference.shape}: are both of the same classes?"
        )
    for name, values in (("reference", reference), ("file", outputs)):
        if not np.isfinite(values).all():
            raise ConversionError(f"The {name} answers with values that are not finite.")
    signal = float(np.square(reference, dtype=np.float64).sum())
    error = float(np.square(reference.astype(np.float64) - outputs).sum())
    if error == 0:
        return None
    return 10 * math.log10(signal / error) if signal else -math.inf
