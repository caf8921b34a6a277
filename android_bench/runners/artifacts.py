"""Where programs and libraries for a device come from: named, built, placed, installed.

Nothing is ever fetched: what is missing is described, with the command that places it. The cache
has one folder a platform and version:

    <cache>/binaries/android_arm64/2.3.0/libLiteRt.so
    <cache>/binaries/android_arm64/nightly/benchmark_model
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from android_bench.folders import cache_dir
from mobilekit.core.errors import UsageError
from mobilekit.core.registry import Registry

BUILD = Path("build") / "runner"
PROGRAM = "mobilekit_runner"
LIBRARY = "libLiteRt.so"
VERSION = re.compile(r"\d+\.\d+\.\d+")
# A device's ABI, and the folder of its binaries, here and in Google's bucket.
PLATFORMS = {
    "arm64-v8a": "android_arm64",
    "armeabi-v7a": "android_arm",
    "x86_64": "linux_x86_64",
    "aarch64": "linux_aarch64",
    "armv7l": "linux_arm",
}
RELEASES = "https://storage.googleapis.com/litert/binaries"
NIGHTLY = (
    "https://storage.googleapis.com/tensorflow-nightly-public/prod/tensorflow/release/lite/tools/"
    "nightly/latest"
)


class MissingBinaryError(UsageError):
    """A program or library that is nowhere; the sentence says how to have it."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """A libLiteRt.so and what it is."""

    path: Path
    version: str


@dataclass(frozen=True, kw_only=True)
class Download:
    """One row of `DOWNLOADS`: what a person can place in the cache.

    Attributes:
        name: Its file name there.
        purpose: What it is for.
        version: Its folder there.
        url: Where it is published, for Android on arm64.
    """

    name: str
    purpose: str
    version: str
    url: str


# The program that the bucket of releases calls benchmark_model prints the results block and the
# flags of benchmark_litert_model; the classic tool is the one of the nightly builds.
DOWNLOADS: Registry[Download] = Registry(
    "binary",
    [
        Download(
            name=LIBRARY,
            purpose="what runner native opens on a phone",
            version="2.3.0",
            url=f"{RELEASES}/2.3.0/android_arm64/libLiteRt.so",
        ),
        Download(
            name="benchmark_model",
            purpose="--runner benchmark_model: NNAPI, the classic GPU delegate, Hexagon",
            version="nightly",
            url=f"{NIGHTLY}/android_aarch64_benchmark_model",
        ),
        Download(
            name="benchmark_litert_model",
            purpose="--runner benchmark_litert_model: LiteRT's own CPU and GPU figures",
            version="2.3.0",
            url=f"{RELEASES}/2.3.0/android_arm64/benchmark_model",
        ),
    ],
)
DOWNLOADS_ABI = "arm64-v8a"


def find_binary(abi: str | None = None) -> Path:
    """The native runner's program for an ABI; None means this computer's.

    MOBILEKIT_RUNNER, or what `make runner` built in this checkout or here, or the cache.

    Raises:
        MissingBinaryError: If there is none.
        UsageError: If the variable names no file.
    """
    named = _named("MOBILEKIT_RUNNER")
    if named is not None:
        return named
    for folder in (Path(__file__).resolve().parents[2], Path.cwd()):
        built = folder / (BUILD if _is_own(abi) else BUILD / str(abi)) / PROGRAM
        if built.is_file():
            return built
    placed = find_placed(PROGRAM, abi)
    if placed is not None:
        return placed
    command = "make runner" if _is_own(abi) else f"make runner ABI={abi}"
    of = "" if _is_own(abi) else f" for {abi}"
    raise MissingBinaryError(
        f"The native runner was not built{of}: run `{command}` in a checkout, which needs a C++"
        " compiler, or name its program with --runner-binary or MOBILEKIT_RUNNER."
    )


def find_library(abi: str | None = None) -> Library:
    """The LiteRT library for an ABI; None means this computer's.

    MOBILEKIT_LITERT_LIBRARY, the cache, or the library of the installed ai-edge-litert.

    Raises:
        MissingBinaryError: If there is none.
        UsageError: If its version cannot be told, or the variable names no file.
    """
    path = _named("MOBILEKIT_LITERT_LIBRARY") or find_placed(LIBRARY, abi)
    if path is not None:
        version = os.environ.get("MOBILEKIT_LITERT_VERSION") or version_of(path)
        if version is None:
            raise UsageError(
                f"Which version of LiteRT {path} is cannot be told from its folder; name it in"
                " MOBILEKIT_LITERT_VERSION."
            )
        return Library(path=path, version=version)
    if not _is_own(abi):
        raise MissingBinaryError(f"No {LIBRARY} for {abi} was found: {_remedy(LIBRARY, abi)}.")
    spec = importlib.util.find_spec("ai_edge_litert")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / LIBRARY
        if path.is_file():
            return Library(path=path, version=importlib.metadata.version("ai-edge-litert"))
    raise MissingBinaryError(
        f"No {LIBRARY} was found: install ai-edge-litert, or name the library in"
        " MOBILEKIT_LITERT_LIBRARY."
    )


def find_tool(name: str, abi: str) -> Path:
    """One of Google's programs in the cache.

    Raises:
        MissingBinaryError: If it is not there.
    """
    placed = find_placed(name, abi)
    if placed is None:
        raise MissingBinaryError(
            f"There is no {name} for {abi}: name it with --runner-binary, or {_remedy(name, abi)}."
        )
    return placed


def find_placed(name: str, abi: str | None) -> Path | None:
    """A file of the cache, of the newest version there; None if there is none."""
    platform_name = PLATFORMS.get(abi or platform.machine())
    if platform_name is None:
        return None
    found = (cache_dir() / "binaries" / platform_name).glob(f"*/{name}")
    return max((path for path in found if path.is_file()), key=_newness, default=None)


def version_of(path: Path) -> str | None:
    """Told by its folder in the cache, the wheel unpacked there, or a folder named like one."""
    if path.resolve().parent.parent.parent == (cache_dir() / "binaries").resolve():
        return path.parent.name
    wheels = path.resolve().parent.parent.glob("ai_edge_litert-*.dist-info")
    found = [wheel.name.split("-")[1].removesuffix(".dist") for wheel in wheels]
    found += [part for part in reversed(path.parts) if VERSION.fullmatch(part)]
    return found[0] if found else None


def placing(download: Download) -> str:
    """The command that places it in the cache, for a shell."""
    target = cache_dir() / "binaries" / PLATFORMS[DOWNLOADS_ABI] / download.version / download.name
    return shlex.join(["curl", "--fail", "--create-dirs", "-Lo", str(target), download.url])


def instead(abi: str) -> Iterator[tuple[str, Path]]:
    """Runners whose program lies in the cache for an ABI, with the file."""
    for name in DOWNLOADS:
        placed = find_placed(name, abi)
        if placed is not None and name != LIBRARY:
            yield name, placed


def _remedy(name: str, abi: str | None) -> str:
    """How to have it: one clause, which an error ends with."""
    if abi == DOWNLOADS_ABI:
        return f"place it in the cache with `{placing(DOWNLOADS[name])}`"
    folder = cache_dir() / "binaries" / PLATFORMS.get(str(abi), str(abi))
    return f"place it in {folder}/<version>/{name}"


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    if not Path(value).is_file():
        raise UsageError(f"{variable} names {value}, which is no file.")
    return Path(value)


def _is_own(abi: str | None) -> bool:
    """Whether it is this computer's; "arm64-v8a" never is, since Android has another C library."""
    return abi is None or abi == platform.machine()


def _newness(path: Path) -> tuple[bool, tuple[int, ...], str]:
    version = path.parent.name
    numbers = tuple(map(int, version.split("."))) if VERSION.fullmatch(version) else ()
    return bool(numbers), numbers, version
