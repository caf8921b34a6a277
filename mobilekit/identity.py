"""What a measurement is of: the table of everything that could explain a difference in latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mobilekit.core.digest import canonical_json, digest
from mobilekit.core.errors import IncomparableError
from mobilekit.core.measurement import Measurement, Run
from mobilekit.formatting import plural, printable, threads

# Settings that a name leaves out where they are these.
USUAL = {
    "affinity": "any CPU",
    "shapes": "the file's own shapes",
    "signature": "the first signature",
    "input_range": "numbers of the whole type",
    "mode": "burst",
    "load": "alone",
}


@dataclass(frozen=True, kw_only=True)
class Trait:
    """One thing that two measurements may share.

    Attributes:
        key: Equal where the thing is the same.
        shown: The thing in words.
    """

    key: str
    shown: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """One row of `IDENTITY`.

    Attributes:
        name: What people call it; also what a baseline is chosen by.
        read: Finds it in a measurement.
        may_vary: Whether a comparison may be about it. Where it may not, the two sides were
            never measured side by side under one clock, one build and one program.
    """

    name: str
    read: Callable[[Measurement], Trait]
    may_vary: bool = True


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field in which two measurements differ, and what each has there."""

    field: str
    baseline: str
    candidate: str

    def __str__(self) -> str:
        return f"{self.field} ({self.candidate} against {self.baseline})"


def _same(text: str) -> Trait:
    return Trait(key=text, shown=printable(text))


def _model(measurement: Measurement) -> Trait:
    model = measurement.model
    # A file from elsewhere has no spec; its name is then all that says which network it is.
    key = digest(model.spec) if model.spec else f"name:{model.name}"
    return Trait(key=key, shown=printable(model.name))


def _recipe(measurement: Measurement) -> Trait:
    model = measurement.model
    return Trait(key=model.recipe_digest, shown=printable(model.recipe))


def _file(measurement: Measurement) -> Trait:
    sha256 = measurement.model.sha256
    return Trait(key=sha256, shown=f"file {printable(sha256[:12])}")


def _delegate(measurement: Measurement) -> Trait:
    config = measurement.config
    shown = config.delegate + "".join(
        f" {key}={value}" for key, value in sorted(config.options.items())
    )
    return Trait(
        key=canonical_json([config.delegate, dict(config.options)]), shown=printable(shown)
    )


def _threads(measurement: Measurement) -> Trait:
    count = measurement.config.num_threads
    return Trait(key=str(count), shown=threads(count))


def _invocations(measurement: Measurement) -> Trait:
    config = measurement.config
    key = canonical_json([config.warmup, config.num_runs, config.min_secs, config.max_secs])
    return Trait(
        key=key,
        shown=f"{config.warmup} warm-up and {plural(config.num_runs, 'measured run')}"
        + (f", {config.min_secs:g} s at least" if config.min_secs else "")
        + (f", {config.max_secs:g} s at most" if config.max_secs else ""),
    )


def _device(measurement: Measurement) -> Trait:
    device = measurement.device
    return Trait(key=f"{device.kind}:{device.serial_hash}", shown=printable(device.label))


def _simulated(measurement: Measurement) -> Trait:
    return _same("simulated" if measurement.device.simulated else "real")


def _build(measurement: Measurement) -> Trait:
    device = measurement.device
    return Trait(
        key=canonical_json([device.os, device.build_fingerprint]),
        shown=printable(f"{device.os}, {device.build_fingerprint}"),
    )


def _kit(measurement: Measurement) -> Trait:
    kit = measurement.kit
    commit = f" at {kit.commit[:12]}" if kit.commit else ""
    return Trait(key=canonical_json(kit), shown=printable(f"mobilekit {kit.version}{commit}"))


def _mode(measurement: Measurement) -> Trait:
    config = measurement.config
    if config.paced_fps is not None:
        return _same(f"paced at {config.paced_fps:g} frames a second")
    return _same(config.mode + (f" for {config.sustained_s:g} s" if config.sustained_s else ""))


def _load(measurement: Measurement) -> Trait:
    sha256 = measurement.config.load_sha256
    return _same(f"beside model {sha256[:12]}" if sha256 else USUAL["load"])


def _shapes(measurement: Measurement) -> Trait:
    shapes = measurement.config.shapes
    shown = " ".join(f"{name}={shape}" for name, shape in sorted(shapes.items()))
    return Trait(key=canonical_json(dict(shapes)), shown=printable(shown or USUAL["shapes"]))


def _signature(measurement: Measurement) -> Trait:
    key = measurement.config.signature
    return _same(USUAL["signature"] if key is None else f"signature {key}")


def _input_range(measurement: Measurement) -> Trait:
    limits = measurement.config.input_range
    return _same(f"inputs of {limits[0]}..{limits[1]}" if limits else USUAL["input_range"])


def _cooling(measurement: Measurement) -> Trait:
    config = measurement.config
    pause = f", {config.cooldown_s:g} s pause" if config.cooldown_s else ""
    return _same((config.cooling or "none") + pause)


def _of_runs(name: str, read: Callable[[Run], str]) -> Callable[[Measurement], Trait]:
    """A trait that every start recorded for itself; they must agree."""

    def trait(measurement: Measurement) -> Trait:
        found = sorted({read(run) for run in measurement.runs})
        if len(found) > 1:
            raise IncomparableError(
                f"Measurement {measurement.cell} mixes starts of more than one {name}"
                f" ({printable(', '.join(found))}); measure it again."
            )
        return _same(found[0] if found else "none")

    return trait


def _runner(run: Run) -> str:
    return f"{run.runner.name} {run.runner.version} {run.runner.sha256[:12]}"


def _runtime(run: Run) -> str:
    runtime = run.runtime
    return f"{runtime.name} {runtime.version} {runtime.sha256[:12]} ({runtime.api})"


# In the order in which they are named. `repetitions` and `order_seed` are not here: they say which
# blocks exist and whether blocks are pairs, see `mobilekit.pairing`.
IDENTITY = (
    Field(name="model", read=_model),
    Field(name="recipe", read=_recipe),
    Field(name="file", read=_file),
    Field(name="delegate", read=_delegate),
    Field(name="num_threads", read=_threads),
    Field(name="affinity", read=lambda m: _same(m.config.affinity or USUAL["affinity"])),
    Field(name="runtime", read=_of_runs("runtime", _runtime)),
    Field(name="context", read=_of_runs("context", lambda run: run.context)),
    Field(name="shapes", read=_shapes),
    Field(name="signature", read=_signature),
    Field(name="input_range", read=_input_range),
    Field(name="mode", read=_mode),
    Field(name="load", read=_load),
    Field(name="device", read=_device, may_vary=False),
    Field(name="reality", read=_simulated, may_vary=False),
    Field(name="device build", read=_build, may_vary=False),
    Field(name="runner", read=_of_runs("runner", _runner), may_vary=False),
    Field(name="statistic", read=_of_runs("statistic", lambda run: run.statistic), may_vary=False),
    Field(name="invocations", read=_invocations, may_vary=False),
    Field(name="cooling", read=_cooling, may_vary=False),
    Field(name="kit", read=_kit, may_vary=False),
)


def traits(measurement: Measurement) -> Mapping[str, Trait]:
    """Every trait of `measurement` by field name.

    Raises:
        IncomparableError: If its own starts disagree, or ran another file than it names.
    """
    foreign = {run.model_sha256 for run in measurement.runs} - {measurement.model.sha256}
    if foreign:
        raise IncomparableError(
            f"Measurement {measurement.cell} names file {measurement.model.sha256[:12]}, but"
            f" its starts ran {printable(sorted(foreign)[0][:12])}; measure it again."
        )
    return {field.name: field.read(measurement) for field in IDENTITY}


def differences(baseline: Measurement, candidate: Measurement) -> tuple[Difference, ...]:
    """The fields in which the two differ, in the order of `IDENTITY`.

    Another model or recipe always means another file; that is one difference, not two. Two
    recipes of one name (they differ in what the name leaves out) are shown with their digests.

    Raises:
        IncomparableError: As `traits`.
    """
    ours, theirs = traits(baseline), traits(candidate)
    differ = [name for name in ours if ours[name].key != theirs[name].key]
    if "model" in differ or "recipe" in differ:
        differ = [name for name in differ if name != "file"]
    return tuple(
        Difference(
            field=name,
            baseline=_shown(ours[name], theirs[name]),
            candidate=_shown(theirs[name], ours[name]),
        )
        for name in differ
    )


def _shown(trait: Trait, other: Trait) -> str:
    return f"{trait.shown} ({trait.key[:12]})" if trait.shown == other.shown else trait.shown
