"""A selftest for people, as the rows of a table."""

from __future__ import annotations

from android_bench.selftest import Sensor
from mobilekit.core.measurement import Measurement
from mobilekit.formatting import at_most_percent, milliseconds, printable, speed
from mobilekit.selftest import Selftest, ratio_text


def rows_of(selftest: Selftest) -> list[list[str]]:
    """What was found, for people: names and sentences, the most important first."""
    rows = []
    comparison = selftest.comparison
    if comparison and selftest.noise_floor is not None:
        found = speed(comparison.latency_ratio, comparison.low, comparison.high)
        shown = [
            f"{at_most_percent(share)} with {blocks} blocks"
            for blocks, share in selftest.smallest_shown.items()
        ]
        floor = at_most_percent(selftest.noise_floor)
        count = len(selftest.first.runs) + len(selftest.second.runs)
        rows = [
            ["noise floor", f"{floor}, the spread of {count} run medians"],
            ["shows, mostly", ", ".join(shown) or "not known: too few blocks"],
            ["A against A", f"{found}: {comparison.verdict.replace('_', ' ')}"],
        ]
    return [
        *rows,
        ["outputs", _outputs(selftest.first)],
        ["clock", _clock(selftest.clock_resolution_ns)],
        ["benchmark_model", _beside_text(selftest)],
        *[[sensor.name, _sensor(sensor)] for sensor in selftest.sensors],
        *[["doubt", doubt] for doubt in selftest.doubts],
    ]


def title_of(selftest: Selftest) -> str:
    """What was tested: the device, the file with its latency, the runner."""
    first = selftest.first
    words = [printable(first.device.label) + (" (simulated)" if first.device.simulated else "")]
    words.append(f"{printable(first.model.name)} {printable(first.model.recipe)}")
    if first.runs:
        run = first.runs[0]
        words[-1] += f" ({milliseconds(first.median_us)} ms)"
        words.append(f"{run.runner.name} {run.runner.version}")
        words.append(f"{printable(run.runtime.name)} {printable(run.runtime.version)}")
    return ", ".join(words)


def _outputs(measurement: Measurement) -> str:
    check = measurement.output_check
    if check is None:
        return "not checked"
    return f"{'right' if check.passed else 'WRONG'}: {printable(check.detail)}"


def _clock(resolution_ns: int | None) -> str:
    if resolution_ns is None:
        return "not known: the runner does not say"
    return f"steps of {resolution_ns} ns"


def _beside_text(selftest: Selftest) -> str:
    if selftest.beside is None:
        return f"not compared: {printable(selftest.not_beside)}"
    return f"our runner takes {ratio_text(selftest.beside)} of its time"


def _sensor(sensor: Sensor) -> str:
    return "read" if sensor.readable else f"not read: {printable(sensor.because)}"
