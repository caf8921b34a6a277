"""`mobilekit doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mobilekit.cli.options import add_json

EXAMPLES = """\
  mobilekit doctor
  mobilekit doctor --json"""

# Package, what it is for, how to get it.
PACKAGES = (
    ("ai-edge-litert", "runs .tflite files", "pip install mobilekit"),
    ("numpy", "arrays", "pip install mobilekit"),
    ("scipy", "statistics", "pip install mobilekit"),
    ("pillow", "pictures", "pip install mobilekit"),
    ("matplotlib", "the report's plots", "pip install mobilekit"),
    ("tensorflow", "builds and converts", "pip install 'mobilekit[convert]'"),
    ("keras", "builds", "pip install 'mobilekit[convert]'"),
    ("ai-edge-quantizer", "quantizes", "pip install 'mobilekit[convert]'"),
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line: what was looked for, what was found, and how to get what is missing."""

    name: str
    found: str | None
    purpose: str
    remedy: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds nothing but --json."""
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints the table; it never fails, whatever is missing."""
    from mobilekit.cli.output import print_json, print_plain_table

    checks = [*_packages(), *_places(), *_computer()]
    if args.json:
        print_json(checks)
        return
    print_plain_table(
        ["", "found", "what it is for, or how to get it"],
        [[c.name, c.found or "missing", c.purpose if c.found else c.remedy] for c in checks],
    )


def _packages() -> Iterator[Check]:
    yield Check(
        name="python",
        found=platform.python_version(),
        purpose="3.11 to 3.13",
        remedy="",
    )
    for package, purpose, remedy in PACKAGES:
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found = None
        yield Check(name=package, found=found, purpose=purpose, remedy=remedy)


def _places() -> Iterator[Check]:
    from android_bench.runners.litert_python import LEGACY_PYTHON
    from mobilekit.weights.locate import data_folder

    legacy = Path(os.environ.get("MOBILEKIT_LEGACY_PYTHON", LEGACY_PYTHON))
    yield Check(
        name="tflite-runtime 2.14",
        found=str(legacy) if legacy.exists() else None,
        purpose="measures on the runtime before LiteRT",
        remedy="make .venv-legacy/installed (needs Python 3.11)",
    )
    yield Check(
        name="native runner",
        found=_native_runner(),
        purpose="measures without Python: benchmark --runner native",
        remedy="make runner (needs a C++ compiler)",
    )
    folder = data_folder()
    yield Check(
        name="demo data",
        found=str(folder) if (folder / "stamp.json").exists() else None,
        purpose="weights and photographs of the examples",
        remedy="make data",
    )


def _native_runner() -> str | None:
    from android_bench.runners.native import find_binary
    from mobilekit.core.errors import UsageError

    try:
        return str(find_binary())
    except UsageError:
        return None


def _computer() -> Iterator[Check]:
    from android_bench.devices import open_device

    info = open_device("host").info()
    yield Check(
        name="this computer",
        found=info.model,
        purpose=f"the device `host`, {info.cpu_count} processors",
        remedy="",
    )
    yield Check(
        name="int8 instructions",
        found=", ".join(info.cpu_features) or None,
        purpose="int8 is faster than float only with dot products (vnni, dotprod)",
        remedy="another processor",
    )
