"""The highest version of every operator that a runtime has, as data.

Source: measured 2026-11 with `benchmarks/operator_versions.py`, which asks each runtime itself. A
file may say a version of an operator that no option or type in it needs, and is refused all the
same. 0 means that the operator is not there at all. Tests hold the columns of tflite-runtime 2.14
and of the LiteRT that is installed against those two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One row of `RUNTIMES`.

    Attributes:
        name: As `--runtime` takes it.
        package: The package and version that was asked.
    """

    name: str
    package: str

    def highest_version(self, operator: str) -> int | None:
        """Of an operator by the schema's name; 0 where it has none, None for one nobody asked."""
        return VERSIONS[self.name].get(operator)


RUNTIMES: Registry[Runtime] = Registry(
    "runtime",
    [
        Runtime(name="2.14", package="tflite-runtime 2.14.0"),
        Runtime(name="litert-1.0", package="ai-edge-litert 1.0.1"),
        Runtime(name="litert-1.2", package="ai-edge-litert 1.2.0"),
        Runtime(name="litert-1.4", package="ai-edge-litert 1.4.0"),
        Runtime(name="litert-2.0", package="ai-edge-litert 2.0.3"),
        Runtime(name="litert-2.1", package="ai-edge-litert 2.1.6"),
        Runtime(name="litert-2.3", package="ai-edge-litert 2.3.0"),
    ],
)

# The same in all of them.
ALIKE = """
AVERAGE_POOL_2D 3, DEPTHWISE_CONV_2D 7, DEPTH_TO_SPACE 2, FLOOR 1, HASHTABLE_LOOKUP 1,
L2_NORMALIZATION 2, L2_POOL_2D 1, LOCAL_RESPONSE_NORMALIZATION 1, LOGISTIC 3, LSH_PROJECTION 1,
LSTM 4, MAX_POOL_2D 3, RELU 3, RELU_N1_TO_1 1, RELU6 3, RESHAPE 1, RESIZE_BILINEAR 4, RNN 3,
SPACE_TO_DEPTH 2, SVDF 4, TANH 3, CONCAT_EMBEDDINGS 0, SKIP_GRAM 1, CALL 0,
EMBEDDING_LOOKUP_SPARSE 1, UNIDIRECTIONAL_SEQUENCE_RNN 3, BATCH_TO_SPACE_ND 4, SPACE_TO_BATCH_ND
4, MEAN 3, SUB 5, DIV 2, SQUEEZE 2, UNIDIRECTIONAL_SEQUENCE_LSTM 4, STRIDED_SLICE 8,
BIDIRECTIONAL_SEQUENCE_RNN 3, EXP 2, TOPK_V2 3, LOG_SOFTMAX 2, BIDIRECTIONAL_SEQUENCE_LSTM 3,
PRELU 1, MAXIMUM 4, ARG_MAX 3, MINIMUM 4, LESS 3, NEG 1, GREATER 2, GREATER_EQUAL 3, LESS_EQUAL 2,
SELECT 4, SPARSE_TO_DENSE 3, TILE 3, EXPAND_DIMS 1, SUM 2, SHAPE 1, POW 1, ARG_MIN 3, FAKE_QUANT
2, REDUCE_PROD 2, REDUCE_MAX 3, LOGICAL_OR 1, ONE_HOT 1, LOGICAL_AND 1, LOGICAL_NOT 1, REDUCE_MIN
3, FLOOR_DIV 3, REDUCE_ANY 1, SQUARE 1, ZEROS_LIKE 1, FLOOR_MOD 2, RANGE 2,
RESIZE_NEAREST_NEIGHBOR 4, LEAKY_RELU 2, SQUARED_DIFFERENCE 2, MIRROR_PAD 3, ABS 5, UNIQUE 1, CEIL
1, ADD_N 1, WHERE 2, RANK 1, ELU 1, REVERSE_SEQUENCE 1, MATRIX_DIAG 1, MATRIX_SET_DIAG 1, ROUND 1,
HARD_SWISH 1, IF 1, WHILE 1, NON_MAX_SUPPRESSION_V4 1, NON_MAX_SUPPRESSION_V5 1, SCATTER_ND 1,
SELECT_V2 2, DENSIFY 1, SEGMENT_SUM 1, BATCH_MATMUL 4, CUMSUM 1, CALL_ONCE 1, RFFT2D 1, CONV_3D 1,
IMAG 1, REAL 1, COMPLEX_ABS 1, HASHTABLE 1, HASHTABLE_FIND 1, HASHTABLE_IMPORT 1, HASHTABLE_SIZE
1, REDUCE_ALL 1, CONV_3D_TRANSPOSE 1, VAR_HANDLE 1, READ_VARIABLE 1, ASSIGN_VARIABLE 1,
BROADCAST_ARGS 1, RANDOM_STANDARD_NORMAL 1, BUCKETIZE 1, RANDOM_UNIFORM 1, MULTINOMIAL 1,
RELU_0_TO_1 1, UNSORTED_SEGMENT_PROD 1, UNSORTED_SEGMENT_MAX 1, UNSORTED_SEGMENT_SUM 1, ATAN2 1,
UNSORTED_SEGMENT_MIN 1, SIGN 2, BITCAST 1, BITWISE_XOR 1, RIGHT_SHIFT 1, STABLEHLO_LOGISTIC 0,
STABLEHLO_DIVIDE 0, STABLEHLO_RESHAPE 0, STABLEHLO_CLAMP 0, STABLEHLO_CONCATENATE 0,
STABLEHLO_BROADCAST_IN_DIM 0, STABLEHLO_CONVOLUTION 0, STABLEHLO_SLICE 0, STABLEHLO_CUSTOM_CALL 0,
STABLEHLO_REDUCE 0, STABLEHLO_ABS 0, STABLEHLO_COSINE 0, STABLEHLO_EXPONENTIAL 0, STABLEHLO_FLOOR
0, STABLEHLO_LOG 0, STABLEHLO_NEGATE 0, STABLEHLO_OR 0, STABLEHLO_POWER 0, STABLEHLO_REMAINDER 0,
STABLEHLO_RSQRT 0, STABLEHLO_SELECT 0, STABLEHLO_SUBTRACT 0, STABLEHLO_TANH 0, STABLEHLO_COMPARE
0, STABLEHLO_CONVERT 0, STABLEHLO_DYNAMIC_SLICE 0, STABLEHLO_DYNAMIC_UPDATE_SLICE 0,
STABLEHLO_IOTA 0, STABLEHLO_DOT_GENERAL 0, STABLEHLO_SORT 0, STABLEHLO_WHILE 0,
STABLEHLO_TRANSPOSE 0, STABLEHLO_CBRT 0
"""

# One column a runtime, in the order above.
DIFFERENT = """
ADD 5 5 5 5 5 6 6
CONCATENATION 4 4 4 4 4 6 7
CONV_2D 7 8 8 8 8 8 8
DEQUANTIZE 5 6 6 6 6 8 9
EMBEDDING_LOOKUP 3 4 4 4 4 5 5
FULLY_CONNECTED 10 13 13 13 13 14 14
MUL 7 7 7 7 7 8 8
SOFTMAX 3 3 3 3 3 4 4
PAD 4 4 4 4 5 5 6
GATHER 6 7 7 7 7 7 8
TRANSPOSE 6 6 7 7 7 9 9
SPLIT 4 4 4 4 4 4 5
CAST 5 6 7 7 7 8 9
PADV2 4 4 4 4 5 5 6
SLICE 6 6 6 6 6 8 8
SIN 1 1 1 1 1 2 2
TRANSPOSE_CONV 4 5 5 5 5 5 5
EQUAL 4 4 4 4 4 5 5
NOT_EQUAL 3 3 3 3 3 4 4
LOG 1 2 2 2 2 2 2
SQRT 1 1 1 1 2 2 2
RSQRT 2 3 3 3 3 3 3
PACK 4 4 4 4 4 4 5
UNPACK 4 4 4 4 4 5 6
FILL 4 4 4 4 4 4 5
SPLIT_V 2 2 2 2 2 2 3
REVERSE_V2 3 3 3 3 3 3 4
GATHER_ND 4 5 5 5 5 5 6
COS 1 1 1 1 1 2 2
QUANTIZE 3 3 3 3 3 6 6
BROADCAST_TO 3 3 3 3 3 3 4
GELU 2 2 2 2 2 3 3
DYNAMIC_UPDATE_SLICE 1 2 3 4 4 6 6
STABLEHLO_ADD 0 1 1 1 1 1 1
STABLEHLO_MULTIPLY 0 1 1 1 1 1 1
STABLEHLO_MAXIMUM 0 1 1 1 1 1 1
STABLEHLO_AND 0 0 1 1 1 1 1
STABLEHLO_MINIMUM 0 1 1 1 1 1 1
STABLEHLO_SCATTER 0 1 1 1 1 1 1
STABLEHLO_PAD 0 1 1 1 1 1 1
STABLEHLO_REDUCE_WINDOW 0 1 1 1 1 1 1
STABLEHLO_GATHER 0 1 1 1 1 1 1
DILATE 0 1 1 1 1 1 1
STABLEHLO_RNG_BIT_GENERATOR 0 1 1 1 1 1 1
REDUCE_WINDOW 0 1 1 1 1 1 1
STABLEHLO_COMPOSITE 0 1 1 1 1 1 1
STABLEHLO_SHIFT_LEFT 0 0 1 1 1 1 1
STABLEHLO_CASE 0 0 1 1 1 1 1
"""


def _versions() -> dict[str, dict[str, int]]:
    columns: dict[str, dict[str, int]] = {name: {} for name in RUNTIMES}
    for item in ALIKE.replace("\n", " ").split(","):
        operator, version = item.split()
        for column in columns.values():
            column[operator] = int(version)
    for line in DIFFERENT.strip().splitlines():
        operator, *versions = line.split()
        for column, version in zip(columns.values(), versions, strict=True):
            column[operator] = int(version)
    return columns


VERSIONS: Mapping[str, Mapping[str, int]] = _versions()
