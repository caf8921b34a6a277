"""Boards for tests: this computer through an ssh server on loopback.

Either asyncssh's server or OpenSSH's own, on a free port, with new keys, a configuration of the
client's and a home folder of its own: nothing of the user's is read or written.
"""

import contextlib
import getpass
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from android_bench.devices.ssh import SshDevice

SERVER = Path(__file__).with_name("asyncssh_server.py")
SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
SetEnv HOME={folder}/home PATH={path}
"""
SSH_CONFIG = """\
Host board
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile "{folder}/user_key"
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile "{folder}/known_hosts"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
"""


@dataclass(frozen=True, kw_only=True)
class Board:
    """A server's folder, and how the client gets there: the Host "board" of `config`."""

    folder: Path

    @property
    def config(self):
        return self.folder / "config"

    @property
    def home(self):
        return self.folder / "home"

    def open(self):
        return SshDevice("board", config=self.config)


def new_keys(folder):
    """Keys of host and user, and what each side knows of the other's."""
    (folder / "home").mkdir(parents=True)
    for name in ("host_key", "user_key", "other_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")


def know(folder, port, key="host_key"):
    """Writes the client's side: a configuration and the host's key."""
    words = {"port": port, "folder": folder, "user": getpass.getuser()}
    (folder / "config").write_text(SSH_CONFIG.format(**words))
    public = (folder / f"{key}.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    return Board(folder=folder)


@contextlib.contextmanager
def asyncssh_server(folder, *fault):
    """asyncssh's server; `fault` is a fault and its word, see asyncssh_server.py."""
    new_keys(folder)
    command = [sys.executable, str(SERVER), str(folder), *fault]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with server:
        try:
            yield know(folder, int(server.stdout.readline()))
        finally:
            server.terminate()


@contextlib.contextmanager
def openssh_server(folder, *, path="", largest_file_bytes=None):
    """OpenSSH's sshd; `path` comes first in its sessions' PATH, and they write no larger files."""
    new_keys(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = {"folder": folder, "port": port, "path": f"{path}:{os.environ['PATH']}".lstrip(":")}
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(**words))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)

    def limit():
        if largest_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))

    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log, preexec_fn=limit
        )
    with server:
        try:
            _wait_for(server, port, folder / "sshd.log")
            yield know(folder, port)
        finally:
            server.terminate()


def _wait_for(server, port, log):
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return


SERVERS = [
    pytest.param(asyncssh_server, id="asyncssh", marks=pytest.mark.needs_ssh),
    pytest.param(openssh_server, id="openssh", marks=pytest.mark.needs_sshd),
]


@pytest.fixture(scope="session")
def asyncssh_board(tmp_path_factory):
    """A board that asyncssh serves."""
    with asyncssh_server(tmp_path_factory.mktemp("asyncssh") / "board") as board:
        yield board


@pytest.fixture(scope="session")
def openssh_board(tmp_path_factory):
    """A board that OpenSSH serves."""
    with openssh_server(tmp_path_factory.mktemp("openssh") / "board") as board:
        yield board


def _device(board):
    shutil.rmtree(board.home / ".cache", ignore_errors=True)
    device = board.open()
    yield device
    device.close()


@pytest.fixture
def asyncssh_device(asyncssh_board):
    """The same, connected, with nothing on it."""
    yield from _device(asyncssh_board)


@pytest.fixture
def openssh_device(openssh_board):
    """The same, connected, with nothing on it."""
    yield from _device(openssh_board)
