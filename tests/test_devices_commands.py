"""The commands about devices, on simulated phones: devices, push, clean, doctor, benchmark."""

import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import replace

import pytest

from android_bench.devices import open_device
from mobilekit.cli import main
from mobilekit.cli.recommending import recommendations
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import Validity, Verdict
from tests.adb_scene import adb_server, attach, enter, modern_adb
from tests.native_scene import build_runner
from tests.sample_results import MEASUREMENT, RUN
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.tiny_models import tiny_float


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with adb_server(modern_adb(), tmp_path_factory.mktemp("server")) as adb:
        yield adb


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, server):
    """An empty current folder, and the tests' own adb first on PATH."""
    return enter(tmp_path, monkeypatch, server)


@pytest.fixture
def phones(server):
    """Attaches phones that are given by their models; they are gone afterwards."""
    with ExitStack() as stack:

        def attached(*models):
            found = []
            for model in models:
                phone = stack.enter_context(Phone(Profile(model=model, serial=f"S-{model}")))
                attach(server, phone)
                words = ["disconnect", phone.address]
                stack.callback(server.run, words, device="test", timeout_s=20)
                found.append(phone)
            return found

        yield attached


def fails(capsys, code, *words):
    assert main([*words]) == code
    return capsys.readouterr().err


def test_devices_shows_what_a_phone_says(phones, capsys):
    (phone,) = phones("Left")
    assert main(["devices"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in (
        "host this computer",
        f"left {phone.address}, simulated",
        "model Nobody Left",
        "system Android 14 (API 34), ",
        "cores 4 up to 2.00 GHz (cpu 0-3), 3 up to 2.80 GHz (cpu 4-6), 1 up to 3.20 GHz (cpu 7)",
        "memory 8.0 GB",
        "battery 87 %, 28.4 °C, plugged in",
        "thermal CPU 41.7 °C, skin 33.5 °C, throttling status 0 (none)",
        "nnapi@31: maybe",
    ):
        assert words in shown


def test_devices_as_json_holds_no_serial(phones, capsys):
    (phone,) = phones("Left")
    phone.jail.write("sys/class/thermal/thermal_zone0/temp", "55000\n")
    assert main(["devices", "--json"]) == 0
    text = capsys.readouterr().out
    host, left = json.loads(text)
    assert (host["label"], host["info"]["simulated"]) == ("host", False)
    assert (left["label"], left["info"]["simulated"], left["api_level"]) == ("left", True, 34)
    assert left["cpu_temperature_c"] == 55
    assert phone.address not in text
    assert "S-Left" not in text


def test_devices_tells_what_is_wrong_with_a_phone_and_shows_the_others(phones, server, capsys):
    off, _ = phones("Off", "Right")
    off.faults.unauthorized = True
    attach(server, off)
    assert main(["devices"]) == 0
    shown = capsys.readouterr().out
    assert "problem" in shown
    assert "right" in shown


def test_devices_without_adb_says_how_to_get_one(tmp_path, folder, monkeypatch, capsys):
    (tmp_path / "poor").mkdir()
    for name in ("sh", "cat"):
        (tmp_path / "poor" / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tmp_path / "poor"))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    assert main(["devices"]) == 0
    printed = capsys.readouterr()
    assert "host" in printed.out
    assert "there is no adb here, so no phone is seen; install it" in printed.err
    assert "There is no file x." in fails(capsys, 2, "push", "x", "--device", "left")
    (folder / "x").touch()
    assert "There is no adb here" in fails(capsys, 2, "push", "x", "--device", "left")


def test_a_pushed_file_is_named_by_its_content(folder, phones, capsys):
    (phone,) = phones("Left")
    (folder / "a b;'ü.tflite").write_bytes(b"content")
    assert main(["push", "a b;'ü.tflite", "--json"]) == 0
    pushed = json.loads(capsys.readouterr().out)
    assert pushed["remote"] == f"/data/local/tmp/mobilekit/files/{pushed['sha256']}.tflite"
    assert phone.jail.path(pushed["remote"]).read_bytes() == b"content"
    phone.faults.full_after = 0  # what is sent again is refused
    assert main(["push", "a b;'ü.tflite", "--device", "left"]) == 0
    assert "left: /data/local/tmp/mobilekit/files/" in capsys.readouterr().out


def test_which_phone_is_asked_where_it_is_not_clear(folder, phones, capsys, monkeypatch):
    (folder / "net.tflite").write_bytes(b"1")
    assert "adb sees no device" in fails(capsys, 2, "push", "net.tflite")
    left, right = phones("Left", "Right")
    sentence = fails(capsys, 2, "push", "net.tflite")
    assert f"left ({left.address}, device), right ({right.address}, device)" in sentence
    assert "Did you mean 'right'" in fails(capsys, 2, "push", "net.tflite", "--device", "rihgt")
    monkeypatch.setenv("ANDROID_SERIAL", right.address)
    assert main(["push", "net.tflite"]) == 0
    assert capsys.readouterr().out.startswith("right: ")
    assert main(["push", "net.tflite", "--device", f"adb:{left.address}"]) == 0
    assert capsys.readouterr().out.startswith("left: ")


def test_clean_removes_what_is_old_and_nothing_else(folder, phones, capsys):
    (phone,) = phones("Left")
    for name in ("old", "new"):
        (folder / name).write_text(name)
        assert main(["push", name]) == 0
    files = phone.jail.path("/data/local/tmp/mobilekit/files")
    old = next(path for path in files.iterdir() if path.read_text() == "old")
    month_ago = old.stat().st_mtime - 31 * 86400
    os.utime(old, (month_ago, month_ago))
    beside = phone.jail.path("/data/local/tmp/not-ours")
    beside.write_text("old")
    os.utime(beside, (month_ago, month_ago))
    capsys.readouterr()
    assert main(["clean", "--days", "40"]) == 0
    assert main(["clean"]) == 0
    assert (
        capsys.readouterr().out == "left: removed 0 files, 0 bytes\nleft: removed 1 file, 3 bytes\n"
    )
    assert [path.read_text() for path in files.iterdir()] == ["new"]
    assert main(["clean", "--days", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": 1, "label": "left", "size_bytes": 3}
    assert beside.exists()
    assert "There is no file none.tflite." in fails(capsys, 2, "push", "none.tflite")
    assert "Files cannot be -1 days old" in fails(capsys, 2, "clean", "--days", "-1")


def test_a_file_counts_from_its_push_not_from_when_it_was_written(folder, phones, capsys):
    phones("Left")
    (folder / "net").write_text("1")
    os.utime("net", (0, 0))
    assert main(["push", "net"]) == 0
    assert main(["clean"]) == 0
    assert "removed 0 files" in capsys.readouterr().out


def test_doctor_says_which_adb_and_its_version(server, capsys):
    assert main(["doctor", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["adb"]["purpose"] == "reaches Android devices; found in PATH"
    assert rows["adb version"]["found"] == server.version()


def test_a_measurement_on_a_simulated_phone_says_so_and_holds_no_serial(folder, phones, capsys):
    build_runner()  # what measures on phones
    (phone,) = phones("Left")
    (folder / "net.tflite").write_bytes(tiny_float())
    words = ["--num-runs", "3", "--warmup-runs", "0", "--min-secs", "0", "--repetitions", "2"]
    words += ["--device", phone.address, "--cool-to", "none"]
    assert main(["benchmark", "net.tflite", *words]) == 0
    assert "left (Left) is simulated" in " ".join(capsys.readouterr().out.split())
    (sealed,) = (folder / "results").glob("*.json")
    measured = json.loads(sealed.read_text())
    assert (measured["device"]["kind"], measured["device"]["simulated"]) == ("adb", True)
    assert {run["runner"]["name"] for run in measured["runs"]} == {"native"}
    assert len(measured["runs"]) == 2
    assert "--device left" in measured["command"]
    for path in (folder / "results").rglob("*.json*"):
        assert phone.address not in path.read_text()
        assert "S-Left" not in path.read_text()


def test_each_device_gets_its_own_recommendation(phones, folder):
    (phone,) = phones("Left")
    (folder / "net.tflite").write_bytes(tiny_float())
    names = ["host", phone.address]
    suspect = Verdict(status=Validity.SUSPECT, reasons=("too few runs",))
    model = replace(MEASUREMENT.model, sha256=sha256_file(folder / "net.tflite"))
    sweeps = [
        replace(
            MEASUREMENT,
            cell=f"{place}{threads}",
            device=open_device(name).info(),
            model=model,
            runs=(replace(RUN, model_sha256=model.sha256),),
            config=replace(MEASUREMENT.config, num_threads=threads),
            validity=suspect,
        )
        for place, name in enumerate(names)
        for threads in (1, 2)
    ]
    found, lost = recommendations([folder / "net.tflite"], sweeps, names, pytest.fail)
    assert lost is None
    assert [one.subject for one in found] == [
        "mobilenet_v2_1.0_224 float32 on host",
        "mobilenet_v2_1.0_224 float32 on left (simulated)",
    ]


def test_a_selftest_of_a_device_that_is_not_there_writes_nothing(folder, capsys):
    assert main(["selftest", "--device", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err
    assert list(folder.iterdir()) == []
