"""A device behind adb: the real adb drives a simulated phone that fails in every way seen."""

import pickle
import random
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from android_bench.devices.adb import Adb, AdbDevice
from android_bench.devices.adb_answer import ConnectionLostError, until_marker
from android_bench.devices.attached import NotReadyError
from android_bench.process import Shell
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, StorageError
from tests.adb_scene import (
    QUIET,
    adb_server,
    attach,
    debian_adb,
    device_of,
    free_port,
    impatient,
    modern_adb,
    simulated,
)
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile

ROOT = Path(__file__).resolve().parents[1]
OLD = Profile(features="cmd,stat_v2", properties={"ro.build.version.sdk": "23"})


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture(
    scope="module", params=["adb36", pytest.param("adb29", marks=pytest.mark.needs_adb29)]
)
def adb(request, tmp_path_factory):
    program = modern_adb() if request.param == "adb36" else debian_adb()
    with adb_server(program, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def phone():
    return Phone()


@pytest.fixture
def device(adb, phone):
    with simulated(adb, phone) as opened:
        yield opened


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(random.Random(1).randbytes(300_000))
    return path


REMOTE = "/data/local/tmp/mobilekit/net.tflite"


def on_phone(phone, remote=REMOTE):
    return phone.jail.path(remote)


def leftovers(phone):
    return [path.name for path in phone.jail.path("/data").rglob("*.part")]


# --- what it says -------------------------------------------------------------------------------


def test_all_that_a_simulated_phone_yields_says_so(device):
    info = device.info()
    assert info.simulated
    assert info.label == "simulated-phone-1"
    assert info.os == "Android 14 (API 34)"
    assert info.cpu_features == ("asimd", "asimddp")  # i8mm is not on every core
    assert info.cpu_count == 8
    assert info.soc == "Nobody SIM1"


def test_one_phone_has_one_identity_whatever_its_address(adb, device, phone):
    with simulated(adb, Phone()) as elsewhere:
        assert elsewhere.info().serial_hash == device.info().serial_hash
    with simulated(adb, Phone(Profile(serial="ANOTHER"))) as other:
        assert other.info().serial_hash != device.info().serial_hash


def test_it_runs_as_a_process_of_its_own(adb):
    command = [sys.executable, "-m", "tests.simulated_device", "--port", "0", "--model", "Föö 9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        serial = f"127.0.0.1:{process.stdout.readline().strip()}"
        adb.run(["connect", serial], device="test", timeout_s=20)
        (row,) = (row for row in adb.devices() if row.serial == serial)
        assert AdbDevice(adb=adb, attached=row).info().model == "Föö 9"
        adb.run(["disconnect", serial], device="test", timeout_s=20)
        process.terminate()
    assert process.returncode == 0


def test_another_server_is_reached_by_its_socket(adb, device, monkeypatch):
    monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:{adb.host}:{adb.port}")
    assert Adb(path=adb.path).devices() == adb.devices()


# --- a connection that breaks -------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 40, 60, 700, 1900])
def test_output_that_is_cut_off_is_never_an_answer(adb, device, phone, after):
    phone.faults.drop_shell_after = after
    script = "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done"
    with pytest.raises(ConnectionLostError, match=r"simulated-phone-1: connection lost"):
        device.shell(["sh", "-c", script], timeout_s=20)
    attach(adb, phone)
    assert device.shell(["sh", "-c", script], timeout_s=20).stdout.endswith("\n499\n")


def test_an_output_is_whole_only_with_its_whole_marker():
    token = "0123456789abcdef"
    whole = f"12\n{token} 7\n\n{token}137\n"
    assert until_marker(whole, token) == (f"12\n{token} 7\n\n", 137)
    assert {until_marker(whole[:cut], token)[1] for cut in range(len(whole))} == {None}


def test_a_number_at_the_end_of_a_cut_output_is_no_status(device, phone):
    phone.faults.drop_shell_after = 52  # the marker before standard error, and two lines
    with pytest.raises(ConnectionLostError):
        device.shell(["sh", "-c", "echo 0; sleep 0.3; echo 0; sleep 300"], timeout_s=20)


@pytest.mark.needs_adb29
def test_adb_29_itself_calls_a_cut_output_a_success(adb, device, phone):
    if "debian" not in adb.version():
        return  # the other adb of this file is honest here
    device.shell(["true"], timeout_s=20)
    phone.faults.drop_shell_after = 10
    lie = adb.run(
        ["-s", phone.address, "shell", "echo first; sleep 0.2; echo second"],
        device="test",
        timeout_s=20,
    )
    assert (lie.returncode, "second" in lie.stdout) == (0, False)


def test_a_phone_that_has_gone_is_named_without_its_serial(device, phone):
    phone.drop()
    phone.faults.unauthorized = True
    with pytest.raises(DeviceError) as caught:
        device.shell(["true"], timeout_s=20)
    assert "connection lost" in str(caught.value)
    assert phone.address not in str(caught.value)


def test_a_phone_that_is_not_there_is_not_taken_for_an_old_one(adb, device, phone):
    again = impatient(device)
    adb.run(["disconnect", phone.address], device="test", timeout_s=20)
    with pytest.raises(ConnectionLostError, match="not found"):
        again.shell(["true"], timeout_s=20)
    attach(adb, phone)
    assert again.separates_streams


@pytest.mark.parametrize("after", [1, 100_000, 200_000])
def test_a_cable_pulled_in_a_push_costs_that_push(adb, device, phone, net, after):
    device.push(net, REMOTE)
    before = net.read_bytes()
    net.write_bytes(before[::-1])
    phone.faults.drop_push_after = after
    with pytest.raises(DeviceError, match="push"):
        device.push(net, REMOTE)
    assert on_phone(phone).read_bytes() == before
    attach(adb, phone)
    device.push(net, REMOTE)
    assert on_phone(phone).read_bytes() == before[::-1]


def test_a_cable_pulled_in_a_pull_leaves_what_was_there(adb, device, phone, net, tmp_path):
    device.push(net, REMOTE)
    local = tmp_path / "back" / "net.tflite"
    local.parent.mkdir()
    local.write_bytes(b"before")
    phone.faults.drop_pull_after = 100_000
    with pytest.raises(DeviceError, match="pull"):
        device.pull(REMOTE, local)
    assert [path.read_bytes() for path in local.parent.iterdir()] == [b"before"]
    attach(adb, phone)
    device.pull(REMOTE, local)
    assert local.read_bytes() == net.read_bytes()


# --- adb and the phone lie ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value", "sentence"),
    [
        ("full_after", 100_000, "No space left on device"),
        ("lose_push", True, "nothing arrived"),
        ("damage_push", True, "arrived instead of"),
        ("free_kb", 100, "needs 300,000 bytes where 102,400 are free; `mobilekit clean`"),
    ],
)
def test_a_push_that_did_not_arrive_is_no_success(device, phone, net, fault, value, sentence):
    old = net.read_bytes()[:1000]
    on_phone(phone).parent.mkdir(parents=True)
    on_phone(phone).write_bytes(old)
    setattr(phone.faults, fault, value)
    with pytest.raises(DeviceError, match=re.escape(sentence)) as caught:
        device.push(net, REMOTE)
    assert phone.address not in str(caught.value)
    assert on_phone(phone).read_bytes() == old
    assert leftovers(phone) == []
    phone.faults.clear()
    device.push(net, REMOTE)
    assert on_phone(phone).read_bytes() == net.read_bytes()


def test_a_pull_that_arrives_damaged_is_refused(device, phone, net, tmp_path):
    device.push(net, REMOTE)
    phone.faults.damage_pull = True
    with pytest.raises(DeviceError, match="arrived instead of"):
        device.pull(REMOTE, tmp_path / "back" / "net")
    assert list((tmp_path / "back").iterdir()) == []


def test_a_second_push_moves_no_bytes_and_a_rewritten_file_does(device, phone, net):
    device.push(net, REMOTE)
    phone.faults.full_after = 0  # refuses the first byte that is sent
    device.push(net, REMOTE)
    net.write_bytes(net.read_bytes()[::-1])
    with pytest.raises(DeviceError, match="No space left"):
        device.push(net, REMOTE)


def test_a_push_onto_a_folder_is_refused(device, net):
    device.push(net, f"{REMOTE}/inside")
    with pytest.raises(DeviceError, match="is a folder"):
        device.push(net, REMOTE)


def test_a_pull_into_a_place_that_cannot_be_written_is_a_storage_error(device, net, tmp_path):
    device.push(net, REMOTE)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        device.pull(REMOTE, tmp_path / "file" / "below")


# --- what hangs, what is slow, what is old ------------------------------------------------------


@pytest.mark.parametrize("service", ["shell", "sync"])
def test_a_service_that_never_answers_is_left_in_time(device, phone, net, service):
    hurried = impatient(device)
    phone.faults.hang = frozenset([service])
    began = time.monotonic()
    with pytest.raises(DeviceTimeoutError, match="ran longer than"):
        hurried.push(net, REMOTE)
    assert time.monotonic() - began < 12
    phone.faults.clear()
    hurried.push(net, REMOTE)


def test_a_slow_phone_is_only_slow(device, phone, net):
    phone.faults.slow_s = 0.05
    device.push(net, REMOTE)
    assert on_phone(phone).read_bytes() == net.read_bytes()


def test_adbs_server_outlives_a_call_that_started_it_and_was_ended(adb, tmp_path, monkeypatch):
    for name, value in {**QUIET, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    port = free_port()
    other = Adb(path=adb.path, port=port)
    try:
        with pytest.raises(DeviceTimeoutError):
            other.run(["wait-for-device"], device="test", timeout_s=5)
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    finally:
        other.run(["kill-server"], device="test", timeout_s=20)


def test_ctrl_c_ends_what_runs_on_the_phone(adb, device, phone):
    code = (
        "import sys; from pathlib import Path\n"
        "from android_bench.devices.adb import Adb, AdbDevice\n"
        "adb = Adb(path=Path(sys.argv[1]), host='127.0.0.1', port=int(sys.argv[2]))\n"
        "row = next(r for r in adb.devices() if r.serial == sys.argv[3])\n"
        "device = AdbDevice(adb=adb, attached=row)\n"
        "device.shell(['sh', '-c', 'echo > started; sleep 300 & wait; :'], timeout_s=300)\n"
    )
    command = [sys.executable, "-c", code, str(adb.path), str(adb.port), phone.address]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    started, deadline = phone.jail.root / "started", time.monotonic() + 20
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert commands_of(phone)
    child.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in child.communicate(timeout=20)[1]
    deadline = time.monotonic() + 2
    while commands_of(phone) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert commands_of(phone) == []


def commands_of(phone):
    """Processes that run on the phone, by the variable that its commands find set."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"SIMULATED={phone.jail.root}\0".encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue  # it ended meanwhile
    return found


def test_a_phone_before_android_7_answers_its_status_and_mixes_its_streams(adb, net, tmp_path):
    with simulated(adb, Phone(OLD)) as device:
        assert not device.separates_streams
        answer = device.shell(["sh", "-c", "echo a; echo b >&2; exit 3"], timeout_s=20)
        assert answer == Shell(returncode=3, stdout="a\nb\n", stderr="")
        device.push(net, REMOTE)
        device.pull(REMOTE, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == net.read_bytes()
        with pytest.raises(DeviceError, match="absent is not a file"):
            device.pull("/data/local/tmp/absent", tmp_path / "none")


def test_many_commands_on_two_phones_do_not_mix(adb):
    with simulated(adb, Phone()) as left, simulated(adb, Phone(Profile(model="Other"))) as right:
        left.separates_streams, right.separates_streams  # noqa: B018 - asked once, before

        def ask(index):
            device = (left, right)[index % 2]
            return device.shell(["echo", f"{device.label} {index}"], timeout_s=60).stdout

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(ask, range(80)))
    labels = ("simulated-phone-1", "other")
    assert answers == [f"{labels[index % 2]} {index}\n" for index in range(80)]


# --- states -------------------------------------------------------------------------------------


def test_a_phone_that_was_not_allowed_says_what_to_do(adb, phone):
    phone.faults.unauthorized = True
    with phone:
        attach(adb, phone)
        deadline, seen = time.monotonic() + 10, set()
        while "unauthorized" not in seen:  # adb tries its keys one by one before it gives up
            assert time.monotonic() < deadline, seen
            with pytest.raises(NotReadyError) as caught:
                device_of(adb, phone)
            seen.add(caught.value.state)
        assert "(unauthorized) has not allowed this computer; unlock it" in str(caught.value)
        adb.run(["disconnect", phone.address], device="test", timeout_s=20)


def test_a_phone_that_was_switched_off_is_offline(adb, phone):
    with phone:
        attach(adb, phone)
    with pytest.raises(NotReadyError, match=r"\(offline\) is listed but does not answer"):
        device_of(adb, phone)
    adb.run(["disconnect", phone.address], device="test", timeout_s=20)


def test_errors_pickle():
    for error in (ConnectionLostError("a", ["b"], "c"), NotReadyError("a", "offline")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
