"""Lint: which delegates would take a file, as functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.errors import UsageError
from mobilekit.core.target import DELEGATES, Target

if TYPE_CHECKING:
    from converters.delegates.report import LintReport

ALL = "all"
LIMITS = ("fallback", "partitions:N", "unknown")


def every_target() -> tuple[Target, ...]:
    """Every variant of every delegate, in the order of the table."""
    return tuple(
        Target(delegate=row.name, variant=variant)
        for row in DELEGATES.values()
        for variant in row.variants or (None,)
    )


def parse_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """Targets by name; none, or "all", means every target.

    Raises:
        UnknownNameError: If a delegate or a variant does not exist.
        UsageError: If "all" stands beside others.
    """
    if ALL in names and len(names) > 1:
        raise UsageError("--target all means every target; give it alone.")
    if not names or ALL in names:
        return every_target()
    return tuple(dict.fromkeys(map(Target.parse, names)))


def lint_file(model: Path, targets: Iterable[str | Target] = ()) -> tuple[LintReport, ...]:
    """Holds a .tflite against the rules of delegates. Nothing is run.

    Args:
        model: The .tflite file, of anybody's; its provenance, where there is some, names layers.
        targets: As in "nnapi@30"; none means all.

    Raises:
        UsageError: If there is no such file or target.
        ModelFileError: If the file is no .tflite that can be read.
    """
    from converters.delegates.lint import Linter
    from converters.tflite_reader import read_file
    from converters.writer import read_sidecar

    names = [str(target) for target in targets]
    wanted = parse_targets(names)
    graph = read_file(model)
    known = read_sidecar(model)
    linter = Linter(graph, known.layers if known else ())
    return tuple(linter.lint(target) for target in wanted)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What must not be.

    Attributes:
        name: "fallback", "partitions" or "unknown".
        most: Partitions that may be; 0 for the others.
    """

    name: str
    most: int = 0

    @staticmethod
    def parse(text: str) -> Limit:
        """Reads "fallback", "partitions:N" or "unknown"; raises UsageError."""
        name, _, number = text.partition(":")
        if name == "partitions" and number.isascii() and number.isdigit():
            return Limit(name=name, most=int(number))
        if text in LIMITS and not number:
            return Limit(name=name)
        raise UsageError(f"--fail-on takes {', '.join(LIMITS)}, not {text!r}.")

    def breaches(self, report: LintReport) -> Iterator[str]:
        """Clauses about what is beyond the limit; none where all is within."""
        summary = report.summary
        left = summary.ops - summary.delegated
        if self.name == "fallback" and report.rules is not None and left:
            yield f"{left} of {summary.ops} operators stay outside"
        if self.name == "unknown" and summary.maybe:
            yield f"of {summary.maybe} of {summary.ops} operators the rules cannot tell"
        found = summary.partitions
        if self.name == "partitions" and found is not None and found > self.most:
            yield f"it falls into {found} partitions, and {self.most} may be"


def breach(reports: Iterable[LintReport], limits: Sequence[Limit]) -> str | None:
    """The first thing beyond a limit, as a sentence that names the target; None without any."""
    for report in reports:
        target = Target(delegate=report.target.delegate, variant=report.target.variant)
        for limit in limits:
            for clause in limit.breaches(report):
                return f"{target}: {clause}."
    return None
