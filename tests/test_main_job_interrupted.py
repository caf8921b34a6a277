"""The main job, ended at any moment: it goes on, nothing is corrupt, nothing measured is lost."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from mobilekit.report import read_results
from tests.small_plan import REPETITIONS, command, environment, mobilekit, write_plan

pytestmark = [pytest.mark.needs_tensorflow, pytest.mark.slow]

KILLS = 20
CELLS = 3


def start(folder, plan, **options) -> subprocess.Popen:
    return subprocess.Popen(
        command("run", plan),
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def measured_lines(folder) -> set[str]:
    """Every whole line that was measured so far."""
    lines = set()
    for path in folder.glob("results/runs/*.jsonl"):
        lines |= set(path.read_text().split("\n")[:-1])
    return lines


def check_whole(folder) -> None:
    """Whatever bears a final name is whole."""
    for path in folder.glob("results/**/*.json"):
        json.loads(path.read_text())
    for path in folder.glob("results/models/**/*.tflite"):
        assert path.read_bytes()[4:8] == b"TFL3"
    for lines in folder.glob("results/runs/*.jsonl"):
        for line in lines.read_text().split("\n")[:-1]:
            json.loads(line)


def check_finished(folder) -> None:
    assert len(list(folder.glob("results/*.json"))) == CELLS
    results = read_results(folder / "results")
    assert [len(m.runs) for m in results.measurements] == [REPETITIONS] * CELLS
    assert len(results.accuracies) == CELLS
    assert (folder / "results/report/report.html").exists()


def test_killed_at_20_random_moments_it_ends_as_if_nothing_had_been(tmp_path):
    plan = write_plan(tmp_path)
    moments = random.Random(0)
    seen: set[str] = set()
    killed = finished = 0
    while killed < KILLS:
        process = start(tmp_path, plan)
        try:
            process.wait(moments.uniform(0.2, 9))
            finished += 1
            assert process.returncode == 0
            assert finished < KILLS, "it ends too fast to be killed"
            for result in tmp_path.glob("results/*.json"):
                result.unlink()  # the starts stay: there is something to do again
            shutil.rmtree(moments.choice([*tmp_path.glob("results/[am]*")]))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        check_whole(tmp_path)
        lines = measured_lines(tmp_path)
        assert seen <= lines, "a measured start was lost"
        seen = lines
    assert mobilekit(tmp_path, "run", plan).returncode == 0
    check_finished(tmp_path)


def test_ctrl_c_keeps_what_was_measured_and_exits_130(tmp_path):
    plan = write_plan(tmp_path)
    process = start(tmp_path, plan)
    deadline = time.monotonic() + 120
    while len(measured_lines(tmp_path)) < 5:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1].startswith("mobilekit: interrupted")
    assert "Traceback" not in errors
    lines = measured_lines(tmp_path)
    assert len(lines) >= 5
    check_whole(tmp_path)
    assert mobilekit(tmp_path, "run", plan).returncode == 0
    assert lines <= measured_lines(tmp_path)
    check_finished(tmp_path)


# The .tflite, a sealed result, the report's page: each is the first file over one of these.
@pytest.mark.parametrize("limit_bytes", [500_000, 20_000, 1_000])
def test_a_disk_that_fills_is_one_sentence_and_leaves_nothing_half_written(tmp_path, limit_bytes):
    def full_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    plan = write_plan(tmp_path)
    found = mobilekit(tmp_path, "run", plan, preexec_fn=full_disk)
    assert found.returncode == 7, found.stderr
    assert "cannot be written (File too large)" in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.stderr
    check_whole(tmp_path)
    assert not list(tmp_path.glob("results/**/*.part"))
    assert mobilekit(tmp_path, "run", plan).returncode == 0
    check_finished(tmp_path)
