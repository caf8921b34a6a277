"""Per-operator profiles of Google's benchmark tools: tables, CSV, protobuf messages.

A table or CSV has a header line with its columns, which differ by build: [start] was dropped, tabs
were replaced by spaces, a prefix may stand before each line. Types of nodes hold spaces and commas
("Fully Connected (NC, QS8, QC8W) GEMM"), and so do names, so a line is read by the numbers of the
header's columns, as far to the right as they fit. Of the sections only the order of execution
is read; the others have the same operators again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from android_bench.runners.protobuf import Message, WireError
from android_bench.runners.tool_lines import PREFIX, number
from mobilekit.core.errors import RunnerError

MOST_ROWS = 200_000
LONGEST_ROW = 4000  # names of fused nodes list all that they were made of
ORDER = "Run Order"  # the section that is read
INITIALIZATION, REGULAR, DELEGATE = "initialization", "regular", "delegate"
_SECTION = re.compile(r"^=+ (.*?) =+$")
_CELL = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?%?"
# Columns between the node's type and its name, by their titles in a table and in a CSV.
_COLUMNS = {
    "start": "start",
    "first": "first_ms",
    "avg ms": "avg_ms",
    "avg_ms": "avg_ms",
    "%": "share",
    "cdf%": "cdf",
    "mem KB": "mem_kb",
    "times called": "times_called",
}


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One row of a profile.

    Attributes:
        phase: "initialization", "regular" or "delegate": what a delegate says of its inside.
        node_type: E.g. "CONV_2D" or "Fully Connected (NC, QS8, QC8W) GEMM".
        name: As the tool has it, e.g. "[conv/Relu6]:3"; may be empty.
        avg_us: Mean of its invocations, microseconds.
        first_us: Its first; None where it is not printed.
        times_called: As the tool counts: in one invocation of the model, or in all of them.
    """

    phase: str
    node_type: str
    name: str
    avg_us: float
    first_us: float | None
    times_called: int


def parse_profile_text(text: str, tool: str = "benchmark_model") -> tuple[Operator, ...]:
    """Reads the tables or the CSV that a tool printed or wrote.

    Raises:
        RunnerError: If there is none, a row does not fit its header, or the last one was cut.
    """
    operators: list[Operator] = []
    phase, pattern, wanted = REGULAR, None, True
    for line in map(_bare, text.splitlines()):
        phase = _phase(line) or phase
        section = _SECTION.match(line)
        if section:
            pattern, wanted = None, section.group(1) == ORDER
        elif (header := _row_pattern(line)) is not None:
            pattern = header
        elif not line:
            pattern = None
        elif pattern is not None and wanted:
            operators.append(_operator(line, pattern, phase, tool))
        if len(operators) > MOST_ROWS:
            raise RunnerError(f"{tool} printed a profile of more than {MOST_ROWS} rows.")
    if not operators:
        raise RunnerError(f"{tool} printed no profile of operators.")
    return tuple(operators)


def parse_profile_file(content: bytes, tool: str = "benchmark_model") -> tuple[Operator, ...]:
    """Reads a BenchmarkProfilingData message, of `--op_profiling_output_mode=proto`.

    Raises:
        RunnerError: If it is none, was cut short, or has no operators.
    """
    try:
        message = Message(content)
        operators = [
            *_of_model(message.message(2), INITIALIZATION, tool),
            *_of_model(message.message(3), REGULAR, tool),
        ]
    except WireError as error:
        raise RunnerError(f"{tool}: its profile cannot be read: {error}.") from error
    if not operators:
        raise RunnerError(f"{tool} wrote no profile of operators.")
    return tuple(operators)


def _bare(line: str) -> str:
    """Without the logger's prefix or the blanks on either side of it."""
    return PREFIX.sub("", line.strip(" \t\r"), count=1).strip(" \t")


def _phase(line: str) -> str | None:
    if line.startswith("Profiling Info for Benchmark Initialization"):
        return INITIALIZATION
    if line.startswith("Operator-wise Profiling Info"):
        return REGULAR
    return DELEGATE if line.startswith("Delegate internal") else None


def _row_pattern(line: str) -> re.Pattern[str] | None:
    """How rows below this header look; None if it is no header of one row a node."""
    if line.lower().startswith("[node type]"):
        titles = [title.strip() for title in re.findall(r"\[([^\]]*)\]", line)]
        between, after = r"\s+", r"(?:\s+(?P<name>.*))?"
    elif line.startswith("node type,"):
        titles = [title.strip() for title in line.split(",")]
        between, after = r",\s*", r"(?:,\s*(?P<name>.*))?"
    else:
        return None
    if titles[-1].lower() != "name" or any(title not in _COLUMNS for title in titles[1:-1]):
        return None  # the summary by node type, which has no names
    cells = between.join(f"(?P<{_COLUMNS[title]}>{_CELL})" for title in titles[1:-1])
    return re.compile(rf"^(?P<node_type>.+){between}{cells}{after}$")


def _operator(line: str, pattern: re.Pattern[str], phase: str, tool: str) -> Operator:
    found = pattern.match(line[:LONGEST_ROW])
    if found is None:
        raise RunnerError(f"{tool} printed a row that does not fit its header: {line[:200]!r}.")
    values = found.groupdict()
    first = values.get("first_ms")
    return Operator(
        phase=phase,
        node_type=values["node_type"].strip(),
        name=(values["name"] or "").strip().replace("\t", ","),  # so a CSV spares its commas
        avg_us=number(values["avg_ms"], tool) * 1000,
        first_us=None if first is None else number(first, tool) * 1000,
        times_called=int(number(values["times_called"], tool)),
    )


def _of_model(model: Message, phase: str, tool: str) -> Iterator[Operator]:
    """ModelProfilingData: subgraphs (1) with their rows (3), delegates (2) with theirs (2)."""
    for subgraph in model.messages(1):
        yield from (_of_row(row, phase, tool) for row in subgraph.messages(3))
    for delegate in model.messages(2):
        yield from (_of_row(row, DELEGATE, tool) for row in delegate.messages(2))


def _of_row(row: Message, phase: str, tool: str) -> Operator:
    """OpProfileData: type (1), microseconds (2: first 1, mean 3), calls (4), name (5)."""
    times = row.message(2)
    first, mean, called = times.integer(1), times.integer(3), row.integer(4)
    if (mean or 0) < 0 or (first or 0) < 0 or (called or 0) < 0:
        raise RunnerError(f"{tool} wrote a time below zero for {row.text(1)[:200]!r}.")
    return Operator(
        phase=phase,
        node_type=row.text(1),
        name=row.text(5),
        avg_us=float(mean or 0),
        first_us=None if first is None else float(first),
        times_called=called or 0,
    )
