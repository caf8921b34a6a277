"""`--recommend`: after a sweep, the best setting of a file, measured again before it is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilekit.core.errors import Finding, UsageError
from mobilekit.core.measurement import Measurement, RunConfig

if TYPE_CHECKING:
    from mobilekit.recommendation import Recommendation

LABEL = "again"  # of the second session, whose cells are not those of the sweep
# Measures one file under these settings on the device of the sweep.
MeasureAgain = Callable[[Path, Sequence[RunConfig]], Sequence[Measurement]]


def must_choose(configs: Sequence[RunConfig]) -> None:
    """Refuses a sweep of one setting; raises UsageError."""
    if len(configs) < 2:
        raise UsageError(
            "--recommend chooses between settings, and there is one: name several, as in"
            " --num-threads 1,2,4 or --delegate xnnpack,gpu-mldrift."
        )


def recommendations(
    models: Sequence[Path],
    measurements: Sequence[Measurement],
    measure_again: MeasureAgain,
) -> list[Recommendation]:
    """One for each file, in their order; `measurements` are all of one device.

    Raises:
        MobileKitError: What measuring raises.
    """
    from mobilekit.core.digest import sha256_file
    from mobilekit.recommendation import recommend_setting

    found = []
    for path in models:
        sha256 = sha256_file(path)
        sweep = [m for m in measurements if m.model.sha256 == sha256]

        def again(settings: Sequence[RunConfig], path: Path = path) -> Sequence[Measurement]:
            return measure_again(path, settings)

        if sweep:
            found.append(recommend_setting(sweep, again))
    return found


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
