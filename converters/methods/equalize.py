"""Cross-layer equalization (arXiv:1906.04721) for activations: no channel is much wider than another.

Tensors whose channels must keep one factor (both sides of an addition, padding, pooling) are a
group. A factor moves from the weights that write a group into the weights that read it, so the
float network stays what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from converters.methods.observation import Observation
from converters.methods.surgery import NO_ACTIVATION, Layer, Model

OP = schema.BuiltinOperator
# Operators that give each channel back as it came, up to a factor.
TRANSPARENT = frozenset({OP.ADD, OP.PAD, OP.MEAN, OP.MAX_POOL_2D, OP.AVERAGE_POOL_2D, OP.RELU})
HOMOGENEOUS = frozenset({NO_ACTIVATION, schema.ActivationFunctionType.RELU})
SIX = 6.0
# How far beyond what was seen a channel may reach on other images: by this factor, or this many
# standard deviations over its mean. 1.15 times the observed broke a float network.
HEADROOM = 1.5
DEVIATIONS = 8.0
LARGEST_FACTOR = 64.0


@dataclass
class _Group:
    tensors: set[int]
    writers: list[Layer]
    readers: list[Layer]
    bounded: set[str]
    frozen: bool = False


class _Groups:
    """Union-find over tensors."""

    def __init__(self, model: Model) -> None:
        self._model = model
        graph = model.graph
        self._leader = list(range(len(graph.tensors)))
        self.frozen: set[int] = {int(i) for i in (*graph.inputs, *graph.outputs)}
        self.layers = {layer.position: layer for layer in model.layers()}
        self.bounded: dict[int, list[str]] = {}
        for position, operator in enumerate(graph.operators):
            self._visit(position, operator)

    def find(self, tensor: int) -> int:
        while self._leader[tensor] != tensor:
            self._leader[tensor] = self._leader[self._leader[tensor]]
            tensor = self._leader[tensor]
        return tensor

    def _visit(self, position: int, operator: schema.OperatorT) -> None:
        model = self._model
        options = operator.builtinOptions
        fused = getattr(options, "fusedActivationFunction", NO_ACTIVATION)
        outputs = [int(i) for i in operator.outputs]
        if position in self.layers:
            layer = self.layers[position]
            if fused == schema.ActivationFunctionType.RELU6:
                self.bounded.setdefault(layer.output, []).append(layer.name)
            elif fused not in HOMOGENEOUS:
                self.frozen.add(layer.output)
            shape, wshape = (model.graph.tensors[i].shape for i in (layer.input, layer.weights))
            c = int(shape[-1])
            if layer.code == OP.FULLY_CONNECTED:
                if len(shape) != 2 or c != int(wshape[1]):
                    self.frozen.add(layer.input)
            elif layer.code == OP.CONV_2D:
                if int(wshape[3]) != c:
                    self.frozen.add(layer.input)
            elif int(wshape[3]) != c:
                self.frozen.add(layer.input)
            return
        inputs = [int(i) for i in operator.inputs if i >= 0]
        activations = [i for i in inputs if not model.is_constant(i)]
        if self._is_transparent(operator, inputs, activations, fused):
            for other in (*activations, *outputs):
                self._leader[self.find(other)] = self.find(outputs[0])
        else:
            self.frozen.update(activations + outputs)

    def _is_transparent(self, operator, inputs, activations, fused) -> bool:
        model = self._model
        code = model.code(operator)
        if code not in TRANSPARENT or fused not in HOMOGENEOUS:
            return False
        shapes = [tuple(model.graph.tensors[i].shape) for i in (*activations, *map(int, operator.outputs))]
        if code == OP.ADD:
            return len(activations) == 2 and len(set(shapes)) == 1
        if code == OP.MEAN:
            rank = len(shapes[0])
            axes = {int(a) % rank for a in model.values(inputs[1]).reshape(-1)}
            return rank - 1 not in axes
        if code == OP.PAD:
            p = model.values(inputs[1])
            return not p[-1].any()
        return True


def equalize(content: bytes, seen: Observation, exponent="auto", kinds=("plain", "relu", "relu6")) -> bytes:
    model = Model(content)
    groups = _Groups(model)
    members: dict[int, list[int]] = {}
    produced = {int(o) for op in model.graph.operators for o in op.outputs}
    for t in produced | {int(model.graph.inputs[0])}:
        members.setdefault(groups.find(t), []).append(t)
    frozen = {groups.find(t) for t in groups.frozen}
    for leader, tensors in members.items():
        if leader in frozen:
            continue
        writers = [l for l in groups.layers.values() if groups.find(l.output) == leader]
        readers = [l for l in groups.layers.values() if groups.find(l.input) == leader]
        if not writers or not readers:
            continue
        bounded = [n for w in writers for n in groups.bounded.get(w.output, [])]
        if ("relu6" if bounded else "plain") not in kinds:
            continue
        factor = _factor(model, tensors, readers, bounded, seen, exponent)
        if factor is None: continue
        for w in writers: _scale_output(model, w, factor)
        for r in readers: _scale_input(model, r, 1 / factor)
    return model.pack()


GRID = (0.0, 0.25, 0.5, 0.75, 1.0)


def _factor(model, tensors, readers, bounded, seen, exponent):
    sizes = {}
    for t in tensors:
        s = seen.tensors[model.name(t)]
        sizes[t] = np.maximum(np.abs(s.low), np.abs(s.high)).max(0)
    amax = np.max([a / max(a.max(), 1e-30) for a in sizes.values()], axis=0)
    w = np.zeros(len(amax))
    for r in readers:
        v = np.abs(_by_input(r, model.values(r.weights))).max(1)
        w = np.maximum(w, v / max(v.max(), 1e-30))
    limit = np.full(len(amax), LARGEST_FACTOR); fixed = np.zeros(len(amax), bool)
    for name in bounded:
        s = seen.before[name]
        top = s.high.max(0)
        mean = s.mean.mean(0)
        std = np.sqrt(np.maximum(s.square.mean(0) - mean**2, 0))
        bound = np.maximum(HEADROOM * top, mean + DEVIATIONS * std)
        fixed |= bound > SIX
        limit = np.minimum(limit, SIX / np.maximum(bound, 1e-6))
    best, least = None, _noise(model, readers, sizes, seen, np.ones(len(amax)))
    tiny = 1e-4
    grid = [(p, q) for p in GRID for q in GRID if p or q] if exponent == "auto" else [(exponent, 1 - exponent)]
    if exponent != "auto": least = np.inf
    for p, q in grid:
        f = np.maximum(amax, tiny) ** -p * np.maximum(w, tiny) ** q
        f = f / np.max(f * amax)
        if fixed.any():
            f = f / np.median(f) if False else f
        f = np.where(fixed, 1.0, np.minimum(f, limit))
        cost = _noise(model, readers, sizes, seen, f)
        if cost < least:
            best, least = f, cost
    return None if best is None else best.astype(np.float32)


def _noise(model, readers, sizes, seen, f):
    total = 0.0
    for r in readers:
        W = model.values(r.weights).astype(np.float64)
        x2 = seen.tensors[model.name(r.input)].square.mean(0).astype(np.float64)
        b = seen.before[r.name]
        signal = max(float((b.square.mean(0) - b.mean.mean(0) ** 2).sum()), 1e-12)
        step = (sizes[r.input] * f).max() / 127.5 / 2 if False else _span(model, seen, r.input, f) / 255
        w = np.abs(_by_input(r, W)) / f[:, None]      # (inputs, others)
        activations = step**2 / 12 * (w**2).sum()
        if r.code == OP.DEPTHWISE_CONV_2D:
            s = w.max(1) / 127
            k = w.shape[1]
            weights = (s**2 / 12 * k * x2 * f**2).sum()
        else:
            w3 = w.reshape(len(f), -1) if r.code == OP.FULLY_CONNECTED else None
            o = W.shape[0]
            full = np.abs(W) / f
            s = full.reshape(o, -1).max(1) / 127
            k = full[0].size // len(f)
            weights = (s**2).sum() / 12 * k * (x2 * f**2).sum()
        total += (activations + weights) / signal
    return total


def _span(model, seen, tensor, f):
    s = seen.tensors[model.name(tensor)]
    return max((s.high.max(0) * f).max(), 0) - min((s.low.min(0) * f).min(), 0)


def _by_input(layer: Layer, w: np.ndarray) -> np.ndarray:
    """(input channels, everything else)."""
    if layer.code == OP.DEPTHWISE_CONV_2D:
        return w.reshape(-1, w.shape[3]).T
    return np.moveaxis(w, -1, 0).reshape(w.shape[-1], -1)


def _scale_output(model, layer, f):
    w = model.values(layer.weights)
    shape = [1] * w.ndim; shape[layer.axis] = -1
    model.set_values(layer.weights, w * f.reshape(shape))
    model.set_values(layer.bias, model.values(layer.bias) * f)


def _scale_input(model, layer, f):
    w = model.values(layer.weights)
    model.set_values(layer.weights, w * f)
