"""Checks that constants are stored as the recipe says, and that they are numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from converters.graph import FLOATS, Tensor
from converters.verification import Claim, Fault, Place, Subject, shown
from mobilekit.core.recipe import Granularity, LayerArithmetic, Recipe, Scheme

# Operators with weights, which are their second input: the dimension of the output channels.
WEIGHTED = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
WEIGHTS_INPUT = 1
# What may stand between stored weights and the operator that multiplies with them.
_UNPACKING = frozenset({"DEQUANTIZE", "DENSIFY"})
# Quantizers leave smaller tensors alone: there is nothing to gain.
MIN_ELEMENTS = 1024
STORED_AS = {32: "float32", 16: "float16", 8: "int8", 4: "int4"}
FOUR_BIT = frozenset({"CONV_2D", "FULLY_CONNECTED"})  # others have no kernel for it, and get 8


def weights_float(subject: Subject) -> Iterator[Fault]:
    """Weights that stayed float32 under a recipe that makes them smaller."""
    recipe = subject.claim.recipe
    if recipe is None or STORED_AS[recipe.weight_bits] == "float32":
        return
    for place, weights in stored_weights(subject):
        kept = subject.ruled(place) is LayerArithmetic.FLOAT
        if weights.dtype == "float32" and weights.elements >= MIN_ELEMENTS and not kept:
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
    for place, weights in stored_weights(subject):
        wanted = _stored_type(recipe, place)
        if weights.dtype not in (wanted, "float32"):
            yield Fault(
                place=place,
                says=f"stores its weights as {weights.dtype}, and {recipe.name} has {wanted}",
                remedy="Convert again from the float file with this recipe.",
            )


def granularity(subject: Subject) -> Iterator[Fault]:
    """Integer weights with one scale where one a channel was asked for, or the reverse."""
    for place, weights in stored_weights(subject):
        claimed = _claimed_granularity(subject.claim, place)
        if claimed is None or weights.is_float or weights.quantization is None:
            continue
        axis = WEIGHTED[place.operator.name]
        channels = weights.shape[axis] if axis < len(weights.shape) else 1
        wanted = channels if claimed is Granularity.PER_CHANNEL else 1
        found = len(weights.quantization.scales)
        if found != wanted:
            yield Fault(
                place=place,
                says=f"stores its weights with {found} scale{'s' * (found != 1)}, and"
                f" {claimed} means {wanted}",
                remedy="Convert again with the granularity that the target needs.",
            )


def no_scales(subject: Subject) -> Iterator[Fault]:
    """A file said to be per channel in which no convolution has integer weights at all."""
    if not subject.claim.per_channel:
        return
    if not any(w.quantization is not None for _, w in stored_weights(subject)):
        yield Fault(
            says="none of its weights are integers with scales, and a scale for every channel was"
            " asked for",
            remedy="Quantize it first: a static, dynamic or weight_only recipe does.",
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


def _stored_type(recipe: Recipe, place: Place) -> str:
    """The type in which a recipe stores an operator's weights."""
    if recipe.weight_bits == 4 and place.operator.name not in FOUR_BIT:
        return STORED_AS[8]
    return STORED_AS[recipe.weight_bits]


def _claimed_granularity(claim: Claim, place: Place) -> Granularity | None:
    """How many scales an operator's weights are said to have; None where nobody said.

    Without a recipe, `per_channel` is about convolutions: older writers gave dense layers one
    scale always, as their kernels wanted it.
    """
    recipe = claim.recipe
    if recipe is not None and recipe.scheme is not Scheme.FLOAT:
        return recipe.granularity
    if claim.per_channel and place.operator.name != "FULLY_CONNECTED":
        return Granularity.PER_CHANNEL
    return None


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
