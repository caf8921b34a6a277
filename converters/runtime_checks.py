"""Checks of what a file needs beyond itself and LiteRT's builtin kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from converters.allocation import allocation_problem
from converters.operator_versions import RUNTIMES
from converters.verification import Fault, Place, Subject, shown


def variables(subject: Subject) -> Iterator[Fault]:
    """Variables that are read and never set: weights that were not frozen into the file.

    Two converter routes write such files without a word, 100 kB that answer NaN. A streaming
    network that sets its variables itself is sound, but none of our recipes makes one.
    """
    handles = {
        (place.subgraph.index, index): str(place.operator.options.get("shared_name", ""))
        for place in subject.named("VAR_HANDLE")
        for index in place.operator.outputs
    }
    assigned = {_variable(place, handles) for place in subject.named("ASSIGN_VARIABLE")}
    for place in subject.named("READ_VARIABLE"):
        if subject.claim.recipe is not None or _variable(place, handles) not in assigned:
            yield Fault(
                place=place,
                says="reads a variable instead of constants that stand in the file",
                remedy="Freeze the model's variables into constants before it is converted.",
            )


def flex(subject: Subject) -> Iterator[Fault]:
    """Operators that LiteRT has no kernel for."""
    for place in subject.places:
        if place.operator.is_flex:
            yield Fault(
                place=place,
                says="needs TensorFlow's own kernels, which add some 50 MB to an application and"
                " which no delegate takes",
                remedy="Replace the layer by one that converts to builtin operators.",
            )
        elif place.operator.is_custom:
            yield Fault(
                place=place,
                says="is a custom operator: only applications that bring its kernel can run it",
                remedy="Replace the layer by one that converts to builtin operators.",
            )


def operator_version(subject: Subject) -> Iterator[Fault]:
    """Operators of a version that the runtime it is meant for does not have."""
    if subject.claim.runtime is None:
        return
    runtime = RUNTIMES[subject.claim.runtime]
    for place in subject.places:
        operator = place.operator
        highest = runtime.highest_version(operator.name)
        if highest is not None and operator.version > highest:
            has = f"goes up to version {highest} of it" if highest else "does not have it"
            yield Fault(
                place=place,
                says=f"has version {operator.version}, and {runtime.package} {has}",
                remedy="Take another recipe, or a newer runtime where the file is used.",
            )


def external(subject: Subject) -> Iterator[Fault]:
    """Constants that lie in another file."""
    for place in subject.places:
        tensors = (place.subgraph.tensors[i] for i in place.operator.inputs if i >= 0)
        if any(tensor.is_external for tensor in tensors):
            yield Fault(
                place=place,
                says="has its weights in another file",
                remedy="Write the model with its weights inside: this file alone cannot run.",
            )


def dynamic_shape(subject: Subject) -> Iterator[Fault]:
    """Dimensions that are known only when the model runs; where an input has one, the input."""
    main = subject.graph.main
    inputs = [main.tensors[i] for i in main.inputs if main.tensors[i].is_dynamic]
    for tensor in inputs:
        yield Fault(
            says=f"the input {shown(tensor.name)} has a dimension that is not fixed:"
            f" {tensor.shape_signature or tensor.shape}",
            remedy="Convert with a fixed input shape and batch 1: delegates refuse anything else.",
        )
    if not inputs:
        for place in subject.places:
            names = [i for i in place.operator.outputs if i >= 0]
            if any(place.subgraph.tensors[i].is_dynamic for i in names):
                yield Fault(
                    place=place,
                    says="writes a tensor whose shape is known only when the model runs",
                    remedy="Compute shapes in the network's definition instead of in the network.",
                )


def allocates(subject: Subject) -> Iterator[Fault]:
    """A file that LiteRT cannot load, or that does not answer with numbers."""
    problem = allocation_problem(subject.graph.content)
    if problem is not None:
        yield Fault(
            says=f"it does not run on this computer: {problem}",
            remedy="Convert again; if it still fails, a newer LiteRT may be needed for it.",
        )


def _variable(place: Place, handles: Mapping[tuple[int, int], str]) -> str | None:
    """Name of the variable that an operator works on."""
    handle = place.operator.inputs[0] if place.operator.inputs else -1
    return handles.get((place.subgraph.index, handle))
