"""Whether one measurement is faster than another, by how much, or that it cannot be known.

The procedure. For every block that both share, take the log of candidate's run median over
baseline's; the ratio is the median of these, its interval reaches from one order statistic to
another (`mobilekit.intervals`), and the verdict is whether the interval leaves out 1. There is no
second test that could disagree.

Why this one. Order is random within a block, so for equal files each log ratio is as likely above
zero as below it, whatever the noise: the level is exact, not approximate, under skew, outliers and
any drift that a block's starts share. With 12 blocks it is 96.1 %, and equal files are called
different in 3.9 % of comparisons. In 10,000 simulated comparisons each (12 blocks, equal files):

    run-to-run noise              order statistics   signed-rank        Student's t
                                  alarms  width      alarms  width      alarms  width
    2 %                           3.7 %   4.5 %      4.4 %   3.7 %      5.0 %   3.5 %
    2 %, 5 % of starts 1.5-3x     3.7 %   5.2 %      4.2 %   5.5 %      1.7 %   34 %
    2 %, 10 % of starts 1.5-3x    3.7 %   6.4 %      4.3 %   29 %       1.9 %   52 %
    2 %, 10 % of the candidate's  4.9 %   5.4 %      6.5 %   5.8 %      3.6 %   35 %

In the last row only the candidate has slow starts, which moves the true ratio a little. A 5 %
difference at 2 % noise is found in 99.2, 100 and 100 % of trials, and with 5 % of slow starts in
93.5, 85 and 34 %. The signed-rank interval is a fifth narrower on clean noise, but one slow start
in ten makes it useless, and it needs log ratios that are symmetric also where the files differ.
Slow starts are what phones and shared computers have: on 160 real starts of one program on such a
computer the widths were 1.9, 2.2 and 2.3 %.

What breaks it is a fixed order within blocks: with 5 % drift between the two starts, equal files
are then called different in 99 % of comparisons. This is why the harness tosses for the order.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mobilekit.core.errors import IncomparableError
from mobilekit.core.measurement import Measurement, RunConfig, Validity
from mobilekit.core.model import UNKNOWN_RECIPE
from mobilekit.formatting import at_most_percent, plural, printable, speed
from mobilekit.identity import IDENTITY, USUAL, Difference, differences, traits
from mobilekit.intervals import LEAST_SIGNS, median_interval
from mobilekit.pairing import TOGETHER, log_ratios, pair_blocks


class Outcome(enum.StrEnum):
    """What a comparison found."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE_SHOWN = "no_difference_shown"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A candidate against a baseline.

    Attributes:
        baseline: What is compared against.
        candidate: What is compared.
        varied: The one thing that differs; None if the same thing was measured twice.
        latency_ratio: Candidate over baseline, the median over blocks of the ratio of run
            medians; below 1 is faster. It is not the ratio of the two headline medians:
            those know nothing of pairs. Of run means where a runner printed no medians; a
            mean is never compared with a median.
        low: Lower end of the ratio's interval.
        high: Upper end.
        level: The interval's guaranteed coverage, 0..1.
        blocks: Numbers of the blocks it rests on.
        warnings: What to know before believing it, in sentences.
    """

    baseline: Measurement
    candidate: Measurement
    varied: Difference | None
    latency_ratio: float
    low: float
    high: float
    level: float
    blocks: tuple[int, ...]
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> Outcome:
        """Exactly: on which side of 1 the interval lies, if it leaves out 1."""
        if self.high < 1:
            return Outcome.FASTER
        return Outcome.SLOWER if self.low > 1 else Outcome.NO_DIFFERENCE_SHOWN

    @property
    def hidden(self) -> float:
        """The largest change, either way, that the interval does not exclude: 0.06 is 6 %."""
        return max(self.high, 1 / self.low) - 1

    def sentence(self) -> str:
        """The verdict for people, without the warnings.

        E.g. "mobilenet_v2_1.0_224: static_wi8_ai8 against float32 on host, 2 threads: 1.02x faster
        [0.98, 1.06]: no difference shown (could hide up to 6 %)".
        """
        found = speed(self.latency_ratio, self.low, self.high)
        if self.verdict is Outcome.NO_DIFFERENCE_SHOWN:
            found += f": no difference shown (could hide up to {at_most_percent(self.hidden)})"
        return f"{subject(self.baseline, self.candidate, self.varied)}: {found}"

    def document(self) -> Mapping[str, object]:
        """The comparison as JSON values: raw numbers, and cells instead of measurements."""
        return {
            "baseline_cell": self.baseline.cell,
            "candidate_cell": self.candidate.cell,
            "varied": self.varied,
            "latency_ratio": self.latency_ratio,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "verdict": self.verdict,
            "blocks": self.blocks,
            "warnings": self.warnings,
            "sentence": self.sentence(),
        }


def compare_measurements(baseline: Measurement, candidate: Measurement) -> Comparison:
    """Compares two measurements of one session, block by block.

    Raises:
        IncomparableError: If the comparison would mislead: more than one thing was varied, or
            one that cannot be (device, build, runner…); a side is invalid; the two were
            measured in different sessions; too few blocks are pairs.
    """
    _refuse_unusable(baseline, candidate)
    varied = _varied(baseline, candidate)
    pairs = pair_blocks(baseline, candidate)
    logs = log_ratios(pairs)
    interval = median_interval(logs)
    if interval is None:
        raise IncomparableError(
            f"{subject(baseline, candidate, varied)}: {plural(len(logs), 'paired block')} cannot"
            f" show a difference, however large. At least {LEAST_SIGNS} are needed: {TOGETHER},"
            f" with --repetitions {RunConfig.repetitions} ({LEAST_SIGNS} at least)."
        )
    return Comparison(
        baseline=baseline,
        candidate=candidate,
        varied=varied,
        latency_ratio=math.exp(interval.median),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
        level=interval.level,
        blocks=pairs.blocks,
        warnings=(*_doubts(baseline, candidate, varied), *pairs.warnings),
    )


def subject(baseline: Measurement, candidate: Measurement, varied: Difference | None) -> str:
    """What is compared, in words: what both share, and what the one and the other is."""
    shared = traits(baseline)
    about = varied.field if varied else ""
    before = [shared[name].shown for name in ("model", "recipe") if about not in ("model", name)]
    if about == "model":
        before = [shared["recipe"].shown]
    what = f"{varied.candidate} against {varied.baseline}" if varied else "measured twice"
    simulated = " (simulated)" if baseline.device.simulated else ""
    after = [f"{what} on {shared['device'].shown}{simulated}"]
    if about != "delegate" and shared["delegate"].key != _DEFAULT_DELEGATE:
        after.append(shared["delegate"].shown)
    if about != "num_threads":
        after.append(shared["num_threads"].shown)
    for field, usual in USUAL.items():
        if about != field and shared[field].shown != usual:
            after.append(shared[field].shown)
    known = " ".join(word for word in before if word != UNKNOWN_RECIPE)
    return f"{known}: {', '.join(after)}" if known else ", ".join(after)


_DEFAULT_DELEGATE = f'["{RunConfig.delegate}",{{}}]'


def _refuse_unusable(baseline: Measurement, candidate: Measurement) -> None:
    if baseline.cell == candidate.cell:
        raise IncomparableError(
            f"Both sides are the same measurement ({printable(baseline.cell)}); name two."
        )
    for side, measurement in (("baseline", baseline), ("candidate", candidate)):
        if measurement.validity.status is Validity.INVALID:
            reasons = "; ".join(measurement.validity.reasons) or "no reason was recorded"
            raise IncomparableError(
                f"The {side}, {_name(measurement)}, is invalid ({printable(reasons)}), so its"
                " latencies mean nothing: remove the cause and measure it again."
            )


def _varied(baseline: Measurement, candidate: Measurement) -> Difference | None:
    found = differences(baseline, candidate)
    fixed = {field.name for field in IDENTITY if not field.may_vary}
    wrong = [difference for difference in found if difference.field in fixed]
    names = f"{_name(candidate)} and {_name(baseline)}"
    if wrong:
        raise IncomparableError(
            f"{names} differ in {_listed(wrong)}. Latencies compare only on one device, one build"
            f" and with one runner, side by side: {TOGETHER}."
        )
    if len(found) > 1:
        raise IncomparableError(
            f"{names} differ in {_listed(found)}, so a difference in latency could come from"
            " any of them: compare measurements that differ in one."
        )
    return found[0] if found else None


def _listed(found: list[Difference] | tuple[Difference, ...]) -> str:
    texts = [str(difference) for difference in found]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _name(measurement: Measurement) -> str:
    model = measurement.model
    return printable(f"{model.title} ({measurement.cell})")


def _doubts(
    baseline: Measurement, candidate: Measurement, varied: Difference | None
) -> tuple[str, ...]:
    doubts = [
        f"{side} is suspect: {printable(reason)}"
        for side, measurement in (("baseline", baseline), ("candidate", candidate))
        if measurement.validity.status is Validity.SUSPECT
        for reason in measurement.validity.reasons or ("no reason was recorded",)
    ]
    if varied and varied.field == "recipe" and baseline.model.spec is None:
        doubts.append("only the files' names say that both are the same network")
    return tuple(doubts)
