"""The harness killed, interrupted, out of disk space, and not alone."""

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from android_bench.devices.host import HostDevice
from android_bench.devices.lock import only_measurement
from android_bench.results import read_runs
from android_bench.unfinished import UnfinishedError
from mobilekit.core.errors import StorageError
from tests.harness_scene import MAIN, REPETITIONS, ROOT, Scene, blocks, check_pairs


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


def test_killed_at_random_moments_it_goes_on_and_nothing_is_corrupt(scene):
    scene.order({"sleep_s": 0.02})
    rng = random.Random(1)
    for attempt in range(10):
        before = len(scene.starts())
        child = scene.child()
        while attempt % 2 and len(scene.starts()) == before and child.poll() is None:
            time.sleep(0.005)  # every second one while it measures, the others wherever they are
        time.sleep(rng.uniform(0, 0.25) if attempt % 2 else rng.uniform(0.1, 0.6))
        child.kill()
        child.communicate()
    measurements = scene.measure()
    check_pairs(scene, measurements)
    lines = [read_runs(scene.results, m.cell) for m in measurements]
    assert not any(recorded.torn for recorded in lines)
    assert len({line.session for recorded in lines for line in recorded.runs}) == 1
    # Nothing that was recorded was measured again: at most one start a kill went lost.
    recorded = sum(len(recorded.runs) for recorded in lines)
    assert len(scene.starts()) - recorded <= 10
    assert len({pid for pid, _ in scene.starts()}) >= 4


def test_a_kill_in_the_middle_of_a_block_discards_that_block_alone(scene):
    scene.order({"sleep_s": 0.3})
    child = scene.child()
    while len(scene.starts()) < 4:  # block 1, second start
        time.sleep(0.01)
    child.kill()
    child.communicate()
    scene.order({})
    measurements = scene.measure()
    check_pairs(scene, measurements)
    assert blocks(measurements[0]) == [0, 2, 3, 4, 5, 6]
    assert "continuing: 1 of 6 blocks are there" in [text for _, _, text in scene.told]


def test_a_line_that_a_kill_tore_is_dropped_and_said(scene):
    scene.order({str(number): "crash" for number in range(6, 40)})
    with pytest.raises(UnfinishedError):
        scene.measure()
    scene.order({})
    path = next(iter((scene.results / "runs").glob("*.jsonl")))
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    measurements = scene.measure()
    assert any(text.endswith("dropped a half-written last line") for _, _, text in scene.told)
    assert {len(m.runs) for m in measurements} == {REPETITIONS}


def test_ctrl_c_ends_the_runner_and_keeps_what_was_measured(scene):
    scene.order({"5": "hang"})
    child = scene.child(stderr=subprocess.PIPE)
    while len(scene.starts()) < 6:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in child.communicate(timeout=10)[1]
    assert running(scene.program) == []
    assert sum(content.count(b"\n") for content in scene.lines().values()) == 5
    check_pairs(scene, scene.measure())


def running(program):
    """Ids of living processes that run a copy of the program."""
    sha = hashlib.sha256(program.read_bytes()).hexdigest()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] * (sha.encode() in path.read_bytes())
        except OSError:
            continue
    return found


def test_a_disk_that_fills_is_said_and_loses_nothing(scene):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))\n"
        + MAIN.format(root=str(ROOT), folder=str(scene.folder))
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == StorageError.exit_code, done.stderr
    assert "StorageError" in done.stdout
    assert ".jsonl: cannot be written (File too large)" in done.stdout
    kept = scene.lines()
    assert all(content.endswith(b"\n") for content in kept.values())
    assert sum(content.count(b"\n") for content in kept.values()) >= 4
    assert not list(scene.results.glob("*.json"))
    measurements = scene.measure()
    for name, content in scene.lines().items():
        assert content.startswith(kept.get(name, b""))
    check_pairs(scene, measurements)


def test_two_measurements_take_turns(scene):
    """The second waits, then finds what the first one measured."""
    scene.order({"sleep_s": 0.05})
    children = [scene.child(), scene.child()]
    assert [child.wait(timeout=30) for child in children] == [0, 0]
    for child in children:
        child.communicate()
    assert len(scene.starts()) == 2 * REPETITIONS
    assert len({pid for pid, _ in scene.starts()}) == 1


def test_nothing_is_started_while_another_measurement_runs(scene):
    scene.measure(scene.jobs(scene.models[:1]))
    count = len(scene.starts())
    info = HostDevice(workspace=scene.folder / "work").info()
    with only_measurement(info, lambda: None):
        child = scene.child()
        time.sleep(1.0)
        assert len(scene.starts()) == count
    assert child.wait(timeout=30) == 0
    child.communicate()
    assert len(scene.starts()) == count + 2 * REPETITIONS
