"""Plans: what to build, convert, evaluate and measure, read from a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from android_bench.devices import kind_of
from converters.recipes import parse_recipe
from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.measurement import RunConfig
from mobilekit.core.recipe import Effort
from mobilekit.core.records import RecordError, from_json
from mobilekit.core.target import DEFAULT_TARGET, DELEGATES, Target, check_options
from mobilekit.weights import find_source
from mobilekit.weights.locate import is_path

SCHEMA = 1
# What a baseline can be chosen by.
BASELINE_KEYS = ("recipe",)
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """One `[[models]]` table: an architecture with its options, or a file. Lists multiply."""

    architecture: str | None = None
    file: str | None = None
    alpha: float | tuple[float, ...] = 1.0
    input_size: int | tuple[int, ...] | None = None
    classes: int | None = None
    weights: str = "random"
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.architecture is None) == (self.file is None):
            raise ValueError("give either `architecture` or `file`")
        if self.file is None:
            return
        if not self.file.endswith((".keras", ".tflite")):
            raise ValueError(f"{self.file!r} is neither a .keras nor a .tflite file")
        options = ("alpha", "input_size", "classes", "weights", "seed", "options")
        for option in (row for row in fields(self) if row.name in options):
            default = {} if option.name == "options" else option.default
            if getattr(self, option.name) != default:
                raise ValueError(f"`{option.name}` is an option of `architecture`, not of `file`")


@dataclass(frozen=True, kw_only=True)
class ConvertPlan:
    """The `[convert]` table; a plan whose models are all .tflite files needs none."""

    recipes: tuple[str, ...] = ()
    target: str = DEFAULT_TARGET
    effort: Effort = Effort.FAST
    fold_preprocessing: bool = False


@dataclass(frozen=True, kw_only=True)
class ImagesPlan:
    """The `[calibration]` table; `count` None takes all pictures of the folder."""

    images: str
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """The `[evaluation]` table; without labels only agreement and SNR are taken."""

    images: str
    labels: str | None = None


@dataclass(frozen=True, kw_only=True)
class MeasurePlan:
    """One `[[measure]]` table. Lists multiply."""

    device: str = "host"
    delegate: str | tuple[str, ...] = RunConfig.delegate
    options: Mapping[str, str] = field(default_factory=dict)
    require_delegate: bool = False
    num_threads: int | tuple[int, ...] = RunConfig.num_threads
    affinity: str | tuple[str, ...] | None = None
    shapes: Mapping[str, str] = field(default_factory=dict)
    warmup_runs: int = RunConfig.warmup_runs
    num_runs: int = RunConfig.num_runs
    min_secs: float = RunConfig.min_secs
    max_secs: float = RunConfig.max_secs
    repetitions: int = RunConfig.repetitions
    cooling: str = RunConfig.cooling
    cooldown_s: float = RunConfig.cooldown_s
    paced_fps: float | None = None
    sustained_s: float | None = None

    def __post_init__(self) -> None:
        if not self.configs():  # which refuses numbers that cannot be
            raise ValueError("an empty list measures nothing")

    def configs(self) -> list[RunConfig]:
        """One config each combination of delegate, threads and affinity."""
        same = {f.name: getattr(self, f.name) for f in fields(RunConfig) if hasattr(self, f.name)}
        return [
            RunConfig(
                **{**same, "delegate": delegate, "num_threads": threads, "affinity": affinity}
            )
            for delegate in as_tuple(self.delegate)
            for threads in as_tuple(self.num_threads)
            for affinity in as_tuple(self.affinity)
        ]


@dataclass(frozen=True, kw_only=True)
class ComparePlan:
    """The `[compare]` table: what the others are compared with."""

    baseline: Mapping[str, str] = field(default_factory=lambda: {"recipe": "float32"})


@dataclass(frozen=True, kw_only=True)
class OutputPlan:
    """The `[output]` table."""

    dir: str = "results"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole plan, its paths relative to the current folder."""

    schema: int
    models: tuple[ModelPlan, ...]
    convert: ConvertPlan = field(default_factory=ConvertPlan)
    calibration: ImagesPlan | None = None
    evaluation: EvaluationPlan | None = None
    measure: tuple[MeasurePlan, ...] = ()
    compare: ComparePlan = field(default_factory=ComparePlan)
    output: OutputPlan = field(default_factory=OutputPlan)

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("`models` is empty: there is nothing to do")
        built = any(not (m.file or "").endswith(".tflite") for m in self.models)
        if built and not self.convert.recipes:
            raise ValueError("`convert.recipes` is empty: name what the models are converted to")
        if len(set(self.convert.recipes)) < len(self.convert.recipes):
            raise ValueError("`convert.recipes` names a recipe twice")
        for device in {table.device for table in self.measure}:
            tables = [table for table in self.measure if table.device == device]
            if len({table.repetitions for table in tables}) > 1:
                raise ValueError(
                    f"the tables that measure on {device} need the same `repetitions`: a"
                    " repetition is a block in which everything is started once"
                )


def read_plan(path: Path) -> Plan:
    """Reads a plan and checks every name in it.

    Raises:
        UsageError: If the file is missing, is not TOML, or has a key or a value that does not
            exist; the sentence names the place and the nearest name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"There is no plan {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a plan that can be read: {error}.") from error
    try:
        plan = from_json(Plan, document)
    except RecordError as error:
        sentence = str(error)
        raise UsageError(f"{path}: {sentence}{'' if sentence[-1] in '.?' else '.'}") from error
    if plan.schema != SCHEMA:
        raise UsageError(
            f"{path}: schema {plan.schema} is not known; this version reads schema {SCHEMA}."
        )
    _check_names(plan, path)
    return _relative_to(path.parent, plan)


def _check_names(plan: Plan, path: Path) -> None:
    for index, model in enumerate(plan.models):
        place = f"{path}: models[{index}]"
        if model.architecture is not None:
            _known(f"{place}.architecture", partial(ARCHITECTURES.__getitem__, model.architecture))
            row = ARCHITECTURES[model.architecture]
            _known(f"{place}.options", partial(row.chosen, model.options))
            if not is_path(model.weights):
                _known(f"{place}.weights", partial(find_source, model.architecture, model.weights))
    for index, recipe in enumerate(plan.convert.recipes):
        _known(f"{path}: convert.recipes[{index}]", partial(parse_recipe, recipe))
    _known(f"{path}: convert.target", partial(Target.parse, plan.convert.target))
    if plan.convert.target != ConvertPlan.target:
        raise UsageError(
            f"{path}: convert.target: files are made for {ConvertPlan.target} alone yet, not for"
            f" {plan.convert.target!r}."
        )
    static = any(parse_recipe(recipe).needs_calibration for recipe in plan.convert.recipes)
    if static and plan.calibration is None:
        raise UsageError(
            f"{path}: a static recipe needs to see images: give it a [calibration] table with"
            " `images`, a folder of photographs."
        )
    for index, measure in enumerate(plan.measure):
        _known(f"{path}: measure[{index}].device", partial(kind_of, measure.device))
        for delegate in as_tuple(measure.delegate):
            place = f"{path}: measure[{index}].delegate"
            _known(place, partial(Target.parse, delegate))
            able = DELEGATES[Target.parse(delegate).delegate].measured_by
            runner = kind_of(measure.device).runner
            if runner not in able:
                others = (
                    f"; {', '.join(able)} can, with `mobilekit benchmark --runner`" if able else ""
                )
                raise UsageError(
                    f"{place}: runner {runner}, which measures on {measure.device}, cannot apply"
                    f" {delegate!r}{others}."
                )
            options = partial(check_options, delegate, measure.options)
            _known(f"{path}: measure[{index}].options", options)
    for key, value in plan.compare.baseline.items():
        if key not in BASELINE_KEYS:
            raise UnknownNameError("key", key, BASELINE_KEYS, f"{path}: compare.baseline")
        _known(f"{path}: compare.baseline.{key}", partial(parse_recipe, value))


def _known(where: str, look_up: Callable[[], object]) -> None:
    try:
        look_up()
    except UnknownNameError as error:
        raise UnknownNameError(error.kind, error.name, error.known, where) from None
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _relative_to(folder: Path, plan: Plan) -> Plan:
    def place(path: str) -> str:
        if "\0" in path:
            raise UsageError(f"{path!r} is no path: it holds a null character.")
        return os.path.normpath(folder / path)

    models = tuple(
        replace(
            model,
            file=model.file and place(model.file),
            weights=place(model.weights) if is_path(model.weights) else model.weights,
        )
        for model in plan.models
    )
    calibration, evaluation = plan.calibration, plan.evaluation
    if calibration is not None:
        calibration = replace(calibration, images=place(calibration.images))
    if evaluation is not None:
        labels = evaluation.labels and place(evaluation.labels)
        evaluation = replace(evaluation, images=place(evaluation.images), labels=labels)
    return replace(
        plan,
        models=models,
        calibration=calibration,
        evaluation=evaluation,
        output=OutputPlan(dir=place(plan.output.dir)),
    )


def as_tuple(value: Item | tuple[Item, ...]) -> tuple[Item, ...]:
    """A plan's value, which may be one or a list, as a tuple."""
    return value if isinstance(value, tuple) else (value,)
