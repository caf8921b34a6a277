"""`mobilekit doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from mobilekit.cli.options import ADB_SERVER, add_adb_server, add_json
from mobilekit.core.errors import MobileKitError, UsageError
from mobilekit.formatting import plural

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
    """One line: what was looked for, what was found, and how to get what is missing.

    `command` is a whole line for a shell, which no table may wrap.
    """

    name: str
    found: str | None
    purpose: str
    remedy: str
    command: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds where adb's server is, and --json."""
    add_adb_server(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Prints the table; it never fails, whatever is missing."""
    from mobilekit.cli.output import print_json, print_plain_table

    checks = [*_packages(), *_places(), *_adb(), *_computer()]
    if args.json:
        print_json(checks)
        return
    print_plain_table(
        ["", "found", "what it is for, or how to get it"],
        [[c.name, c.found or "missing", c.purpose if c.found else c.remedy] for c in checks],
    )
    commands = [check for check in checks if check.command and not check.found]
    if commands:
        print("\nNothing is fetched for you. What Google publishes for phones, if you want it:")
    for check in commands:
        print(f"\n# {check.name}: {check.purpose}\n{check.command}")


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
    from android_bench.runners.litert_python import find_python
    from mobilekit.weights.locate import data_folder

    try:
        legacy: str | None = str(find_python("tflite-runtime"))
    except UsageError:
        legacy = None
    yield Check(
        name="tflite-runtime 2.14",
        found=legacy,
        purpose="measures on the runtime before LiteRT",
        remedy="make .venv-legacy/installed (needs Python 3.11)",
    )
    yield Check(
        name="native runner",
        found=_native_runner(),
        purpose="measures without Python: benchmark --runner native",
        remedy="make runner (needs a C++ compiler)",
    )
    yield from _for_phones()
    folder = data_folder()
    yield Check(
        name="demo data",
        found=str(folder) if (folder / "stamp.json").exists() else None,
        purpose="weights and photographs of the examples",
        remedy="make data",
    )


def _adb() -> Iterator[Check]:
    from android_bench.devices.adb import Adb
    from android_bench.devices.adb_program import REMEDY, find_adb
    from mobilekit.core.errors import DeviceError

    program, version = find_adb(), None
    yield Check(
        name="adb",
        found=str(program.path) if program else None,
        purpose=f"reaches Android devices; found in {program.where}" if program else "",
        remedy=REMEDY,
    )
    if program:
        with contextlib.suppress(DeviceError):  # a file that is no adb: the version is missing
            version = Adb(path=program.path).version()
    yield Check(
        name="adb version",
        found=version,
        purpose="29 and 36 are tested",
        remedy=REMEDY,
    )
    server = os.environ.get(ADB_SERVER)
    if program and server:  # asking would start one here, where none was named
        found = None
        with contextlib.suppress(MobileKitError):
            found = plural(len(Adb(path=program.path).devices()), "phone")
        yield Check(
            name="adb server",
            found=found,
            purpose=f"at {server}",
            remedy=f"none answers at {server}: start it there with `adb -a nodaemon server`",
        )


def _native_runner(abi: str | None = None) -> str | None:
    from android_bench.runners.artifacts import find_binary

    try:
        return str(find_binary(abi))
    except UsageError:
        return None


def _for_phones() -> Iterator[Check]:
    """Programs for Android on arm64, and the commands that place them; nothing is fetched here."""
    from android_bench.runners.artifacts import DOWNLOADS, DOWNLOADS_ABI, find_placed, placing

    yield Check(
        name=f"native runner, {DOWNLOADS_ABI}",
        found=_native_runner(DOWNLOADS_ABI),
        purpose="measures on phones",
        remedy=f"make runner ABI={DOWNLOADS_ABI} (needs the Android NDK)",
    )
    for download in DOWNLOADS.values():
        placed = find_placed(download.name, DOWNLOADS_ABI)
        yield Check(
            name=f"{download.name}, {DOWNLOADS_ABI}",
            found=str(placed) if placed else None,
            purpose=download.purpose,
            remedy="the command below",
            command=placing(download),
        )


def _computer() -> Iterator[Check]:
    from android_bench.devices import open_device

    try:
        info = open_device("host").info()
    except MobileKitError as error:
        yield Check(name="this computer", found=None, purpose="", remedy=str(error))
        return
    yield Check(
        name="this computer",
        found=info.model,
        purpose=f"the device `host`, {info.cpu_count} processors",
        remedy="",
    )
    yield Check(
        name="instruction sets",
        found=", ".join(info.cpu_features) or None,
        purpose="int8 needs 8-bit dot products (vnni, dotprod) to be faster than float",
        remedy="this processor does not say",
    )
