"""The sealed measurement of a cell: what was measured, where, how, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from android_bench.checking import Checked
from android_bench.floors import floor_of
from android_bench.jobs import Bench, Cell
from android_bench.results import SCHEMA, Session
from android_bench.validity import judge
from mobilekit.core.measurement import Kit, Measurement, Run, measure_config


def measurement_of(
    bench: Bench,
    cell: Cell,
    checked: Checked,
    runs: tuple[Run, ...],
    *,
    session: Session,
    failures: Sequence[str],
    command: str,
    kit: Kit,
) -> Measurement:
    """Judges a cell and puts together what is sealed.

    Args:
        bench: Where it was measured.
        cell: What.
        checked: What its output check found.
        runs: Its starts that count.
        session: Of its starts.
        failures: What went wrong in starts that do not count.
        command: What repeats it.
        kit: This version.
    """
    floor = floor_of(bench, kit)
    return Measurement(
        schema=SCHEMA,
        cell=cell.id,
        model=cell.job.model,
        device=bench.info,
        config=measure_config(cell.job.config, session.order_seed),
        runs=runs,
        output_check=checked.check,
        validity=judge(
            runs,
            config=cell.job.config,
            check=checked.check,
            output_sha256=checked.output_sha256,
            failures=failures,
            cpu_count=bench.info.cpu_count,
            emulated=bench.info.emulated,
            floor=floor,
        ),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        kit=kit,
        label=cell.job.label,
        noise_floor=floor,
    )
