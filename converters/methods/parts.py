"""Runs a file, or a part of one, on a row of inputs in this process."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mobilekit.core.errors import ConversionError


def run_part(content: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Runs a file once a row and returns its outputs in order, each stacked: (rows, …).

    Args:
        content: A file whose inputs and outputs have fixed shapes.
        inputs: One array an input of the file, shaped (rows, …).

    Raises:
        ConversionError: If LiteRT refuses the file or fails.
    """
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        targets = interpreter.get_input_details()
        places = [detail["index"] for detail in interpreter.get_output_details()]
        rows: list[list[np.ndarray]] = [[] for _ in places]
        for number in range(len(inputs[0])):
            for target, values in zip(targets, inputs, strict=True):
                interpreter.set_tensor(target["index"], values[number].reshape(target["shape"]))
            interpreter.invoke()
            for row, place in zip(rows, places, strict=True):
                row.append(interpreter.get_tensor(place))
    except (ValueError, RuntimeError) as error:
        raise ConversionError(
            f"LiteRT cannot run a part of the model: {error}. Take --effort none, which needs none."
        ) from error
    return [np.stack(row) for row in rows]
