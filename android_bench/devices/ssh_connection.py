"""One connection to a board by the user's own `ssh`: the only module that runs it.

So ~/.ssh/config, agents, jump hosts and known_hosts are the user's, and nothing of them is
overruled but what would ask a question or open a terminal. One ssh process holds the connection;
every call is a session through it, for milliseconds. It ends with this process, however that ends:
its standard input closes.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from android_bench import process
from android_bench.devices.board_scripts import RECEIVE, RUN
from android_bench.devices.ssh_errors import BoardError, meaning
from mobilekit.core.errors import UsageError

CONNECT_LIMIT_S = 30.0  # through a jump host or two; ssh's own limit is for one step of them
REMOTE_GRACE_S = 5  # the board's clock ends what this computer could not
LAST_WORDS_S = 2.0
READ_BYTES = 1 << 16
# macOS allows 104 bytes for a socket's path and ssh adds 17 while it makes it: no TMPDIR fits.
SOCKET_FOLDER = "/tmp"
OPTIONS = {
    "BatchMode": "yes",  # no question, ever
    "ClearAllForwardings": "yes",  # a port that is taken must not end a measurement
    "ConnectTimeout": "10",
    "ControlPersist": "no",
    "LogLevel": "ERROR",  # no banner; QUIET would hide why it failed
    "RemoteCommand": "none",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "5",
}
# A host, a Host alias, an address; perhaps a user. No port: it stands in the configuration.
DESTINATION = re.compile(r"[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*")


class Connection:
    """Runs scripts of `board_scripts` on one board.

    Attributes:
        label: What errors call the board; whoever learns its name sets it.
    """

    def __init__(self, destination: str, *, config: Path | None = None) -> None:
        """`config` replaces ~/.ssh/config; nothing is connected before the first call.

        Raises:
            UsageError: If no board could be named like this.
        """
        if not DESTINATION.fullmatch(destination):
            raise UsageError(
                f"{destination!r} is no board for ssh: give user@board or a Host of ~/.ssh/config,"
                " without spaces and not beginning with a hyphen."
            )
        self.label = self.destination = destination
        self._ssh = ["ssh", "-T", "-a", "-x", *(("-F", str(config)) if config else ())]
        self._ssh += [f"-o{name}={value}" for name, value in OPTIONS.items()]
        self._master = _Master()
        self.close = weakref.finalize(self, self._master.end)

    def run(self, argv: Sequence[str], *, timeout_s: float, shown: Sequence[str]) -> Answer:
        """Runs a command; its standard input is empty.

        Raises:
            DeviceTimeoutError: If it ran longer than `timeout_s`; it is ended there too.
            DeviceError: If the way to the board failed; `shown` is what it calls the command.
        """
        words = [str(math.ceil(timeout_s) + REMOTE_GRACE_S), *argv]
        return self._call(RUN, words, timeout_s=timeout_s, shown=shown, stdin=subprocess.PIPE)

    def send(
        self, file: IO[bytes], words: Sequence[str], *, timeout_s: float, shown: Sequence[str]
    ) -> Answer:
        """Gives the rest of a file to RECEIVE; raises as `run` does."""
        return self._call(RECEIVE, words, timeout_s=timeout_s, shown=shown, stdin=file)

    def _call(
        self,
        script: str,
        words: Sequence[str],
        *,
        timeout_s: float,
        shown: Sequence[str],
        stdin: IO[bytes] | int,
    ) -> Answer:
        self._connect()
        token = secrets.token_hex(8)
        remote = shlex.join(["sh", "-c", script, "mobilekit", token, *words])
        argv = [*self._ssh, "-oControlMaster=no", "-S", self._master.socket]
        try:
            raw = process.run_raw(
                [*argv, "--", self.destination, f"exec {remote}"],
                device=self.label,
                timeout_s=timeout_s,
                shown=shown,
                stdin=stdin,
            )
        except BaseException:
            # OpenSSH 9.2 tells the board of a session's end at once or five seconds later; that
            # the connection is closed, it learns at once.
            self._master.end()
            raise
        return self._unframed(raw, token.encode(), shown)

    def _unframed(self, raw: process.RawShell, token: bytes, shown: Sequence[str]) -> Answer:
        """What stands between the marks; without them the command has not ended."""
        _, began, stdout = raw.stdout.partition(token + b"<")
        stdout, ended, rest = stdout.rpartition(token + b">")
        status = re.fullmatch(rb"(\d{1,3})\.", rest)
        if not began:
            problem = meaning(raw.stderr.decode(errors="replace"))
            raise BoardError(self.label, self._hide_address(problem))
        if not ended or status is None:
            raise BoardError(
                self.label,
                f"the connection dropped while `{' '.join(shown)}` ran; check its power and"
                " network, then do the same again",
            )
        stderr = raw.stderr.partition(token + b"<")[2].rpartition(token + b">")[0]
        return process.RawShell(returncode=int(status[1]), stdout=stdout, stderr=stderr)

    def _connect(self) -> None:
        """Opens the connection, if there is none; raises BoardError."""
        if self._master.alive():
            return
        if shutil.which("ssh") is None:
            raise BoardError(
                self.label, "there is no `ssh` here; on Debian: apt install openssh-client"
            )
        problem = self._master.start(self._ssh, self.destination)
        if problem is not None:
            self._master.end()
            raise BoardError(self.label, self._hide_address(problem))

    def _hide_address(self, text: str) -> str:
        """Once the board has a label, its address is in no error: errors are stored."""
        host = self.destination.rpartition("@")[2]
        return text.replace(self.destination, self.label).replace(host, self.label)


Answer = process.RawShell


class _Master:
    """The ssh process that holds the connection, and the folder of its socket."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""

    @property
    def socket(self) -> str:
        """What the sessions go through; only its owner can use it."""
        return f"{self._folder}/s"

    def alive(self) -> bool:
        """Whether it runs; a connection that dropped ends it within 15 s."""
        return self._process is not None and self._process.poll() is None

    def start(self, ssh: Sequence[str], destination: str) -> str | None:
        """Connects; returns what went wrong, or None."""
        self.end()
        self._folder = tempfile.mkdtemp(prefix="mk-", dir=SOCKET_FOLDER)
        token = secrets.token_hex(8)
        # Words that every login shell reads alike; cat ends when our end closes.
        hold = f"echo {token}; exec cat >/dev/null"
        log = Path(self._folder, "log")
        try:
            with log.open("wb") as stderr:
                self._process = subprocess.Popen(
                    [*ssh, "-M", "-S", self.socket, "--", destination, hold],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                )
            if _says(self._process, token.encode(), CONNECT_LIMIT_S):
                return None
        except BaseException:
            self.end()
            raise
        if self.alive():
            return f"it took the connection, then said nothing for {CONNECT_LIMIT_S:g} s"
        return meaning(log.read_text(errors="replace"))

    def end(self) -> None:
        """Closes the connection, and leaves nothing."""
        running, self._process = self._process, None
        if running is not None:
            with running, contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # with what it started for a jump host
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""


def _says(running: subprocess.Popen[bytes], word: bytes, limit_s: float) -> bool:
    """Whether a process writes `word` before it ends or the limit passes."""
    assert running.stdout is not None  # a pipe
    deadline, said = time.monotonic() + limit_s, b""
    with selectors.DefaultSelector() as selector:
        selector.register(running.stdout, selectors.EVENT_READ)
        while word not in said and len(said) < process.MAX_OUTPUT_BYTES:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return False
            block = os.read(running.stdout.fileno(), READ_BYTES)
            if not block:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(LAST_WORDS_S)  # its last words are then in its log
                return False
            said += block
    return word in said
