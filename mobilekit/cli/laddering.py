"""`mobilekit convert --recipe auto`: the rescue ladder, rung by rung."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.cli.options import add_adb_server, preprocessing
from mobilekit.core.errors import Finding, UsageError

if TYPE_CHECKING:
    from mobilekit.ladder.records import Climb, Reached, RungLatency

AUTO_RECIPE = "auto"
# Options of the ladder, and of a recipe that is named, by their places in the parsed arguments.
LADDER_OPTIONS = (
    "max_drop",
    "min_snr",
    "images",
    "labels",
    "allow_int16",
    "allow_training",
    "device",
    "no_latency",
)
RECIPE_OPTIONS = ("keep_float", "int16", "method", "fold_preprocessing")
SHOWN_LAYERS = 5  # of those that are kept float; --json has all


def add_ladder(parser: argparse.ArgumentParser) -> None:
    """What `--recipe auto` takes; nothing of it has a default, so that what was given is known."""
    group = parser.add_argument_group(
        "ladder",
        "with --recipe auto: the plainest int8 file that is shown to keep to a budget",
    )
    group.add_argument(
        "--max-drop",
        type=float,
        metavar="POINTS",
        help="of top-1 below the float model's; without --labels, of first answers that differ",
    )
    group.add_argument(
        "--min-snr",
        type=float,
        metavar="DB",
        help="at the logits of the median image (default 20 without --labels)",
    )
    group.add_argument(
        "--images",
        type=Path,
        help="to judge on (default: every second calibration image, which then makes no file)",
    )
    group.add_argument("--labels", type=Path, help='lines of "<picture> <class index>"')
    group.add_argument(
        "--allow-int16",
        action="store_true",
        default=None,
        help="try int16 activations too; no delegate takes them",
    )
    group.add_argument(
        "--allow-training",
        action="store_true",
        default=None,
        help="train at last, on every second of the labelled --images, which then judges nothing",
    )
    group.add_argument(
        "--device",
        action="append",
        help="where the files are measured, may be given again (default host)",
    )
    group.add_argument("--no-latency", action="store_true", default=None, help="measure no latency")
    add_adb_server(parser)


def refuse_ladder_options(args: argparse.Namespace) -> None:
    """Refuses options that a named recipe would ignore; raises UsageError."""
    given = [name for name in LADDER_OPTIONS if getattr(args, name) is not None]
    if given:
        raise UsageError(f"{_option(given[0])} belongs to --recipe {AUTO_RECIPE}.")


def run_ladder(args: argparse.Namespace) -> None:
    """Climbs, prints every rung; raises a Finding if none is shown to hold."""
    from mobilekit.cli.output import print_json
    from mobilekit.cli.progress import StartsBar
    from mobilekit.core.records import to_json
    from mobilekit.ladder.aware import train_aware
    from mobilekit.ladder.climb import climb_ladder
    from mobilekit.ladder.rungs import Options

    _check(args)
    with StartsBar() as bar:
        climb = climb_ladder(
            args.model,
            args.output,
            max_drop=args.max_drop,
            calibration=args.calibration,
            images=args.images,
            labels=args.labels,
            min_snr_db=args.min_snr,
            preprocessing=preprocessing(args),
            options=Options(
                int16=bool(args.allow_int16),
                trainer=train_aware if args.allow_training else None,
            ),
            devices=() if args.no_latency else args.device or ("host",),
            say=bar.say,
            progress=bar,
        )
    if args.json:
        print_json({**to_json(climb), "sentence": climb.sentence})
    else:
        _print(climb)
    if climb.chosen is None:
        raise Finding(climb.sentence)
    if not args.json:
        print(f"{args.output}: {climb.sentence}")


def _check(args: argparse.Namespace) -> None:
    given = [name for name in RECIPE_OPTIONS if getattr(args, name)]
    if given:
        raise UsageError(
            f"{_option(given[0])} belongs to a recipe that is named; --recipe {AUTO_RECIPE} chooses"
            " itself."
        )
    if args.quantizer != "ours":
        raise UsageError(f"--recipe {AUTO_RECIPE} climbs with this kit's own quantizer alone.")
    for name, what in (("max_drop", "how much may be lost"), ("calibration", "what to look at")):
        if getattr(args, name) is None:
            raise UsageError(f"--recipe {AUTO_RECIPE} needs {_option(name)}: {what}.")
    if args.no_latency and args.device:
        raise UsageError("--no-latency and --device contradict each other; give one.")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _print(climb: Climb) -> None:
    from mobilekit.cli.output import print_notes, print_table
    from mobilekit.formatting import plural

    first = climb.rungs[0].verdict
    measure = first.measure if first else ""
    devices = [latency.device for latency in climb.rungs[0].latencies]
    headers = ["rung", measure, "lost", "shown <", "dB", *(f"ms {d}" for d in devices), "MB", "s"]
    rows = [[*_cells(each, devices), each.recipe or ""] for each in climb.rungs]
    print_table([*headers, "recipe"], rows)
    notes = [
        f"lost: points of {measure} below the float model's, on {plural(climb.images, 'image')}"
        " that no file was made from; dB: of the median image",
        f"each bound is wrong with a chance of {climb.error:.2%} at most, so that all together"
        " keep to 5 %",
        *(f"{each.rung}: {note}" for each in climb.rungs for note in _notes(each)),
        *_reasons(climb),
        *((climb.unmeasured,) if climb.unmeasured else ()),
    ]
    print_notes(notes)


def _cells(reached: Reached, devices: list[str]) -> Iterator[str]:
    """A row up to the recipe."""
    from mobilekit.formatting import MISSING, count_of, decibels, megabytes

    verdict = reached.verdict
    yield reached.rung
    yield count_of(verdict.right, verdict.images) if verdict else MISSING
    yield f"{verdict.drop:.2f}" if verdict else MISSING
    yield f"{verdict.bound:.2f}" if verdict else MISSING
    yield decibels(verdict.median_snr_db if verdict else None)
    known = {latency.device: latency for latency in reached.latencies}
    for device in devices:
        yield _latency(known[device]) if device in known else MISSING
    yield megabytes(reached.size_bytes)
    yield f"{reached.seconds:.1f}"


def _latency(latency: RungLatency) -> str:
    from mobilekit.formatting import MISSING
    from mobilekit.formatting import latency as shown

    if latency.median_us is None:
        return MISSING
    value, _ = shown(latency.median_us, latency.low_us, latency.high_us)
    words = (latency.validity * (latency.validity != "valid"), "simulated" * latency.simulated)
    return " ".join((value, *filter(None, words)))


def _notes(reached: Reached) -> Iterator[str]:
    """What a row has no room for."""
    if reached.problem:
        yield f"no file: {reached.problem}"
    if reached.methods:
        yield f"methods {reached.methods}"
    if reached.kept_float:
        shown = ", ".join(reached.kept_float[:SHOWN_LAYERS])
        more = len(reached.kept_float) - SHOWN_LAYERS
        yield f"float: {shown}{f' and {more} more' if more > 0 else ''}"


def _reasons(climb: Climb) -> Iterator[str]:
    """Why latencies are not valid, each reason once."""
    rungs: dict[str, list[str]] = {}
    for each in climb.rungs:
        for latency in each.latencies:
            for why in latency.reasons:
                rungs.setdefault(f"{latency.device} {latency.validity}: {why}", []).append(
                    each.rung
                )
    for why, names in rungs.items():
        yield f"{'all rungs' if len(names) == len(climb.rungs) else ', '.join(names)}: {why}"
