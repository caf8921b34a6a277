"""One walk through an integer file beside its float file, layer by layer, mending each in passing.

Every operator runs by itself under LiteRT on what the mended layers before it really give, so the
file that comes out has seen the values that it will see.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from converters.methods import gptq
from converters.methods.observation import Observation
from converters.methods.patches import patches
from converters.methods.surgery import NO_ACTIVATION, Layer, Model
from mobilekit.core.quiet import quiet_stderr


def mend(
    float_content: bytes,
    integer_content: bytes,
    inputs: Sequence[np.ndarray],
    observation: Observation,
    *,
    rounding: bool,
    bias: bool,
    clip: bool = True,
) -> bytes:
    walk = _Walk(Model(float_content), Model(integer_content), inputs, observation)
    walk.rounding, walk.bias, walk.clip = rounding, bias, clip
    with quiet_stderr():
        walk.run()
    return walk.integer.pack()


class _Walk:
    def __init__(self, real: Model, integer: Model, inputs, observation: Observation) -> None:
        self.real, self.integer, self.observation = real, integer, observation
        self.real_layers = {layer.name: layer for layer in real.layers()}
        self.layers = {layer.position: layer for layer in integer.layers()}
        self.values: dict[int, np.ndarray] = {
            int(integer.graph.inputs[0]): np.concatenate(inputs)
        }

    def run(self) -> None:
        graph = self.integer.graph
        last = {int(i): p for p, op in enumerate(graph.operators) for i in op.inputs}
        for position, operator in enumerate(graph.operators):
            layer = self.layers.get(position)
            if layer is not None and layer.name in self.real_layers:
                self.mend_layer(layer)
            self.execute(operator)
            for index in list(self.values):
                if last.get(index, -1) <= position:
                    del self.values[index]

    def execute(self, operator) -> None:
        inputs = [int(i) for i in operator.inputs if int(i) in self.values]
        outputs = [int(i) for i in operator.outputs]
        content = self.integer.part([operator], inputs, outputs)
        for index, rows in zip(outputs, run_part(content, [self.values[i] for i in inputs]), strict=True):
            self.values[index] = rows

    def mend_layer(self, layer: Layer) -> None:
        q, real = self.integer, self.real
        theirs = self.real_layers[layer.name]
        weights = real.values(theirs.weights)
        scales = q.scales(layer.weights)
        if q.graph.tensors[layer.weights].type != schema.TensorType.INT8: return
        if self.rounding:
            x = patches(q, layer, self.values[layer.input])
            grouped, moments = _grouped(layer, weights, x)
            s = np.broadcast_to(scales if len(scales) > 1 else scales[0], (weights.shape[layer.axis],))
            s = s.reshape(grouped.shape[:2]).astype(np.float32)
            if self.clip and len(scales) > 1:
                s = gptq.clipped_scales(grouped, moments, s)
            integers = gptq.round_weights(grouped, moments, s)
            q.set_values(layer.weights, _ungrouped(layer, integers, weights.shape))
            if len(scales) > 1:
                scales = s.reshape(-1)
                q.graph.tensors[layer.weights].quantization.scale = scales
        step = scales * q.scales(layer.input)[0]
        b = real.values(theirs.bias).astype(np.float64)
        if self.rounding or self.bias:
            q.set_values(layer.bias, np.rint(b / step).astype(np.int32))
            q.graph.tensors[layer.bias].quantization.scale = step.astype(np.float32)
        if self.bias:
            got = self.before(layer, theirs, scales)
            want = self.observation.before[layer.name].mean
            delta = (want - got).mean(axis=0)
            q.set_values(layer.bias, np.rint((b + delta) / step).astype(np.int32))

    def before(self, layer: Layer, theirs: Layer, scales) -> np.ndarray:
        """Mean over positions of what the integer layer gives before its activation."""
        q, real = self.integer, self.real
        w = q.values(layer.weights).astype(np.float32)
        shape = [1] * w.ndim; shape[layer.axis] = -1
        w = w * scales.reshape(shape if len(scales) > 1 else [1] * w.ndim)
        bias = real.values(theirs.bias)
        return twin_means(q, layer, real, theirs, w, bias, self.values[layer.input])


def twin_means(q, layer, real, theirs, w, bias, values):
    tensor = copy.copy(q.graph.tensors[layer.input])
    m = Model.__new__(Model)
    m.schema = schema.ModelT(); m.schema.version = 3
    m.schema.operatorCodes = list(real.schema.operatorCodes); m.schema.buffers = [schema.BufferT()]
    m.graph = schema.SubGraphT(); m.graph.tensors = []; m.graph.operators = []
    m.schema.subgraphs = [m.graph]; m.size = w.nbytes
    F = schema.TensorType.FLOAT32
    tensor.buffer = 0
    m.graph.tensors.append(tensor)
    xin = 0
    x = m.add_tensor("x", list(tensor.shape), F)
    W = m.add_constant("w", w, F); B = m.add_constant("b", bias, F)
    oshape = list(q.graph.tensors[layer.output].shape)
    y = m.add_tensor("y", oshape, F)
    op = copy.copy(real.graph.operators[theirs.position])
    op.builtinOptions = copy.copy(op.builtinOptions)
    op.builtinOptions.fusedActivationFunction = NO_ACTIVATION
    op.inputs = [x, W, B]; op.outputs = [y]
    axes = m.add_constant("axes", np.arange(len(oshape) - 1, dtype=np.int32), schema.TensorType.INT32)
    z = m.add_tensor("z", [oshape[-1]], F)
    o = schema.ReducerOptionsT(); o.keepDims = False
    m.graph.operators = [
        m.operator(schema.BuiltinOperator.DEQUANTIZE, [xin], [x], schema.DequantizeOptionsT(), 2),
        op,
        m.operator(schema.BuiltinOperator.MEAN, [y, axes], [z], o),
    ]
    m.graph.inputs = [xin]; m.graph.outputs = [z]
    return run_part(m.pack(), [values])[0]


def run_part(content: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    it = Interpreter(model_content=content, num_threads=1)
    it.allocate_tensors()
    ins = [d["index"] for d in it.get_input_details()]
    outs = [d["index"] for d in it.get_output_details()]
    if not inputs: 
        it.invoke(); return [it.get_tensor(i) for i in outs]
    shapes = [d["shape"] for d in it.get_input_details()]
    rows = [[] for _ in outs]
    for n in range(len(inputs[0])):
        for i, v, s in zip(ins, inputs, shapes, strict=True):
            it.set_tensor(i, v[n].reshape(s))
        it.invoke()
        for r, o in zip(rows, outs, strict=True):
            r.append(it.get_tensor(o))
    return [np.stack(r)[:, 0] if r[0].ndim > 1 else np.stack(r) for r in rows]


def _grouped(layer: Layer, weights: np.ndarray, x: np.ndarray):
    """(groups, rows, inputs) of weights, and (groups, inputs, inputs) moments."""
    if layer.code == schema.BuiltinOperator.DEPTHWISE_CONV_2D:
        c = x.shape[2]
        kk = weights.shape[1] * weights.shape[2]
        m = weights.shape[3] // c
        w = weights.reshape(kk, c, m).transpose(1, 2, 0)
        t = np.ascontiguousarray(x.transpose(2, 1, 0))
        return w, t @ t.transpose(0, 2, 1)
    o = weights.shape[0]
    depth = weights.shape[-1]
    g = x.shape[2] // depth
    flat = weights.reshape(g, o // g, -1)
    t = x.reshape(len(x), x.shape[1], g, depth).transpose(2, 0, 1, 3).reshape(g, len(x), -1)
    return flat, t.transpose(0, 2, 1) @ t


def _ungrouped(layer: Layer, integers: np.ndarray, shape) -> np.ndarray:
    if layer.code == schema.BuiltinOperator.DEPTHWISE_CONV_2D:
        return integers.transpose(2, 0, 1).reshape(shape)
    return integers.reshape(shape)
