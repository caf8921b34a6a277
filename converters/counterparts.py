"""Which tensor of a float file each tensor of a quantized file stands for."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from converters.methods.surgery import Model

BRIDGES = (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE)


class Counterparts:
    """Pairs of activations that mean the same.

    Quantizers keep the names of the float file; inputs and outputs are the same by their place, and
    what QUANTIZE and DEQUANTIZE write is what they read.

    Args:
        real: The float file.
        file: The quantized one.

    Attributes:
        pairs: Tensor of the float file by tensor of the quantized one.
    """

    def __init__(self, real: Model, file: Model) -> None:
        self.pairs: dict[int, int] = {}
        self._real, self._file = real, file
        edges = ((file.graph.inputs, real.graph.inputs), (file.graph.outputs, real.graph.outputs))
        for ours, theirs in edges:
            for one, other in zip(ours, theirs, strict=False):
                self._pair(int(one), int(other))
        written = {int(t) for operator in real.graph.operators for t in operator.outputs}
        by_name = {real.name(tensor): tensor for tensor in written}
        for operator in file.graph.operators:
            for tensor in map(int, operator.outputs):
                if file.name(tensor) in by_name:
                    self._pair(tensor, by_name[file.name(tensor)])
        bridges = [o for o in file.graph.operators if file.code(o) in BRIDGES]
        for operator in bridges:
            self._follow(int(operator.inputs[0]), int(operator.outputs[0]))
        for operator in reversed(bridges):
            self._follow(int(operator.outputs[0]), int(operator.inputs[0]))

    def _follow(self, known: int, same: int) -> None:
        if known in self.pairs and not self._file.is_constant(same):
            self._pair(same, self.pairs[known])

    def _pair(self, ours: int, theirs: int) -> None:
        if self._file.shape(ours) == self._real.shape(theirs):
            self.pairs.setdefault(ours, theirs)
