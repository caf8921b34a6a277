"""Drives the C++ runner: our program, and the LiteRT library that it opens where it runs.

Both are brought to the device by their digests. The library does not say its own version, so the
driver does: from the package that it lies in, its path, or MOBILEKIT_LITERT_VERSION.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from android_bench.devices import Device
from android_bench.runners import WARMUP_MIN_SECS, Start
from android_bench.runners.document import Answer, Probe, context_of, must_fit, read_document
from android_bench.runners.elf import abi_of, same_abi
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Program, Run, Runtime

NAME, VERSION = "native", "1"
BINARY = Path("build") / "runner" / "mobilekit_runner"
LIBRARY = "libLiteRt.so"
PROBE_TIMEOUT_S = 60.0
CHMOD_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Library:
    """A libLiteRt.so and what it is."""

    path: Path
    version: str


def open_native(*, runtime: str, python: Path | None, binary: Path | None) -> NativeRunner:
    """The opener of `RUNNERS`; see `open_runner`."""
    if python is not None:
        raise UsageError(f"Runner {NAME!r} needs no Python; leave {python} out.")
    return NativeRunner(runtime=runtime, binary=binary or find_binary(), library=find_library())


def find_binary() -> Path:
    """MOBILEKIT_RUNNER, or what `make runner` built in this checkout or here.

    Raises:
        UsageError: If there is none.
    """
    named = os.environ.get("MOBILEKIT_RUNNER")
    if named:
        if not Path(named).is_file():
            raise UsageError(f"MOBILEKIT_RUNNER names {named}, which is no file.")
        return Path(named)
    for folder in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (folder / BINARY).is_file():
            return folder / BINARY
    raise UsageError(
        "The native runner was not built: run `make runner` in a checkout, which needs a C++"
        " compiler, or name its program with --runner-binary or MOBILEKIT_RUNNER."
    )


def find_library() -> Library:
    """MOBILEKIT_LITERT_LIBRARY, or the library of the installed ai-edge-litert.

    Raises:
        UsageError: If there is none, or its version cannot be told.
    """
    named = os.environ.get("MOBILEKIT_LITERT_LIBRARY")
    if named:
        path = Path(named)
        if not path.is_file():
            raise UsageError(f"MOBILEKIT_LITERT_LIBRARY names {named}, which is no file.")
        return Library(path=path, version=_version_of(path))
    spec = importlib.util.find_spec("ai_edge_litert")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / LIBRARY
        if path.is_file():
            return Library(path=path, version=importlib.metadata.version("ai-edge-litert"))
    raise UsageError(
        f"No {LIBRARY} was found: install ai-edge-litert, or name the library in"
        " MOBILEKIT_LITERT_LIBRARY."
    )


def _version_of(path: Path) -> str:
    """From the variable, the wheel that was unpacked there, or a folder named like a version."""
    said = os.environ.get("MOBILEKIT_LITERT_VERSION")
    if said:
        return said
    wheels = path.resolve().parent.parent.glob("ai_edge_litert-*.dist-info")
    found = [wheel.name.split("-")[1].removesuffix(".dist") for wheel in wheels]
    found += [part for part in reversed(path.parts) if re.fullmatch(r"\d+\.\d+\.\d+", part)]
    if found:
        return found[0]
    raise UsageError(
        f"Which version of LiteRT {path} is cannot be told from its folder; name it in"
        " MOBILEKIT_LITERT_VERSION."
    )


class NativeRunner:
    """See `android_bench.runners.Runner`."""

    name = NAME

    def __init__(self, *, runtime: str, binary: Path, library: Library) -> None:
        """`binary` and `library` are here; they are brought to the device."""
        self._runtime = runtime
        self._binary = binary
        self._library = library
        self._program = Program(name=NAME, version=VERSION, sha256=sha256_file(binary))
        self._library_sha256 = sha256_file(library.path)
        self._ready: set[tuple[str, str]] = set()

    def program(self) -> Program:
        """The program, by its digest."""
        return self._program

    def context(self, device: Device) -> str:
        """A process of this computer, or of a shell elsewhere."""
        return context_of(device)

    def runtime(self, device: Device) -> Runtime:
        """Opens the library there, runs nothing."""
        self._check_abi(device)
        probe = self._ask(Probe, device, ["--probe"], timeout_s=PROBE_TIMEOUT_S)
        if probe.error is not None:
            raise RunnerError(f"{device.label}: {probe.error}")
        return probe.runtime

    def forget(self, device: Device) -> None:
        """Looks again whether both files are there."""
        self._ready.discard((device.label, device.workspace))

    def start(self, device: Device, start: Start, *, timeout_s: float) -> Run:
        """Starts the program once and checks what it prints."""
        config = start.config
        warmup_secs = WARMUP_MIN_SECS if config.warmup_runs else 0
        arguments = [
            *("--model", start.model),
            *("--delegate", config.delegate),
            *("--num-threads", str(config.num_threads)),
            *("--warmup-runs", str(config.warmup_runs)),
            *("--warmup-min-secs", str(warmup_secs)),
            *("--num-runs", str(config.num_runs)),
            *("--min-secs", str(config.min_secs)),
            *("--max-secs", str(config.max_secs)),
            *(("--affinity", config.affinity) if config.affinity else ()),
            *(("--require-delegate",) if config.require_delegate else ()),
            *(("--paced", str(config.paced_fps)) if config.paced_fps else ()),
            *("--seed", str(start.seed)),
            *(part for path in start.inputs for part in ("--input", path)),
            *(("--outputs", start.outputs) if start.outputs is not None else ()),
        ]
        run = self._ask(Run, device, arguments, timeout_s=timeout_s)
        if run.error is None:
            facts = {
                "runtime": (run.runtime.name, self._runtime),
                "runtime.sha256": (run.runtime.sha256, self._library_sha256),
                "the least of warmup_us": (
                    min(len(run.warmup_us), config.warmup_runs),
                    config.warmup_runs,
                ),
            }
            must_fit(run, start, device.label, facts)
        return run

    def _ask(
        self, record: type[Answer], device: Device, arguments: Sequence[str], *, timeout_s: float
    ) -> Answer:
        program, library = self._bring(device)
        argv = [program, "--library", library, "--library-version", self._library.version]
        argv += ["--context", context_of(device), *arguments]
        shell = device.shell(argv, timeout_s=timeout_s)
        return read_document(record, shell, self._program, device.label)

    def _bring(self, device: Device) -> tuple[str, str]:
        """Both files' paths there; they are brought once for every device."""
        folder = f"{device.workspace}/runners"
        program = f"{folder}/{self._program.sha256}"
        library = f"{folder}/{self._library_sha256}.so"
        key = (device.label, device.workspace)
        if key not in self._ready:
            device.push(self._library.path, library)
            device.push(self._binary, program)
            done = device.shell(["chmod", "755", program], timeout_s=CHMOD_TIMEOUT_S)
            if done.returncode:
                raise RunnerError(
                    f"{device.label}: {program} cannot be made executable: {done.stderr.strip()}"
                )
            self._ready.add(key)
        return program, library

    def _check_abi(self, device: Device) -> None:
        abi = device.info().abi
        for what, path in (("program", self._binary), ("library", self._library.path)):
            found = abi_of(path)
            if not same_abi(found, abi):
                raise RunnerError(
                    f"{device.label} is {abi}, and the runner's {what} {path.name} is for {found};"
                    " name one that was built for the device."
                )
