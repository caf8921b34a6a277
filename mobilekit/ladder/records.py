"""What a climb is asked and what it found: the document of `convert --recipe auto --json`."""

from __future__ import annotations

from dataclasses import dataclass

from mobilekit.core.errors import UsageError

TOP1, AGREEMENT = "top-1", "agreement"
# Without labels: noise of a hundredth of the signal's power at the logits of a typical image.
LEAST_SNR_DB = 20.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a file may lose.

    Attributes:
        max_drop: Points (of 100) of top-1 below the float model's; without labels, of first
            answers that differ from it, which is the most that top-1 can have lost.
        min_snr_db: Least SNR at the logits of the median image; None asks for none.
    """

    max_drop: float
    min_snr_db: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.max_drop < 100:
            raise UsageError(
                f"--max-drop takes points above 0 and below 100, such as 0.5; not {self.max_drop:g}"
                " (no number of images can show that nothing at all is lost)."
            )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A file beside the float model, on images that nothing was made from.

    Attributes:
        measure: "top-1" with labels, else "agreement".
        images: How many were judged.
        right: Of those, right answers; of agreement, answers that are the float model's.
        lost: Images that the float model has right and the file has not.
        gained: The other way round; 0 of agreement.
        drop: Points (of 100) of `measure` that were lost on these images.
        bound: What the drop is below but for the chance `error` of its rung, points.
        snr_db: SNR at the logits over all images; None where all answers are equal.
        median_snr_db: Of the images; None where the median image has no error.
        snr_bound_db: What that median is above but for the chance `error`; None with too few
            images to bound it, or where it is infinite.
        holds: Whether the budget is shown to hold.
    """

    measure: str
    images: int
    right: int
    lost: int
    gained: int
    drop: float
    bound: float
    snr_db: float | None
    median_snr_db: float | None
    snr_bound_db: float | None
    holds: bool


@dataclass(frozen=True, kw_only=True)
class RungLatency:
    """A file's time on one device, all files of the climb in one session.

    Attributes:
        device: Its label.
        simulated: Whether a simulation ran it.
        median_us: Median over starts of their medians, microseconds; None if none went well.
        low_us: Lower end of its interval; None with too few starts.
        high_us: Upper end.
        validity: "valid", "suspect" or "invalid".
        reasons: Why.
    """

    device: str
    simulated: bool
    median_us: float | None
    low_us: float | None
    high_us: float | None
    validity: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """One rung that was climbed.

    Attributes:
        rung: A row of `mobilekit.ladder.rungs.RUNGS`; "float32" for what all are held against.
        recipe: Name of the recipe; None where no file could be made.
        methods: What made the file more accurate, e.g. "equalize+bias_correction"; None where
            nothing was chosen.
        kept_float: Layers that were kept float by name.
        size_bytes: Of the file.
        sha256: Of the file.
        verdict: What was found; None where no file could be made.
        seconds: That making and judging took.
        latencies: One a device, as far as it was measured.
        problem: Why there is no file, a sentence; None where there is one.
    """

    rung: str
    recipe: str | None
    methods: str | None
    kept_float: tuple[str, ...]
    size_bytes: int | None
    sha256: str | None
    verdict: Verdict | None
    seconds: float
    latencies: tuple[RungLatency, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Climb:
    """A whole climb.

    Attributes:
        budget: What was allowed.
        images: How many were judged.
        error: The chance that each rung's bound may be wrong by; over all rungs ALPHA at most.
        rungs: The float file, then the rungs in order; those after the first that holds were not
            climbed.
        chosen: The rung whose file was written; None where none is shown to hold.
        wanted_images: About how many images could show that the best rung holds, if it went on
            losing as it does; None where one holds, or no number could.
        unmeasured: Why latencies are missing, a sentence; None where none are.
    """

    budget: Budget
    images: int
    error: float
    rungs: tuple[Reached, ...]
    chosen: str | None
    wanted_images: int | None
    unmeasured: str | None = None

    @property
    def sentence(self) -> str:
        """The outcome."""
        if self.chosen is not None:
            return f"{self.asked} is shown of {self.chosen}, on {self.images} images."
        best = self.best
        if best is None or best.verdict is None:
            return f"{self.asked} cannot be kept to: no rung gave a file."
        return (
            f"{self.asked} cannot be shown with {self.images} images:"
            f" {self._best_of(best.rung, best.verdict)}."
        )

    @property
    def asked(self) -> str:
        """The budget in words."""
        verdict = self.rungs[0].verdict
        of = verdict.measure if verdict else TOP1
        snr_db = self.budget.min_snr_db
        also = "" if snr_db is None else f" and a median SNR of at least {snr_db:g} dB"
        return f"A loss of at most {self.budget.max_drop:g} points of {of}{also}"

    def _best_of(self, rung: str, verdict: Verdict) -> str:
        if verdict.bound <= self.budget.max_drop:  # so that it is the noise which is too much
            shown = verdict.snr_bound_db
            above = "nothing" if shown is None else f"to be above {shown:.1f} dB"
            return f"the loss of {rung} is shown, of its SNR {above}"
        lost = f"{rung}, the best, lost {verdict.drop:.2f} points"
        if self.wanted_images is None:
            return f"{lost}, and no number of images would show it if that goes on"
        return f"{lost}, and if that goes on about {self.wanted_images:,} images would show it"

    @property
    def best(self) -> Reached | None:
        """The rung with the lowest bound; None where none gave a file."""
        judged = [(each.verdict.bound, each) for each in self.rungs[1:] if each.verdict]
        return min(judged, key=lambda pair: pair[0])[1] if judged else None
