"""Drives the C++ runner: our program, and the LiteRT library that it opens where it runs.

Both are brought to the device by their digests. The library does not say its own version, so the
driver does: from the package that it lies in, its path, or MOBILEKIT_LITERT_VERSION.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from android_bench.devices import Device
from android_bench.runners import BUILTIN_KERNELS, WARMUP_MIN_SECS, Start
from android_bench.runners.artifacts import LIBRARY, Library, find_binary, find_library
from android_bench.runners.document import Answer, Probe, context_of, must_fit, read_document
from android_bench.runners.elf import abi_of, same_abi
from android_bench.runners.native_libraries import Companions
from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Program, Run, RunConfig, Runtime

NAME, VERSION = "native", "2"
PROBE_TIMEOUT_S = 60.0
QUICK_S = 30.0  # for commands that only touch files


def open_native(
    *,
    runtime: str,
    python: Path | None,
    binary: Path | None,
    abi: str | None = None,
    libraries: Sequence[Path] = (),
) -> NativeRunner:
    """The opener of `RUNNERS`; see `open_runner`."""
    if python is not None:
        raise UsageError(f"Runner {NAME!r} needs no Python; leave {python} out.")
    return NativeRunner(
        runtime=runtime,
        binary=binary or find_binary(abi),
        library=find_library(abi),
        libraries=libraries,
    )


class NativeRunner:
    """See `android_bench.runners.Runner`."""

    name = NAME

    def __init__(
        self, *, runtime: str, binary: Path, library: Library, libraries: Sequence[Path] = ()
    ) -> None:
        """All are files here, or folders of `libraries`; they are brought to the device."""
        self._runtime = runtime
        self._binary = binary
        self._library = library
        self._program = Program(name=NAME, version=VERSION, sha256=sha256_file(binary))
        self._library_sha256 = sha256_file(library.path)
        self._companions = Companions.of(library.path, LIBRARY, libraries)
        self._ready: set[tuple[str, str]] = set()

    def program(self) -> Program:
        """The program, by its digest."""
        return self._program

    def context(self, device: Device) -> str:
        """A process of this computer, or of a shell elsewhere."""
        return context_of(device)

    def check(self, config: RunConfig) -> None:
        """Raises UsageError for a delegate that lives in a library that nobody named."""
        if config.delegate in ("xnnpack", BUILTIN_KERNELS) or self._companions is not None:
            return
        beside = sorted(self._library.path.parent.glob("libLiteRt*Accelerator.so"))
        here = f", e.g. {beside[0]}" if beside and config.delegate == "gpu-mldrift" else ""
        raise UsageError(
            f"Delegate {config.delegate!r} comes out of libraries of its own; name their files or"
            f" their folder with --runner-library{here}."
        )

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
        """Starts the program once and checks what it prints.

        Raises:
            UsageError: If the delegate needs libraries, and none were given.
        """
        config = start.config
        self.check(config)
        warmup_secs = WARMUP_MIN_SECS if config.warmup_runs else 0
        arguments = [
            *("--model", start.model),
            *("--delegate", config.delegate),
            *self._options(device, start),
            *(w for name, shape in config.shapes.items() for w in ("--shape", f"{name}={shape}")),
            *("--num-threads", str(config.num_threads)),
            *("--warmup-runs", str(config.warmup_runs)),
            *("--warmup-min-secs", str(warmup_secs)),
            *("--num-runs", str(config.num_runs)),
            *("--min-secs", str(config.min_secs)),
            *("--max-secs", str(config.max_secs)),
            *(("--affinity", config.affinity) if config.affinity else ()),
            *(("--require-delegate",) if config.require_delegate else ()),
            *(("--paced", str(config.paced_fps)) if config.paced_fps else ()),
            *(("--sustained", str(config.sustained_s)) if config.sustained_s else ()),
            *(("--load", start.load) if start.load is not None else ()),
            *(("--profile",) if start.profile else ()),
            *("--seed", str(start.seed)),
            *(("--signature", config.signature) if config.signature else ()),
            *(("--input-range", _range(config.input_range)) if config.input_range else ()),
            *(part for path in start.inputs for part in ("--input", path)),
            *(("--outputs", start.outputs) if start.outputs is not None else ()),
        ]
        run = self._ask(Run, device, arguments, timeout_s=timeout_s)
        if run.error is None:
            facts = {
                "runtime": (run.runtime.name, self._runtime),
                "runtime.sha256": (run.runtime.sha256, self._runtime_sha256()),
                "paced.fps": (run.paced and run.paced.fps, config.paced_fps),
                "load.sha256": (run.load and run.load.sha256, config.load_sha256),
                "profile": (run.profile is not None, start.profile),
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
        if self._companions is not None:
            argv += ["--libraries", self._companions.folder(device)]
        argv += ["--context", context_of(device), *arguments]
        shell = device.shell(argv, timeout_s=timeout_s)
        return read_document(record, shell, self._program, device.label)

    def _runtime_sha256(self) -> str:
        return self._companions.sha256 if self._companions else self._library_sha256

    def _options(self, device: Device, start: Start) -> list[str]:
        """The delegate's options; a weight cache gets a file of its own."""
        words = []
        for name, value in start.config.options.items():
            if name == "weight_cache":
                path = self._weight_cache(device, start)
                if start.fresh:
                    device.shell(["rm", "-f", path], timeout_s=QUICK_S)
                words += ["--weight-cache", path]
            else:
                words += ["--option", f"{name}={value}"]
        return words

    def _weight_cache(self, device: Device, start: Start) -> str:
        """The cache's path there.

        XNNPACK itself does not look whether a file is of another model, so each has its own. A
        start that writes its outputs, which is checked and not timed, leaves none behind: the first
        that is timed is then cold.
        """
        if start.outputs is not None:
            return f"{start.outputs}/weights.xnnpack"
        options = dict(start.config.options)
        key = digest([start.model_sha256, self._runtime_sha256(), options])
        return f"{device.workspace}/caches/{key}.xnnpack"

    def _bring(self, device: Device) -> tuple[str, str]:
        """Both files' paths there; they are brought once for every device."""
        folder = f"{device.workspace}/runners"
        program = f"{folder}/{self._program.sha256}"
        library = f"{folder}/{self._library_sha256}.so"
        if self._companions is not None:
            library = f"{self._companions.folder(device)}/{LIBRARY}"
        key = (device.label, device.workspace)
        if key not in self._ready:
            if self._companions is None:
                device.push(self._library.path, library)
            else:
                self._companions.push(device)
            device.push(self._binary, program)
            done = device.shell(["chmod", "755", program], timeout_s=QUICK_S)
            if done.returncode:
                raise RunnerError(
                    f"{device.label}: {program} cannot be made executable: {done.stderr.strip()}"
                )
            self._ready.add(key)
        return program, library

    def _check_abi(self, device: Device) -> None:
        abi = device.info().abi
        files = [("program", self._binary), ("library", self._library.path)]
        if self._companions is not None:
            files += [("library", path) for path in self._companions.of_litert()]
        for what, path in files:
            found = abi_of(path)
            if not same_abi(found, abi):
                raise RunnerError(
                    f"{device.label} is {abi}, and the runner's {what} {path.name} is for {found};"
                    " name one that was built for the device."
                )


def _range(limits: tuple[int, int]) -> str:
    return f"{limits[0]}:{limits[1]}"
