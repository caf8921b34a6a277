"""The columns of the CSV and JSON reports: raw values under names with units, never rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mobilekit.core.measurement import Run
from mobilekit.formatting import printable
from mobilekit.report.rows import Row, Share

Value = str | int | float | bool | None


def raw_values(row: Row) -> Mapping[str, Value]:
    """Every column of `row`, in the order of the CSV; what was not measured is None.

    `latency_*_us` are of the headline, which `headline_statistic` names: the CSV is read by
    people who do not have this page.
    """
    values = {
        **_identity(row),
        **_latencies(row),
        "peak_memory_bytes": row.peak_memory_bytes,
        "size_bytes": row.measurement.model.size_bytes,
        **_share("top1", row.top1),
        **_share("top5", row.top5),
        **_share("agreement", row.agreement),
        "snr_db": row.accuracy.snr_db if row.accuracy else None,
        **_trust(row),
        **_provenance(row),
    }
    return {name: printable(v) if isinstance(v, str) else v for name, v in values.items()}


def _identity(row: Row) -> dict[str, Value]:
    measurement = row.measurement
    config, device = measurement.config, measurement.device
    return {
        "cell": measurement.cell,
        "model": measurement.model.name,
        "recipe": measurement.model.recipe,
        "delegate": config.delegate,
        "options": _pairs(config.options),
        "num_threads": config.num_threads,
        "affinity": config.affinity,
        "shapes": _pairs(config.shapes),
        "signature": config.signature,
        "input_range": ",".join(map(str, config.input_range or ())) or None,
        "mode": config.mode,
        "paced_fps": config.paced_fps,
        "sustained_s": config.sustained_s,
        "load_sha256": config.load_sha256,
        "device": device.label,
        "device_kind": device.kind,
        "device_model": device.model,
        "device_build": device.build_fingerprint,
        "simulated": device.simulated,
    }


def _pairs(settings: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(settings.items()))


def _latencies(row: Row) -> dict[str, Value]:
    return {
        "headline_statistic": row.headline,
        "latency_us": row.latency_us,
        "latency_low_us": row.latency_low_us,
        "latency_high_us": row.latency_high_us,
        "latency_interval_level": row.latency_level,
        "runs": len(row.runs),
        "invocations": sum(run.invocations for run in row.runs),
        "init_us": row.init_us,
        "init_cold_us": row.init_cold_us,
        "init_warm_us": row.init_warm_us,
        "first_us": row.first_us,
    }


def _share(name: str, share: Share | None) -> dict[str, Value]:
    return {
        f"{name}_hits": share.hits if share else None,
        f"{name}_images": share.total if share else None,
        f"{name}_low_share": share.low if share else None,
        f"{name}_high_share": share.high if share else None,
    }


def _trust(row: Row) -> dict[str, Value]:
    check = row.measurement.output_check
    return {
        "validity": row.measurement.validity.status.value,
        "reasons": "; ".join(row.reasons),
        "output_check_passed": check.passed if check else None,
        "output_check": check.detail if check else None,
    }


def _provenance(row: Row) -> dict[str, Value]:
    measurement, model = row.measurement, row.model
    made_with = sorted(model.made_with.items()) if model else []
    return {
        "model_sha256": measurement.model.sha256,
        "recipe_digest": measurement.model.recipe_digest,
        "images_sha256": row.accuracy.images_sha256 if row.accuracy else None,
        "calibration_sha256": model.calibration_sha256 if model else None,
        "made_with": ", ".join(f"{name} {version}" for name, version in made_with),
        "runtime": _of_runs(
            row, lambda run: f"{run.runtime.name} {run.runtime.version} {run.runtime.api}"
        ),
        "runtime_sha256": _of_runs(row, lambda run: run.runtime.sha256),
        "runner": _of_runs(row, lambda run: f"{run.runner.name} {run.runner.version}"),
        "runner_sha256": _of_runs(row, lambda run: run.runner.sha256),
        "order_seed": measurement.config.order_seed,
        "created": measurement.created,
        "command": measurement.command,
        "kit_version": measurement.kit.version,
        "kit_commit": measurement.kit.commit,
    }


def _of_runs(row: Row, read: Callable[[Run], str]) -> str:
    """What the starts recorded; a start that differs from the others is not hidden."""
    return ", ".join(sorted({read(run) for run in row.measurement.runs}))
