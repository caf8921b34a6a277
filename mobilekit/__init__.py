"""Build, convert, measure and compare convolutional networks for mobile devices.

Public names are loaded when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Public name -> module. What the commands do, and the types that they return.
EXPORTS = {
    "ARCHITECTURES": "mobilekit.architectures",
    "Accuracy": "mobilekit.core.accuracy",
    "Comparison": "mobilekit.compare",
    "Measurement": "mobilekit.core.measurement",
    "MobileKitError": "mobilekit.core.errors",
    "ModelSpec": "mobilekit.core.model",
    "Preprocessing": "mobilekit.core.preprocessing",
    "RECIPES": "converters.recipes",
    "Recipe": "mobilekit.core.recipe",
    "RunConfig": "mobilekit.core.measurement",
    "TFLiteModel": "mobilekit.core.model",
    "Target": "mobilekit.core.target",
    "benchmark_files": "mobilekit.benchmarking",
    "build_file": "mobilekit.files",
    "climb_ladder": "mobilekit.ladder.climb",
    "clean_device": "mobilekit.devices",
    "compare_measurements": "mobilekit.compare",
    "convert_aware": "converters.qat",
    "convert_file": "mobilekit.files",
    "debug_file": "mobilekit.debugging",
    "evaluate_file": "mobilekit.files",
    "finetune": "converters.qat",
    "lint_file": "mobilekit.linting",
    "list_devices": "mobilekit.devices",
    "load_measurement": "android_bench.results",
    "push_file": "mobilekit.devices",
    "quantization_aware": "converters.qat",
    "selftest_device": "mobilekit.benchmarking",
    "read_plan": "mobilekit.plan",
    "run_plan": "mobilekit.pipeline",
    "verify_file": "mobilekit.files",
    "write_report": "mobilekit.report",
}

if TYPE_CHECKING:
    from android_bench.results import load_measurement as load_measurement
    from converters.qat import convert_aware as convert_aware
    from converters.qat import finetune as finetune
    from converters.qat import quantization_aware as quantization_aware
    from converters.recipes import RECIPES as RECIPES
    from mobilekit.architectures import ARCHITECTURES as ARCHITECTURES
    from mobilekit.benchmarking import benchmark_files as benchmark_files
    from mobilekit.benchmarking import selftest_device as selftest_device
    from mobilekit.compare import Comparison as Comparison
    from mobilekit.compare import compare_measurements as compare_measurements
    from mobilekit.core.accuracy import Accuracy as Accuracy
    from mobilekit.core.errors import MobileKitError as MobileKitError
    from mobilekit.core.measurement import Measurement as Measurement
    from mobilekit.core.measurement import RunConfig as RunConfig
    from mobilekit.core.model import ModelSpec as ModelSpec
    from mobilekit.core.model import TFLiteModel as TFLiteModel
    from mobilekit.core.preprocessing import Preprocessing as Preprocessing
    from mobilekit.core.recipe import Recipe as Recipe
    from mobilekit.core.target import Target as Target
    from mobilekit.debugging import debug_file as debug_file
    from mobilekit.devices import clean_device as clean_device
    from mobilekit.devices import list_devices as list_devices
    from mobilekit.devices import push_file as push_file
    from mobilekit.files import build_file as build_file
    from mobilekit.files import convert_file as convert_file
    from mobilekit.files import evaluate_file as evaluate_file
    from mobilekit.files import verify_file as verify_file
    from mobilekit.ladder.climb import climb_ladder as climb_ladder
    from mobilekit.linting import lint_file as lint_file
    from mobilekit.pipeline import run_plan as run_plan
    from mobilekit.plan import read_plan as read_plan
    from mobilekit.report import write_report as write_report


def __getattr__(name: str) -> object:
    """Loads a public name's module (PEP 562)."""
    if name not in EXPORTS:
        raise AttributeError(f"module 'mobilekit' has no attribute {name!r}")
    return getattr(importlib.import_module(EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *EXPORTS})
