# ruff: noqa: E501 - recorded lines
"""Which adb, which phone, what it says of itself: read from recorded text."""

import os
from pathlib import Path

import pytest

from android_bench.devices import kind_of
from android_bench.devices.adb_program import find_adb, need_adb
from android_bench.devices.android import (
    Battery,
    Cluster,
    count_cpus,
    parse_battery,
    parse_clusters,
    parse_hottest_cpu_c,
    parse_properties,
    parse_ram_bytes,
    parse_skin_c,
    parse_thermal_status,
)
from android_bench.devices.attached import Attached, choose, chosen_labels, parse_devices, slug
from android_bench.devices.overview import possible_delegates
from mobilekit.core.errors import DeviceError, StorageError, UsageError


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)


# --- the list -----------------------------------------------------------------------------------

# In the manner of adb 29 and 36; serials are made up.
LISTED = """\
* daemon not running; starting now at tcp:5037
* daemon started successfully
List of devices attached
0A1B2C3D4E5F           device usb:1-2 product:cheetah model:Pixel_7_Pro device:cheetah transport_id:1
192.168.1.7:5555       offline product:a52 model:SM_A525F device:a52q transport_id:3
R58N0000000            unauthorized usb:1-3 transport_id:4
????????????           no permissions (missing udev rules? user is in the plugdev group); see [http://developer.android.com/tools/device.html] usb:1-4 transport_id:5
emulator-5554          device product:sdk_gphone64_x86_64 model:sdk_gphone64_x86_64 device:emu64xa transport_id:6
(no serial number)     recovery usb:1-5 transport_id:7

"""


def test_every_state_of_the_list_is_read():
    rows = [(row.serial, row.state, row.label) for row in parse_devices(LISTED, {})]
    assert rows == [
        ("0A1B2C3D4E5F", "device", "pixel-7-pro"),
        ("192.168.1.7:5555", "offline", "sm-a525f"),
        ("R58N0000000", "unauthorized", "unnamed-device"),
        ("????????????", "no permissions", "unnamed-device"),
        ("emulator-5554", "device", "sdk-gphone64-x86-64"),
        ("(no serial number)", "recovery", "unnamed-device"),
    ]


@pytest.mark.parametrize(
    ("serial", "sentence"),
    [
        ("192.168.1.7:5555", "sm-a525f (offline) is listed but does not answer; plug it in again"),
        ("R58N0000000", "R58N0000000 (unauthorized) has not allowed this computer; unlock it"),
        (
            "????????????",
            "(no permissions) may not be opened by this user; on Linux install udev rules",
        ),
        ("(no serial number)", "(recovery) is in recovery mode; restart it"),
    ],
)
def test_a_phone_that_cannot_be_used_says_what_to_do(serial, sentence):
    with pytest.raises(DeviceError) as caught:
        choose(serial, parse_devices(LISTED, {}))
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 4


def ready(serial, label):
    return Attached(serial=serial, state="device", label=label)


LEFT, RIGHT, TWIN = ready("L1", "pixel-8"), ready("R2", "galaxy"), ready("T3", "pixel-8")


@pytest.mark.parametrize(
    ("name", "variable", "attached", "meant"),
    [
        (None, None, [LEFT], LEFT),
        (None, "R2", [LEFT, RIGHT], RIGHT),
        ("L1", "R2", [LEFT, RIGHT], LEFT),
        ("galaxy", None, [LEFT, RIGHT], RIGHT),
        ("T3", None, [LEFT, TWIN], TWIN),
    ],
)
def test_the_name_goes_before_the_variable_and_that_before_the_only_one(
    monkeypatch, name, variable, attached, meant
):
    if variable:
        monkeypatch.setenv("ANDROID_SERIAL", variable)
    assert choose(name, attached) == meant


@pytest.mark.parametrize(
    ("name", "attached", "sentence"),
    [
        (None, [], "adb sees no device. Plug one in"),
        ("pixel-8", [], "It cannot be 'pixel-8'."),
        (None, [LEFT, RIGHT], "Several devices could be meant: galaxy (R2, device), pixel-8 (L1, device)"),
        ("pixel-8", [LEFT, TWIN], "pixel-8 (L1, device), pixel-8 (T3, device). Name one by its serial"),
        ("pixel-9", [LEFT, RIGHT], "Unknown device 'pixel-9'. Did you mean 'pixel-8'? Known: L1, R2, galaxy, pixel-8."),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_a_list_and_exit_code_2(name, attached, sentence):
    with pytest.raises(UsageError) as caught:
        choose(name, attached)
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


def test_chosen_labels_go_before_models(tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "labels.toml").write_text('"0A1B2C3D4E5F" = "left"\n')
    assert parse_devices(LISTED, chosen_labels())[0].label == "left"


@pytest.mark.parametrize("line", ['"S" = "Ü b"', '"S" = 3', '"S" = ""', "S ="])
def test_a_label_that_is_none_is_refused(tmp_path, line):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "labels.toml").write_text(line)
    with pytest.raises(StorageError, match=r"labels\.toml"):
        chosen_labels()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Pixel 7 Pro", "pixel-7-pro"), ("SM_A525F", "sm-a525f"), ("größe!", "gr-e"), ("模型", "")],
)
def test_a_slug_is_letters_digits_and_dashes(text, expected):
    assert slug(text) == expected


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["host", "adb", "adb:0A1B", "adb:hots", "0A1B2C", "10.0.0.7:5555"])
def test_what_may_be_a_device_is_not_looked_for(name):
    assert kind_of(name).name == ("host" if name == "host" else "adb")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hots", "Unknown device kind 'hots'. Did you mean 'host'?"),
        ("abd:0A1B", "Unknown device kind 'abd'. Did you mean 'adb'?"),
        ("", "Unknown device kind ''"),
        ("host:1", "Device 'host:1' cannot be: host has no address; write 'host'."),
        ("adb:", "Device 'adb:' needs an address, as in adb:serial or label."),
    ],
)
def test_what_cannot_be_a_device_is_refused(name, sentence):
    with pytest.raises(UsageError) as caught:
        kind_of(name)
    assert str(caught.value).startswith(sentence)


# --- adb ----------------------------------------------------------------------------------------


def program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "adb").write_text("#!/bin/sh\n")
    (folder / "adb").chmod(0o755)
    return folder / "adb"


def test_adb_is_found_on_path_then_in_the_sdk_then_in_the_wheel(tmp_path, monkeypatch):
    on_path = program(tmp_path / "bin")
    in_sdk = program(tmp_path / "sdk" / "platform-tools")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setenv("ANDROID_HOME", str(tmp_path / "sdk"))
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    assert (find_adb().path, find_adb().where) == (on_path, "PATH")
    on_path.chmod(0o644)
    assert (find_adb().path, find_adb().where) == (in_sdk, "ANDROID_HOME")
    in_sdk.unlink()
    assert find_adb().where == "adbutils"
    assert os.access(find_adb().path, os.X_OK)
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "adbutils", raising=False)
    assert find_adb() is None
    with pytest.raises(UsageError, match="There is no adb here; install it"):
        need_adb()


# --- what a phone says --------------------------------------------------------------------------

PROPERTIES = """\
[ro.board.platform]: [gs201]
[ro.build.fingerprint]: [google/cheetah/cheetah:14/UP1A.231005.007/10754064:user/release-keys]
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
[ro.hardware]: [cheetah]
[ro.opengles.version]: [196610]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 7 Pro]
[ro.serialno]: [0A1B2C3D4E5F]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [Tensor G2]
[some.note]: [two
lines]: [ro.product.model]
"""


def test_properties_of_a_phone():
    found = parse_properties(PROPERTIES)
    assert (found.manufacturer, found.model, found.soc) == (
        "Google",
        "Pixel 7 Pro",
        "Google Tensor G2",
    )
    assert (found.abi, found.release, found.api_level) == ("arm64-v8a", "14", 34)
    assert (found.serial, found.opengles, found.simulated) == ("0A1B2C3D4E5F", (3, 2), False)


def test_an_old_phone_names_its_board_and_an_emulator_is_simulated():
    old = "\n".join(line for line in PROPERTIES.splitlines() if "ro.soc" not in line)
    assert parse_properties(old).soc == "cheetah"
    assert parse_properties(PROPERTIES + "[ro.kernel.qemu]: [1]\n").simulated
    assert parse_properties(PROPERTIES + "[ro.boot.qemu]: [1]\n").simulated


def test_a_phone_that_says_nothing_is_still_one():
    found = parse_properties("getprop: not found")
    assert (found.abi, found.release, found.build_fingerprint) == ("unknown",) * 3
    assert (found.model, found.api_level, found.serial, found.opengles) == (None,) * 4


def test_clusters_are_read_slowest_first():
    lines = "".join(
        f"/sys/devices/system/cpu/cpu{core}/cpufreq/cpuinfo_max_freq:{khz}\n"
        for core, khz in [(10, 900), (0, 900), (4, 2000), (5, 2000)]
    )
    assert parse_clusters(lines + "sh: permission denied\n") == (
        Cluster(cores=(0, 10), max_khz=900),
        Cluster(cores=(4, 5), max_khz=2000),
    )


BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: {usb}
  Max charging current: 500000
  level: 87
  scale: 100
  temperature: 284
  technology: Li-ion
"""


@pytest.mark.parametrize("plugged", [True, False])
def test_the_battery_is_read(plugged):
    found = parse_battery(BATTERY.format(usb=str(plugged).lower()))
    assert found == Battery(level_percent=87, temperature_c=28.4, plugged=plugged)


def test_no_battery_and_no_thermal_service_are_none():
    assert parse_battery("Can't find service: battery") is None
    assert parse_thermal_status("Can't find service: thermalservice") is None
    assert parse_skin_c("") is None
    assert parse_ram_bytes("") is None
    assert parse_hottest_cpu_c({"zone0 battery": "30000", "zone1 cpu": "no"}) is None


THERMAL = """\
Thermal Status: 2
Cached temperatures:
\tTemperature{mValue=50.1, mType=3, mName=old-skin, mStatus=0}
Current temperatures from HAL:
\tTemperature{mValue=61.0, mType=0, mName=CPU0, mStatus=0}
\tTemperature{mValue=41.5, mType=3, mName=skin, mStatus=2}
"""


def test_temperatures_are_those_of_now():
    assert parse_thermal_status(THERMAL) == 2
    assert parse_skin_c(THERMAL) == 41.5
    assert parse_hottest_cpu_c({"z0 cpu-0-0": "41700", "z1 CPU1": "45", "z2 gpu": "99000"}) == 45
    assert parse_hottest_cpu_c({"z0 cpu": "255000", "z1 cpu": "38000", "z2 cpu": "-274000"}) == 38


@pytest.mark.parametrize(
    ("text", "count"), [("0-7\n", 8), ("0", 1), ("0-3,6\n", 5), ("", None), ("a-b", None)]
)
def test_processors_are_counted(text, count):
    assert count_cpus(text) == count


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"xnnpack": "yes", "nnapi@31": "maybe", "gpu": "maybe", "qualcomm": "no", "mediatek": "no"}),
        ({"[34]": "[26]"}, {"nnapi": "no"}),
        ({"[34]": "[29]"}, {"nnapi@29": "maybe"}),
        ({"[34]": "[x]"}, {"nnapi": "maybe"}),
        ({"[196610]": "[196608]"}, {"gpu": "no"}),
        ({"[Tensor G2]": "[SM8650]", "ro.soc.manufacturer]: [Google": "ro.soc.manufacturer]: [QTI"}, {"qualcomm@sm8650": "maybe", "mediatek": "no"}),
        ({"[Tensor G2]": "[SM7325]", "ro.soc.manufacturer]: [Google": "ro.soc.manufacturer]: [QTI"}, {"qualcomm": "maybe"}),
        ({"[Tensor G2]": "[MT6989]", "ro.soc.manufacturer]: [Google": "ro.soc.manufacturer]: [Mediatek"}, {"mediatek@mt6989": "maybe", "qualcomm": "no"}),
        ({"ro.soc.": "ro.not."}, {"qualcomm": "maybe", "mediatek": "maybe"}),
    ],
)  # fmt: skip
def test_only_what_is_known_is_said_of_delegates(changes, expected):
    text = PROPERTIES
    for old, new in changes.items():
        text = text.replace(old, new)
    rows = {row.target: row.verdict for row in possible_delegates(parse_properties(text))}
    assert expected.items() <= rows.items()
