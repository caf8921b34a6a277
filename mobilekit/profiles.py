"""What a per-operator profile shows: where the time goes, what nobody answers for, what it cost.

Derived from the profiled run and the cell's measurement when asked for, never stored.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from mobilekit.core.measurement import Measurement, ProfileRow, Run


@dataclass(frozen=True, kw_only=True)
class Profiled:
    """A profile beside the whole.

    Attributes:
        rows: The operators, the heaviest first.
        whole_us: A whole profiled invocation: the mean, since the operators' times are means.
        slowdown: Median of the profiled invocations over the cell's own; None where the cell has
            no latencies.
    """

    rows: tuple[ProfileRow, ...]
    whole_us: float
    slowdown: float | None

    @property
    def operators_us(self) -> float:
        """All operators together, microseconds."""
        return sum(row.us for row in self.rows)

    @property
    def unattributed_us(self) -> float:
        """What the operators leave of the whole, microseconds.

        Inputs and outputs are copied in it, the runtime goes from operator to operator, and the
        profiler itself takes its time. Below zero where the operators' times overlap.
        """
        return self.whole_us - self.operators_us

    @property
    def unattributed_share(self) -> float:
        """The same as a share of the whole."""
        return self.unattributed_us / self.whole_us


def profiled(run: Run, measurement: Measurement) -> Profiled:
    """Sets a profiled run beside the measurement of its cell.

    Raises:
        ValueError: If the run has no profile, or is of another file.
    """
    if run.profile is None or run.model_sha256 != measurement.model.sha256:
        raise ValueError("a profile of the measurement's own file is needed")
    return Profiled(
        rows=tuple(sorted(run.profile, key=lambda row: -row.us)),
        whole_us=statistics.fmean(run.latencies_us),
        slowdown=run.median_us / measurement.median_us if measurement.runs else None,
    )
