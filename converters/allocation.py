"""Loads a .tflite file into LiteRT and runs it once, in a process of its own.

A file from elsewhere can crash the runtime or take all memory, checks of its structure or not. Here
that ends in a sentence; the process costs 0.15 s. This file is also that process: it reads
the model on standard input, writes one line of JSON, and imports nothing of the project, so that
it starts from anywhere.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys

TIMEOUT_S = 120.0
# Address space of the process: what LiteRT reserves at its start, and weights that are kept twice
# (the file, and packed) beside generous activations.
ADDRESS_SPACE_BYTES = 8 * 2**30
COPIES_OF_FILE = 6


def allocation_problem(content: bytes | memoryview, timeout_s: float = TIMEOUT_S) -> str | None:
    """What keeps a file from running on this computer's CPU; None where nothing does.

    The input is zeros, or the integers that stand for zero: a sound network answers numbers to it.
    """
    command = [sys.executable, "-P", __file__]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it did not finish one inference in {timeout_s:g} s"
    if done.returncode < 0:
        return f"it crashes the runtime ({_signal_name(-done.returncode)})"
    try:
        answer = json.loads(done.stdout)
        problem = answer["problem"]
    except (ValueError, KeyError, TypeError):
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return f"the runtime ended with exit code {done.returncode}: {last[:200] or 'no word'}"
    # The runtime quotes names of tensors; what could move a terminal's cursor ends here.
    return None if problem is None else "".join(filter(str.isprintable, str(problem)))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _limit_memory(file_bytes: int) -> None:
    import resource  # where there are such limits

    limit = ADDRESS_SPACE_BYTES + COPIES_OF_FILE * file_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _problem(content: bytes) -> str | None:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            _, zero_point = detail["quantization"]
            zeros = np.full(detail["shape"], zero_point, detail["dtype"])
            interpreter.set_tensor(detail["index"], zeros)
        interpreter.invoke()
        outputs = {
            detail["name"]: interpreter.get_tensor(detail["index"])
            for detail in interpreter.get_output_details()
        }
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        return f"the runtime refuses it: {' '.join(str(error).split())[:300]}"
    for name, values in outputs.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            return f"it answers NaN or infinity at output {name[:80]!r} to an input of zeros"
    return None


def main() -> None:
    """Reads a model from standard input and writes `{"problem": …}` to standard output."""
    content = sys.stdin.buffer.read()
    _limit_memory(len(content))
    print(json.dumps({"problem": _problem(content)}))


if __name__ == "__main__":
    main()
