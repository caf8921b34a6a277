"""Tiny .tflite files, written field by field with the schema's own object API; no TensorFlow.

Every file is one image of 8x8x3 through a convolution, a mean and a dense layer, or
that with one thing wrong. Weights are seeded, so the same call gives the same bytes.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IMAGE = (1, 8, 8, 3)
CHANNELS, CLASSES = 40, 30  # so that both weight tensors have more than 1024 elements
CONV = "tiny_1/conv_relu_1/Relu6;tiny_1/conv_1/convolution"
MEAN = "tiny_1/pool_1/Mean"
DENSE = "Identity"
LAYERS = ("image", "conv", "conv_relu", "pool", "logits")


class Network:
    """Collects tensors and operators of one subgraph, and writes the file."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "made by a test"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.subgraphs = []
        self.model.metadata = []
        self.subgraph()

    def subgraph(self):
        graph = schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = "main", [], []
        graph.inputs, graph.outputs = [], []
        self.model.subgraphs.append(graph)
        self.graph = graph
        return graph

    def tensor(self, name, shape, dtype="float32", data=None, quantization=None, signature=None):
        """`quantization` is (scales, zero points[, axis]); `data` an array of the stored type."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.shapeSignature = signature and list(signature)
        tensor.hasRank = True
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        if quantization is not None:
            scales, zero_points, *axis = quantization
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(scales).astype(np.float32)
            tensor.quantization.zeroPoint = np.atleast_1d(zero_points).astype(np.int64)
            tensor.quantization.quantizedDimension = axis[0] if axis else 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, name, inputs, outputs, options=None, version=1):
        """`name` is the schema's, or that of a custom operator; `options` an object-API value."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
        if code.builtinCode == schema.BuiltinOperator.CUSTOM:
            code.customCode = name
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            row = type(options).__name__.removesuffix("T")
            kind = "" if hasattr(schema.BuiltinOptions, row) else "2"
            table = getattr(schema, f"BuiltinOptions{kind}")
            setattr(operator, f"builtinOptions{kind}Type", getattr(table, row))
            setattr(operator, f"builtinOptions{kind}", options)
        self.graph.operators.append(operator)
        return operator

    def finish(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return pack(self.model)


def pack(model):
    """The bytes of an object-API model."""
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def unpack(content):
    """The object-API model of bytes that a test made itself."""
    return schema.ModelT.InitFromPackedBuf(bytearray(content), 0)  # so that vectors can be written


def conv_options():
    options = schema.Conv2DOptionsT()
    options.padding, options.strideW, options.strideH = schema.Padding.SAME, 1, 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    options.dilationWFactor = options.dilationHFactor = 1
    return options


def mean_options():
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return options


def float_weights():
    """Convolution kernel (output, height, width, input) and dense kernel (output, input)."""
    rng = np.random.default_rng(7)
    kernel = rng.normal(0, 0.3, (CHANNELS, 3, 3, 3)).astype(np.float32)
    dense = rng.normal(0, 0.3, (CLASSES, CHANNELS)).astype(np.float32)
    return kernel, dense


def _quantized(weights, per_channel):
    axes = tuple(range(1, weights.ndim)) if per_channel else None
    scales = np.atleast_1d(np.abs(weights).max(axis=axes) / 127).astype(np.float32)
    shaped = scales.reshape(-1, *[1] * (weights.ndim - 1))
    integers = np.clip(np.rint(weights / shaped), -127, 127).astype(np.int8)
    return integers, scales


def tiny_float(weights="float32", per_channel=True, signature=None):
    """A network with float activations.

    `weights`: "float32", "float16" or "weight_only" (int8) behind DEQUANTIZE, "dynamic" (int8).
    """
    net = Network()
    image = net.tensor("image", IMAGE, signature=signature)
    names = ("tiny_1/conv_1/convolution", "tiny_1/logits_1/MatMul")
    kernel, matrix = (
        _stored(net, name, values, weights, per_channel)
        for name, values in zip(names, float_weights(), strict=True)
    )
    versions = (5, 12) if weights == "dynamic" else (1, 1)
    conv = net.tensor(CONV, (1, 8, 8, CHANNELS))
    inputs = [image, kernel, _bias(net, CHANNELS)]
    net.operator("CONV_2D", inputs, [conv], conv_options(), versions[0])
    mean = net.tensor(MEAN, (1, CHANNELS))
    net.operator("MEAN", [conv, _axes(net)], [mean], mean_options())
    logits = net.tensor(DENSE, (1, CLASSES))
    inputs = [mean, matrix, _bias(net, CLASSES)]
    net.operator("FULLY_CONNECTED", inputs, [logits], schema.FullyConnectedOptionsT(), versions[1])
    return net.finish([image], [logits])


def _stored(net, name, values, weights, per_channel):
    if weights == "float32":
        return net.tensor(name, values.shape, data=values)
    if weights == "float16":
        stored = net.tensor(f"{name}_f16", values.shape, "float16", values.astype(np.float16))
    else:
        integers, scales = _quantized(values, per_channel)
        zeros = np.zeros(len(scales))
        stored = net.tensor(f"{name}_i8", values.shape, "int8", integers, (scales, zeros, 0))
        if weights == "dynamic":
            return stored
    output = net.tensor(name, values.shape)
    net.operator("DEQUANTIZE", [stored], [output], schema.DequantizeOptionsT(), version=3)
    return output


def tiny_dynamic(per_channel=True):
    """Float activations and int8 weights: hybrid operators."""
    return tiny_float("dynamic", per_channel)


def tiny_int8(
    per_channel=True, image=(1.0, -128), island=None, float_io=False, dense="int8", output="int8"
):
    """A full-integer network.

    `island` names a float operator ("LOGISTIC", "SQRT") between DEQUANTIZE and QUANTIZE behind the
    convolution; `dense="float32"` leaves the last layer float; `output` adds a requantization.
    """
    net = Network()
    fed = given = net.tensor("image", IMAGE, "int8", quantization=image)
    if float_io:
        given = net.tensor("image_float", IMAGE)
        net.operator("QUANTIZE", [given], [fed], schema.QuantizeOptionsT())
    kernel, matrix = float_weights()
    scale = (6 / 255, -128)  # relu6
    integers, scales = _quantized(kernel, per_channel)
    zeros = np.zeros(len(scales))
    weights = net.tensor(
        "tiny_1/conv_1/convolution", kernel.shape, "int8", integers, (scales, zeros, 0)
    )
    bias = _bias(net, CHANNELS, "int32", scales * np.float32(image[0]))
    conv = net.tensor(CONV, (1, 8, 8, CHANNELS), "int8", quantization=scale)
    net.operator("CONV_2D", [fed, weights, bias], [conv], conv_options(), version=3)
    if island:
        conv = _island(net, conv, island, scale)
    mean = net.tensor(MEAN, (1, CHANNELS), "int8", quantization=scale)
    net.operator("MEAN", [conv, _axes(net)], [mean], mean_options(), version=2)
    logits = _dense(net, mean, matrix, scale, per_channel, dense)
    if dense == "int8" and (float_io or output == "float32"):
        real = net.tensor("Identity_float", (1, CLASSES))
        net.operator("DEQUANTIZE", [logits], [real], schema.DequantizeOptionsT(), version=2)
        logits = real
    elif output == "uint8":
        other = net.tensor("Identity_u8", (1, CLASSES), "uint8", quantization=(0.1, 128))
        net.operator("QUANTIZE", [logits], [other], schema.QuantizeOptionsT())
        logits = other
    return net.finish([given], [logits])


def _island(net, source, operator, scale):
    shape = (1, 8, 8, CHANNELS)
    real = net.tensor("island_in", shape)
    net.operator("DEQUANTIZE", [source], [real], schema.DequantizeOptionsT(), version=2)
    output = net.tensor("tiny_1/odd_1/Odd", shape)
    net.operator(operator, [real], [output])
    integers = net.tensor("island_out", shape, "int8", quantization=scale)
    net.operator("QUANTIZE", [output], [integers], schema.QuantizeOptionsT())
    return integers


def _dense(net, source, matrix, scale, per_channel, dtype):
    options = schema.FullyConnectedOptionsT()
    name = "tiny_1/logits_1/MatMul"
    if dtype == "float32":
        real = net.tensor("pool_float", (1, CHANNELS))
        net.operator("DEQUANTIZE", [source], [real], schema.DequantizeOptionsT(), version=2)
        logits = net.tensor(DENSE, (1, CLASSES))
        inputs = [real, net.tensor(name, matrix.shape, data=matrix), _bias(net, CLASSES)]
        net.operator("FULLY_CONNECTED", inputs, [logits], options)
        return logits
    integers, scales = _quantized(matrix, per_channel)
    zeros = np.zeros(len(scales))
    weights = net.tensor(name, matrix.shape, "int8", integers, (scales, zeros, 0))
    bias = _bias(net, CLASSES, "int32", scales * np.float32(scale[0]))
    logits = net.tensor(DENSE, (1, CLASSES), "int8", quantization=(0.1, 0))
    net.operator("FULLY_CONNECTED", [source, weights, bias], [logits], options, version=4)
    return logits


def _bias(net, length, dtype="float32", scales=None):
    quantization = None if scales is None else (scales, np.zeros(len(scales)), 0)
    return net.tensor("bias", (length,), dtype, np.zeros(length, dtype), quantization)


def _axes(net):
    return net.tensor("axes", (2,), "int32", np.array((1, 2), np.int32))


def tiny_flex():
    """One TensorFlow kernel (a select op) between input and output."""
    net = Network()
    image = net.tensor("image", IMAGE)
    output = net.tensor("tiny_1/gelu_1/Erf", IMAGE)
    operator = net.operator("FlexErf", [image], [output])
    operator.customOptions = [1, 2, 3]
    return net.finish([image], [output])


def tiny_variables(assigned=False):
    """Reads weights from a variable; `assigned` sets it first, as streaming models do."""
    net = Network()
    image = net.tensor("image", (1, CHANNELS))
    if assigned:
        start = net.tensor("start", (1, CHANNELS), data=np.ones((1, CHANNELS), np.float32))
        net.operator("ASSIGN_VARIABLE", [_handle(net), start], [], schema.AssignVariableOptionsT())
    value = net.tensor("tiny_1/dense_1/ReadVariableOp", (1, CHANNELS))
    net.operator("READ_VARIABLE", [_handle(net)], [value], schema.ReadVariableOptionsT())
    output = net.tensor("tiny_1/dense_1/Add", (1, CHANNELS))
    net.operator("ADD", [image, value], [output], schema.AddOptionsT())
    return net.finish([image], [output])


def _handle(net):
    handle = net.tensor("handle", (), "resource")
    options = schema.VarHandleOptionsT()
    options.container, options.sharedName = "", "dense/kernel"
    net.operator("VAR_HANDLE", [], [handle], options)
    return handle


def tiny_dynamic_shape():
    """The batch is not known until the model runs."""
    return tiny_float(signature=(-1, *IMAGE[1:]))


def tiny_any_size(has_rank=True):
    """An image of any height and width; `has_rank` False is how older converters wrote it."""
    model = unpack(tiny_float())
    graph = model.subgraphs[0]
    image = graph.tensors[graph.inputs[0]]
    image.shape, image.shapeSignature, image.hasRank = [1, 1, 1, 3], [1, -1, -1, 3], has_rank
    return pack(model)


def signature(key, inputs, outputs, graph=0):
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex = key, graph
    made.inputs, made.outputs = [], []
    for target, names in ((made.inputs, inputs), (made.outputs, outputs)):
        for name, tensor in names.items():
            row = schema.TensorMapT()
            row.name, row.tensorIndex = name, tensor
            target.append(row)
    return made


def two_signatures():
    """x - y and x * y, with a signature in another order than the graph; then p + p."""
    net = Network()
    a, b, difference, product = (net.tensor(name, (1, 4)) for name in "abdm")
    net.operator("SUB", [a, b], [difference], schema.SubOptionsT())
    net.operator("MUL", [a, b], [product], schema.MulOptionsT())
    net.graph.inputs, net.graph.outputs = [a, b], [difference, product]
    first = signature("both", {"y": b, "x": a}, {"product": product, "difference": difference})
    net.subgraph()
    p, q = net.tensor("p", (1, 3)), net.tensor("q", (1, 3))
    net.operator("ADD", [p, p], [q], schema.AddOptionsT())
    net.graph.inputs, net.graph.outputs = [p], [q]
    net.model.signatureDefs = [first, signature("double", {"p": p}, {"q": q}, 1)]
    return pack(net.model)
