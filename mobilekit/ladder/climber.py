"""One climb: files are made rung by rung and judged, until one is shown to keep to the budget."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from converters.sensitivity import Sensitivity, float_layers, measure_sensitivity
from mobilekit.conversion import Conversion, ConvertedFile, Network, Say
from mobilekit.core.errors import ConversionError
from mobilekit.core.recipe import MINMAX, LayerArithmetic, LayerRule, Recipe
from mobilekit.formatting import plural
from mobilekit.images import ImageSet
from mobilekit.intervals import ALPHA
from mobilekit.ladder.judging import Judge
from mobilekit.ladder.parts import Parts
from mobilekit.ladder.records import Budget, Reached, Verdict
from mobilekit.ladder.rungs import Options, Rung, wanted_rungs
from mobilekit.ladder.training import Training

SENSITIVITY_SAMPLES = 8  # every tensor of the network runs all of them
FLOAT = "float32"


class Climber:
    """Climbs for one network.

    Args:
        network: What to convert.
        parts: What files are made from, and what they are judged on.
        labels: Class of each judged picture by name; None judges by agreement.
        budget: What a file may lose.
        options: What may be tried.
        folder: Where files go.
        say: Told in sentences what is done.
    """

    def __init__(
        self,
        network: Network,
        parts: Parts,
        labels: Mapping[str, int] | None,
        budget: Budget,
        options: Options,
        folder: Path,
        say: Say,
    ) -> None:
        self.conversion = Conversion(network, parts.calibration, folder, say)
        self.rungs = wanted_rungs(options)
        # Each rung may be the one that is taken, so that all of them share the chance of an error.
        self.error = ALPHA / len(self.rungs)
        self._parts, self._labels, self._budget = parts, labels, budget
        self._options, self._say = options, say
        self.files: dict[str, ConvertedFile] = {}

    def climb(self) -> Iterator[Reached]:
        """The float file, then every rung until one holds.

        Raises:
            UsageError: If the images are not what the network takes.
            ConversionError: If there is no float file of one input and one output of scores.
            StorageError: If a file cannot be written.
        """
        began = time.monotonic()
        made = self.conversion.float_file()
        itself = self._judge.verdict(made.path.read_bytes(), self._budget)
        if itself.bound > self._budget.max_drop:
            self._say(
                f"warning: {itself.images} images cannot show that a file loses at most"
                f" {self._budget.max_drop:g} points, even if it loses none of them"
            )
        yield self._reached(FLOAT, made, itself, began)
        for rung in self.rungs:
            reached = self._climbed(rung)
            yield reached
            if reached.verdict is not None and reached.verdict.holds:
                return

    @cached_property
    def _judge(self) -> Judge:
        content = self.conversion.float_file().path.read_bytes()
        self._say(f"asking {FLOAT} about the images to judge on")
        judged = self._parts.judged
        judge = Judge(
            lambda: self.conversion.named_inputs(judged), self._labels, content, self.error
        )
        if isinstance(judged, ImageSet) and judge.images < len(judged.paths):
            unread = plural(len(judged.paths) - judge.images, "picture")
            self._say(f"warning: {unread} of {judged.folder} cannot be read, and judge nothing")
        return judge

    def _climbed(self, rung: Rung) -> Reached:
        began = time.monotonic()
        try:
            made = rung.make(self)
            same = [name for name, file in self.files.items() if _equal(file, made)]
            if same:
                raise ConversionError(f"The file is that of {same[0]}.")
            verdict = self._judge.verdict(made.path.read_bytes(), self._budget)
        except ConversionError as error:  # this way is closed; the next may be open
            self._say(f"{rung.name}: {error}")
            return Reached(
                rung=rung.name,
                recipe=None,
                methods=None,
                kept_float=(),
                size_bytes=None,
                sha256=None,
                verdict=None,
                seconds=time.monotonic() - began,
                problem=str(error),
            )
        return self._reached(rung.name, made, verdict, began)

    def _reached(self, rung: str, made: ConvertedFile, verdict: Verdict, began: float) -> Reached:
        self.files[rung] = made
        self._say(
            f"{rung}: {verdict.right} of {verdict.images} ({verdict.measure}), lost"
            f" {verdict.drop:.2f} points, shown to be below {verdict.bound:.2f}"
        )
        rules = made.recipe.rules
        return Reached(
            rung=rung,
            recipe=made.recipe.name,
            methods=made.model.choice.methods if made.model.choice else None,
            kept_float=tuple(r.pattern for r in rules if r.arithmetic is LayerArithmetic.FLOAT),
            size_bytes=made.model.size_bytes,
            sha256=made.model.sha256,
            verdict=verdict,
            seconds=time.monotonic() - began,
        )

    # What rungs ask.

    @property
    def methods(self) -> str:
        """What the last rung that chose methods took."""
        choices = [file.model.choice for file in self.files.values() if file.model.choice]
        return choices[-1].methods if choices else MINMAX

    def float_rules(self, share: float) -> tuple[LayerRule, ...]:
        """Rules that keep the layers float which `share` of the int8 file's error is from."""
        content = self.conversion.float_file().path.read_bytes()
        kept = float_layers(content, self._sensitivities, share, self.conversion.layers())
        self._say(
            f"{plural(len(kept.rules), 'layer')} kept float should take {kept.share:.0%} of the"
            " error away"
        )
        return kept.rules

    @cached_property
    def _sensitivities(self) -> tuple[Sensitivity, ...]:
        if "minmax" not in self.files:
            raise ConversionError("There is no int8 file to measure the errors of.")
        self._say("measuring what rounding each tensor alone costs")
        some = self._parts.calibration.spread(SENSITIVITY_SAMPLES)
        return measure_sensitivity(
            self.conversion.float_file().path.read_bytes(),
            self.files["minmax"].path.read_bytes(),
            [values for _, values in self.conversion.named_inputs(some)],
        )

    def train(self, recipe: Recipe) -> bytes:
        """The file of a trained network; only where training is allowed."""
        trainer, labels, training = self._options.trainer, self._labels, self._parts.training
        assert trainer is not None  # else the rung is not wanted
        assert labels is not None
        assert training is not None

        def labelled() -> Iterator[tuple[np.ndarray, int]]:
            for name, values in self.conversion.named_inputs(training):
                yield values, labels[name]

        return trainer(
            Training(
                build=self.conversion.network.build,
                labelled=labelled,
                calibration=lambda: (
                    values for _, values in self.conversion.named_inputs(self._parts.calibration)
                ),
                preprocessing=self.conversion.network.preprocessing,
                recipe=recipe,
                say=self._say,
            )
        )


def _equal(one: ConvertedFile, other: ConvertedFile) -> bool:
    return one.model.sha256 == other.model.sha256
