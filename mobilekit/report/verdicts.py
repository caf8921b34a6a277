"""Every measurement against its baseline: a comparison, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mobilekit.compare import Comparison, compare_measurements
from mobilekit.core.errors import IncomparableError, UnknownNameError, UsageError
from mobilekit.core.measurement import Measurement

# What a baseline can be chosen by, as `[compare] baseline = { recipe = "float32" }` does.
CHOSEN_BY: Mapping[str, Callable[[Measurement], str]] = {
    "model": lambda m: m.model.name,
    "recipe": lambda m: m.model.recipe,
    "delegate": lambda m: m.config.delegate,
    "num_threads": lambda m: str(m.config.num_threads),
    "device": lambda m: m.device.label,
}
# What a candidate must share with its baseline, unless the baseline is chosen by it.
SHARED = ("model", "device", "recipe", "delegate", "num_threads")


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A candidate that was not compared.

    Attributes:
        candidate: What was to be compared.
        baseline: Against what; None where there is none.
        reason: Why not, and what to do, in a sentence.
    """

    candidate: Measurement
    baseline: Measurement | None
    reason: str

    def document(self) -> Mapping[str, object]:
        """The refusal as JSON values."""
        return {
            "baseline_cell": self.baseline.cell if self.baseline else None,
            "candidate_cell": self.candidate.cell,
            "refused": self.reason,
        }


def comparisons(
    measurements: Iterable[Measurement], baseline: Mapping[str, str]
) -> list[Comparison | Refused]:
    """Compares everything that is no baseline with the baseline of its kind.

    Args:
        measurements: All of them, baselines among them.
        baseline: Which are baselines, e.g. {"recipe": "float32"}. The baseline of a candidate
            shares with it everything that is not named here: model, device, delegate, threads.

    Raises:
        UsageError: If `baseline` names something that a baseline cannot be chosen by.
    """
    for name in baseline:
        if name not in CHOSEN_BY:
            raise UnknownNameError("field", name, CHOSEN_BY, "compare.baseline")
    if not baseline:
        raise UsageError('compare.baseline is empty; name one thing, e.g. { recipe = "float32" }.')
    everything = list(measurements)
    bases = [m for m in everything if _is_chosen(m, baseline)]
    return [_compared(m, bases, baseline) for m in everything if not _is_chosen(m, baseline)]


def _is_chosen(measurement: Measurement, baseline: Mapping[str, str]) -> bool:
    return all(CHOSEN_BY[name](measurement) == str(value) for name, value in baseline.items())


def _compared(
    candidate: Measurement, bases: list[Measurement], baseline: Mapping[str, str]
) -> Comparison | Refused:
    shared = [name for name in SHARED if name not in baseline]
    fitting = [
        base
        for base in bases
        if all(CHOSEN_BY[name](base) == CHOSEN_BY[name](candidate) for name in shared)
    ]
    wanted = " and ".join(f"{name} {value}" for name, value in baseline.items())
    what = f"{candidate.model.title} ({candidate.cell})"
    if not fitting:
        reason = (
            f"{what} has no baseline: nothing with {wanted} and the same {', '.join(shared)} was"
            " measured."
        )
        return Refused(candidate=candidate, baseline=None, reason=reason)
    refusals = []
    for base in fitting:
        try:
            return compare_measurements(base, candidate)
        except IncomparableError as error:
            refusals.append(Refused(candidate=candidate, baseline=base, reason=str(error)))
    return refusals[-1]


def sentences(found: Comparison | Refused) -> list[str]:
    """A comparison for people: the verdict and every warning, or why there is none."""
    if isinstance(found, Refused):
        return [found.reason]
    return [found.sentence(), *(f"warning: {warning}" for warning in found.warnings)]
