"""The lint report: one file, one target. `docs/formats.md` fixes it."""

from __future__ import annotations

from dataclasses import dataclass

from converters.delegates.rules import Source
from converters.delegates.verdict import Verdict

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class LintedModel:
    """The file that was linted."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class LintTarget:
    """What it was held against.

    Attributes:
        delegate: A name of `mobilekit.core.target.DELEGATES`.
        variant: The delegate's variant; None where it has none.
        level: The level of the rules, e.g. "30", "ethos-u55"; None where they have none.
    """

    delegate: str
    variant: str | None
    level: str | None


@dataclass(frozen=True, kw_only=True)
class LintedOp:
    """One operator.

    Attributes:
        index: Its place in its subgraph.
        op: Its name, e.g. "CONV_2D", "CUSTOM:name", "COMPOSITE:name".
        layer: The Keras layer it came from; None where no name tells.
        verdict: Whether the delegate takes it.
        because: What decided it, in words; "" for a plain yes.
        constraint: The kind of what decided it; "" for a plain yes.
        macs: Its multiply-accumulates.
        subgraph: The subgraph it is in.
        fails: Whether the delegate claims it and then fails as a whole.
        delegated: Whether it runs on the delegate: a taken operator may lie in a partition that the
            delegate does not keep.
    """

    index: int
    op: str
    layer: str | None
    verdict: Verdict
    because: str
    constraint: str
    macs: int
    subgraph: int = 0
    fails: bool = False
    delegated: bool = False


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Operators that the delegate computes without leaving it, in order of execution.

    Attributes:
        first: The lowest place of its operators; others may stand between them.
        last: The highest.
        ops: How many there are.
        macs: Their multiply-accumulates.
        boundary_bytes: Bytes of the tensors that enter or leave, those of the graph included.
        boundary_tensors: How many these are.
        subgraph: The subgraph it is in.
        kept: Whether the delegate keeps it.
    """

    first: int
    last: int
    ops: int
    macs: int
    boundary_bytes: int
    boundary_tensors: int = 0
    subgraph: int = 0
    kept: bool = True


@dataclass(frozen=True, kw_only=True)
class Mend:
    """What the file would be if operators of one kind were taken too.

    Attributes:
        op: Their name.
        because: Why the first of them is not taken.
        ops: Their places in the subgraphs, as (subgraph, index).
        layers: The Keras layers they came from, as far as names tell.
        partitions: Partitions that there would be.
        macs_share: Share of the multiply-accumulates that would be delegated; None without any.
        boundary_bytes: Bytes that would enter or leave partitions.
    """

    op: str
    because: str
    ops: tuple[tuple[int, int], ...]
    layers: tuple[str, ...]
    partitions: int
    macs_share: float | None
    boundary_bytes: int


@dataclass(frozen=True, kw_only=True)
class LintSummary:
    """The file in a few numbers; operators that may be taken count as taken in all but `maybe`.

    Attributes:
        ops: Operators of all subgraphs.
        delegated: Those that run on the delegate.
        maybe: Those of which the rules cannot tell.
        macs_share: Share of the multiply-accumulates on the delegate; None where there are none,
            or no rules.
        partitions: Partitions the file falls into; None where there are no rules.
        kept: Those that the delegate keeps; None likewise.
        fails: Whether the delegate would claim an operator and then fail as a whole.
        boundary_bytes: Bytes that enter or leave the kept partitions.
    """

    ops: int
    delegated: int
    maybe: int
    macs_share: float | None
    partitions: int | None
    kept: int | None = None
    fails: bool = False
    boundary_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class OracleAnswer:
    """What a real compiler said to the same file.

    Attributes:
        name: Of the compiler or runtime.
        version: Its version.
        agrees: Operators on which it agrees with the rules.
        disagrees: Sentences about those on which it does not.
        undecided: Operators of which the rules could not tell.
    """

    name: str
    version: str
    agrees: int
    disagrees: tuple[str, ...]
    undecided: int


@dataclass(frozen=True, kw_only=True)
class LintReport:
    """One file held against the rules of one target.

    Attributes:
        schema: Version of this format.
        model: The file.
        target: What it was held against.
        rules: Where the rules are from; None for a delegate without any.
        ops: Every operator, subgraph by subgraph.
        partitions: In order of execution, those that are not kept among them.
        summary: The file in a few numbers.
        mends: What helps most if it is mended, at most three.
        notes: What has to be said of the delegate, in sentences.
        oracle: What a real compiler said; None where none was asked.
    """

    schema: int = SCHEMA
    model: LintedModel
    target: LintTarget
    rules: Source | None
    ops: tuple[LintedOp, ...]
    partitions: tuple[Partition, ...]
    summary: LintSummary
    mends: tuple[Mend, ...] = ()
    notes: tuple[str, ...] = ()
    oracle: OracleAnswer | None = None

    @property
    def refused(self) -> tuple[LintedOp, ...]:
        """Operators that stay outside for a reason of their own."""
        return tuple(op for op in self.ops if op.verdict is Verdict.NO)

    @property
    def stranded(self) -> tuple[LintedOp, ...]:
        """Operators that would be taken and lie where the delegate keeps nothing."""
        return tuple(op for op in self.ops if op.verdict is not Verdict.NO and not op.delegated)
