"""One operator as constraints see it: tensors by role, constants, options, window."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from converters.delegates.vocabulary import roles_of
from converters.flatbuffer import Value
from converters.graph import Operator, Subgraph, Tensor
from mobilekit.core.errors import UsageError

CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})

_roles = functools.cache(roles_of)


@dataclass(frozen=True, kw_only=True)
class Site:
    """One operator of one subgraph.

    Attributes:
        operator: It.
        subgraph: Where it stands.
        folded: Tensors that count as constants because the delegate unpacks them itself.
        options: Options of the delegate by name, beside its defaults.
    """

    operator: Operator
    subgraph: Subgraph
    folded: frozenset[int] = frozenset()
    options: Mapping[str, bool | int] = field(default_factory=dict)
    _found: dict[str, list[tuple[str, Tensor]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def op(self) -> str:
        """Its name as rule files have it, e.g. "CONV_2D", "COMPOSITE:odml.rms_norm"."""
        return self.operator.full_name

    def tensors(self, names: Iterable[str]) -> list[tuple[str, Tensor]]:
        """The tensors that are there, by what a sentence calls them."""
        return [pair for name in names for pair in self._named(name)]

    def tensor(self, name: str) -> Tensor | None:
        """The tensor of a role; None where it is left out."""
        return next((tensor for _, tensor in self._named(name)), None)

    def is_constant(self, tensor: Tensor) -> bool:
        """Whether the delegate knows the value before anything runs."""
        return tensor.is_constant or tensor.index in self.folded

    def _named(self, name: str) -> list[tuple[str, Tensor]]:
        # Rules ask for the same few tensors over and over.
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> list[tuple[str, Tensor]]:
        if name in _GROUPS:
            sides, only_runtime = _GROUPS[name]
            return [
                (called, tensor)
                for side in sides
                for called, tensor in self._side(side)
                if not (only_runtime and side == "i" and self.is_constant(tensor))
            ]
        place = _roles(self.operator.name).get(name, name)
        side, number = place[0], int(place[1:]) if place[1:].isdigit() else -1
        indices = self.operator.inputs if side == "i" else self.operator.outputs
        if not 0 <= number < len(indices) or indices[number] < 0:
            return []
        called = name if name != place else _plain(side, number)
        return [(called, self.subgraph.tensors[indices[number]])]

    def _side(self, side: str) -> list[tuple[str, Tensor]]:
        indices = self.operator.inputs if side == "i" else self.operator.outputs
        return [
            (_plain(side, place), self.subgraph.tensors[index])
            for place, index in enumerate(indices)
            if index >= 0
        ]

    def option(self, name: str) -> Value | None:
        """An option of the operator; None where the file has none of that name."""
        if name == "num_squeeze_dims":
            return self._length("squeeze_dims")
        if name == "num_new_shape":
            shape = self.operator.options.get("new_shape")
            return 0 if shape == (0,) else self._length("new_shape")
        if name == "fused_activation_function":
            # The file leaves out what is the default; so do options that are not there at all.
            return self.operator.options.get(name, "NONE")
        return self.operator.options.get(name)

    def _length(self, name: str) -> int:
        value = self.operator.options.get(name, ())
        return len(value) if isinstance(value, tuple) else 0

    def number(self, name: str) -> int | None:
        """An option that is a whole number."""
        value = self.option(name)
        return int(value) if isinstance(value, int) else None

    def pair(self, kind: str) -> tuple[int, int] | None:
        """Height and width of "stride" or "dilation"."""
        ends = {"stride": "stride_{}", "dilation": "dilation_{}_factor"}[kind]
        height, width = (self.number(ends.format(side)) for side in "hw")
        if height is None or width is None:
            # Not every windowed operator can be dilated.
            return (1, 1) if kind == "dilation" and self.pair("stride") else None
        return height, width

    def window(self) -> tuple[int, int] | None:
        """Height and width of the window: a kernel's, or a pool's."""
        if self.operator.name in CONVOLUTIONS:
            kernel = self.tensor("filter")
            if kernel is None or len(kernel.shape) < 3 or min(kernel.shape) < 0:
                return None
            return kernel.shape[1], kernel.shape[2]
        height, width = self.number("filter_height"), self.number("filter_width")
        return None if height is None or width is None else (height, width)


_GROUPS: Mapping[str, tuple[str, bool]] = {
    "inputs": ("i", False),
    "outputs": ("o", False),
    "tensors": ("io", False),
    "runtime_inputs": ("i", True),
    "runtime_tensors": ("io", True),
}


def _plain(side: str, number: int) -> str:
    word = "input" if side == "i" else "output"
    return f"{word} {number}" if number else word


def constant_values(tensor: Tensor) -> np.ndarray | None:
    """The numbers of a constant; None where the file does not hold them as such."""
    try:
        return tensor.values()
    except UsageError:
        return None


def granularity(tensor: Tensor) -> str:
    """`none`, `per_tensor`, `per_channel` or `blockwise`."""
    quantization = tensor.quantization
    if quantization is None:
        return "none"
    if quantization.details:
        return "blockwise" if quantization.details == "BlockwiseQuantization" else "custom"
    if not len(quantization.scales):
        return "none"
    return "per_tensor" if len(quantization.scales) == 1 else "per_channel"
