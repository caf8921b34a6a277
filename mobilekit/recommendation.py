"""A setting that was chosen, held against a session of its own, and named or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mobilekit.core.measurement import Measurement, RunConfig, run_config
from mobilekit.formatting import latency, printable, speed
from mobilekit.intervals import median_interval
from mobilekit.recommend import Choice, choose, latency_ratio, unusable


@dataclass(frozen=True, kw_only=True)
class Beaten:
    """The chosen setting against another, in the session that followed the sweep.

    Attributes:
        name: The other setting.
        cell: Its measurement in that session.
        latency_ratio: The other's latency over the chosen one's; above 1, the chosen is faster.
        low: Lower end of its interval.
        high: Upper end.
    """

    name: str
    cell: str
    latency_ratio: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What is recommended for one file on one device, and why.

    Attributes:
        choice: What the sweep said.
        fresh: The chosen setting, measured again; None where nothing could be chosen.
        against: It and what it was measured beside.
        problem: Why nothing is recommended; empty where something is.
    """

    choice: Choice
    fresh: Measurement | None
    against: tuple[Beaten, ...]
    problem: str

    @property
    def subject(self) -> str:
        """The file and the device, e.g. "mobilenet static_wi8_ai8 on pixel-7-pro"."""
        about = self.choice.ranked[0].measurement
        simulated = " (simulated)" if about.device.simulated else ""
        name = printable(about.model.title)
        return f"{name} on {printable(about.device.label)}{simulated}"

    def sentences(self) -> tuple[str, ...]:
        """The recommendation with the fresh numbers, then why the others lost."""
        chosen = self.choice.chosen
        lost = [
            f"{self.subject}: {row.name}: {row.why}"
            for row in self.choice.ranked
            if row is not chosen
        ]
        if self.problem or chosen is None or self.fresh is None:
            return (f"{self.subject}: nothing is recommended: {self.problem}", *lost)
        interval = median_interval([run.median_us for run in self.fresh.runs])
        ends = (interval.low, interval.high) if interval else (None, None)
        shown, spread = latency(self.fresh.median_us, *ends)
        beside = "; ".join(
            f"{speed(1 / b.latency_ratio, 1 / b.high, 1 / b.low)} than {b.name}"
            for b in self.against
        )
        named = f"{self.subject}: use {chosen.name}: {shown} ms {spread}".rstrip()
        measured = ", measured again" + (f" beside the others: {beside}" if beside else "")
        return (f"{named}{measured}{f'. {chosen.why}' if chosen.why else ''}", *lost)

    def document(self) -> Mapping[str, object]:
        """The recommendation as JSON values: raw numbers, and cells instead of measurements."""
        first, chosen = self.choice.ranked[0].measurement, self.choice.chosen
        named = chosen if not self.problem else None
        config = named.measurement.config if named else None
        return {
            "model": first.model.name,
            "model_sha256": first.model.sha256,
            "recipe": first.model.recipe,
            "device": first.device.label,
            "simulated": first.device.simulated,
            "setting": config
            and {
                "delegate": config.delegate,
                "options": config.options,
                "num_threads": config.num_threads,
                "affinity": config.affinity,
            },
            "cell": self.fresh.cell if self.fresh else None,
            "median_us": self.fresh.median_us if self.fresh and self.fresh.runs else None,
            "against": self.against,
            "settings": [
                {
                    "name": row.name,
                    "cell": row.measurement.cell,
                    "standing": row.standing,
                    "why": row.why,
                }
                for row in self.choice.ranked
            ],
            "problem": self.problem,
            "sentence": self.sentences()[0],
        }


def recommend_setting(
    sweep: Sequence[Measurement],
    measure_again: Callable[[Sequence[RunConfig]], Sequence[Measurement]],
) -> Recommendation:
    """Chooses a setting for one file on one device, measures it again, and names it or not.

    Args:
        sweep: The file under several settings, of one session; at least one.
        measure_again: Measures the file under these settings together, in a session of its own;
            returns one measurement a setting, in their order.

    Raises:
        IncomparableError: If the sweep is not of one session.
    """
    choice = choose(sweep)
    again = [run_config(row.measurement.config) for row in choice.again]
    return confirm(choice, measure_again(again) if again else ())


def confirm(choice: Choice, fresh: Sequence[Measurement]) -> Recommendation:
    """Names the chosen setting if a session of its own agrees with the sweep.

    Args:
        choice: What the sweep said.
        fresh: The settings of `choice.again`, in its order, measured together anew.
    """
    if choice.chosen is None:
        problem = "no setting gave a valid measurement"
        return Recommendation(choice=choice, fresh=None, against=(), problem=problem)
    chosen, *others = fresh
    why = unusable(chosen)
    if why:
        problem = f"{choice.chosen.name}, measured again, is {why}"
        return Recommendation(choice=choice, fresh=chosen, against=(), problem=problem)
    against = []
    for row, other in zip(choice.again[1:], others, strict=True):
        if unusable(other):
            continue  # what it would be compared with means nothing
        ratio = latency_ratio(chosen, other)
        against.append(
            Beaten(
                name=row.name,
                cell=other.cell,
                latency_ratio=ratio.median,
                low=ratio.low,
                high=ratio.high,
            )
        )
    faster = next((beaten for beaten in against if beaten.high < 1), None)
    problem = ""
    if faster:
        found = speed(1 / faster.latency_ratio, 1 / faster.high, 1 / faster.low)
        problem = (
            f"{choice.chosen.name} was chosen, and measured again it was {found} than"
            f" {faster.name}; sweep with more --repetitions and --again"
        )
    return Recommendation(choice=choice, fresh=chosen, against=tuple(against), problem=problem)
