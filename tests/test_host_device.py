"""Devices: one suite for every kind, and what is the host's own."""

import contextlib
import hashlib
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from android_bench import process
from android_bench.devices import DEVICE_KINDS, open_device
from android_bench.devices.computer import read_computer
from android_bench.devices.host import HostDevice
from android_bench.devices.identity import serial_hash
from android_bench.devices.lock import DeviceBusyError, only_measurement
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, StorageError, UnknownNameError
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.simulated_device.phone import Phone

NAMES = [
    "plain.tflite",
    "my model.tflite",
    'it\'s; "quoted" $(reboot) `id`.tflite',
    "-rf",
    "Modell_größe_模型.tflite",
    "two\nlines",
    "*",
]


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def host_device():
    return open_device("host")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with adb_server(modern_adb(), tmp_path_factory.mktemp("server")) as adb:
        yield adb


@pytest.fixture
def simulated_phone(server):
    with simulated(server, Phone()) as phone:
        yield phone


# Fixtures: a device of every kind, some kinds in several ways.
DEVICES = [
    pytest.param("host_device", id="host"),
    pytest.param("simulated_phone", id="adb"),
    pytest.param("asyncssh_device", id="ssh-asyncssh", marks=pytest.mark.needs_ssh),
    pytest.param("openssh_device", id="ssh-openssh", marks=pytest.mark.needs_sshd),
]


@pytest.fixture(params=DEVICES)
def device(request):
    return request.getfixturevalue(request.param)


def processes(mark):
    """Ids of the living processes that have `mark` in their command line; zombies have none."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def ended(mark):
    """Whether all of them are gone within two seconds: the kernel takes a moment."""
    deadline = time.monotonic() + 2
    while processes(mark) and time.monotonic() < deadline:
        time.sleep(0.01)
    return processes(mark) == []


# --- every kind -----------------------------------------------------------------------------------


def test_every_kind_has_a_device_here():
    assert {row.id.partition("-")[0] for row in DEVICES} == set(DEVICE_KINDS)


def test_info_says_what_results_need(device):
    info = device.info()
    assert (info.kind, info.label) == (device.kind, device.label)
    assert len(info.serial_hash) == 64
    assert info.abi
    assert info.os
    assert info.build_fingerprint
    assert info.cpu_count >= 1
    assert info == device.info()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_travels_there_and_back_under_any_name(device, tmp_path, name):
    source = tmp_path / "here" / name
    source.parent.mkdir()
    source.write_bytes(os.urandom(1000))
    remote = f"{device.workspace}/files/{name}"
    device.push(source, remote)
    device.pull(remote, tmp_path / "back" / name)
    assert (tmp_path / "back" / name).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("argument", [*NAMES, "", "a\\b", "~", "%s", "\t"])
def test_an_argument_arrives_as_it_is(device, argument):
    answer = device.shell(["printf", "%s", argument], timeout_s=10)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, argument, "")


def test_a_command_answers_its_status_and_both_streams(device):
    script = "echo to stdout; echo to stderr >&2; exit 7"
    answer = device.shell(["sh", "-c", script], timeout_s=10)
    assert answer == process.Shell(returncode=7, stdout="to stdout\n", stderr="to stderr\n")


def test_a_command_that_does_not_exist_has_status_127(device):
    def status():
        try:
            return device.shell(["no-such-program"], timeout_s=10).returncode
        except DeviceError as error:
            return error.returncode

    assert status() == 127


def test_what_is_there_with_equal_bytes_is_not_sent_again(device, tmp_path):
    source = tmp_path / "net.tflite"
    source.write_bytes(b"A" * 1000)
    remote = f"{device.workspace}/net.tflite"
    device.push(source, remote)
    before = device.shell(["stat", "-c", "%i %Y %Z", remote], timeout_s=10).stdout
    device.push(source, remote)
    assert device.shell(["stat", "-c", "%i %Y %Z", remote], timeout_s=10).stdout == before


def test_a_file_of_equal_name_and_size_but_other_bytes_is_sent(device, tmp_path):
    source, remote = tmp_path / "net.tflite", f"{device.workspace}/net.tflite"
    for content in (b"A" * 1000, b"B" * 1000):
        source.write_bytes(content)
        device.push(source, remote)
        printed = device.shell(["sha256sum", remote], timeout_s=10).stdout
        assert printed.split()[0] == hashlib.sha256(content).hexdigest()


def test_a_missing_local_file_is_refused(device, tmp_path):
    with pytest.raises(StorageError, match=r"absent\.tflite: cannot be read"):
        device.push(tmp_path / "absent.tflite", f"{device.workspace}/absent.tflite")


def test_a_missing_remote_file_is_refused_and_leaves_nothing(device, tmp_path):
    with pytest.raises(DeviceError, match="absent"):
        device.pull(f"{device.workspace}/absent", tmp_path / "local")
    assert not (tmp_path / "local").exists()


def test_a_push_into_a_place_that_cannot_be_written_is_a_device_error(device, tmp_path):
    source = tmp_path / "net.tflite"
    source.write_bytes(b"1")
    device.push(source, f"{device.workspace}/file")
    with pytest.raises(DeviceError, match="push"):
        device.push(source, f"{device.workspace}/file/below-a-file")


def test_a_command_that_hangs_is_ended_with_all_that_it_started(device):
    mark = f"mobilekit-hang-{os.getpid()}"
    script = f"(sleep 300; echo {mark}) & (sleep 300; echo {mark}) & wait"
    begin = time.monotonic()
    with pytest.raises(DeviceTimeoutError, match=r"ran longer than 0\.5 s"):
        device.shell(["sh", "-c", script], timeout_s=0.5)
    assert time.monotonic() - begin < 5
    assert ended(mark)


def test_a_command_that_closes_its_streams_and_hangs_is_ended(device):
    begin = time.monotonic()
    with pytest.raises(DeviceTimeoutError):
        device.shell(["sh", "-c", "exec >&- 2>&-; sleep 300"], timeout_s=0.5)
    assert time.monotonic() - begin < 5


def test_a_command_that_floods_its_output_is_ended(device):
    with pytest.raises(DeviceError, match="wrote more than 96,000,000 bytes"):
        device.shell(["yes"], timeout_s=60)


def test_bytes_that_are_no_text_do_not_break_the_answer(device):
    answer = device.shell(["printf", r"a\377b"], timeout_s=10)
    assert answer.stdout == "a\N{REPLACEMENT CHARACTER}b"


# --- opening and errors ---------------------------------------------------------------------------


def test_an_unknown_device_names_those_that_exist():
    with pytest.raises(UnknownNameError, match=r"'hots'. Did you mean 'host'\? Known: adb, host"):
        open_device("hots")


@pytest.mark.parametrize(
    "error", [DeviceBusyError("host", 3.0), DeviceTimeoutError("host", ["x"], 1.0)]
)
def test_device_errors_pickle(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


# --- the host -------------------------------------------------------------------------------------


def test_a_copy_that_arrives_damaged_is_refused(tmp_path):
    """A full-size copy with other bytes: what a failing disk or cable leaves."""
    host = HostDevice(workspace=tmp_path / "work")
    source = tmp_path / "net.tflite"
    source.write_bytes(b"right")
    with pytest.raises(DeviceError, match="arrived instead of 0000000000000000"):
        host._copy(source, tmp_path / "copy", "0" * 64, ["push"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.tflite"]


def test_ctrl_c_ends_the_command_and_all_that_it_started(tmp_path):
    mark = f"mobilekit-interrupt-{os.getpid()}"
    code = (
        "import sys; from android_bench.process import run\n"
        "run(['sh', '-c', f'(sleep 300; echo {sys.argv[1]}) & echo; wait'],"
        " device='host', timeout_s=300)"
    )
    command = [sys.executable, "-c", code, mark]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 10
        while len(processes(mark)) < 3:  # the child, its shell, and what that started
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate(timeout=10)[1]
    finally:
        child.kill()
    assert ended(mark)


def test_the_commands_standard_input_is_empty(tmp_path):
    host = HostDevice(workspace=tmp_path)
    assert host.shell(["cat"], timeout_s=5).stdout == ""


# --- reading a computer ---------------------------------------------------------------------------

X86 = {
    "/proc/cpuinfo": (
        "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: avx2 avx512f avx512_vnni\n\n"
        "processor\t: 1\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: avx2 avx512f\n"
    ),
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    "/proc/sys/kernel/osrelease": "6.1.0-9-amd64\n",
    "/sys/class/dmi/id/sys_vendor": "Vendor\n",
    "/etc/machine-id": "0123456789abcdef\n",
}
BOARD = {
    "/proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU part\t: 0xd08\n",
    "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "/proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
    "/proc/sys/kernel/osrelease": "6.6.20\n",
    "/proc/sys/kernel/hostname": "pi\n",
}


def test_a_pc_is_read():
    computer = read_computer(X86.get)
    assert computer.model == "Some CPU @ 2 GHz"
    assert computer.manufacturer == "Vendor"
    assert computer.soc is None
    assert computer.os == "Debian GNU/Linux 12 (bookworm), Linux 6.1.0-9-amd64"
    assert computer.build_fingerprint == "debian-12/6.1.0-9-amd64"
    assert computer.machine_id == "0123456789abcdef"


def test_only_features_of_every_processor_count():
    assert read_computer(X86.get).cpu_features == ("avx2", "avx512f")


def test_an_arm_board_is_read_from_its_device_tree():
    computer = read_computer(BOARD.get)
    assert computer.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert computer.soc == "brcm,bcm2711"
    assert computer.cpu_features == ("asimd", "asimddp")
    assert computer.os == "Linux, Linux 6.6.20"
    assert computer.machine_id == "pi"


def test_a_computer_that_says_nothing_is_still_one():
    computer = read_computer(lambda path: None)
    assert (computer.model, computer.machine_id, computer.cpu_features) == (None, None, ())


def test_the_host_reads_the_files_below_its_root(tmp_path):
    for path, text in BOARD.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    info = HostDevice(workspace=tmp_path / "work", root=tmp_path).info()
    assert info.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert info.serial_hash == serial_hash("pi")


# --- the secret -----------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path):
    first = serial_hash("0A1B2C")
    secret = tmp_path / "config" / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_bytes()) == 32
    assert serial_hash("0A1B2C") == first
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


def test_a_hash_depends_on_the_serial_and_on_the_secret(tmp_path, monkeypatch):
    first = serial_hash("0A1B2C")
    assert serial_hash("0A1B2D") != first
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", str(tmp_path / "other"))
    assert serial_hash("0A1B2C") != first
    assert "0A1B2C" not in first


def test_processes_that_make_the_secret_at_once_agree(tmp_path):
    code = "from android_bench.devices.identity import serial_hash; print(serial_hash('x'))"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({child.communicate()[0] for child in children}) == 1


def test_a_damaged_secret_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "secret").write_bytes(b"short")
    with pytest.raises(StorageError, match="delete it to have a new one made"):
        serial_hash("x")


# --- the lock -------------------------------------------------------------------------------------

HOLD = """
import sys, time
from android_bench.devices import open_device
from android_bench.devices.lock import only_measurement
with only_measurement(open_device("host").info(), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Another process that holds the host's lock until its standard input closes."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_measurement_waits_and_then_gives_up(holder):
    waits = []
    with (
        pytest.raises(DeviceBusyError, match=r"another measurement is running .* 0\.3 s"),
        only_measurement(open_device("host").info(), lambda: waits.append(1), wait_s=0.3),
    ):
        pytest.fail("two measurements at once")
    assert waits == [1]


def test_a_killed_measurement_leaves_no_lock(holder):
    waits = []
    info = open_device("host").info()

    def end_the_other():
        waits.append(1)
        holder.kill()

    with only_measurement(info, end_the_other, wait_s=10):
        assert waits == [1]


def test_two_devices_do_not_wait_for_each_other(holder):
    other = replace(open_device("host").info(), serial_hash="f" * 64)
    waits = []
    with only_measurement(other, lambda: waits.append(1), wait_s=0.1):
        assert waits == []
