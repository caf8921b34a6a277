"""`mobilekit benchmark`: .tflite files measured on a device."""

from __future__ import annotations

import argparse
import functools
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli import modes, own_inputs
from mobilekit.cli.options import add_adb_server, add_json
from mobilekit.core.measurement import RunConfig

if TYPE_CHECKING:
    from mobilekit.core.measurement import Measurement
    from mobilekit.recommendation import Recommendation

EXAMPLES = """\
  mobilekit benchmark net.tflite
  mobilekit benchmark float.tflite int8.tflite --num-threads 1,2 --repetitions 12
  mobilekit benchmark net.tflite --runner native --option fp16=true
  mobilekit benchmark net.tflite --input photographs.npy
  mobilekit benchmark net.tflite --runner native --load other.tflite --profile
  mobilekit benchmark net.tflite --runner native --sustained 30m
  mobilekit benchmark net.tflite --device pixel-7 --delegate nnapi --runner benchmark_model
  mobilekit benchmark net.tflite --num-threads 1,2,4 --recommend
  mobilekit benchmark net.tflite --runtime tflite-runtime --json
  mobilekit benchmark net.tflite --device ssh:pi@board --python /home/pi/venv/bin/python
  mobilekit benchmark net.tflite --runner native --device pixel-8 --device lab-7 --cooldown 5"""


MOST_COOL_LIMIT_S = 86_400.0
NUMBERS = {
    "warmup_runs": "invocations before those that count, at least",
    "num_runs": "invocations that count in each start, at least",
    "min_secs": "which last at least so long",
    "max_secs": "and at most so long",
    "repetitions": "blocks, in each of which every file is started once",
}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the files and how to measure them."""
    parser.add_argument("models", type=Path, nargs="+", metavar="model", help=".tflite files")
    parser.add_argument(
        "--device",
        action="append",
        help="where: host (this computer, the default), adb, a phone's serial or label, or"
        " ssh:user@board; give it several times to measure side by side",
    )
    add_adb_server(parser)
    parser.add_argument(
        "--delegate",
        default=RunConfig.delegate,
        help="one or several, as in xnnpack,gpu-mldrift (default %(default)s)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the delegate, as in fp16=true (repeatable)",
    )
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=D,D,D",
        help="of an input whose shape is not fixed, as in image=1,192,192,3 (repeatable)",
    )
    own_inputs.add_arguments(parser)
    parser.add_argument(
        "--num-threads", default="1", help="one or several, as in 1,2,4 (default %(default)s)"
    )
    for name, what in NUMBERS.items():
        default = getattr(RunConfig, name)
        parser.add_argument(
            _option(name),
            type=int if isinstance(default, int) else float,
            default=None if name == "repetitions" else default,
            metavar="N" if isinstance(default, int) else "SECS",
            help=f"{what} (default {default:g}{', 1 with --sustained' * (name == 'repetitions')})",
        )
    parser.add_argument(
        "--affinity", help="processors: big, little or a mask such as 0xf0; several with commas"
    )
    parser.add_argument(
        "--require-delegate",
        action="store_true",
        help="a node that the delegate does not take is an error",
    )
    modes.add_arguments(parser)
    parser.add_argument(
        "--runner",
        help="litert_python, native, benchmark_model or benchmark_litert_model (default by device:"
        " native on phones, litert_python elsewhere)",
    )
    parser.add_argument(
        "--runner-binary",
        type=Path,
        metavar="PATH",
        help="the runner's program (default: what `make runner` built, or the cache has)",
    )
    parser.add_argument(
        "--runner-library",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="file or folder that a GPU's or an NPU's delegate needs (repeatable)",
    )
    parser.add_argument("--runtime", help="ai-edge-litert (default) or tflite-runtime")
    parser.add_argument(
        "--python",
        type=Path,
        metavar="PATH",
        help="the interpreter on the device that has the runtime (elsewhere than here: python3)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results"), help="folder of the results (default results)"
    )
    parser.add_argument(
        "--cool-to",
        default=RunConfig.cooling,
        metavar="C",
        help="what is waited for before each start: idle (2 °C above the device's own recorded"
        " idle, the default), a temperature in °C, or none",
    )
    parser.add_argument(
        "--cooldown",
        type=float,
        default=RunConfig.cooldown_s,
        metavar="SECS",
        help="a pause before each start (default %(default)g)",
    )
    parser.add_argument(
        "--cool-limit",
        type=float,
        metavar="SECS",
        help="the longest such wait for a temperature (default 300); past it, a result is suspect",
    )
    parser.add_argument("--again", action="store_true", help="measure anew what was measured")
    parser.add_argument(
        "--recommend",
        action="store_true",
        help="name the best of the settings for each file, after measuring it again",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Measures, then prints the table and every later file against the first."""
    from android_bench.unfinished import UnfinishedError
    from mobilekit.benchmarking import benchmark_files
    from mobilekit.cli import recommending
    from mobilekit.cli.progress import StartsBar
    from mobilekit.core.errors import MobileKitError

    configs = _configs(args)
    modes.check(args, configs)
    if args.recommend:
        recommending.must_choose(configs)
    found: list[Recommendation] = []
    failure: MobileKitError | None = None  # told after what was measured
    with StartsBar() as bars:
        devices = _devices(args)
        measure = functools.partial(
            benchmark_files,
            results=args.out,
            runner=args.runner,
            runner_binary=args.runner_binary,
            runner_libraries=args.runner_library,
            runtime=args.runtime,
            python=args.python,
            progress=bars,
            progress_of=bars.of,
            again=args.again,
            cool_limit_s=_cool_limit(args),
            load=args.load,
            inputs=args.input,
        )
        try:
            command = shlex.join(_command(args, devices))
            measurements = measure(args.models, device=devices, configs=configs, command=command)
        except UnfinishedError as error:
            measurements, failure = list(error.measurements), error
        if args.recommend:
            again = functools.partial(_measure_again, args, measure)
            found, lost = recommending.recommendations(args.models, measurements, devices, again)
            failure = failure or lost
    if measurements or failure is None:
        # Profiles are printed together with what was measured, where they are made.
        _show(args, measurements, found, later=args.profile and failure is None)
    if failure is not None:
        raise failure
    if args.profile:
        modes.profile(args, configs, measurements)
    recommending.must_have_recommended(found)


def _measure_again(
    args: argparse.Namespace,
    measure: Callable[..., list[Measurement]],
    models: Sequence[Path],
    *,
    device: str,
    configs: Sequence[RunConfig],
    label: str,
) -> list[Measurement]:
    """The second session of one device: its command must not name the others, which stay secret."""
    command = shlex.join(_command(args, [device]))
    return measure(models, device=device, configs=configs, label=label, command=command)


def _show(
    args: argparse.Namespace,
    measurements: list[Measurement],
    found: list[Recommendation],
    *,
    later: bool,
) -> None:
    from mobilekit.cli.output import print_json
    from mobilekit.cli.recommending import print_recommendations

    if args.json and args.recommend:
        recommended = [recommendation.document() for recommendation in found]
        print_json({"measurements": measurements, "recommendations": recommended})
    elif args.json and args.profile and not later:
        print_json({"measurements": measurements, "profiles": []})
    elif args.json and not later:
        print_json(measurements)
    elif not args.json:
        _print(measurements)
        if found:
            print_recommendations(found)


def _devices(args: argparse.Namespace) -> list[str]:
    return list(args.device or ["host"])


def _cool_limit(args: argparse.Namespace) -> float | None:
    from mobilekit.core.errors import UsageError

    limit: float | None = args.cool_limit
    if limit is not None and not 0 <= limit <= MOST_COOL_LIMIT_S:
        raise UsageError(f"--cool-limit is 0..{MOST_COOL_LIMIT_S:g} seconds, not {limit:g}.")
    return limit


def _configs(args: argparse.Namespace) -> list[RunConfig]:
    from mobilekit.core.errors import UsageError
    from mobilekit.core.target import Target, check_options

    options, shapes = _pairs("--option", args.option), _pairs("--shape", args.shape)
    delegates = [str(Target.parse(name)) for name in args.delegate.split(",")]
    for delegate in delegates:
        check_options(delegate, options)
    try:
        counts = [int(threads) for threads in args.num_threads.split(",")]
    except ValueError:
        raise UsageError(
            f"--num-threads takes whole numbers with commas between, not {args.num_threads!r}."
        ) from None
    names = (*NUMBERS, "require_delegate", "paced_fps", "sustained_s")
    same = {name: getattr(args, name) for name in names} | {"repetitions": _repetitions(args)}
    same |= {"input_range": args.input_range, "signature": args.signature}
    same |= {"cooling": args.cool_to, "cooldown_s": args.cooldown}
    try:
        return [
            RunConfig(
                delegate=delegate,
                options=options,
                shapes=shapes,
                num_threads=threads,
                affinity=affinity,
                **same,
            )
            for delegate in delegates
            for threads in counts
            for affinity in (args.affinity.split(",") if args.affinity else [None])
        ]
    except ValueError as error:
        raise UsageError(f"This cannot be measured: {error}.") from error


def _repetitions(args: argparse.Namespace) -> int:
    """As asked for; one long run shows its curve by itself."""
    if args.repetitions is not None:
        return int(args.repetitions)
    return RunConfig.repetitions if args.sustained_s is None else 1


def _pairs(flag: str, words: list[str]) -> dict[str, str]:
    """NAME=VALUE words by their names; raises UsageError for others, and for a name twice."""
    from mobilekit.core.errors import UsageError

    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.rpartition("=") if flag == "--shape" else word.partition("=")
        if not name or not equals or not value:
            raise UsageError(f"{flag} takes NAME=VALUE, not {word!r}.")
        if name in pairs:
            raise UsageError(f"{flag} names {name!r} twice.")
        pairs[name] = value
    return pairs


def _command(args: argparse.Namespace, devices: Sequence[str]) -> list[str]:
    words = ["mobilekit", "benchmark", *map(str, args.models)]
    words += [word for device in devices for word in ("--device", device)]
    words += ["--delegate", args.delegate, "--num-threads", args.num_threads]
    for name in NUMBERS:
        value = _repetitions(args) if name == "repetitions" else getattr(args, name)
        words += [_option(name), str(value)]
    words += [word for option in args.option for word in ("--option", option)]
    words += [word for shape in args.shape for word in ("--shape", shape)]
    words += own_inputs.words(args)
    words += ["--affinity", args.affinity] if args.affinity else []
    words += ["--require-delegate"] if args.require_delegate else []
    words += ["--cool-to", args.cool_to] if args.cool_to != RunConfig.cooling else []
    words += ["--cooldown", f"{args.cooldown:g}"] if args.cooldown else []
    words += [] if args.cool_limit is None else ["--cool-limit", f"{args.cool_limit:g}"]
    words += modes.words(args)
    words += ["--recommend"] if args.recommend else []
    for name in ("runner", "runner_binary", "runtime", "python"):
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value else []
    words += [word for path in args.runner_library for word in ("--runner-library", str(path))]
    return [*words, "--out", str(args.out)]


def _print(measurements: list[Measurement]) -> None:
    from mobilekit.cli.output import print_notes, print_table
    from mobilekit.report import Results, rows, terminal_table
    from mobilekit.report.caveats import about_caches, about_devices, about_validation

    shown = rows(Results(measurements=tuple(measurements), accuracies={}, models={}))
    table = terminal_table(shown)
    print(table.title)
    print_table(table.headers, table.rows)
    modes.print_curves(measurements)
    print_notes(_against_baselines(measurements))
    devices: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        devices.setdefault(measurement.device.serial_hash, []).append(measurement)
    for own in devices.values():  # never across devices: that would compare the devices
        _print_comparisons(own, named=len(devices) > 1)
    about = about_devices([own[0].device for own in devices.values()])
    notes = [*modes.notes(measurements), *table.notes, *about_caches(shown), *about]
    print_notes([*notes, *about_validation(measurements)])


def _print_comparisons(measurements: list[Measurement], *, named: bool) -> None:
    """Every later file of one device against its first, under the same settings."""
    from mobilekit.cli.output import print_notes
    from mobilekit.compare import compare_measurements
    from mobilekit.core.errors import IncomparableError
    from mobilekit.report import sentences

    before = f"{measurements[0].device.label}: " if named else ""
    for candidate in measurements:
        baseline = next(m for m in measurements if m.config == candidate.config)
        if baseline is candidate:
            continue
        try:
            found = sentences(compare_measurements(baseline, candidate))
        except IncomparableError as error:
            found = [str(error)]
        print_notes([f"{before}{sentence}" for sentence in found])


def _against_baselines(measurements: list[Measurement]) -> list[str]:
    """Delegates that only one runner has, against the CPU that was measured with them."""
    from android_bench.runners.choosing import baseline_of
    from mobilekit.compare import compare_measurements
    from mobilekit.core.errors import IncomparableError
    from mobilekit.report import sentences

    notes = []
    for candidate in measurements:
        baseline = baseline_of(candidate, measurements)
        if baseline is None:
            continue
        delegate, runner = candidate.config.delegate, candidate.runs[0].runner.name
        notes.append(
            f"Of the runners, {runner} alone applies {delegate}, so it measured the CPU too: that"
            " is what this delegate is compared with."
        )
        try:
            notes += sentences(compare_measurements(baseline, candidate))
        except IncomparableError as error:
            notes.append(str(error))
    return list(dict.fromkeys(notes))
