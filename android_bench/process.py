"""Runs one command of this computer within a limit of time and of output.

The command gets a process group of its own, which is ended as a whole when a limit is passed or
Ctrl-C is pressed: nothing that it started goes on using the processor that is measured next.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from android_bench.interrupt import Interrupt, current
from mobilekit.core.errors import DeviceError, DeviceTimeoutError

# A document of 100,000 invocations, the most a RunConfig allows, has under 6 MB.
MAX_OUTPUT_BYTES = 32_000_000
READ_BYTES = 1 << 16
EXIT_NOT_STARTED = 127  # what a shell answers for a command it cannot find
LOOK_S = 0.2  # how often a thread that can be stopped looks whether it is to, at a silent command


@dataclass(frozen=True, kw_only=True)
class Shell:
    """What a command answered; bytes that are no UTF-8 are replaced.

    Attributes:
        returncode: Its exit status; below zero, the signal that ended it.
        stdout: Its standard output.
        stderr: Its standard error, apart.
    """

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class RawShell:
    """The same with the bytes as they came."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run(argv: Sequence[str], *, device: str, timeout_s: float) -> Shell:
    """`run_raw` with the streams as text."""
    raw = run_raw(argv, device=device, timeout_s=timeout_s)
    return Shell(
        returncode=raw.returncode,
        stdout=raw.stdout.decode(errors="replace"),
        stderr=raw.stderr.decode(errors="replace"),
    )


def run_raw(
    argv: Sequence[str],
    *,
    device: str,
    timeout_s: float,
    shown: Sequence[str] = (),
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> RawShell:
    """Runs `argv` without a shell and waits for it.

    Args:
        argv: The program and its arguments, as they are to arrive.
        device: The label that errors name.
        timeout_s: The limit, in seconds.
        shown: The command that errors name, where it is not `argv`.
        stdin: What the command reads: nothing, a file, or PIPE, which stays open and silent
            until the command has ended.

    Raises:
        DeviceTimeoutError: If it ran longer than `timeout_s`; its process group is dead then.
        DeviceError: If it cannot be started, or writes more than MAX_OUTPUT_BYTES.
    """
    deadline, named, interrupt = time.monotonic() + timeout_s, shown or argv, current()
    if interrupt is not None:
        interrupt.check()
    try:
        process = subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
        raise DeviceError(device, named, EXIT_NOT_STARTED, str(error)) from error
    with process:
        try:
            stdout, stderr = _collect(process, deadline, interrupt)
            returncode = _wait(process, deadline, interrupt)
        except (TimeoutError, subprocess.TimeoutExpired):
            _end_group(process)
            raise DeviceTimeoutError(device, named, timeout_s) from None
        except OverflowError as error:
            _end_group(process)
            raise DeviceError(device, named, EXIT_NOT_STARTED, str(error)) from None
        except BaseException:
            _end_group(process)
            raise
    return RawShell(returncode=returncode, stdout=stdout, stderr=stderr)


def _collect(
    process: subprocess.Popen[bytes], deadline: float, interrupt: Interrupt | None
) -> tuple[bytes, bytes]:
    """Reads both streams to their ends; raises TimeoutError or OverflowError at the limits."""
    assert process.stdout is not None  # both are pipes
    assert process.stderr is not None
    streams: dict[IO[bytes], bytearray] = {
        process.stdout: bytearray(),
        process.stderr: bytearray(),
    }
    unread = set(streams)
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        if interrupt is not None and interrupt.armed:
            selector.register(interrupt, selectors.EVENT_READ)
        while unread:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                if key.fileobj is interrupt:
                    interrupt.check()
                    continue
                stream = next(s for s in streams if s is key.fileobj)
                block = os.read(key.fd, READ_BYTES)
                if not block:
                    selector.unregister(stream)
                    unread.discard(stream)
                streams[stream] += block
                if len(streams[stream]) > MAX_OUTPUT_BYTES:
                    raise OverflowError(f"it wrote more than {MAX_OUTPUT_BYTES:,} bytes")
    return bytes(streams[process.stdout]), bytes(streams[process.stderr])


def _wait(process: subprocess.Popen[bytes], deadline: float, interrupt: Interrupt | None) -> int:
    """The exit status; raises subprocess.TimeoutExpired at the limit."""
    while True:
        left = max(0.0, deadline - time.monotonic())
        try:
            return process.wait(left if interrupt is None else min(left, LOOK_S))
        except subprocess.TimeoutExpired:
            if interrupt is None or left <= LOOK_S:
                raise
            interrupt.check()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
