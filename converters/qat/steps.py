"""A functional model as a flat list of steps: nested models opened, one operation a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from mobilekit.core.errors import ConversionError


class Value:
    """A tensor between two steps; known by identity."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One operation.

    Attributes:
        layer: What computes it.
        arguments: What it is called with: a Value, or a list of them.
        output: What it gives.
    """

    layer: keras.layers.Layer
    arguments: object
    output: Value

    @property
    def inputs(self) -> list[Value]:
        """Its inputs in order."""
        return [each for each in keras.tree.flatten(self.arguments) if isinstance(each, Value)]

    @property
    def described(self) -> str:
        """For sentences."""
        return f"layer {self.layer.name!r} ({type(self.layer).__name__})"


@dataclass(frozen=True, kw_only=True)
class Steps:
    """A model.

    Attributes:
        inputs: In order.
        steps: In an order in which they can run.
        answers: Its outputs in the structure that it gives them in.
    """

    inputs: list[Value]
    steps: list[Step]
    answers: object

    @property
    def outputs(self) -> list[Value]:
        """What leaves the model, in order."""
        return list(_values(self.answers))

    def consumers(self, value: Value) -> list[Step]:
        """The steps that read a value."""
        return [step for step in self.steps if any(value is each for each in step.inputs)]

    def is_output(self, value: Value) -> bool:
        """Whether a value leaves the model."""
        return any(value is each for each in self.outputs)


def steps_of(model: keras.Model) -> Steps:
    """Takes a model apart.

    Raises:
        ConversionError: If a layer has several outputs, arguments beside its inputs, or weights and
            more than one use.
    """
    steps: list[Step] = []
    inputs = [Value() for _ in model.inputs]
    answers = _run(model, inputs, steps)
    for step in steps:
        uses = sum(each.layer is step.layer for each in steps)
        if uses > 1 and step.layer.weights:
            raise ConversionError(
                f"{model.name} uses {step.described} {uses} times, and each use would need ranges"
                " of its own: give every use a layer."
            )
    return Steps(inputs=inputs, steps=steps, answers=answers)


def _run(model: keras.Model, inputs: list[Value], steps: list[Step]) -> object:
    """Adds the steps of a model that is given `inputs`; returns its outputs as it gives them."""

    def called(operation: keras.Operation) -> Callable[..., object]:
        if isinstance(operation, keras.Model):
            return lambda *args, **_: _run(operation, list(_values(args)), steps)
        return lambda *args, **kwargs: _step(operation, args, kwargs, steps)

    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "_run_through_graph"):
        raise ConversionError(
            f"{model.name} is a subclass of Model, whose layers nobody can see: build it from"
            " keras.Input and layers."
        )
    answers: object = graph._run_through_graph(inputs, operation_fn=called)
    return answers


def _step(
    operation: keras.Operation, args: tuple[Any, ...], kwargs: dict[str, Any], steps: list[Step]
) -> Value:
    given = {name: value for name, value in kwargs.items() if value is not None}
    given.pop("training", None)
    if not isinstance(operation, keras.layers.Layer):
        raise ConversionError(
            f"The model computes {operation.name!r} ({type(operation).__name__}) outside a layer:"
            " use a layer for it, such as keras.layers.Add for +."
        )
    step = Step(layer=operation, arguments=args[0] if args else None, output=Value())
    if len(args) != 1 or given or not step.inputs:
        raise ConversionError(f"{step.described} is called with more than its inputs.")
    steps.append(step)
    return step.output


def _values(structure: object) -> Iterator[Value]:
    for each in keras.tree.flatten(structure):
        if isinstance(each, Value):
            yield each
