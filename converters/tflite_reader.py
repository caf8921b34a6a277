"""The one door to .tflite bytes: a checked view of a file, or one sentence about what is wrong.

Nothing is executed and no data are copied. `converters.flatbuffer` checks that every offset and
length stays inside the file; this module checks that what stands there fits together: indices
of tensors, buffers and operators, sizes of constants, quantization against shapes.
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np

from converters.flatbuffer import FlatBuffer, Table, Value
from converters.foreign_file import foreign_problem
from converters.graph import BITS, Graph, Operator, Quantization, Signature, Subgraph, Tensor
from converters.tflite_schema import names_of
from mobilekit.core.errors import ModelFileError, UsageError
from mobilekit.core.storage import storage_errors

SCHEMA_VERSION = 3
MAX_RANK = 64  # NumPy's limit; the runtime's own is 8 for most kernels
# Offsets 0 and 1 say that the data stand inside the flatbuffer; writers put 1 as a place holder.
MIN_OUTSIDE_OFFSET = 2

_OPERATORS = names_of("BuiltinOperator")
_TENSOR_TYPES = {number: name.lower() for number, name in names_of("TensorType").items()}
_OPTIONS = names_of("BuiltinOptions")
_OPTIONS_2 = names_of("BuiltinOptions2")
_DETAILS = names_of("QuantizationDetails")


def read_file(path: Path) -> Graph:
    """Reads a .tflite file; its pages are mapped and not copied.

    Raises:
        UsageError: If there is no such file.
        StorageError: If it cannot be read.
        ModelFileError: If it is not a .tflite file that can be trusted.
    """
    if not path.exists():
        raise UsageError(f"There is no file {path}. Pass the path of a .tflite file.")
    with storage_errors(path, "read"), path.open("rb") as file:
        if not path.stat().st_size:  # which cannot be mapped
            return read_model(b"", str(path))
        return read_model(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), str(path))


def read_model(content: bytes | memoryview | mmap.mmap, name: str) -> Graph:
    """Reads the bytes of a .tflite file.

    Args:
        content: The file; what is returned holds views of it.
        name: What sentences call it.

    Raises:
        ModelFileError: If it is empty, truncated, hostile or something else.
    """
    view = memoryview(content).toreadonly()
    problem = foreign_problem(view)
    if problem is not None:
        raise ModelFileError(name, problem)
    return _Reader(FlatBuffer(view, name)).graph()


class _Reader:
    """Turns the tables of one file into a Graph."""

    def __init__(self, file: FlatBuffer) -> None:
        self._file = file
        self._model = file.root("Model")
        version = self._model.number("version")
        if version != SCHEMA_VERSION:
            file.refuse(
                f"it has schema version {version}, and {SCHEMA_VERSION} is what can be read"
            )
        self._buffers = [self._buffer(i, b) for i, b in enumerate(self._model.tables("buffers"))]
        self._codes = [self._code(i, c) for i, c in enumerate(self._model.tables("operator_codes"))]

    def graph(self) -> Graph:
        subgraphs = tuple(
            self._subgraph(i, table) for i, table in enumerate(self._model.tables("subgraphs"))
        )
        if not subgraphs:
            self._file.refuse("it has no subgraph")
        return Graph(
            name=self._file.name,
            content=self._file.content,
            description=self._model.text("description"),
            subgraphs=subgraphs,
            signatures=tuple(
                self._signature(table, subgraphs) for table in self._model.tables("signature_defs")
            ),
            metadata={
                table.text("name"): self._data(table.number("buffer"), "its metadata")
                for table in self._model.tables("metadata")
            },
        )

    def _buffer(self, index: int, table: Table) -> memoryview | None:
        """The bytes of one buffer, which stand inside the flatbuffer or behind it."""
        return self._outside(
            table.number("offset"), table.number("size"), f"buffer {index}"
        ) or table.octets("data")

    def _outside(self, offset: int, size: int, what: str) -> memoryview | None:
        """Bytes behind the flatbuffer, where files above 2 GB keep their weights."""
        if offset < MIN_OUTSIDE_OFFSET or not size:
            return None
        if offset + size > len(self._file.content):
            self._file.refuse(
                f"it is truncated or damaged: {what} ends at byte {offset + size:,} and the file at"
                f" byte {len(self._file.content):,}"
            )
        return self._file.content[offset : offset + size]

    def _data(self, buffer: int, what: str) -> memoryview | None:
        if buffer >= len(self._buffers):
            self._file.refuse(
                f"{what} asks for buffer {buffer}, and there are {len(self._buffers)}"
            )
        return self._buffers[buffer]

    def _code(self, index: int, table: Table) -> tuple[str, int]:
        """Name and version of an operator code."""
        # Codes above 127 stand in the second field only, those of old writers in the first.
        code = max(table.number("deprecated_builtin_code"), table.number("builtin_code"))
        name = _OPERATORS.get(code, f"UNKNOWN_{code}")
        if name == "CUSTOM":
            custom = table.text("custom_code")
            if not custom:
                self._file.refuse(f"operator code {index} is custom and has no name")
            name = f"CUSTOM:{custom}"
        return name, table.number("version")

    def _subgraph(self, index: int, table: Table) -> Subgraph:
        tensors = tuple(self._tensor(i, t) for i, t in enumerate(table.tables("tensors")))
        what = f"subgraph {index}"
        return Subgraph(
            index=index,
            name=table.text("name"),
            tensors=tensors,
            inputs=self._indices(table, "inputs", 0, len(tensors), what),
            outputs=self._indices(table, "outputs", 0, len(tensors), what),
            operators=tuple(
                self._operator(i, op, len(tensors))
                for i, op in enumerate(table.tables("operators"))
            ),
        )

    def _indices(
        self, table: Table, name: str, lowest: int, tensors: int, what: str
    ) -> tuple[int, ...]:
        """A list of tensor indices; `lowest` is -1 where some may be left out."""
        indices = table.integers(name)
        for index in indices:
            if not lowest <= index < tensors:
                self._file.refuse(
                    f"{what} has tensor {index} among its {name}, and there are {tensors}"
                )
        return indices

    def _operator(self, index: int, table: Table, tensors: int) -> Operator:
        code = table.number("opcode_index")
        if code >= len(self._codes):
            self._file.refuse(
                f"operator {index} asks for operator code {code}, and there are {len(self._codes)}"
            )
        name, version = self._codes[code]
        what = f"operator {index} ({name})"
        offset, size = (table.number(f"large_custom_options_{part}") for part in ("offset", "size"))
        return Operator(
            index=index,
            name=name,
            version=version,
            inputs=self._indices(table, "inputs", -1, tensors, what),
            outputs=self._indices(table, "outputs", -1, tensors, what),
            options=_options(table),
            custom_options=self._outside(offset, size, what) or table.octets("custom_options"),
        )

    def _tensor(self, index: int, table: Table) -> Tensor:
        name = table.text("name")
        what = f"tensor {index} ({name[:80]!r})"
        buffer = table.number("buffer")
        data = self._data(buffer, what)
        number = table.number("type")
        tensor = Tensor(
            index=index,
            name=name,
            shape=self._shape(table, "shape", what),
            shape_signature=self._shape(table, "shape_signature", what) or None,
            dtype=_TENSOR_TYPES.get(number, f"unknown_{number}"),
            buffer=buffer,
            data=data,
            quantization=self._quantization(table.table("quantization"), what),
            is_variable=bool(table.number("is_variable")),
            is_sparse=table.table("sparsity") is not None,
            is_external=bool(table.number("external_buffer")),
        )
        self._check_size(tensor, what)
        self._check_quantization(tensor, what)
        return tensor

    def _shape(self, table: Table, name: str, what: str) -> tuple[int, ...]:
        shape = table.integers(name)
        if len(shape) > MAX_RANK or any(length < -1 for length in shape):
            self._file.refuse(f"{what} has a {name} that cannot be: {shape[:MAX_RANK]}")
        return shape

    def _check_size(self, tensor: Tensor, what: str) -> None:
        bits = BITS.get(tensor.dtype)
        if tensor.data is None or tensor.is_sparse or bits is None:
            return
        needed = -(-tensor.elements * bits // 8)
        if min(tensor.shape, default=0) < 0 or len(tensor.data) != needed:
            self._file.refuse(
                f"{what} is {tensor.dtype} of shape {tensor.shape} and has"
                f" {len(tensor.data):,} bytes of data where {needed:,} are needed"
            )

    def _quantization(self, table: Table | None, what: str) -> Quantization | None:
        if table is None:
            return None
        scales, zero_points = table.array("scale"), table.array("zero_point")
        kind = table.number("details_type")
        if not len(scales) and not kind:
            return None
        if not len(zero_points):
            zero_points = np.zeros(len(scales), np.int64)
        elif len(zero_points) == 1:
            zero_points = np.broadcast_to(zero_points, scales.shape)
        elif len(zero_points) != len(scales):
            self._file.refuse(f"{what} has {len(scales)} scales and {len(zero_points)} zero points")
        return Quantization(
            scales=scales,
            zero_points=zero_points,
            axis=table.number("quantized_dimension"),
            details=_DETAILS.get(kind, f"unknown_{kind}") if kind else "",
        )

    def _check_quantization(self, tensor: Tensor, what: str) -> None:
        quantization = tensor.quantization
        if quantization is None or quantization.details or len(quantization.scales) == 1:
            return
        scales, axis = len(quantization.scales), quantization.axis
        if not 0 <= axis < len(tensor.shape):
            self._file.refuse(
                f"{what} has a scale a slice of dimension {axis}, which it does not have"
            )
        if tensor.shape[axis] != scales:
            self._file.refuse(
                f"{what} has {scales} scales for {tensor.shape[axis]} slices of dimension {axis}"
            )

    def _signature(self, table: Table, subgraphs: tuple[Subgraph, ...]) -> Signature:
        key, subgraph = table.text("signature_key"), table.number("subgraph_index")
        if subgraph >= len(subgraphs):
            self._file.refuse(
                f"signature {key[:80]!r} asks for subgraph {subgraph}, which is not there"
            )
        tensors = len(subgraphs[subgraph].tensors)
        named = {}
        for side in ("inputs", "outputs"):
            named[side] = {t.text("name"): t.number("tensor_index") for t in table.tables(side)}
            for index in named[side].values():
                if index >= tensors:
                    self._file.refuse(
                        f"signature {key[:80]!r} has tensor {index} among its {side}, and there are"
                        f" {tensors}"
                    )
        return Signature(key=key, subgraph=subgraph, **named)


def _options(operator: Table) -> dict[str, Value]:
    """The options of an operator; empty where it has none, or a table this schema does not know."""
    for field, names in (("builtin_options", _OPTIONS), ("builtin_options2", _OPTIONS_2)):
        row = names.get(operator.number(f"{field}_type"))
        table = operator.union(field, row) if row not in (None, "NONE") else None
        if table is not None:
            return table.values()
    return {}
