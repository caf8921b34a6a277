"""A plan on several devices: what fails on one takes nothing from the others."""

import pytest

from android_bench.devices.host import HostDevice
from mobilekit import pipeline
from mobilekit.core.errors import DeviceError
from mobilekit.pipeline import run_plan
from mobilekit.plan import read_plan
from tests.tiny_models import tiny_float

PLAN = """\
schema = 1
[[models]]
file = "net.tflite"
[[measure]]
device = "ssh:gone"
repetitions = 1
[[measure]]
device = "host"
warmup_runs = 0
num_runs = 2
min_secs = 0
repetitions = 1
cooling = "none"
[output]
dir = "results"
"""


def test_a_device_that_fails_leaves_the_others_and_the_report(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    (tmp_path / "net.tflite").write_bytes(tiny_float())
    (tmp_path / "plan.toml").write_text(PLAN)

    def opened(name):
        if name != "host":
            raise DeviceError("gone", ["info"], 255, "no route to host")
        return HostDevice(workspace=tmp_path / "work")

    monkeypatch.setattr(pipeline, "open_device", opened)
    told = []
    with pytest.raises(DeviceError, match="no route to host"):
        run_plan(
            read_plan(tmp_path / "plan.toml"),
            command="mobilekit run plan.toml",
            progress=lambda done, total, text: None,
            say=told.append,
        )
    assert (tmp_path / "results" / "report" / "report.html").is_file()
    assert len(list((tmp_path / "results").glob("*.json"))) == 1
    assert told[-1].startswith("what was measured is in ")
