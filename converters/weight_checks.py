"""Checks that constants are stored as the recipe says, and that they are numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from converters.graph import FLOATS, Tensor
from converters.verification import Fault, Place, Subject, shown
from mobilekit.core.recipe import Granularity, Scheme

# Operators with weights, which are their second input: the dimension of the output channels.
WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
WEIGHTS_INPUT = 1
# What may stand between stored weights and the operator that multiplies with them.
_UNPACKING = frozenset({"DEQUANTIZE", "DENSIFY"})
# Quantizers leave smaller tensors alone: there is nothing to gain.
MIN_ELEMENTS = 1024
STORED_AS = {32: "float32", 16: "float16", 8: "int8"}


def weights_float(subject: Subject) -> Iterator[Fault]:
    """Weights that stayed float32 under a recipe that makes them smaller."""
    recipe = subject.claim.recipe
    if recipe is None or STORED_AS[recipe.weight_bits] == "float32":
        return
    for place, weights in stored_weights(subject):
        if weights.dtype == "float32" and weights.elements >= MIN_ELEMENTS:
            yield Fault(
                place=place,
                says=f"keeps {weights.elements:,} weights in float32, and {recipe.name} was"
                " asked for",
                remedy="The quantizer passed over this layer; exclude it by name, or take"
                " another recipe.",
            )


def bits(subject: Subject) -> Iterator[Fault]:
    """Weights of another type than the recipe's; float32 is the matter of `weights_float`."""
    recipe = subject.claim.recipe
    if recipe is None:
        return
    wanted = STORED_AS[recipe.weight_bits]
    for place, weights in stored_weights(subject):
        if weights.dtype not in (wanted, "float32"):
            yield Fault(
                place=place,
                says=f"stores its weights as {weights.dtype}, and {recipe.name} has {wanted}",
                remedy="Convert again from the float file with this recipe.",
            )


def granularity(subject: Subject) -> Iterator[Fault]:
    """Integer weights with one scale where one a channel was asked for, or the reverse."""
    recipe = subject.claim.recipe
    if recipe is None or recipe.scheme is Scheme.FLOAT:
        return
    for place, weights in stored_weights(subject):
        if weights.is_float or weights.quantization is None:
            continue
        axis = WEIGHTED[place.operator.name]
        channels = weights.shape[axis] if axis < len(weights.shape) else 1
        per_channel = recipe.granularity is Granularity.PER_CHANNEL
        wanted = channels if per_channel else 1
        found = len(weights.quantization.scales)
        if found != wanted:
            yield Fault(
                place=place,
                says=f"stores its weights with {found} scale{'s' * (found != 1)}, and"
                f" {recipe.granularity} means {wanted}",
                remedy="Convert again with the granularity that the target needs.",
            )


def not_finite(subject: Subject) -> Iterator[Fault]:
    """NaN or infinity among constants.

    A single infinity is left alone: converters pad with it before a maximum.
    """
    for place, tensor in _constants(subject):
        if tensor.dtype not in FLOATS or tensor.is_sparse or tensor.data is None:
            continue
        values = tensor.values()
        broken = ~np.isfinite(values)
        count = int(np.count_nonzero(broken))
        if count and (values.size > 1 or np.isnan(values).any()):
            yield Fault(
                place=place,
                says=f"has {count:,} of {values.size:,} constants that are NaN or infinite",
                remedy="The network's weights are broken: train or load them again.",
            )


def scales(subject: Subject) -> Iterator[Fault]:
    """Scales that are not finite numbers above zero."""
    for place in subject.places:
        for index in dict.fromkeys((*place.operator.inputs, *place.operator.outputs)):
            quantization = place.subgraph.tensors[index].quantization if index >= 0 else None
            if quantization is None or not len(quantization.scales):
                continue
            sound = np.isfinite(quantization.scales) & (quantization.scales > 0)
            if not sound.all():
                worst = float(quantization.scales[int(np.argmin(sound))])
                name = place.subgraph.tensors[index].name
                yield Fault(
                    place=place,
                    says=f"has the scale {worst:g} at tensor {shown(name)}",
                    remedy="Convert again: no integer stands for a number with such a scale.",
                )


def stored_weights(subject: Subject) -> Iterator[tuple[Place, Tensor]]:
    """The constant behind each operator with weights, as the file stores it."""
    producers = {graph.index: graph.producers() for graph in subject.graph.subgraphs}
    for place in subject.named(*WEIGHTED):
        if len(place.operator.inputs) <= WEIGHTS_INPUT:
            continue
        index = place.operator.inputs[WEIGHTS_INPUT]
        for _ in range(len(_UNPACKING) + 1):  # not longer: a file may lead in a circle
            operator = producers[place.subgraph.index].get(index)
            if operator is None or operator.name not in _UNPACKING or not operator.inputs:
                break
            index = operator.inputs[0]
        if index >= 0 and place.subgraph.tensors[index].is_constant:
            yield place, place.subgraph.tensors[index]


def _constants(subject: Subject) -> Iterator[tuple[Place, Tensor]]:
    """Each constant once, with the first operator that reads it."""
    seen = set()
    for place in subject.places:
        for index in place.operator.inputs:
            tensor = place.subgraph.tensors[index] if index >= 0 else None
            if tensor is None or tensor.data is None:
                continue
            key = (tensor.buffer, tensor.dtype)
            if key not in seen:
                seen.add(key)
                yield place, tensor
