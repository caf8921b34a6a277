"""Asks runtimes which version of every operator they have.

This makes the table of `converters.operator_versions`:

    python benchmarks/operator_versions.py .venv-legacy/bin/python .venv/bin/python …

Each interpreter has tflite-runtime or ai-edge-litert. A file names an operator and a version and
uses it nowhere; a runtime refuses it when it is loaded, before anything else, if it lacks
that version. Nothing is timed. Prints the rows, which are pasted into the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

MOST = 40  # the newest version of any operator in 2026 is 14
NO_BUILTINS = {"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"}

# Runs in the other interpreter, which may have nothing but the runtime and numpy.
CHILD = """
import importlib.metadata, json, sys
try:
    from tflite_runtime.interpreter import Interpreter
    name = "tflite-runtime"
except ImportError:
    from ai_edge_litert.interpreter import Interpreter
    name = "ai-edge-litert"
found = {}
for line in sys.stdin:
    operator, version, content = json.loads(line)
    try:
        Interpreter(model_content=bytes.fromhex(content))
    except ValueError as error:
        told = str(error)
        assert "Didn't find op for builtin opcode" in told or "out of range" in told, told
    else:
        found.setdefault(operator, []).append(version)
print(json.dumps([name, importlib.metadata.version(name), found]))
"""


def model_that_names(code: int, version: int) -> bytes:
    """A file of one input that is its output, and an operator code that nothing uses."""
    named = schema.OperatorCodeT()
    named.builtinCode, named.version = code, version
    named.deprecatedBuiltinCode = min(code, 127)
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = "x", [1], schema.TensorType.FLOAT32, 0
    graph = schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", [tensor], []
    graph.inputs, graph.outputs = [0], [0]
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    model.operatorCodes, model.subgraphs = [named], [graph]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operators() -> dict[str, int]:
    """The builtin operators of the schema, by name."""
    members = vars(schema.BuiltinOperator).items()
    return {name: code for name, code in members if name[0] != "_" and name not in NO_BUILTINS}


def highest_versions(python: Path) -> tuple[str, str, dict[str, int]]:
    """Name and version of an interpreter's runtime, and its highest version of each operator."""
    lines = [
        json.dumps([name, version, model_that_names(code, version).hex()])
        for name, code in operators().items()
        for version in range(1, MOST + 1)
    ]
    done = subprocess.run(
        [python, "-c", CHILD], input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True
    )
    runtime, version, found = json.loads(done.stdout)
    for operator, versions in found.items():
        assert versions == list(range(versions[0], versions[-1] + 1)), (operator, versions)
    return runtime, version, {operator: max(versions) for operator, versions in found.items()}


def main() -> None:
    asked = [highest_versions(Path(python)) for python in sys.argv[1:]]
    print("#", ", ".join(f"{runtime} {version}" for runtime, version, _ in asked))
    rows = {name: [found.get(name, 0) for *_, found in asked] for name in operators()}
    same = [f"{name} {row[0]}" for name, row in rows.items() if len(set(row)) == 1]
    print(textwrap.fill(", ".join(same), 98), end="\n\n")
    for name, row in rows.items():
        if len(set(row)) > 1:
            print(name, *row)


if __name__ == "__main__":
    main()
