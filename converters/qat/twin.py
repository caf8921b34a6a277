"""Keras models that compute, and are trained, as their int8 files will compute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from converters.keras_checks import as_model_takes, check_convertible
from converters.qat.float_model import float_model
from converters.qat.kernels import TWINS, Kernel, norm_of
from converters.qat.kinds import Kind, kind_of
from converters.qat.placement import Group, Placement, placement_of
from converters.qat.quantizer import FakeQuantizer, RangeKind
from converters.qat.steps import Step, Value, steps_of
from mobilekit.core.errors import UsageError
from mobilekit.core.recipe import Recipe

BATCH = 16  # calibration inputs that run at a time


def quantization_aware(
    model: keras.Model,
    recipe: Recipe,
    calibration: np.ndarray | Sequence[np.ndarray],
    *,
    ranges: RangeKind | str = RangeKind.MOVING,
    input_range: tuple[float, float] | None = None,
) -> keras.Model:
    """Makes the fake-quantized twin of a trained model: same inputs, same outputs, `fit` trains it.

    Args:
        model: A functional model of layers in `converters.qat.kinds`; it is not changed.
        recipe: A static int8 recipe without rules and float logits.
        calibration: Inputs, (samples, …), one array an input of the model; ranges start from the
            smallest and the largest value that they cause.
        ranges: "moving" or "learned".
        input_range: What inputs hold, such as (-1, 1); None takes what `calibration` holds.

    Raises:
        UsageError: If the recipe is another one, or there is nothing to calibrate on.
        ConversionError: If a layer has no twin.
    """
    check_recipe(recipe)
    kind = RangeKind(ranges)
    if kind is RangeKind.FIXED:
        raise UsageError("Ranges of a twin are moving or learned; fixed ones are its operators'.")
    check_convertible(model)
    placement = placement_of(steps_of(model), input_range)
    twin = _Builder(placement, recipe, kind).build(model)
    arrays = [calibration] if isinstance(calibration, np.ndarray) else list(calibration)
    _calibrate(twin, arrays)
    return twin


def paused(twin: keras.Model) -> keras.Model:
    """A copy that computes in float, with the same weights: what training without it would give."""
    copy = keras.models.clone_model(twin, clone_function=_paused)
    copy.set_weights(twin.get_weights())
    return copy


def check_recipe(recipe: Recipe) -> None:
    """Refuses recipes that twins do not compute as.

    Raises:
        UsageError: If the recipe is not static int8 throughout.
    """
    if not recipe.takes_methods:
        raise UsageError(
            f"Quantization-aware training is for static int8 recipes without other layers, not"
            f" {recipe.name}: take static_wi8_ai8 or static_wi8_ai8_pertensor."
        )


class _Builder:
    """Builds a twin from a placement."""

    def __init__(self, placement: Placement, recipe: Recipe, ranges: RangeKind) -> None:
        self._placement, self._recipe, self._ranges = placement, recipe, ranges
        self._tensors: dict[Value, keras.KerasTensor] = {}
        self._scales: dict[Group, keras.KerasTensor] = {}
        self._quantizers: dict[Group, FakeQuantizer] = {}
        self._names: set[str] = set()

    def build(self, model: keras.Model) -> keras.Model:
        steps = self._placement.steps
        inputs = [
            keras.Input(each.shape[1:], dtype=each.dtype, name=self._name(each.name))
            for each in model.inputs
        ]
        for value, tensor in zip(steps.inputs, inputs, strict=True):
            self._put(value, tensor)
        for step in steps.steps:
            self._put(step.output, self._computed(step))
        answers = keras.tree.map_structure(lambda value: self._tensors[value], steps.answers)
        twin = keras.Model(as_model_takes(model, inputs), answers, name=self._name(model.name))
        return twin

    def _put(self, value: Value, tensor: keras.KerasTensor) -> None:
        """Keeps what a step gives, quantized where the file quantizes it."""
        point = self._placement.points.get(value)
        if point is not None:
            group = point.group
            if group not in self._quantizers:
                kind = RangeKind.FIXED if group.fixed else self._ranges
                members = group.members if kind is RangeKind.MOVING else 1
                self._quantizers[group] = FakeQuantizer(
                    kind, max(members, 1), name=self._name(group.name)
                )
            quantizer = self._quantizers[group]
            tensor, scale = quantizer(tensor, member=point.member)
            self._scales.setdefault(group, scale)
            if group.fixed:
                quantizer.set_range(*group.fixed)
        self._tensors[value] = tensor

    def _computed(self, step: Step) -> keras.KerasTensor:
        if kind_of(step) is Kind.NORM:  # is part of the layer before it
            return self._tensors[step.inputs[0]]
        if type(step.layer) not in TWINS:
            copy = _copy(step.layer, self._name(step.layer.name))
            given = keras.tree.map_structure(lambda value: self._tensors[value], step.arguments)
            return copy(given)
        [value] = step.inputs
        norm = self._placement.norms.get(step)
        layer = self._twin(step.layer, norm.layer if norm else None)
        made = layer(self._tensors[value], self._scales[self._placement.groups[value]])
        layer.start(step.layer, norm.layer if norm else None)
        return made

    def _twin(self, layer: keras.layers.Layer, norm: keras.layers.Layer | None) -> Kernel:
        config: dict[str, Any] = layer.get_config()
        config |= {"name": self._name(layer.name), "dtype": "float32", "activation": None}
        config |= {"granularity": str(self._recipe.granularity), "ranges": str(self._ranges)}
        config["norm"] = norm_of(norm) if norm is not None else None
        made: Kernel = TWINS[type(layer)].from_config(config)
        return made

    def _name(self, wanted: str) -> str:
        """The name, with a number where it is taken: nested models may use one twice."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name


def _copy(layer: keras.layers.Layer, name: str) -> keras.layers.Layer:
    return layer.__class__.from_config({**layer.get_config(), "name": name, "dtype": "float32"})


def _paused(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = layer.get_config()
    if isinstance(layer, FakeQuantizer | Kernel):
        config["paused"] = True
    return layer.__class__.from_config(config)


def _calibrate(twin: keras.Model, arrays: Sequence[np.ndarray]) -> None:
    """Lets ranges start from the smallest and largest value that inputs cause."""
    samples = min((len(array) for array in arrays), default=0)
    if len(arrays) != len(twin.inputs) or not samples:
        raise UsageError(
            f"{twin.name} needs calibration inputs for its ranges to start from: one array for each"
            f" of its {len(twin.inputs)} inputs, with a sample at least."
        )
    plain = float_model(twin)
    taps = keras.Model(plain.model.inputs, [each.tensor for each in plain.quantized])
    ends: dict[FakeQuantizer, list[float]] = defaultdict(list)
    for begin in range(0, samples, BATCH):
        batch = [np.asarray(a[begin : begin + BATCH], np.float32) for a in arrays]
        made = keras.tree.flatten(taps(batch, training=False))
        for each, values in zip(plain.quantized, made, strict=True):
            seen = np.asarray(values)
            ends[each.quantizer] += [float(seen.min()), float(seen.max())]
    for quantizer, found in ends.items():
        if quantizer.kind is not RangeKind.FIXED:
            quantizer.set_range(min(found), max(found))
