"""The rule that chooses methods by itself: noise is measured, photographs are held out.

Combinations are tried from the plainest on. One takes the place of the best so far only if its
gain on photographs that it did not see exceeds one standard error of the gain over the folds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from converters.methods import (
    BIAS_CORRECTION,
    EQUALIZE,
    GPTQ,
    MSE,
    PERCENTILE,
    combination,
    spelled,
)
from converters.methods.apply import Material, Recalibrate, apply, score_db
from converters.methods.noise import measure_noise
from mobilekit.core.choice import Choice, Noise, Trial
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.quiet import quiet_stderr
from mobilekit.core.recipe import AUTO, MINMAX, Effort, Granularity, Recipe

FOLDS = {Effort.FAST: 3, Effort.HIGH: 4}
LEAST_PHOTOGRAPHS = 8  # two a fold; fewer leave nothing to hold out
MOST_PHOTOGRAPHS = {Effort.FAST: 16, Effort.HIGH: 20}  # more gave nothing clear, and cost time
NOISE_PHOTOGRAPHS = 8
SEED = 0  # of which photograph is in which fold

Say = Callable[[str], None]
Methods = tuple[str, ...]
Step = Callable[[Methods], Methods | None]  # from the best so far to what is tried


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A file with the reasons for it."""

    content: bytes
    choice: Choice


def improve(
    content: bytes,
    recipe: Recipe,
    preprocessing: Preprocessing | None,
    photographs: Sequence[np.ndarray],
    *,
    recalibrate: Recalibrate,
    say: Say,
    layers: Sequence[str] = (),
) -> Chosen:
    """Makes the int8 file of `recipe` by the methods it names, or by those that the rule chooses.

    Args:
        content: The float file.
        recipe: A static int8 recipe.
        preprocessing: What the input expects.
        photographs: Preprocessed.
        recalibrate: Gives true ranges of a float file over all calibration photographs.
        say: Told what was seen and chosen.
        layers: Keras layers of the file, which the recipe's rules may name.

    Raises:
        UsageError: If the recipe names methods that do not exist or do not go together.
        ConversionError: If a step fails.
    """
    if recipe.method == AUTO:
        return choose(
            content,
            recipe,
            preprocessing,
            photographs,
            recalibrate=recalibrate,
            say=say,
            layers=layers,
        )
    methods = combination(recipe.method.split("+"))
    material = Material.of(content, recipe, preprocessing, photographs, layers)
    made = apply(material, methods, recalibrate=recalibrate)
    choice = Choice(methods=spelled(methods), reason="asked for", photographs=len(material.inputs))
    return Chosen(content=made.content, choice=choice)


def choose(
    content: bytes,
    recipe: Recipe,
    preprocessing: Preprocessing | None,
    photographs: Sequence[np.ndarray],
    *,
    recalibrate: Recalibrate,
    say: Say,
    layers: Sequence[str] = (),
) -> Chosen:
    """Makes the int8 file of `recipe` by the methods that its effort allows and that help.

    Args:
        content: The float file.
        recipe: A static int8 recipe with an effort.
        preprocessing: What the input expects.
        photographs: Preprocessed; MOST_PHOTOGRAPHS of them are looked at.
        recalibrate: Gives true ranges of a float file over all calibration photographs.
        say: Told what was seen and chosen.
        layers: Keras layers of the file, which the recipe's rules may name.

    Raises:
        ConversionError: If a step fails.
    """
    photographs = _spread_out(photographs, MOST_PHOTOGRAPHS[recipe.effort])
    material = Material.of(content, recipe, preprocessing, photographs, layers)
    if len(photographs) < LEAST_PHOTOGRAPHS:
        made = apply(material, (MINMAX,), recalibrate=recalibrate)
        reason = (
            f"{len(photographs)} photographs are too few to hold some out; give"
            f" {LEAST_PHOTOGRAPHS} or more"
        )
        say(f"methods: {MINMAX}, since {reason}")
        choice = Choice(methods=MINMAX, reason=reason, photographs=len(photographs))
        return Chosen(content=made.content, choice=choice)
    noise = _noise(material, say)
    trials = _Trials(material, FOLDS[recipe.effort], say)
    best = trials.climb(_ladder(material, noise, recipe.effort))
    made = apply(material, best, recalibrate=recalibrate)
    reason = f"judged on held-out photographs, {FOLDS[recipe.effort]} folds of {len(photographs)}"
    say(f"methods: {spelled(best)}, {reason}")
    choice = Choice(
        methods=spelled(best),
        reason=reason,
        photographs=len(photographs),
        noise=noise,
        trials=tuple(trials.done),
    )
    return Chosen(content=made.content, choice=choice)


def _ladder(material: Material, noise: Noise, effort: Effort) -> Iterator[Step]:
    """Steps to try in order; each sees the best of those before, and may leave itself out."""
    corrected = combination([BIAS_CORRECTION])
    equalized = combination([EQUALIZE, BIAS_CORRECTION])
    high = effort is Effort.HIGH
    per_tensor = material.recipe.granularity is Granularity.PER_TENSOR
    if noise.is_of_activations or per_tensor:
        # Clipping takes steps from outliers, equalization the outliers themselves.
        yield lambda _: equalized
        yield lambda best: corrected if best != equalized else None
    else:
        yield lambda _: corrected
        yield lambda _: equalized if high else None
    if noise.is_of_activations:
        yield lambda best: combination([PERCENTILE]) if high or best == (MINMAX,) else None
        yield lambda _: combination([MSE]) if high else None
    if high:
        yield lambda best: combination([*best, GPTQ])


class _Trials:
    """Combinations judged fold by fold."""

    def __init__(self, material: Material, folds: int, say: Say) -> None:
        self._say = say
        order = np.random.default_rng(SEED).permutation(len(material.inputs)).tolist()
        held = [sorted(order[fold::folds]) for fold in range(folds)]
        everything = range(len(material.inputs))
        self._folds = [
            (material.some([i for i in everything if i not in out]), material.some(out))
            for out in held
        ]
        self.done: list[Trial] = []

    def climb(self, steps: Iterator[Step]) -> Methods:
        """Tries the steps in order; returns the combination that stands at the end."""
        best: Methods = (MINMAX,)
        standing = self._scores(best)
        self.done.append(_trial(best, standing, None))
        for step in steps:
            tried = step(best)
            if tried is None:
                continue
            scores = self._scores(tried)
            trial = _trial(tried, scores, standing)
            self.done.append(trial)
            self._tell(trial)
            if trial.chosen:
                best, standing = tried, scores
        return best

    def _scores(self, methods: Methods) -> list[float]:
        return [
            score_db(apply(seen, methods, held_out=out).content, out) for seen, out in self._folds
        ]

    def _tell(self, trial: Trial) -> None:
        verdict = "better" if trial.chosen else "not better"
        self._say(
            f"methods: {trial.methods} {statistics.fmean(trial.folds_db):.1f} dB on held-out"
            f" photographs, {trial.gain_db:+.1f} ± {trial.error_db:.1f}: {verdict}"
        )


def _trial(methods: Methods, scores: list[float], before: list[float] | None) -> Trial:
    gain = error = None
    if before is not None:
        gains = [a - b for a, b in zip(scores, before, strict=True)]
        gain = statistics.fmean(gains)
        error = statistics.stdev(gains) / math.sqrt(len(gains))
    return Trial(
        methods=spelled(methods),
        folds_db=tuple(scores),
        gain_db=gain,
        error_db=error,
        chosen=gain is None or (error is not None and gain > error),
    )


def _noise(material: Material, say: Say) -> Noise:
    some = material.some(range(min(NOISE_PHOTOGRAPHS, len(material.inputs))))
    made = apply(material, (MINMAX,))
    with quiet_stderr():
        noise = measure_noise(made.base, made.content, some.inputs, some.seen)
    parts = [
        f"{kind} alone {'no noise' if db is None else f'{db:.1f} dB'}"
        for kind, db in (("weights", noise.weights_db), ("activations", noise.activations_db))
    ]
    worst = ", ".join(f"{each.kind} {each.name[:40]!r}" for each in noise.tensors[:2])
    say(f"methods: {' and '.join(parts)}; most noise: {worst or 'nowhere'}")
    return noise


def _spread_out(photographs: Sequence[np.ndarray], most: int) -> list[np.ndarray]:
    """At most `most` of them, evenly over the whole."""
    count = min(len(photographs), most)
    return [photographs[i * len(photographs) // count] for i in range(count)]
