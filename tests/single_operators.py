"""Files of one operator, swept over types, shapes and options, written field by field."""

import itertools

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tiny_models import Network

A = schema.ActivationFunctionType
ACTIVATIONS = {"NONE": A.NONE, "RELU": A.RELU, "RELU6": A.RELU6, "TANH": A.TANH}
QUANTIZED = {"int8": (0.5, 3), "uint8": (0.5, 130), "int16": (0.5, 0)}


def options(name, **fields):
    made = getattr(schema, f"{name}T")()
    for field, value in fields.items():
        assert hasattr(made, field), field
        setattr(made, field, value)
    return made


def one(op, inputs, outputs, made=None, version=1):
    """Inputs and outputs are (shape, dtype[, data[, quantization]])."""
    net = Network()

    def tensor(name, shape, dtype="float32", data=None, quantization=None):
        if quantization is None and dtype in QUANTIZED:
            quantization = QUANTIZED[dtype]
        return net.tensor(name, shape, dtype, data, quantization)

    read = [-1 if given is None else tensor(f"in_{i}", *given) for i, given in enumerate(inputs)]
    written = [tensor(f"out_{i}", *given) for i, given in enumerate(outputs)]
    net.operator(op, read, written, made, version)
    fed = [i for i, given in zip(read, inputs, strict=True) if given and len(given) < 3]
    return net.finish(fed, written)


IMAGE = (1, 6, 6, 4)
DTYPES = ("float32", "int8", "uint8", "int16", "int32")


def unary():
    names = "ABS NEG SQRT RSQRT SQUARE EXP LOG SIN COS TANH LOGISTIC ELU FLOOR CEIL ROUND SIGN"
    names += " RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 HARD_SWISH GELU"
    for op, dtype in itertools.product(names.split(), DTYPES):
        version = 2 if dtype in ("int8", "uint8") and op in ("RELU", "LOGISTIC", "TANH") else 1
        made = {"GELU": options("GeluOptions"), "ABS": options("AbsOptions")}.get(op)
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(op)
        quantization = fixed if dtype == "int8" else None
        yield one(op, [(IMAGE, dtype)], [(IMAGE, dtype, None, quantization)], made, version)


def binary():
    shapes = [(IMAGE, IMAGE), (IMAGE, (1, 1, 1, 4)), (IMAGE, (4,)), (IMAGE, ()), ((3, 1), (1, 5))]
    for op, dtype, (a, b) in itertools.product(
        ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"), DTYPES, shapes
    ):
        out = np.broadcast_shapes(a, b)
        row = {"SQUARED_DIFFERENCE": "SquaredDifferenceOptions", "MAXIMUM": "MaximumMinimumOptions"}
        row |= {"MINIMUM": "MaximumMinimumOptions"}
        made = options(row.get(op, f"{op.title()}Options"))
        yield one(op, [(a, dtype), (b, dtype)], [(out, dtype)], made)
    for op, activation in itertools.product(("ADD", "SUB", "MUL", "DIV"), ACTIVATIONS.values()):
        made = options(f"{op.title()}Options", fusedActivationFunction=activation)
        yield one(op, [(IMAGE, "float32")] * 2, [(IMAGE, "float32")], made)
    for op, scale in itertools.product(("ADD", "SUB", "MUL"), (2**-9, 2**-8, 1e-3, 1.0, 255, 256)):
        given = (IMAGE, "int8", None, (scale, 0))
        made = options(f"{op.title()}Options")
        yield fed(one(op, [given, given], [(IMAGE, "int8", None, (1.0, 0))], made))


def fed(content):
    """The same with every input fed that has no data: quantization was given, no constant."""
    from tests.tiny_models import pack, unpack

    model = unpack(content)
    graph = model.subgraphs[0]
    graph.inputs = [i for i in graph.operators[0].inputs if i >= 0 and not graph.tensors[i].buffer]
    return pack(model)


def pools():
    sizes = [(1, 1, 1), (2, 2, 1), (2, 2, 2), (2, 3, 3), (1, 1, 2), (3, 3, 2)]
    for op, dtype, (height, width, step), padding in itertools.product(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D"), ("float32", "int8"), sizes, (0, 1)
    ):
        made = options(
            "Pool2DOptions",
            padding=padding,
            strideW=step,
            strideH=step,
            filterWidth=width,
            filterHeight=height,
        )
        out = [
            -(-6 // step) if padding == 0 else (6 - size) // step + 1 for size in (height, width)
        ]
        version = 2 if dtype == "int8" else 1
        yield one(op, [(IMAGE, dtype)], [((1, *out, 4), dtype)], made, version)


def convolutions():
    rng = np.random.default_rng(0)
    for step, spread, activation, bias, computed in itertools.product(
        (1, 2), (1, 2), ACTIVATIONS.values(), (True, False), (True, False)
    ):
        made = options(
            "Conv2DOptions",
            padding=0,
            strideW=step,
            strideH=step,
            dilationWFactor=spread,
            dilationHFactor=spread,
            fusedActivationFunction=activation,
        )
        kernel = rng.normal(size=(5, 3, 3, 4)).astype(np.float32)
        weights = (kernel.shape, "float32") if computed else (kernel.shape, "float32", kernel)
        given = [(IMAGE, "float32"), weights]
        given.append(((5,), "float32", np.zeros(5, np.float32)) if bias else None)
        side = -(-6 // step)
        yield one("CONV_2D", given, [((1, side, side, 5), "float32")], made)
    for axis, zero in itertools.product((0, 3), (0, 2)):
        made = options("Conv2DOptions", strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
        kernel = rng.integers(-9, 9, (4, 1, 1, 4), np.int8)
        scales = (np.full(4, 0.1), np.full(4, zero), axis)
        bias = ((4,), "int32", np.zeros(4, np.int32), (np.full(4, 0.05), np.zeros(4), 0))
        given = [(IMAGE, "int8"), (kernel.shape, "int8", kernel, scales), bias]
        yield one("CONV_2D", given, [(IMAGE, "int8")], made, 3)


def integers(*values):
    return (len(values),), "int32", np.array(values, np.int32)


def rearrangements():
    for count, dtype in itertools.product(range(1, 8), ("float32", "int8", "int32")):
        made = options("ConcatenationOptions", axis=3)
        out = ((1, 6, 6, 4 * count), dtype)
        yield one("CONCATENATION", [(IMAGE, dtype)] * count, [out], made)
    for parts, dtype in itertools.product((1, 2, 3, 4, 5), ("float32", "int8")):
        axis = ((), "int32", np.array(3, np.int32))
        whole, out = (1, 2, 2, 60), ((1, 2, 2, 60 // parts), dtype)
        made = options("SplitOptions", numSplits=parts)
        yield one("SPLIT", [axis, (whole, dtype)], [out] * parts, made)
    for dtype, shape in itertools.product(DTYPES, ((1, 144), (6, 6, 4), (1, 2, 3, 4, 6))):
        given = [(IMAGE, dtype), integers(*shape)]
        made = options("ReshapeOptions", newShape=list(shape))
        yield one("RESHAPE", given, [(shape, dtype)], made)
        yield one("RESHAPE", given[:1], [(shape, dtype)], made)
    for dtype, width in itertools.product(("float32", "int8", "int32"), (-1, 4)):
        made = options("SliceOptions")
        begin, size = integers(0, 1, 1, 0), integers(1, 2, 2, width)
        yield one("SLICE", [(IMAGE, dtype), begin, size], [((1, 2, 2, 4), dtype)], made)
    for step, shrink, begin_mask in itertools.product((1, 2), (0, 1), (0, 2)):
        made = options("StridedSliceOptions", shrinkAxisMask=shrink, beginMask=begin_mask)
        given = [integers(0, 0, 0, 0), integers(1, 6, 6, 4), integers(1, step, step, 1)]
        out = (1, 6 // step, 6 // step, 4)[shrink:]
        yield one("STRIDED_SLICE", [(IMAGE, "float32"), *given], [(out, "float32")], made)
    for dtype, perm in itertools.product(
        ("float32", "int8", "int32"), ((0, 2, 1, 3), (3, 1, 2, 0))
    ):
        out = tuple(IMAGE[axis] for axis in perm)
        made = options("TransposeOptions")
        yield one("TRANSPOSE", [(IMAGE, dtype), integers(*perm)], [(out, dtype)], made)
    for op, dtype, corners, centers in itertools.product(
        ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), ("float32", "int8"), (0, 1), (0, 1)
    ):
        row = "ResizeBilinear" if op == "RESIZE_BILINEAR" else "ResizeNearestNeighbor"
        if corners and centers:
            continue  # the kernels refuse this themselves
        made = options(f"{row}Options", alignCorners=corners, halfPixelCenters=centers)
        given = [(IMAGE, dtype), integers(12, 12)]
        yield one(op, given, [((1, 12, 12, 4), dtype)], made, 3)
    for op, dtype, keep, axes in itertools.product(
        ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"),
        ("float32", "int8"),
        (0, 1),
        ((1, 2), (3,), (1,)),
    ):
        made = options("ReducerOptions", keepDims=keep)
        kept = [1 if i in axes else n for i, n in enumerate(IMAGE)]
        out = kept if keep else [n for i, n in enumerate(IMAGE) if i not in axes]
        yield one(op, [(IMAGE, dtype), integers(*axes)], [(out, dtype)], made, 2)


def others():
    for beta, dtype in itertools.product((1.0, 2.0), ("float32", "int8")):
        out = ((1, 4), dtype, None, (1 / 256, -128) if dtype == "int8" else None)
        yield one("SOFTMAX", [((1, 4), dtype)], [out], options("SoftmaxOptions", beta=beta), 2)
    for alpha, dtype in itertools.product((-0.5, 0.2, 0.001, 200.0), ("float32", "int8", "uint8")):
        made = options("LeakyReluOptions", alpha=alpha)
        yield one("LEAKY_RELU", [(IMAGE, dtype)], [(IMAGE, dtype)], made, 2)
    for shape in ((4,), (1, 1, 4), (6, 6, 4), (6, 1, 4)):
        alpha = (shape, "float32", np.full(shape, 0.2, np.float32))
        yield one("PRELU", [(IMAGE, "float32"), alpha], [(IMAGE, "float32")])
    for dtype, low in itertools.product(("float32", "int8", "int32"), (0, 1)):
        paddings = np.array([[0, 0], [low, 1], [1, 1], [0, 0]], np.int32)
        out = (1, 7 + low, 8, 4)
        given = [(IMAGE, dtype), ((4, 2), "int32", paddings)]
        yield one("PAD", given, [(out, dtype)], options("PadOptions"), 2)
    for source, result in itertools.product(("float32", "int8", "uint8"), ("int8", "uint8")):
        yield one("QUANTIZE", [(IMAGE, source)], [(IMAGE, result)], options("QuantizeOptions"), 2)
    for source in ("int8", "uint8", "int16"):
        given = [(IMAGE, source)], [(IMAGE, "float32")]
        yield one("DEQUANTIZE", *given, options("DequantizeOptions"), 3)
    for op, block in itertools.product(("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"), (2,)):
        row = "SpaceToDepthOptions" if op == "SPACE_TO_DEPTH" else "DepthToSpaceOptions"
        out = (1, 3, 3, 16) if op == "SPACE_TO_DEPTH" else (1, 12, 12, 1)
        for dtype in ("float32", "int8"):
            yield one(op, [(IMAGE, dtype)], [(out, dtype)], options(row, blockSize=block))
    for keep, bias, computed in itertools.product((False, True), repeat=3):
        made = options("FullyConnectedOptions", keepNumDims=keep)
        matrix = np.ones((3, 4), np.float32)
        weights = ((3, 4), "float32") if computed else ((3, 4), "float32", matrix)
        given = [((2, 5, 4), "float32"), weights]
        given.append(((3,), "float32", np.zeros(3, np.float32)) if bias else None)
        out = (2, 5, 3) if keep else (10, 3)
        yield one("FULLY_CONNECTED", given, [(out, "float32")], made, 5)
    for adjoint, dtype in itertools.product((False, True), ("float32", "int8")):
        second = (2, 5, 4) if adjoint else (2, 4, 5)
        made = options("BatchMatMulOptions", adjY=adjoint)
        given = [((2, 3, 4), dtype), (second, dtype)]
        yield one("BATCH_MATMUL", given, [((2, 3, 5), dtype)], made, 2)


FAMILIES = (unary, binary, pools, convolutions, rearrangements, others)
