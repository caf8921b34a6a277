"""The vocabulary's kinds: each one small function and one row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from converters.delegates import broadcast_kind, option_kinds, other_kinds, scale_kinds, shape_kinds
from converters.delegates.answer import HOLDS, Answer, all_of, any_of
from converters.delegates.bounds import bounds_words
from converters.delegates.site import Site
from converters.delegates.vocabulary import Constraint

Check = Callable[[Constraint, Site], Answer]


def check(constraint: Constraint, site: Site) -> Answer:
    """Whether one constraint holds."""
    return KINDS[constraint.kind](constraint, site)


def _check_all(constraints: Iterable[Constraint], site: Site) -> Answer:
    return all_of(check(constraint, site) for constraint in constraints)


def _if(constraint: Constraint, site: Site) -> Answer:
    """When all of `if` hold then all of `then`, otherwise all of `else`."""
    condition = _check_all(constraint.part("if"), site)
    if condition.holds is True:
        return _check_all(constraint.part("then"), site)
    otherwise = _check_all(constraint.part("else"), site)
    if condition.holds is False:
        return otherwise
    then = _check_all(constraint.part("then"), site)
    return then if then.holds is otherwise.holds else condition


def _not(constraint: Constraint, site: Site) -> Answer:
    """Not all of the listed constraints hold."""
    inner = _check_all(constraint.part("of"), site)
    if inner.holds is None:
        return inner
    if not inner.holds:
        return HOLDS
    return Answer(holds=False, says=f"not taken: {requirements(constraint.part('of'))}")


def _any_of(constraint: Constraint, site: Site) -> Answer:
    """At least one list of constraints holds."""
    return any_of(_check_all(some, site) for some in constraint.parts["of"])


KINDS: Mapping[str, Check] = {
    "const": shape_kinds.const,
    "runtime": shape_kinds.runtime,
    "present": shape_kinds.present,
    "rank": shape_kinds.rank,
    "dim": shape_kinds.dim,
    "dims_product": shape_kinds.dims_product,
    "elements": shape_kinds.elements,
    "unit_dims": shape_kinds.unit_dims,
    "nonempty": shape_kinds.nonempty,
    "static_shape": shape_kinds.static_shape,
    "same_shape": shape_kinds.same_shape,
    "same_rank": shape_kinds.same_rank,
    "same_dim": shape_kinds.same_dim,
    "broadcast": broadcast_kind.broadcast,
    "dtype": shape_kinds.dtype,
    "same_dtype": shape_kinds.same_dtype,
    "values": shape_kinds.values,
    "const_if_dtype": shape_kinds.const_if_dtype,
    "quant_granularity": scale_kinds.quant_granularity,
    "quant_if_dtype": scale_kinds.quant_if_dtype,
    "scale": scale_kinds.scale,
    "zero_point": scale_kinds.zero_point,
    "scale_positive": scale_kinds.scale_positive,
    "same_quant": scale_kinds.same_quant,
    "scale_ratio": scale_kinds.scale_ratio,
    "weights_abs_sum": scale_kinds.weights_abs_sum,
    "activation": option_kinds.activation,
    "option": option_kinds.option,
    "stride": option_kinds.stride,
    "dilation": option_kinds.dilation,
    "kernel": option_kinds.kernel,
    "stride_vs_kernel": option_kinds.stride_vs_kernel,
    "no_padding": option_kinds.no_padding,
    "groups": option_kinds.groups,
    "axis": option_kinds.axis,
    "version": option_kinds.version,
    "count": option_kinds.count,
    "resize_scale": option_kinds.resize_scale,
    "if": _if,
    "any_of": _any_of,
    "not": _not,
    "delegate_option": other_kinds.delegate_option,
    "neighbour": other_kinds.neighbour,
    "external_check": other_kinds.external_check,
    "opaque": other_kinds.opaque,
}


def requirements(constraints: Iterable[Constraint]) -> str:
    """What constraints ask for, in a few words: e.g. "stride at most 3, dilation not 1"."""
    return ", ".join(map(_requirement, constraints))


def _requirement(constraint: Constraint) -> str:
    if constraint.kind == "not":
        return f"not ({requirements(constraint.part('of'))})"
    fields = constraint.fields
    named = fields.get("name", fields.get("what", fields.get("from", "")))
    about = str(named).replace("_", " ").removeprefix("option:")
    tensors = " and ".join(constraint.names("tensor")) if "tensor" in fields else ""
    ends = [f"{key} {value}" for key, value in fields.items() if key.endswith(("_min", "_max"))]
    window = ", ".join(ends)
    words = [constraint.kind.replace("_", " "), about, tensors, window, bounds_words(fields)]
    return " ".join(word.replace("_", " ") for word in words if word)
