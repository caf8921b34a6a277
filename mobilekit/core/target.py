"""Delegates and their variants: one vocabulary for builders, converters and devices."""

from __future__ import annotations

from dataclasses import dataclass

from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Delegate:
    """One row of `DELEGATES`.

    Attributes:
        name: As in a plan, e.g. "xnnpack".
        title: What it is, for people.
        variants: What may follow the "@", oldest first; none where there is only one.
        measured_by: The runners of this kit that can apply it, by name.
    """

    name: str
    title: str
    variants: tuple[str, ...] = ()
    measured_by: tuple[str, ...] = ()


DELEGATES: Registry[Delegate] = Registry(
    "delegate",
    [
        Delegate(
            name="xnnpack",
            title="XNNPACK: the CPU, by default in every LiteRT interpreter",
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
            measured_by=("benchmark_litert_model",),
        ),
        Delegate(
            name="ethosu",
            title="Arm Ethos-U NPUs, through Vela",
            variants=("u55-128", "u55-256", "u65-256", "u65-512", "u85-256", "u85-512"),
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
        ),
        Delegate(name="openvino", title="Intel NPUs, through OpenVINO"),
        Delegate(
            name="mediatek",
            title="MediaTek NPUs, through NeuroPilot",
            variants=("mt6878", "mt6897", "mt6983", "mt6985", "mt6989", "mt6991", "mt6993"),
        ),
        Delegate(name="coreml", title="Apple Core ML", variants=("2", "3")),
        Delegate(
            name="hexagon",
            title="the Hexagon DSP delegate (legacy)",
            measured_by=("benchmark_model",),
        ),
        Delegate(name="edgetpu", title="Coral Edge TPU", variants=("10", "12", "13", "14")),
    ],
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
