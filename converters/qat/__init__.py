"""Quantization-aware training for Keras 3: fake-quantized twins, and the int8 files they become."""

from __future__ import annotations

from converters.qat.files import convert_aware as convert_aware
from converters.qat.quantizer import RangeKind as RangeKind
from converters.qat.training import finetune as finetune
from converters.qat.training import train as train
from converters.qat.twin import paused as paused
from converters.qat.twin import quantization_aware as quantization_aware
