"""Delegates, their variants, their options: one vocabulary for builders, converters, devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mobilekit.core.errors import UnknownNameError, UsageError, nearest
from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Delegate:
    """One row of `DELEGATES`.

    Attributes:
        name: As in a plan, e.g. "xnnpack".
        title: What it is, for people.
        variants: What may follow the "@", oldest first; none where there is only one.
        measured_by: The runners of this kit that can apply it, by name.
        elsewhere: What else could apply it, where no runner of this kit can; for errors.
        forms: Names of `FORMS` that it wants; exact ones, so that they need nobody's consent.
    """

    name: str
    title: str
    forms: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    measured_by: tuple[str, ...] = ()
    elsewhere: str = "no program that this kit knows"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One row of `FORMS`: a way to write a part of a network.

    Attributes:
        name: What builders and rewrites of files call it.
        instead_of: What it replaces.
        exact: Whether the network computes the same, to 1e-5 in float32. The others are asked for
            by name alone, since they want retraining or a look at the accuracy.
    """

    name: str
    instead_of: str
    exact: bool


FORMS: Registry[Form] = Registry(
    "form",
    [
        Form(
            name="hard_swish_by_relu6",
            instead_of="HARD_SWISH; relu6(x + 3) * (x / 6)",
            exact=True,
        ),
        Form(
            name="average_pool_by_depthwise",
            instead_of="AVERAGE_POOL_2D; a constant depthwise convolution, its borders corrected",
            exact=True,
        ),
        Form(
            name="relu_by_depthwise",
            instead_of="a RELU of its own; a constant 1x1 depthwise convolution with it within",
            exact=True,
        ),
        Form(
            name="depthwise_multiplier_split",
            instead_of="a depthwise convolution with a multiplier; one convolution each",
            exact=True,
        ),
        Form(
            name="subsample_by_depthwise",
            instead_of="MAX_POOL_2D of single pixels; a constant depthwise convolution of them",
            exact=True,
        ),
        Form(
            name="relu_for_hard_swish",
            instead_of="HARD_SWISH; ReLU, for a delegate that has neither form of it",
            exact=False,
        ),
        Form(
            name="no_squeeze_excite",
            instead_of="squeeze-and-excitation; nothing, for a delegate that lacks its operators",
            exact=False,
        ),
    ],
)


DELEGATES: Registry[Delegate] = Registry(
    "delegate",
    [
        Delegate(
            name="xnnpack",
            title="XNNPACK: the CPU, by default in every LiteRT interpreter",
            forms=(
                "hard_swish_by_relu6",
                "average_pool_by_depthwise",
                "relu_by_depthwise",
                "depthwise_multiplier_split",
                "subsample_by_depthwise",
            ),
            measured_by=("litert_python", "native", "benchmark_model", "benchmark_litert_model"),
        ),
        Delegate(
            name="nnapi",
            title="Android NNAPI, by API level or feature level",
            variants=("27", "28", "29", "30", "31", "fl6", "fl7", "fl8"),
            measured_by=("benchmark_model",),
        ),
        Delegate(
            name="gpu",
            title="the classic GPU delegate (OpenCL, OpenGL ES)",
            measured_by=("benchmark_model",),
        ),
        Delegate(
            name="gpu-mldrift",
            title="the GPU delegate of LiteRT 2 (ML Drift)",
            measured_by=("native", "benchmark_litert_model"),
        ),
        Delegate(
            name="ethosu",
            title="Arm Ethos-U NPUs, through Vela",
            variants=("u55-128", "u55-256", "u65-256", "u65-512", "u85-256", "u85-512"),
            elsewhere="Arm's own firmware; Vela compiles for it",
        ),
        Delegate(
            name="qualcomm",
            title="Qualcomm Hexagon NPUs, through QNN",
            variants=(
                "sm8350",
                "sm8450",
                "sm8475",
                "sm8550",
                "sm8650",
                "sm8750",
                "sm8845",
                "sm8850",
            ),
            measured_by=("native",),
        ),
        Delegate(name="openvino", title="Intel NPUs, through OpenVINO", measured_by=("native",)),
        Delegate(
            name="mediatek",
            title="MediaTek NPUs, through NeuroPilot",
            variants=("mt6878", "mt6897", "mt6983", "mt6985", "mt6989", "mt6991", "mt6993"),
            measured_by=("native",),
        ),
        Delegate(
            name="coreml",
            title="Apple Core ML",
            variants=("2", "3"),
            elsewhere="Google's benchmark_model on iOS",
        ),
        Delegate(
            name="hexagon",
            title="the Hexagon DSP delegate (legacy)",
            measured_by=("benchmark_model",),
        ),
        Delegate(
            name="edgetpu",
            title="Coral Edge TPU",
            variants=("10", "12", "13", "14"),
            elsewhere="Python with Coral's libedgetpu",
        ),
    ],
)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One row of `OPTIONS`.

    Attributes:
        delegate: A name of `DELEGATES`.
        option: Its name, as in "fp16=true".
        values: What it takes; none of them is what happens without it, so that one setting has
            one name.
        does: What it does, for people.
        excludes: Options that it cannot go together with, by their own names.
        measured_by: The runners of this kit that can apply it, by name.
    """

    delegate: str
    option: str
    values: tuple[str, ...]
    does: str
    excludes: tuple[str, ...] = ()
    measured_by: tuple[str, ...] = ("native",)

    @property
    def name(self) -> str:
        """The key of the row."""
        return f"{self.delegate} {self.option}"


# The C++ runner's delegates.cc has the same rows. LiteRT 2.3.0 knows more; these were seen to work.
OPTIONS: Registry[Option] = Registry(
    "option",
    [
        Option(
            delegate="xnnpack",
            option="fp16",
            values=("true",),
            does="computes float32 operators in float16",
            excludes=("weight_cache",),  # XNNPACK of LiteRT 2.3.0 aborts
        ),
        Option(
            delegate="xnnpack",
            option="weight_cache",
            values=("true",),
            does="keeps packed weights in a file, so that a later start need not pack them",
        ),
        Option(
            delegate="gpu-mldrift",
            option="precision",
            values=("fp16", "fp32"),
            does="what the GPU computes in; without it, the accelerator chooses",
        ),
        Option(
            delegate="openvino",
            option="backend",
            values=("cpu", "gpu", "npu"),
            does="OpenVINO's device; without it, the NPU",
        ),
    ],
)


def options_of(delegate: str) -> dict[str, Option]:
    """The options of a delegate (without a variant), by their own names."""
    return {row.option: row for row in OPTIONS.values() if row.delegate == delegate}


def check_options(target: str, options: Mapping[str, str]) -> None:
    """Refuses options that the delegate of `target` does not have.

    Raises:
        UsageError: For an unknown option or value, where the sentence names those that exist; or
            for options that cannot go together.
    """
    delegate = Target.parse(target).delegate
    known = options_of(delegate)
    for name, value in options.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(
                f"Delegate {delegate!r} has no option {name!r}; {has}.{nearest(name, known)}"
            )
        if value not in known[name].values:
            raise UsageError(
                f"Option {name!r} of delegate {delegate!r} takes"
                f" {' or '.join(known[name].values)}, not {value!r}."
            )
        for other in known[name].excludes:
            if other in options:
                raise UsageError(
                    f"Options {name!r} and {other!r} of delegate {delegate!r} cannot go together:"
                    " the runtime crashes; measure with one at a time."
                )


@dataclass(frozen=True, kw_only=True)
class Target:
    """A delegate and one of its variants, e.g. `nnapi@30`.

    Attributes:
        delegate: A name of `DELEGATES`.
        variant: One of the delegate's variants; None where it has none.
    """

    delegate: str
    variant: str | None = None

    def __str__(self) -> str:
        return f"{self.delegate}@{self.variant}" if self.variant else self.delegate

    @staticmethod
    def parse(text: str) -> Target:
        """Reads "<delegate>[@<variant>]"; no variant means the newest.

        Raises:
            UnknownNameError: If the delegate or the variant does not exist.
            UsageError: If the delegate has no variants and one was given.
        """
        name, _, variant = text.partition("@")
        delegate = DELEGATES[name]
        if not delegate.variants:
            if variant:
                raise UsageError(f"Delegate {name!r} has no variants; write {name!r} alone.")
            return Target(delegate=name)
        if variant and variant not in delegate.variants:
            raise UnknownNameError(f"variant of {name}", variant, delegate.variants)
        return Target(delegate=name, variant=variant or delegate.variants[-1])


DEFAULT_TARGET = "xnnpack"  # what runs everywhere
NO_TARGET = "none"  # every layer as its paper writes it


def forms_of(target: str | None) -> frozenset[str]:
    """The forms that a target wants; none for None and for `NO_TARGET`.

    Raises:
        UnknownNameError: If there is no such delegate or variant.
    """
    if target is None or target == NO_TARGET:
        return frozenset()
    return frozenset(DELEGATES[Target.parse(target).delegate].forms)
