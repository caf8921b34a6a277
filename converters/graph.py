"""What a .tflite file holds: subgraphs of tensors and operators, as frozen values.

Constant data are views of the file, never copies. `converters.tflite_reader` makes these.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from converters.flatbuffer import Value
from mobilekit.core.errors import UsageError

# Bits of one element. Types that are not here (strings, resources, types that are younger
# than this kit) have no fixed size.
BITS = {
    "float32": 32,
    "float16": 16,
    "int32": 32,
    "uint8": 8,
    "int64": 64,
    "bool": 8,
    "int16": 16,
    "complex64": 64,
    "int8": 8,
    "float64": 64,
    "complex128": 128,
    "uint64": 64,
    "uint32": 32,
    "uint16": 16,
    "int4": 4,
    "bfloat16": 16,
    "int2": 2,
    "uint4": 4,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
}
FLOATS = frozenset({"float32", "float16", "bfloat16", "float64"})
# Types without a NumPy type of their own: the bits that are stored, and whether they are signed.
_PACKED = {"int4": (4, True), "uint4": (4, False), "int2": (2, True)}
_WITHOUT_VALUES = frozenset({"float8_e4m3fn", "float8_e5m2"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantization:
    """How integers stand for real numbers: `real = scale * (integer - zero_point)`.

    Attributes:
        scales: float32, one a tensor or one a slice along `axis`; empty where `details` says more.
        zero_points: int64, as many as scales.
        axis: The dimension that has a scale a slice; of no meaning with one scale.
        details: "" or the schema's name of a scheme beyond these, e.g. "BlockwiseQuantization".
    """

    scales: np.ndarray
    zero_points: np.ndarray
    axis: int = 0
    details: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """One tensor of a subgraph.

    Attributes:
        index: Its place in the subgraph.
        name: As the converter made it; not unique, possibly empty.
        shape: Lengths of the dimensions; what is not known yet is 1, or -1 in some files.
        shape_signature: The same with -1 where it is not known; None where all is known.
        dtype: The schema's name in lower case, e.g. "int8"; "unknown_33" where it has none.
        buffer: Index of its data; tensors that share it share their data.
        data: Its constant value as a view of the file; None where it has none.
        quantization: None for a tensor whose numbers stand for themselves.
        is_variable: Whether its value lives on from one invocation to the next.
        is_sparse: Whether `data` leaves zeros out, so that it is shorter than the shape says.
        is_external: Whether its data lie in another file.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...] | None
    dtype: str
    buffer: int
    data: memoryview | None = field(repr=False)
    quantization: Quantization | None = field(repr=False)
    is_variable: bool = False
    is_sparse: bool = False
    is_external: bool = False

    @property
    def elements(self) -> int:
        """Product of the shape; a dimension that is not known counts as 1."""
        return math.prod(abs(length) for length in self.shape)

    @property
    def is_constant(self) -> bool:
        """Whether the file holds its value."""
        return self.data is not None or self.is_external

    @property
    def is_float(self) -> bool:
        """Whether its numbers are floating point."""
        return self.dtype in FLOATS

    @property
    def is_dynamic(self) -> bool:
        """Whether a dimension is known only when the model runs."""
        return any(length < 0 for length in (*self.shape, *(self.shape_signature or ())))

    def values(self) -> np.ndarray:
        """The constant value, shaped; a view of the file where NumPy has the type.

        Four- and two-bit integers are unpacked to int8 (uint8), bfloat16 becomes float32.

        Raises:
            UsageError: If there is no constant, it is sparse, or NumPy cannot hold its type.
        """
        if self.data is None or self.is_sparse or self.dtype not in BITS:
            raise UsageError(
                f"Tensor {self.index} ({self.name!r}) holds no dense constant numbers."
            )
        if self.dtype in _WITHOUT_VALUES:
            raise UsageError(f"Tensor {self.index} ({self.name!r}): NumPy has no {self.dtype}.")
        if self.dtype in _PACKED:
            bits, signed = _PACKED[self.dtype]
            return _unpack(self.data, self.elements, bits, signed).reshape(self.shape)
        if self.dtype == "bfloat16":
            high_halves = np.frombuffer(self.data, "<u2").astype("<u4") << 16
            return high_halves.view("<f4").reshape(self.shape)
        return np.frombuffer(self.data, np.dtype(self.dtype)).reshape(self.shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """One operator of a subgraph.

    Attributes:
        index: Its place in the subgraph, which is the order of execution.
        name: The schema's name, e.g. "CONV_2D"; "CUSTOM:FlexErf"; "UNKNOWN_257".
        version: Of its semantics, as the file asks for it.
        inputs: Indices of tensors; -1 for an optional input that is left out.
        outputs: Indices of tensors; -1 for an output that is left out.
        options: Its options by the schema's field names; enumerations are names ("SAME").
        custom_options: The bytes a custom operator carries; None where it carries none.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Value] = field(repr=False)
    custom_options: memoryview | None = field(default=None, repr=False)

    @property
    def full_name(self) -> str:
        """Its name, where a composite has that of what it stands for: "COMPOSITE:odml.rms_norm"."""
        if self.name == "STABLEHLO_COMPOSITE":
            return f"COMPOSITE:{self.options.get('name', '')}"
        return self.name

    @property
    def is_custom(self) -> bool:
        """Whether a runtime needs more than its builtin kernels for it."""
        return self.name.startswith("CUSTOM:")

    @property
    def is_flex(self) -> bool:
        """Whether it needs TensorFlow's own kernels (select ops)."""
        return self.name.startswith("CUSTOM:Flex")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subgraph:
    """Tensors, and operators in the order they run.

    Attributes:
        index: Its place in the file; 0 is where a run begins.
        name: Often "main", often empty.
        tensors: All of them, by index.
        inputs: Indices of the tensors that are fed.
        outputs: Indices of the tensors that are read.
        operators: In the order they run.
    """

    index: int
    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]

    def producers(self) -> dict[int, Operator]:
        """The operator that writes each tensor, by tensor; fed and constant ones are not there."""
        return {index: op for op in self.operators for index in op.outputs if index >= 0}

    def consumers(self) -> dict[int, list[Operator]]:
        """The operators that read each tensor, by tensor, in order."""
        readers: dict[int, list[Operator]] = collections.defaultdict(list)
        for operator in self.operators:
            for index in dict.fromkeys(operator.inputs):
                if index >= 0:
                    readers[index].append(operator)
        return dict(readers)

    def activations(self, operator: Operator) -> Iterator[Tensor]:
        """What the operator reads and writes, without constants."""
        for index in (*operator.inputs, *operator.outputs):
            if index >= 0 and not self.tensors[index].is_constant:
                yield self.tensors[index]


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A named way into a subgraph.

    Attributes:
        key: E.g. "serving_default".
        subgraph: Index of the subgraph it runs.
        inputs: Tensor indices by argument name.
        outputs: Tensor indices by result name.
    """

    key: str
    subgraph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """One .tflite file.

    Attributes:
        name: What the file was called when it was read, for sentences.
        content: All of its bytes.
        description: What its maker wrote, e.g. "MLIR Converted."; "" where nothing.
        subgraphs: At least one; a run begins with the first.
        signatures: Named ways in; empty in many files.
        metadata: What others stored beside the graph, by name; None where it is empty.
    """

    name: str
    content: memoryview = field(repr=False)
    description: str
    subgraphs: tuple[Subgraph, ...]
    signatures: tuple[Signature, ...]
    metadata: Mapping[str, memoryview | None]

    @property
    def main(self) -> Subgraph:
        """The subgraph in which a run begins."""
        return self.subgraphs[0]

    @property
    def ops(self) -> dict[str, int]:
        """How often each operator occurs in all subgraphs, by name, the most frequent first."""
        names = (operator.name for graph in self.subgraphs for operator in graph.operators)
        return dict(collections.Counter(names).most_common())


def _unpack(data: memoryview, count: int, bits: int, signed: bool) -> np.ndarray:
    """Integers of fewer than 8 bits, the first in the lowest bits of the first byte."""
    packed = np.frombuffer(data, np.uint8)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    values: np.ndarray = (packed[:, None] >> shifts & (2**bits - 1)).reshape(-1)[:count]
    if signed:
        values = (values << (8 - bits)).view(np.int8) >> (8 - bits)
    return values
