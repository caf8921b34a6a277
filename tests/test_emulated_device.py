"""A device whose processor is emulated: outputs are checked, and no time becomes a latency."""

import json
import os
import re

import pytest

from android_bench.devices.android import parse_properties
from android_bench.validity import judge
from mobilekit.cli import main
from mobilekit.core.measurement import Validity
from mobilekit.formatting import MISSING
from tests.adb_scene import adb_server, attach, modern_adb
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.test_validity import CONFIG, OUTPUT, PASSED, QUIET
from tests.tiny_models import tiny_float, tiny_int8

EMULATED = Profile(properties={"ro.mobilekit.emulated": "qemu"})


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """One that says that it is emulated, the only one of the adb that is found."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(modern_adb())
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    with adb_server(modern_adb(), tmp_path) as adb, Phone(EMULATED) as there:
        monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:127.0.0.1:{adb.port}")
        attach(adb, there)
        yield there


def test_no_time_of_it_is_printed_recorded_or_compared(phone, tmp_path, capsys):
    (tmp_path / "float.tflite").write_bytes(tiny_float())
    (tmp_path / "int8.tflite").write_bytes(tiny_int8())
    words = ["benchmark", "float.tflite", "int8.tflite", "--device", "adb"]
    assert main(words) == 0
    started = phone.programs_started
    shown = " ".join(capsys.readouterr().out.split())
    for name in ("float", "int8"):  # latency, init, first inference and peak memory
        assert f"{name} {' '.join([MISSING] * 4)} invalid" in shown
    assert "qemu emulates the processor" in shown
    assert not re.search(r"\d ms|faster|slower", shown)
    for path in (tmp_path / "results").glob("*.json"):
        measured = json.loads(path.read_text())
        assert measured["output_check"]["passed"] is True
        assert (measured["runs"], measured["validity"]["status"]) == ([], "invalid")
        assert measured["device"]["emulated"] == "qemu"
    assert [*(tmp_path / "results").rglob("*.jsonl")] == []
    assert main(words) == 0  # what was checked is not checked again
    assert phone.programs_started == started + 1  # the probe
    assert main(["devices"]) == 0
    assert "simulated, emulated by qemu" in capsys.readouterr().out


def test_the_verdict_says_so_and_wrong_outputs_come_first():
    fields = {
        "config": CONFIG,
        "output_sha256": OUTPUT,
        "failures": (),
        "cpu_count": 2,
        "emulated": "qemu",
    }
    for runs in ((), tuple(QUIET)):
        found = judge(runs, check=PASSED, **fields)
        assert found.status is Validity.INVALID
        assert found.reasons[0].startswith("qemu emulates the processor")
    wrong = type(PASSED)(against="ab", how="a rule", passed=False, detail="all zeros")
    assert "the outputs are wrong" in judge((), check=wrong, **fields).reasons[0]


def test_only_the_property_that_says_so_makes_it_emulated():
    assert parse_properties("[ro.mobilekit.emulated]: [qemu]").emulated == "qemu"
    assert parse_properties("[ro.kernel.qemu]: [1]").emulated is None
    assert parse_properties("").emulated is None
