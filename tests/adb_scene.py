"""A private adb server and simulated phones, for the tests that drive the real adb."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from android_bench.devices.adb import Adb, AdbDevice
from tests.simulated_device.phone import Phone

# Neither looks for emulators on this computer nor for phones in its network.
QUIET = {"ADB_LOCAL_TRANSPORT_MAX_PORT": "5554", "ADB_MDNS": "0"}
HERE = ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_SERIAL")


def modern_adb() -> Path:
    """adb 36, of the adbutils wheel, which the extra [test] installs."""
    wheel = importlib.util.find_spec("adbutils")
    assert wheel, "the tests need adbutils: pip install 'mobilekit[test]'"
    return Path(wheel.origin).parent / "binaries" / "adb"


def debian_adb() -> Path:
    """adb 29, of Debian 12."""
    found = Path("/usr/lib/android-sdk/platform-tools/adb")
    assert found.exists(), "tests marked needs_adb29 need Debian's package adb"
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def enter(tmp_path, monkeypatch, server: Adb) -> Path:
    """An empty current folder that is returned, and the tests' own adb first on PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(server.path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.port))
    for name in HERE:
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@contextmanager
def adb_server(program: Path, folder: Path) -> Iterator[Adb]:
    """A server of its own on a free port; ended at the end, by its port."""
    environment = {key: value for key, value in os.environ.items() if key not in HERE}
    environment |= {**QUIET, "HOME": str(folder), "TMPDIR": str(folder)}
    for _ in range(3):  # between finding a free port and taking it, somebody else may
        adb = Adb(path=program, host="127.0.0.1", port=free_port())
        command = [str(program), "-P", str(adb.port)]
        start = [*command, "start-server"]
        done = subprocess.run(start, env=environment, capture_output=True, timeout=30, check=False)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    try:
        yield adb
    finally:
        subprocess.run([*command, "kill-server"], capture_output=True, timeout=30, check=True)
        shutil.rmtree(folder / ".android", ignore_errors=True)


def attach(adb: Adb, phone: Phone) -> None:
    """Connects the server with a phone, anew where the connection broke."""
    for words in (["disconnect", phone.address], ["connect", phone.address]):
        adb.run(words, device="test", timeout_s=20)


def device_of(adb: Adb, phone: Phone) -> AdbDevice:
    """Opens a phone that is attached."""
    (attached,) = (row for row in adb.devices() if row.serial == phone.address)
    attached.need_ready()
    return AdbDevice(adb=adb, attached=attached)


@contextmanager
def simulated(adb: Adb, phone: Phone) -> Iterator[AdbDevice]:
    """Switches a phone on, attaches and opens it."""
    with phone:
        attach(adb, phone)
        try:
            yield device_of(adb, phone)
        finally:
            adb.run(["disconnect", phone.address], device="test", timeout_s=20)


def impatient(device: AdbDevice, seconds: float = 1.0) -> AdbDevice:
    """The same device for somebody in a hurry."""
    (attached,) = (row for row in device._adb.devices() if row.serial == device._serial)
    return AdbDevice(adb=device._adb, attached=attached, patience_s=seconds)
