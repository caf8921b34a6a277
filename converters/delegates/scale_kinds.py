"""Constraints on quantization: granularity, scales, zero points, sums of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from converters.delegates.answer import HOLDS, Answer, broken, unknown
from converters.delegates.bounds import bounds_words, keeps, one_of
from converters.delegates.site import Site, constant_values, granularity
from converters.delegates.vocabulary import Constraint
from converters.graph import Tensor

# The output channels of each weight tensor; the first dimension elsewhere.
CHANNEL_AXIS = {"DEPTHWISE_CONV_2D": 3}
# Elements that are summed at once, so that large weights are never copied whole.
SLICE_ELEMENTS = 2**20


def quant_granularity(constraint: Constraint, site: Site) -> Answer:
    """How finely each named tensor is quantized, and along which dimension."""
    taken, axis = constraint.fields["in"], constraint.fields.get("axis")
    for called, tensor in site.tensors(constraint.names("tensor")):
        found = granularity(tensor)
        if found not in taken:
            return _granularity(called, found, taken)
        if found == "per_channel" and axis is not None and tensor.quantization is not None:
            at = tensor.quantization.axis
            if at != axis % max(1, len(tensor.shape)):
                return broken(f"scales of {called} are along dimension {at}", f"dimension {axis}")
    return HOLDS


def _granularity(called: str, found: str, taken: Sequence[str]) -> Answer:
    words = {"none": "not quantized", "blockwise": "quantized by blocks"}
    quantized = words.get(found, f"quantized {found.replace('_', ' ')}")
    return broken(f"{called} is {quantized}", one_of(taken))


def quant_if_dtype(constraint: Constraint, site: Site) -> Answer:
    """Each named tensor of one element type is quantized in one of these ways."""
    wanted, taken = constraint.fields["dtype"], constraint.fields["in"]
    for called, tensor in site.tensors(constraint.names("tensor")):
        found = granularity(tensor)
        if tensor.dtype == wanted and found not in taken:
            return _granularity(f"{called} ({wanted})", found, taken)
    return HOLDS


def scale(constraint: Constraint, site: Site) -> Answer:
    """Every scale of the named tensors."""
    return _numbers(constraint, site, "scale")


def zero_point(constraint: Constraint, site: Site) -> Answer:
    """Every zero point of the named tensors."""
    return _numbers(constraint, site, "zero point")


def _numbers(constraint: Constraint, site: Site, what: str) -> Answer:
    for called, tensor in site.tensors(constraint.names("tensor")):
        scales, zero_points = _scales(tensor)
        numbers = scales if what == "scale" else zero_points
        for number in dict.fromkeys(numbers.tolist()):
            if not keeps(number, constraint.fields):
                taken = bounds_words(constraint.fields)
                return broken(f"{what} of {called} is {number:g}", taken)
    return HOLDS


def scale_positive(constraint: Constraint, site: Site) -> Answer:
    """Every scale is there and above 0."""
    for called, tensor in site.tensors(constraint.names("tensor")):
        scales, _ = _scales(tensor)
        if not len(scales) or not bool((scales > 0).all()):
            is_ = (
                f"{called} has a scale of {scales.min():g}" if len(scales) else f"{called} has none"
            )
            return broken(is_, "scales above 0")
    return HOLDS


def same_quant(constraint: Constraint, site: Site) -> Answer:
    """Scale and zero point, or one of them, are equal over the named tensors."""
    fields = constraint.fields.get("fields", ("scale", "zero_point"))
    named = site.tensors(constraint.names("tensors"))
    for called, tensor in named[1:]:
        first_called, first = named[0]
        pairs = zip(("scale", "zero_point"), _scales(first), _scales(tensor), strict=True)
        for name, a, b in pairs:
            if name in fields and not np.array_equal(a, b):
                what = name.replace("_", " ")
                is_ = f"{what} of {first_called} is {_few(a)} and of {called} {_few(b)}"
                return broken(is_, "the same")
    return HOLDS


def scale_ratio(constraint: Constraint, site: Site) -> Answer:
    """Product of some scales over that of others; passes where one has no scale."""
    fields = constraint.fields
    named = [site.tensors(constraint.names(key)) for key in ("num", "den")]
    scales = [[_scales(tensor)[0] for _, tensor in some] for some in named]
    if not all(len(some) for side in scales for some in side):
        return HOLDS
    factor = 1.0
    if "times_option" in fields:
        value = site.option(fields["times_option"])
        if not isinstance(value, int | float):
            return unknown(f"option {fields['times_option']} is not there")
        factor = float(value)
    # Delegates compute this in float32, and the bounds are sharp.
    with np.errstate(all="ignore"):
        ratios = [
            np.float32(factor) * (np.float32(math.prod(num)) / np.float32(math.prod(den)))
            for num, den in zip(_extremes(scales[0]), _extremes(scales[1])[::-1], strict=True)
        ]
    over = " x ".join(name for name, _ in named[0]) + " / " + " x ".join(n for n, _ in named[1])
    for ratio in map(float, ratios):
        if not _ratio_keeps(ratio, fields):
            return broken(f"scales {over} are {ratio:g}", _ratio_words(fields))
    return HOLDS


def _extremes(scales: Sequence[np.ndarray]) -> list[list[float]]:
    """The smallest and the largest scale of each tensor."""
    return [[float(some.min()) for some in scales], [float(some.max()) for some in scales]]


def _ratio_keeps(ratio: float, fields: Mapping[str, float]) -> bool:
    return (
        keeps(ratio, {name: fields[name] for name in ("min", "max") if name in fields})
        and ("min_open" not in fields or ratio > fields["min_open"])
        and ("max_open" not in fields or ratio < fields["max_open"])
        and ("abs_min" not in fields or abs(ratio) >= fields["abs_min"])
    )


def _ratio_words(fields: Mapping[str, float]) -> str:
    words = {
        "min": "at least {:g}",
        "min_open": "more than {:g}",
        "max": "at most {:g}",
        "max_open": "less than {:g}",
        "abs_min": "at least {:g} without the sign",
    }
    return " and ".join(text.format(fields[name]) for name, text in words.items() if name in fields)


def weights_abs_sum(constraint: Constraint, site: Site) -> Answer:
    """Largest sum of |weight - zero point| over one output channel."""
    weights, most = site.tensor("filter"), constraint.fields["max"]
    if weights is None or not weights.shape:
        return HOLDS
    axis = CHANNEL_AXIS.get(site.operator.name, 0)
    channels = weights.shape[axis] if axis < len(weights.shape) else 0
    if weights.dtype in ("int8", "uint8") and channels > 0:
        per_channel = math.prod(weights.shape) // channels
        if per_channel * 255 <= most:  # however large each of them is
            return HOLDS
    array = constant_values(weights)
    if array is None or channels <= 0 or array.dtype.kind not in "iu":
        return unknown("sums of the weights cannot be computed from the file")
    largest = _largest_sum(np.moveaxis(array, axis, 0).reshape(channels, -1), weights)
    if largest <= most:
        return HOLDS
    return broken(f"the weights of a channel sum to {largest:,}", f"at most {most:,}")


def _largest_sum(rows: np.ndarray, weights: Tensor) -> int:
    _, zero_points = _scales(weights)
    if len(zero_points) not in (1, len(rows)):
        zero_points = np.zeros(1, np.int64)
    shifts = np.broadcast_to(zero_points, (len(rows),))
    step = max(1, SLICE_ELEMENTS // max(1, rows.shape[1]))
    largest = 0
    for start in range(0, len(rows), step):
        some = rows[start : start + step].astype(np.int64)
        sums = np.abs(some - shifts[start : start + step, None]).sum(axis=1)
        largest = max(largest, int(sums.max(initial=0)))
    return largest


def _scales(tensor: Tensor) -> tuple[np.ndarray, np.ndarray]:
    if tensor.quantization is None:
        return np.empty(0, np.float32), np.empty(0, np.int64)
    return tensor.quantization.scales, tensor.quantization.zero_points


def _few(numbers: np.ndarray) -> str:
    if not len(numbers):
        return "none"
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g}, … ({len(numbers)})"
