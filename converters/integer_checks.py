"""Checks that a file computes in integers where it is said to, from its inputs to its outputs."""

from __future__ import annotations

from collections.abc import Iterator

from converters.arithmetic import (
    BRIDGES,
    QUANTIZED,
    float_groups,
    has_bridge,
    has_integer_weights,
    is_edge,
)
from converters.graph import Subgraph, Tensor
from converters.ranges import INT8_MIN, INT16_MAX, quantization_of
from converters.verification import Claim, Fault, Place, Subject, shown
from mobilekit.core.recipe import IoType, LayerArithmetic, Scheme

# Indices, masks and texts are no activations: no recipe changes their type.
_NEVERQUANTIZED = frozenset({"int32", "int64", "bool", "string"})
SHOWN_OPERATORS = 4
SCALE_TOLERANCE = 1e-4  # relative; scales are float32, and writers divide in either precision
ZERO_POINT_TOLERANCE = 0.501  # a half may be rounded to either side


def float_op(subject: Subject) -> Iterator[Fault]:
    """Operators that compute in float, in a part of the graph that never was integer."""
    for place in _float_operators(subject):
        if not has_integer_weights(place):
            yield Fault(
                place=place,
                says="computes in float, and integers were asked for",
                remedy="Quantize with a static recipe, or replace the layer by one that has an"
                " integer kernel.",
            )


def hybrid_op(subject: Subject) -> Iterator[Fault]:
    """Operators with integer weights and float activations, as dynamic recipes make them."""
    for place in _float_operators(subject):
        if has_integer_weights(place):
            yield Fault(
                place=place,
                says="is hybrid: its weights are integers and its activations are float",
                remedy="Quantize with a static recipe, which needs calibration images.",
            )


def island(subject: Subject) -> Iterator[Fault]:
    """Parts of an integer graph that leave the integers and come back, or begin or end in float."""
    if not subject.claim.integer_inside:
        return
    for group in float_groups(subject.places):
        if not has_bridge(group) or is_edge(group):
            continue
        computing = [place for place in group if place.operator.name not in BRIDGES]
        inside = [place for place in computing or group if not subject.may_be_float(place)]
        if not inside:
            continue
        names = "".join(f", {subject.title(place)}" for place in inside[1:SHOWN_OPERATORS])
        more = f" and {len(inside) - SHOWN_OPERATORS} more" if inside[SHOWN_OPERATORS:] else ""
        yield Fault(
            place=inside[0],
            says=f"leaves the integers of this graph and computes in float{names}{more}",
            remedy="Replace the layer by one that has an integer kernel, or convert with"
            " --keep-float and its name.",
        )


def io_type(subject: Subject) -> Iterator[Fault]:
    """Inputs and outputs of another element type than was asked for."""
    main = subject.graph.main
    for side, indices in (("input", main.inputs), ("output", main.outputs)):
        for index in indices:
            tensor = main.tensors[index]
            wanted = _wanted_io(subject.claim)
            also = _ruled_types(subject, index) if subject.claim.io is None else frozenset()
            if wanted and tensor.dtype not in wanted | also | _NEVERQUANTIZED:
                yield Fault(
                    says=f"the {side} {shown(tensor.name)} is {tensor.dtype}, and"
                    f" {'an integer' if wanted == QUANTIZED else min(wanted)} was asked for",
                    remedy="Convert again with the recipe whose inputs and outputs you need: a"
                    " static recipe has int8, with _iouint8 uint8, with _iofloat float32.",
                )


def rules(subject: Subject) -> Iterator[Fault]:
    """Layers that a mixed recipe rules, and that compute in another way."""
    for place in subject.places:
        ruled = subject.ruled(place)
        activations = list(place.subgraph.activations(place.operator))
        types = {tensor.dtype for tensor in activations}
        if ruled is LayerArithmetic.INT16 and types & {"int8", "float32"} and "int16" not in types:
            kind = "int16 activations"
        elif ruled is LayerArithmetic.FLOAT and types & QUANTIZED:
            kind = "float"
        else:
            continue
        yield Fault(
            place=place,
            says=f"computes with {' and '.join(sorted(types))}, and the recipe's rules say {kind}",
            remedy="The quantizer passed over the rule; name the layers around this one too.",
        )


def input_scale(subject: Subject) -> Iterator[Fault]:
    """Integer inputs whose scale cannot hold what the preprocessing makes of pixels."""
    if subject.claim.preprocessing is None:
        return
    low, high = subject.claim.preprocessing.value_range
    main = subject.graph.main
    for tensor, quantized in _quantized_inputs(main):
        found = _quantization(quantized)
        if found is None:
            continue
        scale, zero_point = quantization_of(low, high)
        if quantized.dtype == "int16":
            scale, zero_point = max(abs(low), abs(high)) / INT16_MAX, 0.0
        same_scale = abs(found[0] / scale - 1) <= SCALE_TOLERANCE
        if not same_scale or abs(found[1] - zero_point) > ZERO_POINT_TOLERANCE:
            yield Fault(
                says=f"the input {shown(tensor.name)} has scale {found[0]:.6g} and zero point"
                f" {found[1]}, where preprocessing to {low:.4g}..{high:.4g} gives {scale:.6g} and"
                f" {round(zero_point)}",
                remedy="Calibrate with the preprocessing that the network was trained on.",
            )


def _float_operators(subject: Subject) -> Iterator[Place]:
    """Float operators that no QUANTIZE or DEQUANTIZE joins to integers; islands are not here."""
    if subject.claim.integer_inside:
        for group in float_groups(subject.places):
            if not has_bridge(group):
                yield from (place for place in group if not subject.may_be_float(place))


def _wanted_io(claim: Claim) -> frozenset[str]:
    """Types that inputs and outputs may have; empty where any is right."""
    recipe = claim.recipe
    if claim.io is not None:
        return frozenset({claim.io})
    if recipe and recipe.io is IoType.UINT8:
        return frozenset({"uint8"})
    if recipe and recipe.scheme is Scheme.STATIC and recipe.io is IoType.NATIVE:
        return frozenset({f"int{recipe.activation_bits}"})
    if claim.full_integer:
        return QUANTIZED
    return frozenset({"float32"} if recipe else ())


def _ruled_types(subject: Subject, index: int) -> frozenset[str]:
    """Types that an input or output may have because a mixed recipe rules the layer behind it."""
    types = set()
    for place in subject.places:
        at_edge = index in place.operator.inputs or index in place.operator.outputs
        if place.subgraph.index == 0 and at_edge:
            if subject.may_be_float(place):
                types.add("float32")
            if subject.ruled(place) is LayerArithmetic.INT16:
                types.add("int16")
    return frozenset(types)


def _quantized_inputs(main: Subgraph) -> Iterator[tuple[Tensor, Tensor]]:
    """Every input, with the tensor that holds its integers: behind a float one, a QUANTIZE's."""
    consumers = main.consumers()
    for tensor in (main.tensors[index] for index in main.inputs):
        readers = consumers.get(tensor.index, [])
        if tensor.is_float and readers and {op.name for op in readers} == {"QUANTIZE"}:
            yield from ((tensor, main.tensors[operator.outputs[0]]) for operator in readers)
        else:
            yield tensor, tensor


def _quantization(tensor: Tensor) -> tuple[float, int] | None:
    """Scale and zero point, as int8 would have it for uint8; None for what is no such input."""
    quantization = tensor.quantization
    if tensor.dtype not in QUANTIZED or quantization is None or not len(quantization.scales):
        return None
    shift = INT8_MIN if tensor.dtype == "uint8" else 0
    return float(quantization.scales[0]), int(quantization.zero_points[0]) + shift
