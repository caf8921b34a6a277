"""The main job: a plan's models built, converted, evaluated, measured, compared and reported.

Every stage is a function of frozen values; what it makes is on disk under a digest of what it was
made from, so a stage whose inputs have not changed is not run again, and a run that was killed
goes on where it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from android_bench.devices import open_device
from android_bench.harness import Job, Progress, measure
from android_bench.harness import Reference as CheckReference
from android_bench.runners.choosing import open_runner_for
from android_bench.unfinished import UnfinishedError
from converters.fidelity import FileRunner
from converters.recipes import parse_recipe
from converters.writer import versions
from mobilekit.arrays import is_array, write_array
from mobilekit.conversion import Conversion, Network, Say
from mobilekit.core.accuracy import Accuracy
from mobilekit.core.digest import digest, sha256_sources
from mobilekit.core.errors import DeviceError, MobileKitError, RunnerError
from mobilekit.core.measurement import Measurement
from mobilekit.core.model import TFLiteModel
from mobilekit.core.storage import storage_errors, write_json
from mobilekit.evaluate import Reference, evaluate_content, now
from mobilekit.folding import fold_preprocessing
from mobilekit.formatting import plural, threads
from mobilekit.images import image_set, read_inputs, read_labels
from mobilekit.kit import ROOT, kit
from mobilekit.plan import ModelPlan, Plan, as_tuple
from mobilekit.report import Report, read_accuracy, write_report
from mobilekit.sources import (
    describe_tflite,
    make_spec,
    measured_model,
    network_of_file,
    network_of_spec,
)

# Inputs whose outputs are checked where a file is measured, before a latency counts.
CHECKED_INPUTS = 16
SEED = 0  # of the order of starts; the harness draws a session's own from it


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file to judge and to measure.

    Attributes:
        path: Where it is.
        model: What it is.
        conversion: What made it; None for a .tflite from elsewhere.
    """

    path: Path
    model: TFLiteModel
    conversion: Conversion | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of a plan made.

    Attributes:
        candidates: The files.
        accuracies: What each answered, in the same order; empty without evaluation images.
        measurements: Sealed results.
        report: What was written about them; None where nothing was measured.
    """

    candidates: tuple[Candidate, ...]
    accuracies: tuple[Accuracy, ...]
    measurements: tuple[Measurement, ...]
    report: Report | None


def run_plan(
    plan: Plan, *, command: str, progress: Progress, say: Say, again: bool = False
) -> Outcome:
    """Does a whole plan; what was done before and has not changed is reused.

    Args:
        plan: Read and checked.
        command: What repeats this, for the results.
        say: Told in a sentence what is done and what is reused.
        progress: Told of every start while measuring.
        again: Measure anew, whatever was measured before.

    Raises:
        MobileKitError: What any stage raises; whatever was finished before stays. What a device
            or a runner failed at is raised after the others were measured and reported.
    """
    results = Path(plan.output.dir)
    with _alone_in(results, say):
        stages = _Stages(plan, results, say)
        candidates = tuple(stages.candidates())
        judged = {c.model.sha256: found for c in candidates if (found := stages.judge(c))}
        stages.release(candidates)
        measured, failure = stages.measure(candidates, command, progress, again=again)
        measurements = tuple(measured)
        report = (
            write_report(
                results,
                results / "report",
                baseline=plan.compare.baseline,
                cells={measurement.cell for measurement in measurements},
                evaluations={path.stem for path, _ in judged.values()},
            )
            if measurements
            else None
        )
        if failure is not None:
            if report is not None:
                say(f"what was measured is in {report.html}")
            raise failure
        return Outcome(
            candidates=candidates,
            accuracies=tuple(accuracy for _, accuracy in judged.values()),
            measurements=measurements,
            report=report,
        )


@contextmanager
def _alone_in(results: Path, say: Say) -> Iterator[None]:
    """Two runs into one folder take turns.

    Raises:
        StorageError: If the folder cannot be made or written.
    """
    with storage_errors(results):
        (results / "runs").mkdir(parents=True, exist_ok=True)
        lock = FileLock(results / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"waiting for another run into {results} to end")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Stages:
    """The stages of one plan into one folder."""

    def __init__(self, plan: Plan, results: Path, say: Say) -> None:
        self._plan, self._results, self._say = plan, results, say
        effort = plan.convert.effort
        self._recipes = [parse_recipe(name).with_effort(effort) for name in plan.convert.recipes]
        # Pictures are found before anything is built, so that a wrong folder costs no time.
        calibration, evaluation = plan.calibration, plan.evaluation
        self._calibration = (
            image_set(Path(calibration.images), count=calibration.count) if calibration else None
        )
        self._evaluation = image_set(Path(evaluation.images)) if evaluation else None
        self._labels = (
            read_labels(Path(evaluation.labels), self._evaluation)
            if evaluation and evaluation.labels and self._evaluation
            else None
        )

    def candidates(self) -> Iterator[Candidate]:
        """Every model as every recipe."""
        for model in self._plan.models:
            if model.file is not None and model.file.endswith(".tflite"):
                path = Path(model.file)
                yield Candidate(path=path, model=describe_tflite(path)[1])
                continue
            for network in self._networks(model):
                folder = self._results / "models"
                conversion = Conversion(network, self._calibration, folder, self._say)
                for recipe in self._recipes:
                    made = conversion.file(recipe)
                    yield Candidate(path=made.path, model=made.model, conversion=conversion)

    def _networks(self, model: ModelPlan) -> Iterator[Network]:
        convert = self._plan.convert
        for network in _networks(model, convert.target):
            yield fold_preprocessing(network) if convert.fold_preprocessing else network

    def judge(self, candidate: Candidate) -> tuple[Path, Accuracy] | None:
        """A file judged on the evaluation images, and where that stands; None without images."""
        images, expects = self._evaluation, candidate.model.preprocessing
        if images is None:
            return None
        if expects is None:
            self._say(f"{candidate.path}: not evaluated, since nothing says what its input expects")
            return None
        conversion = candidate.conversion
        reference = conversion.network.identity if conversion else None
        key = digest(
            [
                candidate.model.sha256,
                images.sha256,
                self._labels,
                expects,
                reference,
                versions(),
                _judges(),
            ]
        )
        path = self._results / "accuracy" / f"{key[:16]}.json"
        name = f"{candidate.model.name} {candidate.model.recipe}"
        if path.exists():
            self._say(f"{name}: reused its answers to {len(images.paths)} images")
            known = replace(read_accuracy(path), created=now())
            write_json(path, known)  # the latest to be asked for is the one a report shows
            return path, known
        self._say(f"{name}: evaluating on {len(images.paths)} images")
        accuracy = evaluate_content(
            candidate.path.read_bytes(),
            candidate.model.sha256,
            images,
            expects,
            labels=self._labels,
            reference=Reference(
                name=conversion.network.identity, logits=conversion.reference_logits(images)
            )
            if conversion
            else None,
        )
        write_json(path, accuracy)
        return path, accuracy

    def release(self, candidates: Sequence[Candidate]) -> None:
        """Lets go of the Keras models: nothing is built any more while it is measured."""
        for candidate in candidates:
            if candidate.conversion is not None:
                candidate.conversion.release()

    def measure(
        self, candidates: Sequence[Candidate], command: str, progress: Progress, *, again: bool
    ) -> tuple[list[Measurement], MobileKitError | None]:
        """Every file under every setting, interleaved, on one device after the other.

        What fails on one device takes nothing from the others; the first failure is given back.
        """
        found: list[Measurement] = []
        failure: MobileKitError | None = None
        for name in dict.fromkeys(table.device for table in self._plan.measure):
            configs = [
                config
                for table in self._plan.measure
                if table.device == name
                for config in table.configs()
            ]
            jobs = [
                Job(
                    path=candidate.path,
                    model=measured_model(candidate.model),
                    config=config,
                    reference=self._check_reference(candidate),
                )
                for candidate in candidates
                for config in configs
            ]
            try:
                device = open_device(name)
                found += measure(
                    jobs,
                    device,
                    open_runner_for(device),
                    self._results,
                    seed=SEED,
                    command=command,
                    kit=kit(),
                    progress=progress,
                    again=again,
                )
            except UnfinishedError as error:
                found += error.measurements
                failure = failure or error
            except (DeviceError, RunnerError) as error:
                failure = failure or error
        return found, failure

    def _check_reference(self, candidate: Candidate) -> CheckReference | None:
        """Real inputs and this file's outputs here; None where nobody knows what it expects."""
        images, expects = self._evaluation or self._calibration, candidate.model.preprocessing
        if images is None or expects is None:
            return None
        key = digest(
            [
                candidate.model.sha256,
                images.sha256,
                expects,
                CHECKED_INPUTS,
                versions(),
                _judges(),
            ]
        )
        folder = self._results / "references"
        inputs = folder / f"{key[:16]}-inputs.npy"
        outputs = folder / f"{key[:16]}-outputs.npy"
        if not (is_array(inputs) and is_array(outputs)):
            runner = FileRunner(candidate.path.read_bytes())
            pixels = (loaded.pixels for loaded in read_inputs(images, expects))
            readable = (values for values in pixels if values is not None)
            chosen = list(itertools.islice(readable, CHECKED_INPUTS))
            write_array(inputs, np.concatenate([runner.encode(values) for values in chosen]))
            write_array(outputs, np.concatenate([runner.raw(values) for values in chosen]))
        return CheckReference(inputs=(inputs,), outputs=(outputs,))


def _networks(model: ModelPlan, target: str) -> Iterator[Network]:
    """The networks of one `[[models]]` table: lists multiply."""
    if model.file is not None:
        yield network_of_file(Path(model.file))
        return
    for alpha, size in itertools.product(as_tuple(model.alpha), as_tuple(model.input_size)):
        spec = make_spec(
            model.architecture or "",
            alpha=alpha,
            size=size,
            classes=model.classes,
            seed=model.seed,
            options=model.options,
            target=target,
        )
        yield network_of_spec(spec, model.weights, model.options)


def outline(plan: Plan) -> list[str]:
    """What a run would do, in lines, without building or measuring anything."""
    lines = []
    for model in plan.models:
        if model.file is not None and model.file.endswith(".tflite"):
            lines.append(f"measure {model.file} as it is")
            continue
        for network in _networks(model, plan.convert.target):
            made = ", ".join(plan.convert.recipes)
            lines.append(f"build {network.name} and convert it to {made}")
    if plan.evaluation:
        lines.append(f"evaluate every file on {plan.evaluation.images}")
    for table in plan.measure:
        settings = ", ".join(f"{c.delegate} with {threads(c.num_threads)}" for c in table.configs())
        lines.append(
            f"measure on {table.device}: {settings}; {plural(table.repetitions, 'block')} of"
            f" {table.num_runs} invocations each"
        )
    return [*lines, f"write results and a report to {plan.output.dir}"]


@cache
def _judges() -> str:
    """Digest of the sources that decide what an evaluation finds."""
    parts = ("evaluate.py", "images.py", "core")
    return sha256_sources(
        *(ROOT / "mobilekit" / part for part in parts), ROOT / "converters" / "fidelity.py"
    )
