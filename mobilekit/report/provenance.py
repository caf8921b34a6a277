"""Where the numbers of a report are from: commands, versions and digests, each said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilekit.formatting import MISSING
from mobilekit.report.columns import Value, raw_values
from mobilekit.report.display import common, facts, label
from mobilekit.report.rows import Row

# The title of each fact, and the columns of the CSV it is made of.
_SESSION = {
    "Command": ("command",),
    "Kit": ("kit_version", "kit_commit"),
    "Device": ("device_model", "device_build"),
    "Runtime": ("runtime", "runtime_sha256"),
    "Runner": ("runner", "runner_sha256"),
    "Order seed": ("order_seed",),
}
_FILE = {
    "sha256": ("model_sha256",),
    "Made with": ("made_with",),
    "Calibration images": ("calibration_sha256",),
    "Evaluation images": ("images_sha256",),
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Facts that some rows share.

    Attributes:
        about: The rows, in words.
        facts: Titles and values.
    """

    about: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def sessions(rows: Sequence[Row]) -> tuple[Provenance, ...]:
    """How the rows were measured; rows measured alike stand together."""
    shared = list(common(rows))
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for row in rows:
        created = f"{row.measurement.cell}, {raw_values(row)['created']}, {facts(row)}"
        about = f"{label(row, shared)} ({created})"
        groups.setdefault(_facts(row, _SESSION), []).append(about)
    return tuple(Provenance(about=tuple(about), facts=key) for key, about in groups.items())


def files(rows: Sequence[Row]) -> tuple[Provenance, ...]:
    """What made each file, one entry a file."""
    shared = list(common(rows))
    by_file = {row.measurement.model.sha256: row for row in rows}
    return tuple(
        Provenance(
            about=(label(row, shared, without=["Threads", "Delegate", "Device"]),),
            facts=_facts(row, _FILE),
        )
        for row in by_file.values()
    )


def _facts(row: Row, titles: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    values = raw_values(row)
    return tuple(
        (title, ", ".join(map(_shown, (values[name] for name in names))))
        for title, names in titles.items()
    )


def _shown(value: Value) -> str:
    return MISSING if value is None or value == "" else str(value)
