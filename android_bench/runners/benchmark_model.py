"""Drives Google's `benchmark_model` and `benchmark_litert_model`.

They print statistics: no raw latencies, no outputs, no sensors. So their runs carry a `summary`,
and verdicts say what that is worth. They time invocations alone, without writing the inputs or
reading the outputs, and their inputs are random numbers, other ones in every start.
"""

from __future__ import annotations

import platform
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from android_bench.devices import Device, Shell
from android_bench.runners import WARMUP_MIN_SECS, Start
from android_bench.runners.artifacts import find_tool, version_of
from android_bench.runners.document import context_of, ending
from android_bench.runners.elf import NO_ELF, abi_of, same_abi
from android_bench.runners.op_profile import Operator, parse_profile_file, parse_profile_text
from android_bench.runners.tool_result import parse_result_file
from android_bench.runners.tool_run import delegate_of, make_run
from android_bench.runners.tool_table import TOOLS, Tool
from android_bench.runners.tool_text import parse_tool_text
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Program, Run, RunConfig, Runtime
from mobilekit.core.storage import storage_errors

QUICK_S = 30.0  # for commands that only touch files
RESULT_FLAG = "result_file_path"
UNKNOWN = "unknown"  # the version of a program that lies in no folder named like one

Flags = Mapping[str, str | int | float | bool]


def open_benchmark_model(
    *, runtime: str, python: Path | None, binary: Path | None, abi: str | None = None
) -> BenchmarkTool:
    """The opener of `RUNNERS`; see `open_runner`."""
    return _open("benchmark_model", runtime, python, binary, abi)


def open_benchmark_litert_model(
    *, runtime: str, python: Path | None, binary: Path | None, abi: str | None = None
) -> BenchmarkTool:
    """The opener of `RUNNERS`; see `open_runner`."""
    return _open("benchmark_litert_model", runtime, python, binary, abi)


def _open(
    name: str, runtime: str, python: Path | None, binary: Path | None, abi: str | None
) -> BenchmarkTool:
    if python is not None:
        raise UsageError(f"Runner {name!r} needs no Python; leave {python} out.")
    program = binary or find_tool(name, abi or platform.machine())
    return BenchmarkTool(TOOLS[name], runtime=runtime, binary=program)


class BenchmarkTool:
    """See `android_bench.runners.Runner`."""

    def __init__(self, tool: Tool, *, runtime: str, binary: Path) -> None:
        """`binary` is here; it is brought to the device."""
        self.name = tool.name
        self._tool = tool
        self._binary = binary
        version, sha256 = version_of(binary) or UNKNOWN, sha256_file(binary)
        self._program = Program(name=tool.name, version=version, sha256=sha256)
        # The runtime is inside the program.
        self._runtime = Runtime(name=runtime, version=version, sha256=sha256, api=tool.api)
        self._ready: set[tuple[str, str]] = set()

    def program(self) -> Program:
        """The program, by its digest."""
        return self._program

    def context(self, device: Device) -> str:
        """A process of this computer, or of a shell elsewhere."""
        return context_of(device)

    def check(self, config: RunConfig) -> None:
        """Raises UsageError where the delegate is to be required, and the tool cannot do that."""
        delegate = self._tool.delegates.get(delegate_of(config))
        if config.require_delegate and delegate is not None and delegate.required is None:
            raise UsageError(
                f"Runner {self.name} cannot require {delegate.name}; leave --require-delegate out."
            )

    def runtime(self, device: Device) -> Runtime:
        """The program's own; it is looked at whether the program is for the device, and brought."""
        found, abi = abi_of(self._binary), device.info().abi
        if found != NO_ELF and not same_abi(found, abi):
            raise RunnerError(
                f"{device.label} is {abi}, and {self._binary.name} is for {found}; name one that"
                " was built for the device."
            )
        self._bring(device)
        return self._runtime

    def forget(self, device: Device) -> None:
        """Looks again whether the program is there."""
        self._ready.discard((device.label, device.workspace))

    def start(self, device: Device, start: Start, *, timeout_s: float) -> Run:
        """Starts the program once and makes a run of what it prints."""
        if start.outputs is not None:
            raise RunnerError(f"{self.name} gives no outputs.")
        flags, remote = self._flags(start), None
        if self._tool.result_file:
            remote = flags[RESULT_FLAG] = self._new_file(device, "pb")
        shell = self._launch(device, flags, timeout_s=timeout_s)
        content = self._fetch(device, remote) if remote else None
        try:
            self._must_end_well(shell)
            result = parse_result_file(content, self.name) if content is not None else None
            text = parse_tool_text(
                f"{shell.stdout}\n{shell.stderr}",
                self.name,
                elsewhere=result.measured if result else None,
            )
            self._refuse_ignored(text.unknown_flags)
            return make_run(
                self._tool,
                start,
                text,
                result,
                program=self._program,
                runtime=self._runtime,
                context=context_of(device),
            )
        except RunnerError as error:
            raise RunnerError(f"{device.label}: {error}") from error

    def profile(
        self, device: Device, start: Start, *, timeout_s: float, mode: str | None = None
    ) -> tuple[Operator, ...]:
        """Starts the program with its profiler on, which slows it: no such start is timed.

        Args:
            device: Where.
            start: As for a timed start.
            timeout_s: Its limit, in seconds.
            mode: One of the tool's `profile_modes`; the best where none is named.

        Raises:
            UsageError: If the tool has no such mode.
            RunnerError: If it fails, or gives no profile that can be read.
            DeviceError: If the device fails.
        """
        chosen = mode or self._tool.profile_modes[0]
        if chosen not in self._tool.profile_modes:
            known = ", ".join(self._tool.profile_modes)
            raise UsageError(f"{self.name} gives no profile as {chosen!r}; it gives {known}.")
        flags, remote = {**self._flags(start), **self._tool.profiling}, None
        if chosen != "stdout":
            remote = self._new_file(device, chosen)
            flags |= {"op_profiling_output_mode": chosen, "op_profiling_output_file": remote}
        shell = self._launch(device, flags, timeout_s=timeout_s)
        content = self._fetch(device, remote) if remote else None
        try:
            self._must_end_well(shell)
            if content is None:
                return parse_profile_text(f"{shell.stdout}\n{shell.stderr}", self.name)
            if chosen == "proto":
                return parse_profile_file(content, self.name)
            return parse_profile_text(content.decode(errors="replace"), self.name)
        except RunnerError as error:
            raise RunnerError(f"{device.label}: {error}") from error

    def _new_file(self, device: Device, suffix: str) -> str:
        """A path on the device that nothing has, in a folder that is there."""
        folder = f"{device.workspace}/results"
        device.shell(["mkdir", "-p", folder], timeout_s=QUICK_S)
        return f"{folder}/{secrets.token_hex(8)}.{suffix}"

    def _launch(self, device: Device, flags: Flags, *, timeout_s: float) -> Shell:
        program = self._bring(device)
        return device.shell([program, *map(_word, flags.items())], timeout_s=timeout_s)

    def _must_end_well(self, shell: Shell) -> None:
        if shell.returncode:
            raise RunnerError(f"{self.name} {ending(shell)}")

    def _flags(self, start: Start) -> dict[str, str | int | float | bool]:
        config = start.config
        self.check(config)
        delegate = self._tool.delegates[delegate_of(config)]
        return {
            "graph": start.model,
            "num_threads": config.num_threads,
            # The tools count the first inference, which our documents keep apart.
            "warmup_runs": config.warmup_runs + 1,
            "warmup_min_secs": WARMUP_MIN_SECS if config.warmup_runs else 0.0,
            "num_runs": config.num_runs,
            "min_secs": config.min_secs,
            "max_secs": config.max_secs,
            **delegate.flags,
            **((delegate.required or {}) if config.require_delegate else {}),
        }

    def _refuse_ignored(self, flags: tuple[str, ...]) -> None:
        """Older builds know no result file; what they print is then all there is."""
        ignored = [flag for flag in flags if not flag.startswith(f"--{RESULT_FLAG}")]
        if ignored:
            raise RunnerError(
                f"this build of {self.name} ignored {', '.join(ignored)[:300]}, so it measured"
                " something else."
            )

    def _fetch(self, device: Device, remote: str) -> bytes | None:
        """What it wrote, which does not stay there; None if it wrote nothing."""
        if device.shell(["test", "-f", remote], timeout_s=QUICK_S).returncode:
            return None
        with tempfile.TemporaryDirectory(prefix="mobilekit-") as scratch:
            local = Path(scratch) / "written"
            device.pull(remote, local)
            device.shell(["rm", "-f", remote], timeout_s=QUICK_S)
            with storage_errors(local, "read"):
                return local.read_bytes()

    def _bring(self, device: Device) -> str:
        """The program's path there; it is brought once for every device."""
        program = f"{device.workspace}/runners/{self._program.sha256}"
        key = (device.label, device.workspace)
        if key not in self._ready:
            device.push(self._binary, program)
            made = device.shell(["chmod", "755", program], timeout_s=QUICK_S)
            if made.returncode:
                raise RunnerError(f"{device.label}: {program} cannot be made executable.")
            self._ready.add(key)
        return program


def _word(flag: tuple[str, str | int | float | bool]) -> str:
    """E.g. "--use_nnapi=true": truth values as the tools write them."""
    name, value = flag
    return f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
