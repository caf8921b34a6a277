"""Who quantizes: this kit, or one of the two others that it is held against."""

from __future__ import annotations

from dataclasses import dataclass

from mobilekit.core.registry import Registry

OURS = "ours"
AI_EDGE = "ai-edge"
TFLITE = "tflite"


@dataclass(frozen=True, kw_only=True)
class NamedQuantizer:
    """One row of `QUANTIZERS`: a value of `--quantizer`."""

    name: str
    summary: str


QUANTIZERS: Registry[NamedQuantizer] = Registry(
    "quantizer",
    [
        NamedQuantizer(name=OURS, summary="absolute ranges, written by ai-edge-quantizer"),
        NamedQuantizer(name=AI_EDGE, summary="ai-edge-quantizer with its own calibration"),
        NamedQuantizer(name=TFLITE, summary="TFLiteConverter's calibrator and quantizer"),
    ],
)
