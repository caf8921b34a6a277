"""The script for a first phone, on a simulated one."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.adb_scene import adb_server, attach, modern_adb
from tests.native_scene import build_runner
from tests.simulated_device.phone import Phone
from tests.simulated_device.profile import Profile
from tests.tiny_models import tiny_float

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "first_phone.py"
STEPS = ["doctor", "devices", "selftest", "push", "push-again", "matrix"]

pytestmark = pytest.mark.slow


def test_every_step_is_taken_and_packed_without_the_serial(tmp_path):
    build_runner()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(modern_adb())
    (tmp_path / "net.tflite").write_bytes(tiny_float())
    with adb_server(modern_adb(), tmp_path) as adb, Phone(Profile(serial="S-SECRET")) as phone:
        attach(adb, phone)
        environment = {
            **os.environ,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "ANDROID_ADB_SERVER_PORT": str(adb.port),
            **{f"MOBILEKIT_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "STATE")},
        }
        words = ["net.tflite", "--device", phone.address, "--num-threads", "1"]
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *words, "--repetitions", "2", "--out", "pack"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        adb.run(["disconnect", phone.address], device="test", timeout_s=20)
    with zipfile.ZipFile(tmp_path / "pack.zip") as packed:
        names = packed.namelist()
        steps = json.loads(packed.read("pack/steps.json"))
        texts = {name: packed.read(name).decode() for name in names}
    assert [step["name"] for step in steps] == STEPS, done.stderr
    codes = {step["name"]: step["exit_code"] for step in steps}
    assert codes.pop("selftest") in (0, 1), texts["pack/selftest.err"]  # 1 where it was disturbed
    assert set(codes.values()) == {0}, done.stderr
    for name, text in {**texts, "script": done.stderr}.items():
        assert not re.search(rf"{phone.address}|S-SECRET", text + name), name
    (measured,) = json.loads(texts["pack/matrix.out"])
    assert measured["device"]["simulated"]
