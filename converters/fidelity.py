"""How far a file's answers are from a reference: runs it here, without any device.

This judges files, not speed: it is the bench host's interpreter, in this process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr


class FileRunner:
    """A .tflite file of one input and one output, run on float inputs.

    Args:
        content: The file's bytes, checked by the reader before.
        num_threads: CPU threads.
        delegated: With XNNPACK, as users run it, or on LiteRT's builtin kernels alone, which
            is what a delegate's outputs are checked against.
    """

    def __init__(self, content: bytes, *, num_threads: int = 2, delegated: bool = True) -> None:
        resolver = (
            OpResolverType.AUTO if delegated else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        try:
            with quiet_stderr():  # it tells of its delegate
                self._interpreter = Interpreter(
                    model_content=content,
                    num_threads=num_threads,
                    experimental_op_resolver_type=resolver,
                )
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConversionError(f"LiteRT cannot load the file: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    @property
    def output_quantization(self) -> tuple[float, int] | None:
        """Scale and zero point of the output; None for a float output."""
        return _quantization(self._output)

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
        """The output in the file's own type, for one float input of the file's shape."""
        encoded = self.encode(values)
        if encoded.shape != tuple(self._input["shape"]):
            raise ConversionError(
                f"The file takes inputs of shape {tuple(self._input['shape'])}, not {values.shape}."
            )
        self._interpreter.set_tensor(self._input["index"], encoded)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._output["index"]))

    def decode(self, raw: np.ndarray) -> np.ndarray:
        """An output in real numbers."""
        quantization = self.output_quantization
        if quantization is None:
            return raw.astype(np.float32)
        scale, zero_point = quantization
        return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)

    def run(self, inputs: Iterable[np.ndarray]) -> np.ndarray:
        """Outputs in real numbers, stacked: (images, classes)."""
        return np.concatenate([self.decode(self.raw(values)) for values in inputs])


def _quantization(detail: dict[str, Any]) -> tuple[float, int] | None:
    scale, zero_point = detail["quantization"]
    return (float(scale), int(zero_point)) if scale else None


def snr_db(reference: np.ndarray, outputs: np.ndarray) -> float | None:
    """10*log10 of signal over error power, over all values; None where they are equal.

    Raises:
        ConversionError: If an output is not finite.
    """
    if not np.isfinite(outputs).all():
        raise ConversionError(
            "The file answers with values that are not finite: the conversion broke it."
        )
    signal = float(np.square(reference, dtype=np.float64).sum())
    error = float(np.square(reference.astype(np.float64) - outputs).sum())
    if error == 0:
        return None
    return 10 * math.log10(signal / error) if signal else -math.inf
