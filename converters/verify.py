"""Is this file what it claims to be? Every check is one function and one row.

Nothing of TensorFlow is imported. `converters.tflite_reader` has checked the structure before; what
is asked here is whether the file keeps its promises: types, scales, shapes, kernels, numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converters import integer_checks, runtime_checks, weight_checks
from converters.description import Description, describe
from converters.graph import Graph
from converters.operator_versions import RUNTIMES
from converters.verification import Check, Claim, Problem, Subject
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import Recipe

# Structure first: what the file needs, then its types, then its numbers.
CHECKS: Mapping[str, Check] = {
    "variables": runtime_checks.variables,
    "flex": runtime_checks.flex,
    "operator_version": runtime_checks.operator_version,
    "external": runtime_checks.external,
    "dynamic_shape": runtime_checks.dynamic_shape,
    "float_op": integer_checks.float_op,
    "hybrid_op": integer_checks.hybrid_op,
    "island": integer_checks.island,
    "rules": integer_checks.rules,
    "io_type": integer_checks.io_type,
    "input_scale": integer_checks.input_scale,
    "weights_float": weight_checks.weights_float,
    "bits": weight_checks.bits,
    "granularity": weight_checks.granularity,
    "no_scales": weight_checks.no_scales,
    "not_finite": weight_checks.not_finite,
    "scales": weight_checks.scales,
}
# The last row runs the file, so it is left out where another check says that nothing here can.
ALLOCATES = "allocates"
NOT_RUNNABLE = frozenset({"flex", "external"})


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a file is, and what it is not.

    Attributes:
        problems: In the order of CHECKS; empty where the file keeps what it claims.
        description: What the file is, whatever was claimed.
        runs: Whether it ran once on this computer; None where that was not tried.
    """

    problems: tuple[Problem, ...]
    description: Description
    runs: bool | None

    @property
    def ok(self) -> bool:
        """Whether the file keeps what it claims."""
        return not self.problems


def verify(
    graph: Graph,
    *,
    full_integer: bool = False,
    recipe: Recipe | None = None,
    preprocessing: Preprocessing | None = None,
    io: str | None = None,
    per_channel: bool = False,
    runtime: str | None = None,
    layers: Sequence[str] = (),
    allocate: bool = True,
) -> Verification:
    """Examines a file that `converters.tflite_reader` has read.

    Args:
        graph: The file.
        full_integer: Whether it claims integers everywhere, inputs and outputs included.
        recipe: How it claims to be made; None for a file from elsewhere.
        preprocessing: What its input is said to expect; None where nobody says.
        io: Element type that its inputs and outputs are said to have, e.g. "int8".
        per_channel: Whether its convolutions are said to have a scale for every output channel.
        runtime: A name of `converters.operator_versions.RUNTIMES` that is to run it.
        layers: Names of the Keras layers it was made of, so that problems can name them.
        allocate: Whether to load it into LiteRT and run it once, in a process of its own.

    Raises:
        UnknownNameError: If there is no such runtime.
    """
    if runtime is not None:
        RUNTIMES[runtime]  # an unknown one is refused also where nothing asks for it
    claim = Claim(
        full_integer=full_integer,
        recipe=recipe,
        preprocessing=preprocessing,
        io=io,
        per_channel=per_channel,
        runtime=runtime,
    )
    subject = Subject(graph, claim, tuple(layers))
    problems = [
        subject.problem(name, fault) for name, check in CHECKS.items() for fault in check(subject)
    ]
    runs = None
    if allocate and not any(problem.check in NOT_RUNNABLE for problem in problems):
        refusals = [
            subject.problem(ALLOCATES, fault) for fault in runtime_checks.allocates(subject)
        ]
        problems += refusals
        runs = not refusals
    return Verification(problems=tuple(problems), description=describe(subject), runs=runs)
