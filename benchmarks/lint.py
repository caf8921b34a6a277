"""What linting costs: seconds and memory of whole processes, for files given or a made one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import flatbuffers
import measured
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TARGETS = ("xnnpack", "nnapi@27", "gpu", "ethosu@u55-128", "qualcomm", "edgetpu", "all")
REPEATS = 9
MEGABYTES, OPERATORS, WIDTH = 100, 400, 500
BYTES = MEGABYTES * 10**6 // OPERATORS

LINT = """
import sys, time
from pathlib import Path
from mobilekit.linting import lint_file
lint_file(Path(sys.argv[1]), [sys.argv[2]])
status = Path("/proc/self/status").read_text()
print(time.process_time(), status.partition("VmHWM:")[2].split()[0])
"""
READ = """
import sys, time
from pathlib import Path
from converters.tflite_reader import read_file
read_file(Path(sys.argv[1]))
status = Path("/proc/self/status").read_text()
print(time.process_time(), status.partition("VmHWM:")[2].split()[0])
"""


def made_file(path: Path) -> None:
    """Full-integer dense layers with weights of 250 kB each, and an operator between them."""
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    model.operatorCodes = [code("FULLY_CONNECTED", 4), code("SIGN", 1)]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [tensor("image", (1, WIDTH), 0.5)], []
    rows = BYTES // WIDTH
    weights = np.random.default_rng(0).integers(-127, 128, (rows, WIDTH), np.int8)
    for index in range(OPERATORS):
        buffer = schema.BufferT()
        buffer.data = np.roll(weights, index).view(np.uint8).reshape(-1)
        model.buffers.append(buffer)
        kernel = tensor(f"kernel_{index}", (rows, WIDTH), np.full(rows, 0.01, np.float32))
        kernel.buffer = len(model.buffers) - 1
        graph.tensors += [
            kernel,
            tensor(f"net_1/wide_{index}_1/MatMul", (1, rows), 0.5),
            tensor(f"net_1/sign_{index}_1/Sign", (1, WIDTH), 0.5),
        ]
        last = len(graph.tensors)
        graph.operators += [
            operator(0, [last - 4, last - 3, -1], last - 2),
            operator(1, [last - 2], last - 1),
        ]
    graph.inputs, graph.outputs = [0], [len(graph.tensors) - 1]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(2 * BYTES * OPERATORS)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def code(name: str, version: int) -> schema.OperatorCodeT:
    made = schema.OperatorCodeT()
    made.builtinCode = getattr(schema.BuiltinOperator, name)
    made.deprecatedBuiltinCode, made.version = min(made.builtinCode, 127), version
    return made


def operator(code_index: int, inputs: list[int], output: int) -> schema.OperatorT:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code_index, inputs, [output]
    if code_index == 0:
        made.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        made.builtinOptions = schema.FullyConnectedOptionsT()
    return made


def tensor(name: str, shape: tuple[int, ...], scale: object) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name, shape, schema.TensorType.INT8, 0
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale = np.atleast_1d(scale).astype(np.float32)
    made.quantization.zeroPoint = np.zeros(len(made.quantization.scale), np.int64)
    return made


def cost(program: str, path: Path, target: str) -> tuple[float, float]:
    """CPU seconds of one process, imports included, and its peak memory in MB.

    Of a child, `ru_maxrss` is the parent's where that is larger; VmHWM is its own.
    """
    done = subprocess.run(
        [sys.executable, "-c", program, path, target],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(measured.ROOT)},
    )
    seconds, kilobytes = done.stdout.split()
    return float(seconds), float(kilobytes) * 1024 / 1e6


def rows(path: Path, name: str) -> list[str]:
    lines = []
    for target in ("(reading alone)", *TARGETS):
        program = READ if target == "(reading alone)" else LINT
        cost(program, path, target)  # the first start compiles, and fills the page cache
        found = [cost(program, path, target) for _ in range(REPEATS)]
        seconds, memory = zip(*found, strict=True)
        lines.append(
            f"| {name} | {path.stat().st_size / 1e6:.1f} | `{target}` | {min(seconds):.2f} |"
            f" {statistics.median(seconds):.2f} | {max(memory):.0f} |"
        )
    return lines


def main() -> None:
    lines = [
        f"CPU seconds of {REPEATS} processes a row, Python's start and imports included, and the",
        "highest peak of resident memory, in which the pages of the file that were read count.",
        "`all` is the table of every variant of every delegate.",
        "",
        "| file | MB | target | least s | median s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.tflite"
        made_file(path)
        lines += rows(path, f"{2 * OPERATORS} operators, int8 weights, made for this")
    for name in sys.argv[1:]:
        lines += rows(Path(name), Path(name).name)
    measured.write("lint", "What linting costs", lines)


if __name__ == "__main__":
    main()
