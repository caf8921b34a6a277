"""The simulated phone: it runs the real runner, heats up, has a screen, and comes to harm."""

import json
import os
import re
import time

import pytest

from android_bench.devices.android import parse_battery, parse_skin_c, parse_thermal_status
from android_bench.runners import Start
from android_bench.runners.native import NativeRunner, find_library
from mobilekit.cli import main
from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import DeviceError, DeviceTimeoutError, RunnerError
from mobilekit.core.measurement import RunConfig
from tests.adb_scene import adb_server, attach, debian_adb, device_of, modern_adb, simulated
from tests.native_scene import build_runner
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.simulated_device.thermal import Heat, Thermal
from tests.tiny_models import tiny_int8

QUICK = RunConfig(warmup_runs=0, num_runs=5, min_secs=0, repetitions=2, cooling="none")
LONG = RunConfig(warmup_runs=0, num_runs=5, min_secs=1, repetitions=2, cooling="none")


@pytest.fixture(
    scope="module", params=["adb36", pytest.param("adb29", marks=pytest.mark.needs_adb29)]
)
def adb(request, tmp_path_factory):
    program = modern_adb() if request.param == "adb36" else debian_adb()
    with adb_server(program, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def phone():
    return Phone(Profile(heat=Heat(speed=60)))


@pytest.fixture
def device(adb, phone):
    with simulated(adb, phone) as opened:
        yield opened


@pytest.fixture
def start(device, tmp_path):
    """Starts the C++ runner once on the phone, as its driver does."""
    net = tmp_path / "net.tflite"
    net.write_bytes(tiny_int8())
    remote = f"{device.workspace}/files/net.tflite"
    device.push(net, remote)
    runner = NativeRunner(runtime="litert", binary=build_runner(), library=find_library())
    runner.runtime(device)

    def once(config=QUICK, timeout_s=20.0, **more):
        asked = Start(model=remote, model_sha256=sha256_file(net), config=config, **more)
        return runner.start(device, asked, timeout_s=timeout_s)

    return once


# --- end to end ---------------------------------------------------------------------------------


def test_the_cpp_runner_measures_on_the_phone(adb, phone, tmp_path, monkeypatch, capsys):
    build_runner()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "adb").symlink_to(adb.path)
    (tmp_path / "net.tflite").write_bytes(tiny_int8())
    words = ["--runner", "native", "--num-runs", "5", "--min-secs", "0", "--repetitions", "2"]
    words += ["--warmup-runs", "0", "--cool-to", "none"]
    with simulated(adb, phone):
        where = ["--device", f"adb:{phone.address}", "--adb-port", str(adb.port)]
        assert main(["benchmark", "net.tflite", *where, *words]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "is simulated: its latencies are not those of a device" in shown
    (sealed,) = (tmp_path / "results").glob("*.json")
    measured = json.loads(sealed.read_text())
    assert measured["device"]["simulated"] is True
    assert measured["output_check"]["passed"] is True
    assert len(measured["runs"]) == 2
    for run in measured["runs"]:
        assert run["runner"]["name"] == "native"
        assert run["context"] == "shell"
        assert run["actual"]["nodes_delegated"] > 0
        assert len(run["latencies_us"]) >= 5
        # The sensors that the program reads by itself are the phone's.
        assert len(run["conditions"]["after"]["frequencies_khz"]) == 8
        assert run["conditions"]["after"]["temperature_c"] > 41
        assert run["conditions"]["after"]["plugged"] is True


# --- it heats up --------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def sensors():
    """Files of a phone whose time is a number, and what advances it."""
    files, clock = {}, Clock()
    thermal = Thermal(Heat(speed=10), (((0, 1), 1_000_000),), files.__setitem__, clock)

    def let_pass(seconds, *, busy):
        clock.now += seconds
        thermal.step(busy=busy)
        return int(files["/sys/class/thermal/thermal_zone0/temp"]) / 1000

    return files, let_pass


def test_temperatures_rise_with_work_and_fall_without(sensors):
    files, let_pass = sensors
    assert let_pass(100, busy=False) == 41.7
    rising = [let_pass(1, busy=True) for _ in range(20)]
    assert rising == sorted(rising)
    assert rising[2] == pytest.approx(85 - (85 - 41.7) / 2.718, abs=0.2)  # 3 s are 30 of the phone
    assert parse_thermal_status(files["/dumpsys/thermalservice"]) == 3
    assert parse_skin_c(files["/dumpsys/thermalservice"]) > 45
    falling = [let_pass(1, busy=False) for _ in range(60)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == 41.7
    assert parse_thermal_status(files["/dumpsys/thermalservice"]) == 0


def test_the_way_down_does_not_depend_on_how_often_one_looks(sensors):
    _, let_pass = sensors
    let_pass(20, busy=True)
    seldom = let_pass(8, busy=False)
    let_pass(1000, busy=False)
    let_pass(20, busy=True)
    for _ in range(80):
        often = let_pass(0.1, busy=False)
    assert often == pytest.approx(seldom, abs=0.11)


def test_a_hot_phone_says_that_it_is_slower(sensors):
    files, let_pass = sensors
    folder = "/sys/devices/system/cpu/cpu1/cpufreq"
    let_pass(0.1, busy=True)
    assert files[f"{folder}/scaling_cur_freq"] == "1000000\n"
    let_pass(50, busy=True)
    assert files[f"{folder}/scaling_cur_freq"] == "500000\n"
    assert files[f"{folder}/scaling_max_freq"] == "500000\n"
    before = files[f"{folder}/stats/time_in_state"]
    let_pass(1, busy=True)
    gained = [
        int(new.split()[1]) - int(old.split()[1])
        for old, new in zip(
            before.splitlines(), files[f"{folder}/stats/time_in_state"].splitlines(), strict=True
        )
    ]
    assert gained == [1000, 0, 0, 0]  # ticks of 10 ms at 500 MHz


def test_the_phone_is_hot_after_a_run_and_cools_down(device, start):
    assert start(LONG).conditions.after.temperature_c > 75
    read = ["cat", "/sys/class/thermal/thermal_zone0/temp"]
    deadline, values = time.monotonic() + 20, [100_000]
    while values[-1] > 44_000:  # looking at it must not keep it warm
        values.append(int(device.shell(read, timeout_s=20).stdout))
        assert time.monotonic() < deadline, values
    assert values == sorted(values, reverse=True)


# --- battery and screen -------------------------------------------------------------------------


def test_the_battery_is_what_was_set(device, phone):
    def battery():
        return parse_battery(device.shell(["dumpsys", "battery"], timeout_s=20).stdout)

    assert (battery().level_percent, battery().plugged) == (87, True)
    phone.power.set_battery(level=12, plugged=False)
    assert (battery().level_percent, battery().plugged) == (12, False)
    device.shell(["dumpsys", "battery", "set", "level", "50"], timeout_s=20)
    device.shell(["dumpsys", "battery", "set", "ac", "1"], timeout_s=20)
    text = device.shell(["dumpsys", "battery"], timeout_s=20).stdout
    assert (battery().level_percent, battery().plugged) == (50, True)
    assert "UPDATES STOPPED" in text
    device.shell(["dumpsys", "battery", "reset"], timeout_s=20)
    assert (battery().level_percent, battery().plugged) == (12, False)
    now = device.shell(["cat", "/sys/class/power_supply/battery/current_now"], timeout_s=20)
    assert int(now.stdout) < 0


SCREEN = (
    (["input", "keyevent", "KEYCODE_SLEEP"], "Asleep", "null"),
    (["input", "keyevent", "26"], "Awake", "null"),
    (["input", "keyevent", "KEYCODE_POWER"], "Asleep", "null"),
    (["input", "keyevent", "224"], "Awake", "null"),
    (["input", "keyevent", "223"], "Asleep", "null"),
    (["svc", "power", "stayon", "true"], "Awake", "7"),
    (["svc", "power", "stayon", "usb"], "Awake", "2"),
    (["svc", "power", "stayon", "ac"], "Awake", "1"),
    (["svc", "power", "stayon", "false"], "Awake", "0"),
    (["settings", "put", "global", "stay_on_while_plugged_in", "3"], "Awake", "3"),
    (["settings", "delete", "global", "stay_on_while_plugged_in"], "Awake", "null"),
)


def test_the_screen_obeys_androids_commands(device, phone):
    for command, screen, stays in SCREEN:
        assert device.shell(command, timeout_s=20).returncode == 0
        ask = "settings get global stay_on_while_plugged_in; dumpsys power"
        said = device.shell(["sh", "-c", ask], timeout_s=20).stdout
        assert said.startswith(f"{stays}\n"), command
        assert f"mWakefulness={screen}\n" in said, command
        on_usb = stays.isdigit() and int(stays) & 2
        assert f"mStayOn={'true' if on_usb else 'false'}\n" in said, command
        assert phone.power.screen_on == (screen == "Awake"), command


def test_an_untouched_screen_goes_dark_unless_it_is_told_to_stay_on(device, phone):
    phone.jail.write("/settings/system/screen_off_timeout", "200")
    device.shell(["svc", "power", "stayon", "true"], timeout_s=20)
    time.sleep(0.5)
    assert phone.power.screen_on
    phone.power.set_battery(plugged=False)
    time.sleep(0.5)
    assert not phone.power.screen_on


# --- it comes to harm ---------------------------------------------------------------------------

HARM = {
    "kill_programs": (RunnerError, "exited 137: Killed"),
    "stop_programs": (DeviceTimeoutError, "ran longer than 2"),
    "drop": (DeviceError, "connection lost"),
    "unplug": (DeviceError, "connection lost"),
    "reboot": (DeviceError, "connection lost"),
}


@pytest.mark.parametrize("harm", HARM)
def test_harm_in_the_middle_of_a_run_is_an_error_in_time(device, phone, start, harm):
    kind, sentence = HARM[harm]
    boot, began = phone.boot_id, time.monotonic()
    phone.at_program(1, 0.4, getattr(phone, harm))
    with pytest.raises(kind, match=re.escape(sentence)):
        start(LONG, timeout_s=2.0)
    assert time.monotonic() - began < 8
    device.wait_until_there(20)
    assert (phone.boot_id != boot) == (harm == "reboot")
    assert start().error is None  # what was pushed is still there
    assert phone.programs_started == 3


def test_a_full_storage_refuses_what_the_runner_and_a_push_write(device, phone, start, tmp_path):
    outputs = f"{device.workspace}/outputs/1"
    phone.at_program(1, 0.0, lambda: phone.set_full(full=True))
    run = start(outputs=outputs)
    assert "No space left on device" in run.error
    (tmp_path / "more").write_bytes(os.urandom(10_000))
    with pytest.raises(DeviceError, match="needs 10,000 bytes where 0 are free"):
        device.push(tmp_path / "more", f"{device.workspace}/more")
    written = device.shell(["sh", "-c", f"echo 1 >{device.workspace}/new"], timeout_s=20)
    assert written.returncode != 0
    phone.set_full(full=False)
    assert start(outputs=outputs).error is None
    device.push(tmp_path / "more", f"{device.workspace}/more")


@pytest.mark.parametrize("fault", ["cut_shell_after", "garble_shell_after"])
@pytest.mark.parametrize("after", [1, 40, 200, 1900])
def test_spoiled_output_is_never_an_answer(adb, device, phone, fault, after):
    device.shell(["true"], timeout_s=20)
    setattr(phone.faults, fault, after)
    script = "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done"
    whole = "".join(f"{number}\n" for number in range(500))
    try:
        answer = device.shell(["sh", "-c", script], timeout_s=20)
    except DeviceError:
        attach(adb, phone)
    else:
        # What is garbled inside comes as garbage: bytes that are no text.
        assert fault == "garble_shell_after"
        assert "\N{REPLACEMENT CHARACTER}" in answer.stdout
    assert device_of(adb, phone).shell(["sh", "-c", script], timeout_s=20).stdout == whole


@pytest.mark.parametrize("offset_s", [-86_400 * 400, 86_400 * 400])
def test_a_clock_that_jumps_moves_no_latency(device, phone, start, offset_s):
    phone.at_program(1, 0.3, lambda: setattr(phone.faults, "clock_offset_s", offset_s))
    run = start(LONG)
    assert run.error is None
    assert sum(run.latencies_us) < 3e6
    told = int(device.shell(["date", "+%s"], timeout_s=20).stdout)
    assert told - time.time() == pytest.approx(offset_s, abs=60)


def test_what_ran_when_the_cable_was_pulled_does_not_disturb_what_comes_next(device, phone):
    script = phone.jail.path("/data/local/tmp/long")
    script.write_text("#!/usr/bin/env python3\nimport time; time.sleep(60)\n")
    script.chmod(0o755)
    phone.at_program(1, 0.3, lambda: phone.unplug(1.0))
    with pytest.raises(DeviceError, match="connection lost"):
        device.shell(["/data/local/tmp/long"], timeout_s=20)
    assert phone.programs()  # it goes on: nobody could tell it to end
    device.wait_until_there(20)
    assert phone.programs() == []
