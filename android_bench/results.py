"""What was measured, on disk: a line a start as it comes, a sealed document at the end.

    <results>/runs/<cell>.jsonl   the runner's documents, appended and synced one by one
    <results>/<cell>.json         the measurement, when its last start is in

A line has two keys beside the document: `order_seed` and `jobs`, which name the session that the
start belongs to (see `android_bench.harness`). Lines of several sessions stand in one file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mobilekit.core.digest import canonical_json
from mobilekit.core.errors import StorageError
from mobilekit.core.measurement import Measurement, Run
from mobilekit.core.records import RecordError, from_json, to_json
from mobilekit.core.storage import (
    append_line,
    parse_json,
    read_json,
    storage_errors,
    write_json,
)

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Session:
    """Names one measuring session.

    Attributes:
        order_seed: Drawn anew for every session, so it also tells sessions apart.
        jobs: Digest of the cells that are measured together.
    """

    order_seed: int
    jobs: str


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """One line of a cell's file."""

    session: Session
    run: Run


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A cell's file.

    Attributes:
        runs: Its whole lines.
        torn: Whether a half-written last line was dropped: its writer was killed.
    """

    runs: tuple[RecordedRun, ...]
    torn: bool


def runs_path(results: Path, cell: str) -> Path:
    """The file of a cell's starts."""
    return results / "runs" / f"{cell}.jsonl"


def sealed_path(results: Path, cell: str) -> Path:
    """The file of a cell's measurement."""
    return results / f"{cell}.json"


def append_run(results: Path, cell: str, recorded: RecordedRun) -> None:
    """Adds one line; when this returns, it survives a power cut.

    Raises:
        StorageError: If the disk is full or the folder cannot be written; what was there stays.
    """
    document = {**to_json(recorded.run), **to_json(recorded.session)}
    append_line(runs_path(results, cell), canonical_json(document))


def read_runs(results: Path, cell: str) -> Recorded:
    """Reads a cell's file; a cell without one has no runs.

    Raises:
        StorageError: If it cannot be read, or a line that is not the last is damaged.
    """
    path = runs_path(results, cell)
    if not path.exists():
        return Recorded(runs=(), torn=False)
    with storage_errors(path, "read"):
        *lines, rest = path.read_bytes().split(b"\n")
    runs = tuple(_read_line(path, number, line) for number, line in enumerate(lines, 1))
    return Recorded(runs=runs, torn=bool(rest))


def drop_torn_line(results: Path, cell: str) -> None:
    """Cuts a half-written last line off, so that it never comes to stand between whole ones.

    Only the process that holds the device's lock may do this.

    Raises:
        StorageError: If the file cannot be written.
    """
    path = runs_path(results, cell)
    with storage_errors(path):
        whole = path.read_bytes().rfind(b"\n") + 1
        os.truncate(path, whole)


def seal(results: Path, measurement: Measurement) -> None:
    """Writes the measurement, whole or not at all; raises StorageError."""
    write_json(sealed_path(results, measurement.cell), measurement)


def load_measurement(path: Path) -> Measurement:
    """Reads a sealed measurement; keys that a later version added are ignored.

    Raises:
        StorageError: If it cannot be read, is no measurement, or its schema is newer.
    """
    document = read_json(path)
    schema = document.get("schema") if isinstance(document, Mapping) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise StorageError(str(path), "is no measurement: it has no schema number")
    if schema > SCHEMA:
        problem = f"has schema {schema}, this mobilekit reads up to {SCHEMA}; install a newer one"
        raise StorageError(str(path), problem)
    try:
        return from_json(Measurement, document, ignore_unknown=True)
    except RecordError as error:
        raise StorageError(str(path), f"is no measurement that can be read ({error})") from error


def _read_line(path: Path, number: int, line: bytes) -> RecordedRun:
    try:
        document = parse_json(line.decode())
        session = from_json(Session, document, ignore_unknown=True)
        return RecordedRun(session=session, run=from_json(Run, document, ignore_unknown=True))
    except ValueError as error:  # RecordError and UnicodeDecodeError are
        raise StorageError(
            str(path), f"line {number} is damaged ({error}); move the file away to measure anew"
        ) from error
