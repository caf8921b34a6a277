"""Constraints on options: strides, windows, padding, axes, versions, numbers of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from converters.delegates.answer import HOLDS, Answer, broken, unknown
from converters.delegates.bounds import bounds_words, keeps, one_of
from converters.delegates.site import Site, constant_values
from converters.delegates.vocabulary import Constraint
from converters.graph import Tensor

MAX_AXES = 64


def activation(constraint: Constraint, site: Site) -> Answer:
    """The fused activation."""
    found = site.option("fused_activation_function")
    if found in constraint.fields["in"]:
        return HOLDS
    return broken(f"fused activation is {found}", one_of(constraint.fields["in"]))


def option(constraint: Constraint, site: Site) -> Answer:
    """An option of the operator."""
    name = constraint.fields["name"]
    value = site.option(name)
    if value is None:
        return unknown(f"option {name} is not in the file")
    if keeps(value, constraint.fields):
        return HOLDS
    shown = str(value).lower() if isinstance(value, bool) else value
    return broken(f"option {name} is {shown}", bounds_words(constraint.fields))


def stride(constraint: Constraint, site: Site) -> Answer:
    """Both strides."""
    return _both(constraint, site, "stride")


def dilation(constraint: Constraint, site: Site) -> Answer:
    """Both dilation factors."""
    return _both(constraint, site, "dilation")


def _both(constraint: Constraint, site: Site, kind: str) -> Answer:
    pair = site.pair(kind)
    if pair is None:
        return unknown(f"the {kind} is not in the file")
    if all(keeps(value, constraint.fields) for value in pair):
        return HOLDS
    return broken(f"{kind} is {pair[0]}x{pair[1]}", bounds_words(constraint.fields))


def kernel(constraint: Constraint, site: Site) -> Answer:
    """Height, width and area of the window."""
    window = site.window()
    if window is None:
        return unknown("the size of the window is not in the file")
    sizes = {"h": window[0], "w": window[1], "area": window[0] * window[1]}
    words = {"h": "height", "w": "width", "area": "area"}
    for name, size in sizes.items():
        limits = {
            end: constraint.fields[f"{name}_{end}"]
            for end in ("min", "max")
            if f"{name}_{end}" in constraint.fields
        }
        if not keeps(size, limits):
            return broken(f"{words[name]} of the window is {size:,}", bounds_words(limits))
    return HOLDS


def stride_vs_kernel(constraint: Constraint, site: Site) -> Answer:
    """Stride against window, on each side."""
    window, steps = site.window(), site.pair("stride")
    if window is None or steps is None:
        return unknown("window or stride is not in the file")
    is_equal = constraint.fields["relation"] == "eq"
    fits = all(
        step == size if is_equal else step <= size for step, size in zip(steps, window, strict=True)
    )
    if fits:
        return HOLDS
    is_ = f"stride is {steps[0]}x{steps[1]} and the window {window[0]}x{window[1]}"
    return broken(is_, "equal ones" if is_equal else "strides up to the window")


def no_padding(constraint: Constraint, site: Site) -> Answer:
    """Whether no padding is really added: VALID, or SAME that comes out as 0."""
    mode, source = site.option("padding"), site.tensor("input")
    if mode == "VALID":
        return HOLDS
    window, steps, spread = site.window(), site.pair("stride"), site.pair("dilation")
    if (
        mode != "SAME"
        or source is None
        or len(source.shape) != 4
        or min(source.shape) < 0
        or window is None
        or steps is None
        or spread is None
        or min(steps) < 1
    ):
        return unknown("the padding cannot be computed from the file")
    added = [
        max(0, (-(-length // step) - 1) * step + (size - 1) * gap + 1 - length)
        for length, size, step, gap in zip(source.shape[1:3], window, steps, spread, strict=True)
    ]
    return broken(f"padding is {added[0]}x{added[1]}", "none") if any(added) else HOLDS


def groups(constraint: Constraint, site: Site) -> Answer:
    """Input channels over those of the filter."""
    source, weights = site.tensor("input"), site.tensor("filter")
    if source is None or weights is None or not source.shape or not weights.shape:
        return unknown("there are no channels to count groups of")
    channels, own = source.shape[-1], weights.shape[-1]
    if channels < 0 or own <= 0:
        return unknown("the number of channels is not known before it runs")
    count = Fraction(channels, own)
    if keeps(count, constraint.fields):
        return HOLDS
    return broken(f"it has {count} groups", bounds_words(constraint.fields))


def axis(constraint: Constraint, site: Site) -> Answer:
    """Axis values of an option or a constant, normalised."""
    fields = constraint.fields
    of = site.tensor(fields["of"])
    found = _axes(site, fields["from"])
    if of is None or found is None:
        return unknown("the axis is not in the file")
    rank = len(of.shape)
    symbols = {"batch": 0, "last": rank - 1}

    def places(names: list[str | int]) -> set[int]:
        numbers = (symbols[name] if isinstance(name, str) else name for name in names)
        return {number + rank if number < 0 else number for number in numbers}

    for value in places(list(found)):
        if "in" in fields and value not in places(fields["in"]):
            return broken(f"axis is {value} of {rank}", _axis_words(fields["in"]))
        if "not" in fields and value in places(_listed(fields["not"])):
            return broken(f"axis is {value} of {rank}", "not " + _axis_words(fields["not"]))
    return HOLDS


def _axes(site: Site, source: str) -> list[int] | None:
    if source.startswith("option:"):
        value = site.number(source.removeprefix("option:"))
        return None if value is None else [value]
    tensor = site.tensor(source)
    values = None if tensor is None else constant_values(tensor)
    if values is None or values.dtype.kind not in "iu" or values.size > MAX_AXES:
        return None
    return [int(value) for value in values.reshape(-1)]


def _listed(value: object) -> list[str | int]:
    return list(value) if isinstance(value, list) else [value]  # type: ignore[list-item]


def _axis_words(value: object) -> str:
    return one_of(
        [{"batch": "the batch", "last": "the last"}.get(str(v), v) for v in _listed(value)]
    )


def version(constraint: Constraint, site: Site) -> Answer:
    """The operator's version in the file."""
    if keeps(site.operator.version, constraint.fields):
        return HOLDS
    return broken(f"version is {site.operator.version}", bounds_words(constraint.fields))


def count(constraint: Constraint, site: Site) -> Answer:
    """How many inputs or outputs there are; those left out count as inputs and as nothing else."""
    what = constraint.fields["what"]
    number = {
        "inputs": lambda: len(site.operator.inputs),
        "outputs": lambda: len(site.operator.outputs),
        "runtime_inputs": lambda: len(site.tensors(["runtime_inputs"])),
        "const_inputs": lambda: (
            len(site.tensors(["inputs"])) - len(site.tensors(["runtime_inputs"]))
        ),
    }[what]()
    if keeps(number, constraint.fields):
        return HOLDS
    called = {"runtime_inputs": "computed inputs", "const_inputs": "constant inputs"}
    is_ = f"number of {called.get(what, what)} is {number}"
    return broken(is_, bounds_words(constraint.fields))


def resize_scale(constraint: Constraint, site: Site) -> Answer:
    """Output over input, of height and of width."""
    fields = constraint.fields
    sizes = _planes(site)
    if sizes is None:
        return unknown("heights and widths are not known before it runs")
    before, after = sizes
    if fields.get("identity_ok") and before == after:
        return HOLDS
    corner = "corner_option" in fields and bool(site.option(fields["corner_option"]))
    if min(before) <= corner:
        return unknown("an input of one row or column has no scale")
    scales = [Fraction(b - corner, a - corner) for a, b in zip(before, after, strict=True)]
    wrong = (
        (fields.get("same_hw") and scales[0] != scales[1])
        or ("in" in fields and any(scale not in fields["in"] for scale in scales))
        or ("max" in fields and any(scale > fields["max"] for scale in scales))
        or (fields.get("power_of_two") and not all(map(_is_power_of_two, scales)))
    )
    if not wrong:
        return HOLDS
    is_ = f"it scales by {float(scales[0]):g}x{float(scales[1]):g}"
    return broken(is_, _scale_words(fields))


def _planes(site: Site) -> tuple[tuple[int, int], tuple[int, int]] | None:
    source, result = site.tensor("input"), site.tensor("output")
    if source is None or result is None or len(source.shape) != 4 or len(result.shape) != 4:
        return None
    planes = _plane(source), _plane(result)
    return None if min(*planes[0], *planes[1]) < 0 else planes


def _plane(tensor: Tensor) -> tuple[int, int]:
    return tensor.shape[1], tensor.shape[2]


def _is_power_of_two(scale: Fraction) -> bool:
    number = scale.numerator
    return scale.denominator == 1 and number > 0 and number & (number - 1) == 0


def _scale_words(fields: Mapping[str, object]) -> str:
    words = []
    if "in" in fields:
        words.append(one_of(fields["in"]))
    if "max" in fields:
        words.append(f"at most {fields['max']}")
    if fields.get("power_of_two"):
        words.append("powers of two")
    if fields.get("same_hw"):
        words.append("the same for both")
    return ", ".join(words)
