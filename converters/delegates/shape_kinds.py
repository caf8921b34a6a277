"""Constraints on what tensors are: constants, ranks, lengths, element types, values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from converters.delegates.answer import HOLDS, Answer, all_of, broken, unknown
from converters.delegates.bounds import bounds_words, keeps, one_of
from converters.delegates.site import Site, constant_values
from converters.delegates.vocabulary import Constraint
from converters.graph import Tensor

# A dimension that the file leaves open counts as what stands in its shape, 1 in most files, because
# that is what a delegate sees when it picks operators. A -1 in the shape itself is not known.


def const(constraint: Constraint, site: Site) -> Answer:
    """Every named tensor that is there is a constant."""
    for called, tensor in site.tensors(constraint.names("tensor")):
        if not site.is_constant(tensor):
            return broken(f"{called} is computed", "a constant")
    return HOLDS


def runtime(constraint: Constraint, site: Site) -> Answer:
    """No named tensor is a constant."""
    for called, tensor in site.tensors(constraint.names("tensor")):
        if site.is_constant(tensor):
            return broken(f"{called} is a constant", "computed")
    return HOLDS


def present(constraint: Constraint, site: Site) -> Answer:
    """An optional tensor is there."""
    for name in constraint.names("tensor"):
        if not site.tensors([name]):
            return broken(f"{name} is left out", "with it")
    return HOLDS


def _each(constraint: Constraint, site: Site) -> Iterator[tuple[str, Tensor]]:
    yield from site.tensors(constraint.names("tensor"))


def _bounded(called: str, value: int | None, constraint: Constraint) -> Answer:
    if value is None or value < 0:
        return unknown(f"{called} is not known before it runs")
    if keeps(value, constraint.fields):
        return HOLDS
    return broken(f"{called} is {value:,}", bounds_words(constraint.fields))


def rank(constraint: Constraint, site: Site) -> Answer:
    """Number of dimensions of each named tensor."""
    return all_of(
        _bounded(f"rank of {called}", len(tensor.shape), constraint)
        for called, tensor in _each(constraint, site)
    )


def dim(constraint: Constraint, site: Site) -> Answer:
    """Length of one dimension; tensors of too small a rank pass."""
    axis = constraint.fields["axis"]
    answers = []
    for called, tensor in _each(constraint, site):
        if not -len(tensor.shape) <= axis < len(tensor.shape):
            continue
        what, length = f"dimension {axis} of {called}", tensor.shape[axis]
        answers.append(_bounded(what, length, constraint))
        option = constraint.fields.get("multiple_of_option")
        if option is not None:
            answers.append(_multiple(what, length, option, site))
    return all_of(answers)


def _multiple(what: str, length: int, option: str, site: Site) -> Answer:
    step = site.number(option)
    if step is None or length < 0:
        return unknown(f"{what} or option {option} is not known")
    if step and length % step == 0:
        return HOLDS
    return broken(f"{what} is {length:,}", f"a multiple of {option} ({step})")


def dims_product(constraint: Constraint, site: Site) -> Answer:
    """Product of the listed dimensions."""
    axes: Sequence[int] = constraint.fields["axes"]
    answers = []
    for called, tensor in _each(constraint, site):
        lengths = [
            tensor.shape[axis] for axis in axes if -len(tensor.shape) <= axis < len(tensor.shape)
        ]
        product = None if min(lengths, default=0) < 0 else math.prod(lengths)
        what = f"product of dimensions {one_of(axes)} of {called}"
        answers.append(_bounded(what, product, constraint))
    return all_of(answers)


def elements(constraint: Constraint, site: Site) -> Answer:
    """Number of elements."""
    return all_of(
        _bounded(f"number of elements of {called}", _count(tensor), constraint)
        for called, tensor in _each(constraint, site)
    )


def _count(tensor: Tensor) -> int | None:
    return None if min(tensor.shape, default=0) < 0 else math.prod(tensor.shape)


def unit_dims(constraint: Constraint, site: Site) -> Answer:
    """All dimensions except the listed ones are 1."""
    answers = []
    for called, tensor in _each(constraint, site):
        length = len(tensor.shape)
        spared = {axis % length for axis in constraint.fields["except"] if -length <= axis < length}
        others = [size for axis, size in enumerate(tensor.shape) if axis not in spared]
        if any(size not in (1, -1) for size in others):
            taken = f"1 outside of dimension {one_of(constraint.fields['except'])}"
            answers.append(broken(f"shape of {called} is {shape_text(tensor.shape)}", taken))
        elif -1 in others:
            answers.append(unknown(f"shape of {called} is not known before it runs"))
    return all_of(answers)


def nonempty(constraint: Constraint, site: Site) -> Answer:
    """No dimension is 0."""
    for called, tensor in _each(constraint, site):
        if 0 in tensor.shape:
            return broken(
                f"shape of {called} is {shape_text(tensor.shape)}", "without a dimension of 0"
            )
    return HOLDS


def static_shape(constraint: Constraint, site: Site) -> Answer:
    """No dimension is left open, except the listed ones."""
    spared = constraint.fields.get("allow_axes", ())
    for called, tensor in _each(constraint, site):
        for shape in (tensor.shape, tensor.shape_signature or ()):
            if any(size < 0 and axis not in spared for axis, size in enumerate(shape)):
                return broken(f"shape of {called} is left open: {shape_text(shape)}", "a fixed one")
    return HOLDS


def same_shape(constraint: Constraint, site: Site) -> Answer:
    """All named tensors have one shape."""
    return _pairwise(
        constraint, site, "shape", _equal_shapes, lambda tensor: shape_text(tensor.shape)
    )


def _equal_shapes(a: Tensor, b: Tensor) -> bool | None:
    if len(a.shape) != len(b.shape):
        return False
    pairs = list(zip(a.shape, b.shape, strict=True))
    if any(x != y and -1 not in (x, y) for x, y in pairs):
        return False
    return None if any(-1 in pair for pair in pairs) else True


def same_rank(constraint: Constraint, site: Site) -> Answer:
    """All named tensors have one rank."""
    return _pairwise(
        constraint,
        site,
        "rank",
        lambda a, b: len(a.shape) == len(b.shape),
        lambda tensor: str(len(tensor.shape)),
    )


def same_dtype(constraint: Constraint, site: Site) -> Answer:
    """All named tensors have one element type."""
    return _pairwise(
        constraint, site, "type", lambda a, b: a.dtype == b.dtype, lambda tensor: tensor.dtype
    )


def _pairwise(
    constraint: Constraint,
    site: Site,
    what: str,
    equal: Callable[[Tensor, Tensor], bool | None],
    text: Callable[[Tensor], str],
) -> Answer:
    named = site.tensors(constraint.names("tensors"))
    answers = []
    for called, tensor in named[1:]:
        first_called, first = named[0]
        same = equal(first, tensor)
        if same is None:
            answers.append(unknown(f"{what} of {called} is not known before it runs"))
        elif not same:
            is_ = f"{what} of {first_called} is {text(first)} and of {called} {text(tensor)}"
            answers.append(broken(is_, "the same"))
    return all_of(answers)


def same_dim(constraint: Constraint, site: Site) -> Answer:
    """One dimension equals another, times an option where one is named."""
    found = []
    for role, axis in (constraint.fields["a"], constraint.fields["b"]):
        tensor = site.tensor(role)
        if tensor is None or not -len(tensor.shape) <= axis < len(tensor.shape):
            return HOLDS
        found.append((f"dimension {axis} of {role}", tensor.shape[axis]))
    (what_a, a), (what_b, b) = found
    option = constraint.fields.get("factor_option")
    factor = 1 if option is None else site.number(option)
    if factor is None or min(a, b) < 0:
        return unknown(f"{what_a}, {what_b} or option {option} is not known")
    if a == b * factor:
        return HOLDS
    times = "" if option is None else f" times {option} ({factor})"
    return broken(f"{what_a} is {a:,} and {what_b} {b:,}", f"the first is the second{times}")


def dtype(constraint: Constraint, site: Site) -> Answer:
    """Element type of each named tensor."""
    return dtype_answer(site, constraint.names("tensor"), constraint.fields["in"])


def dtype_answer(site: Site, names: Sequence[str], taken: Sequence[str]) -> Answer:
    """Whether the named tensors have one of these element types."""
    for called, tensor in site.tensors(names):
        if tensor.dtype not in taken:
            return broken(f"{called} is {tensor.dtype}", one_of(taken))
    return HOLDS


def const_if_dtype(constraint: Constraint, site: Site) -> Answer:
    """Each named tensor of one element type is a constant."""
    wanted = constraint.fields["dtype"]
    for called, tensor in _each(constraint, site):
        if tensor.dtype == wanted and not site.is_constant(tensor):
            return broken(f"{called} is {wanted} and computed", f"{wanted} as a constant")
    return HOLDS


def values(constraint: Constraint, site: Site) -> Answer:
    """Every element of a constant, or of the listed rows or places, obeys the bounds."""
    answers = []
    for called, tensor in _each(constraint, site):
        if not site.is_constant(tensor):
            answers.append(broken(f"{called} is computed", "a constant"))
            continue
        array = constant_values(tensor)
        if array is None:
            answers.append(unknown(f"values of {called} cannot be read from the file"))
            continue
        wrong = [v for v in _chosen(array, constraint.fields) if not keeps(v, constraint.fields)]
        if wrong:
            taken = bounds_words(constraint.fields)
            answers.append(broken(f"{called} holds {wrong[0]}", taken))
    return all_of(answers)


def _chosen(array: np.ndarray, fields: Mapping[str, object]) -> list[float]:
    """The distinct values that are asked about."""
    rows, places = fields.get("rows"), fields.get("at")
    if isinstance(rows, list):
        array = array[[r for r in rows if -len(array) <= r < len(array)]] if array.ndim else array
    if isinstance(places, list):
        flat = array.reshape(-1)
        array = flat[[place for place in places if -len(flat) <= place < len(flat)]]
    return list(dict.fromkeys(array.reshape(-1).tolist()))


def shape_text(shape: tuple[int, ...]) -> str:
    """E.g. "1x8x8x3"; "?" for a dimension that is not known."""
    return "x".join("?" if size < 0 else str(size) for size in shape) or "a scalar"
