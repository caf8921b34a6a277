"""`--recommend`: after a sweep, the best setting of a file, measured again before it is named."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mobilekit.core.errors import Finding, MobileKitError, UsageError
from mobilekit.core.measurement import Measurement, RunConfig
from mobilekit.formatting import plural

if TYPE_CHECKING:
    from mobilekit.recommendation import Recommendation

LABEL = "again"  # of the second session, whose cells are not those of the sweep


class Measure(Protocol):
    """Measures files under settings on one device, in a session of its own."""

    def __call__(
        self, models: Sequence[Path], *, device: str, configs: Sequence[RunConfig], label: str
    ) -> Sequence[Measurement]:
        """One measurement a setting, in their order."""


def must_choose(configs: Sequence[RunConfig]) -> None:
    """Refuses a sweep that could recommend nothing; raises UsageError."""
    from mobilekit.intervals import LEAST_SIGNS

    if len(configs) < 2:
        raise UsageError(
            "--recommend chooses between settings, and there is one: name several, as in"
            " --num-threads 1,2,4 or --delegate xnnpack,gpu-mldrift."
        )
    if any(config.sustained_s is not None for config in configs):
        raise UsageError(
            "--recommend and --sustained do not go together: settings are compared by many short"
            " starts; sustain the setting that is recommended."
        )
    repetitions = min(config.repetitions for config in configs)
    if repetitions < LEAST_SIGNS:
        raise UsageError(
            f"--recommend cannot tell settings apart by {plural(repetitions, 'start')} of each;"
            f" give --repetitions {LEAST_SIGNS} or more."
        )


def recommendations(
    models: Sequence[Path],
    measurements: Sequence[Measurement],
    devices: Sequence[str],
    measure: Measure,
) -> tuple[list[Recommendation], MobileKitError | None]:
    """One for each device and file, in their order, as far as they were measured.

    What fails for one of them stops no other; the first failure is given back.
    """
    found: list[Recommendation] = []
    failure: MobileKitError | None = None
    for name in devices:
        try:
            own = _of_device(name, devices, measurements)
        except MobileKitError as error:
            failure = failure or error
            continue
        for path in models:
            try:
                found += _of_file(path, own, functools.partial(_again, measure, path, name))
            except MobileKitError as error:
                failure = failure or error
    return found, failure


def _of_file(
    path: Path,
    measurements: Sequence[Measurement],
    again: Callable[[Sequence[RunConfig]], Sequence[Measurement]],
) -> list[Recommendation]:
    """What is recommended for a file on one device; nothing where it was not measured there."""
    from mobilekit.core.digest import sha256_file
    from mobilekit.recommendation import recommend_setting

    sha256 = sha256_file(path)
    sweep = [m for m in measurements if m.model.sha256 == sha256]
    return [recommend_setting(sweep, again)] if sweep else []


def _again(
    measure: Measure, path: Path, device: str, settings: Sequence[RunConfig]
) -> Sequence[Measurement]:
    return measure([path], device=device, configs=settings, label=LABEL)


def _of_device(
    name: str, devices: Sequence[str], measurements: Sequence[Measurement]
) -> list[Measurement]:
    """What was measured on the device that the user named so; raises MobileKitError."""
    from android_bench.devices import open_device

    if len(devices) == 1:
        return list(measurements)
    own = open_device(name).info().serial_hash
    return [m for m in measurements if m.device.serial_hash == own]


def print_recommendations(found: Sequence[Recommendation]) -> None:
    """The sentences, one list."""
    from mobilekit.cli.output import print_notes

    print("\nRecommended:")
    print_notes(sentence for recommendation in found for sentence in recommendation.sentences())


def must_have_recommended(found: Sequence[Recommendation]) -> None:
    """Raises a Finding where nothing can be recommended for a file."""
    missing = [recommendation for recommendation in found if recommendation.problem]
    if missing:
        raise Finding(
            "Nothing is recommended for "
            + "; ".join(f"{r.subject}: {r.problem}" for r in missing)
            + "."
        )
