"""An adb server on another computer, and a phone that comes back after a while."""

import json
import os
import time

import pytest

from android_bench.devices.attached import NotReadyError
from mobilekit.cli import main
from mobilekit.core.errors import DeviceError
from tests.adb_scene import adb_server, attach, debian_adb, device_of, free_port, modern_adb
from tests.simulated_device.phone import Phone

SERVER = "ADB_SERVER_SOCKET"


@pytest.fixture(
    scope="module", params=["adb36", pytest.param("adb29", marks=pytest.mark.needs_adb29)]
)
def server(request, tmp_path_factory):
    program = modern_adb() if request.param == "adb36" else debian_adb()
    with adb_server(program, tmp_path_factory.mktemp("server")) as adb:
        yield adb


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, server):
    """The tests' own adb first on PATH; its default server is one that is not there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(server.path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv(SERVER, f"tcp:127.0.0.2:{free_port()}")
    for name in ("ANDROID_ADB_SERVER_PORT", "ANDROID_ADB_SERVER_ADDRESS", "ANDROID_SERIAL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def phone(server):
    with Phone() as there:
        attach(server, there)
        yield there
        server.run(["disconnect", there.address], device="test", timeout_s=20)


def named(server):
    return ["--adb-host", server.host, "--adb-port", str(server.port)]


def test_every_command_that_asks_adb_takes_a_server_elsewhere(server, phone, tmp_path, capsys):
    before = os.environ[SERVER]
    (tmp_path / "net").write_text("bytes")
    assert main(["devices", "--json", *named(server)]) == 0
    assert [row["label"] for row in json.loads(capsys.readouterr().out)][1:] == [
        "simulated-phone-1"
    ]
    assert main(["push", "net", *named(server)]) == 0
    assert main(["clean", *named(server)]) == 0
    capsys.readouterr()
    assert main(["doctor", "--json", *named(server)]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["adb server"]["found"] == "1 phone"
    assert main(["benchmark", "absent.tflite", "--device", "adb", *named(server)]) == 2
    assert os.environ[SERVER] == before


def test_adbs_own_variable_is_honoured(server, phone, tmp_path, monkeypatch, capsys):
    (tmp_path / "net").write_text("bytes")
    monkeypatch.setenv(SERVER, f"tcp:{server.host}:{server.port}")
    assert main(["push", "net"]) == 0
    assert capsys.readouterr().out.startswith("simulated-phone-1: ")


def test_a_server_that_is_not_there_is_said(tmp_path, capsys):
    (tmp_path / "net").write_text("bytes")
    nowhere = ["--adb-host", "127.0.0.2", "--adb-port", str(free_port())]
    assert main(["push", "net", *nowhere]) == DeviceError.exit_code
    assert "127.0.0.2" in capsys.readouterr().err
    assert main(["doctor", "--json", *nowhere]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["adb server"]["found"] is None
    assert "none answers at tcp:127.0.0.2:" in rows["adb server"]["remedy"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--adb-port", "0"], "--adb-port takes a port from 1 to 65535, not 0."),
        (["--adb-port", "70000"], "--adb-port takes a port from 1 to 65535, not 70000."),
        (["--adb-host", ""], "--adb-host takes a computer's name or address, not ''."),
        (["--adb-host", "a b"], "--adb-host takes a computer's name or address, not 'a b'."),
    ],
)
def test_a_server_that_cannot_be_is_a_usage_error(words, sentence, capsys):
    assert main(["devices", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "environment", "socket"),
    [
        (["--adb-host", "bench"], {}, "tcp:bench:5037"),
        (["--adb-host", "bench"], {"ANDROID_ADB_SERVER_PORT": "6000"}, "tcp:bench:6000"),
        (["--adb-port", "6001"], {"ANDROID_ADB_SERVER_PORT": "6000"}, "tcp:localhost:6001"),
        (["--adb-host", "fe80::1", "--adb-port", "7"], {}, "tcp:[fe80::1]:7"),
    ],
)
def test_options_go_before_variables(words, environment, socket, tmp_path, monkeypatch):
    """The adb that runs is a script that notes which server it was told."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    program, noted = tmp_path / "bin" / "adb", tmp_path / "noted"
    program.unlink()
    program.write_text(f'#!/bin/sh\necho "${SERVER}" >>{noted}\n')
    program.chmod(0o755)
    assert main(["devices", *words]) == 0
    assert set(noted.read_text().split()) == {socket}


# --- it comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("happening", ["reboot", "unplug", "drop"])
def test_a_phone_that_comes_back_is_waited_for(server, phone, happening):
    device, boot = device_of(server, phone), phone.boot_id
    device.shell(["true"], timeout_s=20)
    {"reboot": phone.reboot, "unplug": phone.unplug, "drop": phone.drop}[happening]()
    if happening != "drop":
        time.sleep(0.2)
        with pytest.raises(DeviceError):
            device.shell(["true"], timeout_s=20)
    device.wait_until_there(20)
    assert device.shell(["echo", "back"], timeout_s=20).stdout == "back\n"
    assert (phone.boot_id != boot) == (happening == "reboot")


def test_one_that_adb_has_given_up_is_connected_anew(server, phone):
    device = device_of(server, phone)
    server.run(["disconnect", phone.address], device="test", timeout_s=20)
    device.wait_until_there(20)
    assert device.shell(["true"], timeout_s=20).returncode == 0


@pytest.mark.parametrize(
    ("fault", "state"),
    [("gone", "offline|absent"), ("hang", "offline"), ("refuse", "unauthorized|authorizing")],
)
def test_one_that_stays_away_is_named_with_its_state_in_time(server, phone, fault, state):
    device = device_of(server, phone)
    device.shell(["true"], timeout_s=20)
    if fault == "gone":
        phone.unplug(60)
    elif fault == "hang":
        phone.faults.hang = frozenset(["shell"])
    else:
        phone.faults.unauthorized = True
        phone.drop()
    began = time.monotonic()
    with pytest.raises(NotReadyError, match=rf"simulated-phone-1 \(({state})\) ") as caught:
        device.wait_until_there(2)
    assert time.monotonic() - began < 7
    assert phone.address not in str(caught.value)
