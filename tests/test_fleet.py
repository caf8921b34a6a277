"""Several devices side by side: each for itself, and Ctrl-C for all."""

import json
import subprocess
import sys
import time

import pytest

from android_bench.devices.host import HostDevice
from android_bench.fleet import Task, all_measured, measure_side_by_side, names_of
from android_bench.interrupt import Interrupt, interrupted_by, pause
from android_bench.unfinished import UnfinishedError
from mobilekit.core.errors import DeviceError, RunnerError, UsageError
from mobilekit.core.measurement import Kit
from tests.harness_scene import QUICK, REPETITIONS, ROOT, Scene, check_pairs
from tests.phone_scene import FakePhone, is_start
from tests.test_harness_kills import running
from tests.test_harness_phone import at_start

MAIN = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.test_fleet import Fleet
fleet = Fleet(Path({folder!r}), {labels!r})
fleet.measure()
"""


class Fleet:
    """Phones with one scene each for the fake runner, and one folder of results."""

    def __init__(self, folder, labels=("left", "right")):
        self.folder, self.results = folder, folder / "results"
        self.phones, self.scenes, self.told = {}, {}, {}
        for label in labels:
            (folder / f"of-{label}").mkdir(parents=True, exist_ok=True)
            self.scenes[label] = Scene(folder / f"of-{label}")
            self.phones[label] = FakePhone(self.scenes[label].folder, label)
            self.told[label] = []

    def tasks(self):
        return [
            Task(device=phone, runner=self.scenes[label].runner(), jobs=self.scenes[label].jobs())
            for label, phone in self.phones.items()
        ]

    def measure(self, tasks=None):
        return measure_side_by_side(
            tasks or self.tasks(),
            self.results,
            seed=0,
            command="mobilekit benchmark",
            kit=Kit(version="0", commit=None),
            progress_of=lambda name: lambda done, total, text: self.told[name].append(text),
            timeout_s=20.0,
            patience=QUICK,
        )

    def check(self, label, measurements):
        scene = self.scenes[label]
        scene.results = self.results
        check_pairs(scene, measurements)


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Fleet(tmp_path)


def test_all_devices_are_measured_at_the_same_time(fleet):
    both = []  # a start that waits for the other phone's start: one after the other never ends

    def meet(argv):
        if is_start(argv) and len(both) < 2:
            both.append(argv)
            deadline = time.monotonic() + 10
            while len(both) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)

    for phone in fleet.phones.values():
        phone.before_shell = meet
    outcomes = fleet.measure()
    assert len(both) == 2
    assert [outcome.label for outcome in outcomes] == ["left", "right"]
    for outcome in outcomes:
        assert outcome.error is None
        fleet.check(outcome.label, outcome.measurements)
    assert len(all_measured(outcomes)) == 4
    assert len(list(fleet.results.glob("*.json"))) == 4
    assert all(sum("checking" in text for text in texts) == 2 for texts in fleet.told.values())


def test_one_devices_failure_stops_no_other(fleet):
    left = fleet.phones["left"]
    left.before_shell = at_start(3, lambda: setattr(left, "gone", True))
    outcomes = fleet.measure()
    assert isinstance(outcomes[0].error, DeviceError)
    assert outcomes[0].measurements == ()
    fleet.check("right", outcomes[1].measurements)
    with pytest.raises(UnfinishedError, match=r"^left has gone .* Everything else") as told:
        all_measured(outcomes)
    assert told.value.exit_code == DeviceError.exit_code
    assert told.value.measurements == outcomes[1].measurements


def test_the_exit_code_is_the_runners_where_a_runner_failed_anywhere(fleet):
    left, scene = fleet.phones["left"], fleet.scenes["right"]
    left.before_shell = at_start(3, lambda: setattr(left, "gone", True))
    bad = scene.jobs()[0].model.sha256
    scene.order({f"from 2 {bad}": "crash"})
    with pytest.raises(UnfinishedError) as told:
        all_measured(fleet.measure())
    assert told.value.exit_code == RunnerError.exit_code
    assert "left has gone" in str(told.value)
    assert "right: one static_wi8_ai8, 1 thread: two starts of a block failed" in str(told.value)
    assert [m.device.label for m in told.value.measurements] == ["right"]


def test_the_same_command_goes_on_where_one_device_failed(fleet):
    left = fleet.phones["left"]
    left.before_shell = at_start(4, lambda: setattr(left, "gone", True))
    first = fleet.measure()
    count = len(fleet.scenes["right"].starts())
    left.gone, left.before_shell = False, lambda argv: None
    again = fleet.measure()
    assert [outcome.error for outcome in again] == [None, None]
    assert again[1].measurements == first[1].measurements
    assert len(fleet.scenes["right"].starts()) == count
    assert {len(m.runs) for m in again[0].measurements} == {REPETITIONS}


def test_a_bug_of_ours_is_raised_and_not_told_as_a_failure(fleet):
    def bug(argv):
        raise ZeroDivisionError

    fleet.phones["left"].before_shell = bug
    with pytest.raises(ZeroDivisionError):
        fleet.measure()
    assert len(list(fleet.results.glob("*.json"))) == 2  # the other one was measured


def test_two_names_of_one_device_are_refused(fleet, tmp_path):
    (task,) = fleet.tasks()[:1]
    host = HostDevice(workspace=tmp_path / "work")
    for devices in ([task.device] * 2, [host, HostDevice(workspace=tmp_path / "other")]):
        tasks = [Task(device=device, runner=task.runner, jobs=task.jobs) for device in devices]
        with pytest.raises(UsageError, match=r"One device was named twice"):
            fleet.measure(tasks)
    assert fleet.scenes["left"].starts() == []


def test_devices_of_one_label_have_names_of_their_own():
    assert names_of(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_ctrl_c_ends_all_devices_and_what_they_started(fleet):
    labels = tuple(fleet.phones)
    folder = fleet.folder / "child"
    folder.mkdir()
    code = MAIN.format(root=str(ROOT), folder=str(folder), labels=labels)
    scenes = [folder / f"of-{label}" for label in labels]
    for own in scenes:
        own.mkdir()
        Scene(own).order({"3": "hang"})
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not all(len(Scene(own).starts()) == 4 for own in scenes):
        assert child.poll() is None, child.communicate()[1]
        time.sleep(0.02)
    child.send_signal(2)
    assert "KeyboardInterrupt" in child.communicate(timeout=10)[1]
    assert running(scenes[0] / "fake.py") + running(scenes[1] / "fake.py") == []
    lines = [path.read_text().splitlines() for path in (folder / "results/runs").glob("*.jsonl")]
    assert sum(map(len, lines)) == 6
    assert all(json.loads(line)["error"] is None for each in lines for line in each)
    for label, own in zip(labels, scenes, strict=True):
        assert not (own / label / "settings-system-screen_off_timeout").exists()


def test_a_pause_ends_when_the_thread_is_to_stop_and_is_raised_once():
    interrupt = Interrupt()
    with interrupted_by(interrupt):
        pause(0.01)
        interrupt.ask()
        with pytest.raises(KeyboardInterrupt):
            pause(60.0)
        pause(0.01)  # what clears up after it may wait
    interrupt.close()
    pause(0.0)
