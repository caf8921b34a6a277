"""Modes of `mobilekit benchmark` beside a burst of invocations, with what they show."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.measurement import RunConfig

if TYPE_CHECKING:
    from android_bench.harness import Progress
    from mobilekit.core.measurement import Measurement, Run
    from mobilekit.profiles import Profiled
    from mobilekit.sustained import Sustained

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
SHOWN_POINTS = 12  # rows of a curve in a terminal; all are in its latencies
SHOWN_OPERATORS = 15


def duration(text: str) -> float:
    """Seconds of "30m", "90s", "1.5h" or "45"; raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 45, 90s, 30m or 1h")
    return float(found.group(1)) * SECONDS[found.group(2)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of modes."""
    parser.add_argument(
        "--paced", type=float, dest="paced_fps", metavar="FPS", help="so many frames a second"
    )
    parser.add_argument(
        "--sustained",
        type=duration,
        dest="sustained_s",
        metavar="TIME",
        help="one long run, as in 45, 90s, 30m: the curve, the steady state, when it throttles",
    )
    parser.add_argument(
        "--load",
        type=Path,
        metavar="MODEL",
        help="a second .tflite file that runs all the time beside the measured one",
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="afterwards, one start more in which every operator is timed",
    )


def words(args: argparse.Namespace) -> list[str]:
    """The options of modes as they repeat a command."""
    given = [("--paced", args.paced_fps), ("--sustained", args.sustained_s), ("--load", args.load)]
    found = [word for name, value in given if value for word in (name, str(value))]
    return found + (["--profile"] if args.profile else [])


def check(args: argparse.Namespace, configs: Sequence[RunConfig]) -> None:
    """Refuses what the runner cannot do before anything is measured; raises UsageError."""
    from dataclasses import replace

    from android_bench.devices import kind_of
    from android_bench.runners import check_modes
    from mobilekit.core.errors import UsageError

    if args.profile and args.recommend:
        raise UsageError(
            "--profile and --recommend do not go together: profile the setting that is recommended."
        )

    runners = {args.runner or kind_of(device).runner for device in args.device or ["host"]}
    for config in configs:
        named = replace(config, load_sha256=str(args.load)) if args.load else config
        for runner in sorted(runners):
            check_modes(runner, named, profile=args.profile)


def notes(measurements: Sequence[Measurement]) -> Iterator[str]:
    """Sentences about what was paced, loaded or sustained."""
    for measurement in measurements:
        name = _name(measurement)
        paced = [run.paced for run in measurement.runs if run.paced]
        if paced:
            missed = sum(each.missed_deadlines for each in paced)
            frames = sum(len(run.latencies_us) for run in measurement.runs)
            yield (
                f"{name}: at {paced[0].fps:g} frames a second, {missed:,} of {frames:,} missed"
                f" their deadline ({missed / frames:.2%})."
            )
        loads = [run.load for run in measurement.runs if run.load]
        if loads:
            from statistics import median

            from mobilekit.formatting import milliseconds

            made = sum(load.invocations for load in loads)
            yield (
                f"{name}: the model beside it ({loads[0].sha256[:8]}) was invoked {made:,} times,"
                f" {milliseconds(median(load.median_us for load in loads))} ms each (median)."
            )
        yield from _sustained_notes(name, measurement)


def _sustained_notes(name: str, measurement: Measurement) -> Iterator[str]:
    from mobilekit.sustained import sustained

    if measurement.config.sustained_s is None:
        return
    for number, run in enumerate(measurement.runs, 1):
        which = f", run {number} of {len(measurement.runs)}" if len(measurement.runs) > 1 else ""
        yield f"{name}{which}: {_said(sustained(run))}"


def _said(found: Sustained) -> str:
    """E.g. "10.2 ms at first; steady at 12.9 ms in the last quarter of 30 min; ..."."""
    from mobilekit.formatting import milliseconds
    from mobilekit.sustained import RULES

    length = clock(found.length_s)
    if found.steady_us is None or found.steady_change is None:
        return f"too few invocations in {length} to say more than the curve does."
    change = f"{found.steady_change:+.1%} against the quarter before"
    steady = "steady at" if found.is_steady else "not steady,"
    last = f"{steady} {milliseconds(found.steady_us)} ms in the last quarter of {length} ({change})"
    if found.first_us is None:
        return f"never settled, so when it throttled cannot be said; {last}."
    limit = f"{RULES['throttled_above'].value:.0%}"
    throttled = (
        f"did not stay more than {limit} above that"
        if found.throttled_s is None
        else f"more than {limit} above that from {clock(found.throttled_s)} on, to the end"
    )
    return f"{milliseconds(found.first_us)} ms at first; {throttled}; {last}."


def print_curves(measurements: Sequence[Measurement]) -> None:
    """A table for each sustained measurement: its first run over time."""
    from mobilekit.cli.output import print_table
    from mobilekit.formatting import MISSING, milliseconds
    from mobilekit.sustained import sustained

    for measurement in measurements:
        if measurement.config.sustained_s is None or not measurement.runs:
            continue
        curve = sustained(measurement.runs[0]).curve
        step = max(1, -(-len(curve) // SHOWN_POINTS))
        rows = [
            (
                clock(point.t_s),
                milliseconds(point.median_us),
                MISSING if point.temperature_c is None else f"{point.temperature_c:.1f}",
            )
            for point in curve[::step]
        ]
        print(f"{_name(measurement)} over time")
        print_table(("after", "ms", "°C"), rows)


def profile(
    args: argparse.Namespace, configs: Sequence[RunConfig], measurements: Sequence[Measurement]
) -> None:
    """Profiles what was measured and prints it beside the measurements.

    What cannot be profiled takes nothing away: all else is printed before its error is raised.
    """
    from mobilekit.cli.output import print_json
    from mobilekit.cli.progress import StartsBar
    from mobilekit.core.errors import MobileKitError
    from mobilekit.profiles import profiled

    runs: list[Run] = []
    failure: MobileKitError | None = None
    with StartsBar() as progress:
        try:
            for device in args.device or ["host"]:
                runs += _profiled_on(args, configs, device, progress)
        except MobileKitError as error:
            failure = error
    if args.json:
        print_json({"measurements": measurements, "profiles": runs})
    else:
        # Devices come one after the other, and each is profiled as a whole or not at all.
        for run, measurement in zip(runs, measurements[: len(runs)], strict=True):
            _print_profile(_name(measurement), profiled(run, measurement))
    if failure is not None:
        raise failure


def _profiled_on(
    args: argparse.Namespace, configs: Sequence[RunConfig], device: str, progress: Progress
) -> list[Run]:
    from mobilekit.benchmarking import profile_files

    return profile_files(
        args.models,
        args.out,
        device=device,
        configs=configs,
        runner=args.runner,
        runner_binary=args.runner_binary,
        runner_libraries=args.runner_library,
        runtime=args.runtime,
        python=args.python,
        progress=progress,
        again=args.again,
        load=args.load,
        inputs=args.input,
    )


def _print_profile(name: str, found: Profiled) -> None:
    from mobilekit.cli.output import print_notes, print_table
    from mobilekit.formatting import MISSING, printable

    shown = found.rows[:SHOWN_OPERATORS]
    rows = [
        (
            printable(row.op),
            printable(row.delegate or MISSING) + (f" {row.partition}" * bool(row.partition)),
            str(row.node),
            f"{row.us:.1f}",
            f"{row.us / found.whole_us:.1%}",
        )
        for row in shown
    ]
    rest = found.rows[SHOWN_OPERATORS:]
    if rest:
        us = sum(row.us for row in rest)
        others = f"{len(rest)} others"
        rows.append((others, MISSING, MISSING, f"{us:.1f}", f"{us / found.whole_us:.1%}"))
    print(f"{name}: operators")
    print_table(("operator", "delegate", "node", "us", "share"), rows)
    slowed = (
        "what profiling cost is not known, since there are no latencies beside it"
        if found.slowdown is None
        else f"profiling made the run {found.slowdown:.2f} times as long"
    )
    print_notes(
        [
            f"{name}: of {found.whole_us:.1f} us an invocation, {found.unattributed_us:.1f} us"
            f" ({found.unattributed_share:.1%}) belong to no operator; {slowed}."
        ]
    )


def clock(seconds: float) -> str:
    """E.g. "45 s", "4 min 30 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.3g} s"
    if whole < 7200:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def _name(measurement: Measurement) -> str:
    from mobilekit.formatting import printable, threads

    model, config = measurement.model, measurement.config
    parts = [
        model.title,
        config.delegate if config.delegate != RunConfig.delegate else None,
        threads(config.num_threads),
        f"affinity {config.affinity}" if config.affinity else None,
    ]
    return printable(", ".join(filter(None, parts)))
