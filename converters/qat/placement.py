"""Where the integer file quantizes: which activations, and which of them with one scale.

The rules are the runtime's: an activation and a batch norm are part of the convolution, the dense
layer or the sum before them; pooling, padding and reshaping keep their input's scale; the inputs
of a concatenation have that of its output; the kernels of softmax, sigmoid and tanh decide theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from keras import layers

from converters.qat.kinds import Kind, activation_name, fixed_range, kind_of
from converters.qat.steps import Step, Steps, Value
from mobilekit.core.errors import ConversionError


@dataclass(kw_only=True, eq=False)
class Group:
    """Activations of one scale.

    Attributes:
        name: Of the layer that quantizes them.
        fixed: The range, where it is not found by training.
        members: How many of its activations are observed.
    """

    name: str
    fixed: tuple[float, float] | None = None
    members: int = 0


@dataclass(frozen=True, kw_only=True)
class Point:
    """An activation that is quantized.

    Attributes:
        group: Whom it shares its scale with.
        member: Its number among those that are observed; None where it holds nothing new.
    """

    group: Group
    member: int | None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a model is quantized.

    Attributes:
        steps: The model, with activations of layers as steps of their own.
        points: What is quantized, by value.
        groups: Whom each value shares its scale with.
        norms: The batch norm that belongs to each step with weights.
    """

    steps: Steps
    points: dict[Value, Point] = field(repr=False)
    groups: dict[Value, Group] = field(repr=False)
    norms: dict[Step, Step] = field(repr=False)


def placement_of(steps: Steps, input_range: tuple[float, float] | None) -> Placement:
    """Decides where a model is quantized.

    Args:
        steps: The model.
        input_range: What its inputs hold; None where that is to be found.

    Raises:
        ConversionError: If a layer has no twin.
    """
    steps = _with_activations_apart(steps)
    norms = dict(_norms(steps))
    groups: dict[Value, Group] = {
        value: Group(name=f"input_{number}_range", fixed=input_range)
        for number, value in enumerate(steps.inputs)
    }
    quantized = list(steps.inputs)
    rounded: list[Value] = []
    for step in steps.steps:
        kind = _kind_in_place(step, steps)
        own = Group(name=f"{step.layer.name}_range", fixed=fixed_range(step, kind))
        keeps = kind in (Kind.KEEP, Kind.KEEP_ROUNDED, Kind.NOTHING)
        groups[step.output] = groups[step.inputs[0]] if keeps else own
        if kind is Kind.JOIN:
            _join(step, groups)
        if kind in (Kind.JOIN, Kind.KEEP_ROUNDED):
            rounded.append(step.output)
        elif not keeps and not _is_fused_with_next(step, kind, norms, steps):
            quantized.append(step.output)
    points = {value: _member(groups[value]) for value in quantized}
    points |= {value: Point(group=groups[value], member=None) for value in rounded}
    return Placement(steps=steps, points=points, groups=groups, norms=norms)


def _member(group: Group) -> Point:
    group.members += 1
    return Point(group=group, member=group.members - 1)


def _join(step: Step, groups: dict[Value, Group]) -> None:
    """Gives the inputs' groups, which are not fixed, the group of the output."""
    joined = groups[step.output]
    old = [groups[value] for value in step.inputs if groups[value].fixed is None]
    for value, group in groups.items():
        if any(group is each for each in old):
            groups[value] = joined


def _kind_in_place(step: Step, steps: Steps) -> Kind:
    """The kind of a step; a ReLU behind a pooling is part of it, and keeps the scale with it."""
    kind = kind_of(step)
    if kind is Kind.RELU:
        before = next((each for each in steps.steps if each.output is step.inputs[0]), None)
        if before and isinstance(before.layer, layers.MaxPooling2D | layers.AveragePooling2D):
            return Kind.KEEP
    return kind


def _is_fused_with_next(step: Step, kind: Kind, norms: dict[Step, Step], steps: Steps) -> bool:
    """Whether the file never holds what the step gives, since one operator computes on."""
    if step in norms:
        return True
    sums = isinstance(step.layer, layers.Add | layers.Multiply)
    return (kind in (Kind.KERNEL, Kind.NORM) or sums) and _only_reader_is_relu(step.output, steps)


def _only_reader_is_relu(value: Value, steps: Steps) -> bool:
    readers = steps.consumers(value)
    if len(readers) != 1 or steps.is_output(value):
        return False
    kind = kind_of(readers[0])
    if kind is Kind.NOTHING:
        return _only_reader_is_relu(readers[0].output, steps)
    return kind is Kind.RELU


def _norms(steps: Steps) -> Iterator[tuple[Step, Step]]:
    """Steps with weights, each with the batch norm that is folded into it."""
    makers = {step.output: step for step in steps.steps}
    for norm in steps.steps:
        if kind_of(norm) is not Kind.NORM:
            continue
        [value] = norm.inputs
        before = makers.get(value)
        alone = len(steps.consumers(value)) == 1 and not steps.is_output(value)
        if before is None or kind_of(before) is not Kind.KERNEL or not alone:
            raise ConversionError(
                f"{norm.described} does not stand alone behind a convolution or a dense layer, so"
                " the converter cannot fold it: move it there."
            )
        yield before, norm


def _with_activations_apart(steps: Steps) -> Steps:
    """The same with a step for every activation that a layer has inside it."""
    found: list[Step] = []
    for step in steps.steps:
        name = activation_name(step.layer)
        if kind_of(step) is not Kind.KERNEL or name == "linear":
            found.append(step)
            continue
        between = Value()
        found.append(Step(layer=step.layer, arguments=step.arguments, output=between))
        layer = layers.Activation(step.layer.activation, name=f"{step.layer.name}_{name}")
        found.append(Step(layer=layer, arguments=between, output=step.output))
    return Steps(inputs=steps.inputs, steps=found, answers=steps.answers)
