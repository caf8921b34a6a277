"""The harness: sessions, reuse, and what it refuses."""

import hashlib
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.harness import Reference, measure
from android_bench.results import load_measurement, read_runs, runs_path, sealed_path
from android_bench.runners.litert_python import LitertPythonRunner
from android_bench.sessions import shuffled
from mobilekit.core.errors import (
    StorageError,
    UsageError,
)
from mobilekit.core.measurement import Kit, RunConfig, Validity
from tests.harness_scene import REPETITIONS, Scene, blocks


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


# --- a session ----------------------------------------------------------------------------------


def test_every_job_is_started_once_a_block_in_the_recorded_order(scene):
    measurements = scene.measure()
    assert [m.model.name for m in measurements] == ["one", "two"]
    seeds = {m.config.order_seed for m in measurements}
    assert len(seeds) == 1
    cells = {m.cell: m for m in measurements}
    session = read_runs(scene.results, measurements[0].cell).runs[0].session
    assert session.order_seed == seeds.pop()
    orders = []
    for block in range(REPETITIONS):
        runs = {name: m.runs[block] for name, m in cells.items()}
        order = sorted(runs, key=lambda name: runs[name].order)
        assert order == shuffled(cells, session, block)
        assert [runs[name].order for name in order] == [0, 1]
        assert runs[order[0]].started < runs[order[1]].started
        orders += [cells[name].model.sha256 for name in order]
    assert orders == [sha for _, sha in scene.starts()]


def test_a_good_measurement_is_valid_sealed_and_complete(scene):
    for measurement in scene.measure():
        assert measurement.validity.status is Validity.VALID, measurement.validity.reasons
        assert measurement.output_check.passed
        assert blocks(measurement) == list(range(REPETITIONS))
        assert load_measurement(sealed_path(scene.results, measurement.cell)) == measurement
        assert measurement.device.label == "host"
        assert measurement.command == "mobilekit benchmark one.tflite two.tflite"


def test_progress_counts_up_to_the_total(scene):
    scene.measure()
    counts = [done for done, _, _ in scene.told]
    assert counts == sorted(counts)
    assert {total for _, total, _ in scene.told} == {2 * (1 + REPETITIONS)}
    assert counts[-1] == 2 * (1 + REPETITIONS) - 1


def test_outputs_are_checked_before_the_first_latency(scene):
    scene.measure()
    texts = [text for _, _, text in scene.told]
    assert texts[:2] == [f"{n} static_wi8_ai8, 1 thread: checking outputs" for n in ("one", "two")]
    assert texts[2].startswith("block 1 of 6: ")


def test_threads_make_another_cell(scene):
    more = RunConfig(num_threads=2, warmup_runs=1, num_runs=4, min_secs=0, repetitions=REPETITIONS)
    measurements = scene.measure([*scene.jobs(), *scene.jobs(config=more)])
    assert len({m.cell for m in measurements}) == 4
    assert [m.config.num_threads for m in measurements] == [1, 1, 2, 2]
    assert Counter(sha for _, sha in scene.starts()).most_common()[0][1] == 2 * REPETITIONS


# --- reuse --------------------------------------------------------------------------------------


def test_the_same_call_again_starts_nothing(scene):
    first = scene.measure()
    count = len(scene.starts())
    assert scene.measure() == first
    assert len(scene.starts()) == count
    assert [text for _, _, text in scene.told] == [
        f"{m.model.name} static_wi8_ai8, 1 thread: reused ({m.cell})" for m in first
    ]


def test_a_part_of_what_was_measured_together_is_reused_in_any_order(scene):
    one, two = scene.measure()
    count = len(scene.starts())
    assert scene.measure(scene.jobs(scene.models[::-1])) == [two, one]
    assert scene.measure(scene.jobs(scene.models[1:])) == [two]
    assert len(scene.starts()) == count


def test_a_file_more_is_another_session_that_measures_all(scene):
    third = scene.folder / "three.tflite"
    third.write_bytes(b"three")
    before = scene.measure()
    after = scene.measure(scene.jobs([*scene.models, third]))
    assert Counter(sha for _, sha in scene.starts())[before[0].model.sha256] == 2 * REPETITIONS
    assert [m.cell for m in after[:2]] == [m.cell for m in before]
    assert {m.config.order_seed for m in after} != {before[0].config.order_seed}
    assert len({m.config.order_seed for m in after}) == 1


def test_files_measured_one_by_one_are_never_pairs(scene):
    (one,) = scene.measure(scene.jobs(scene.models[:1]))
    (two,) = scene.measure(scene.jobs(scene.models[1:]))
    assert one.config.order_seed != two.config.order_seed
    together = scene.measure()
    assert len({m.config.order_seed for m in together}) == 1
    assert len(scene.starts()) == 4 * REPETITIONS


def test_a_lost_sealed_file_is_made_again_from_the_lines(scene):
    first = scene.measure()
    count = len(scene.starts())
    sealed_path(scene.results, first[0].cell).unlink()
    again = scene.measure()
    assert [m.runs for m in again] == [m.runs for m in first]
    assert len(scene.starts()) == count


def test_lost_lines_are_measured_again_with_all_the_others(scene):
    first = scene.measure()
    sealed_path(scene.results, first[0].cell).unlink()
    runs_path(scene.results, first[0].cell).unlink()
    again = scene.measure()
    assert blocks(again[0]) == blocks(again[1])
    assert set(blocks(again[0])).isdisjoint(blocks(first[1]))
    assert len(scene.starts()) == 4 * REPETITIONS


# --- reference outputs --------------------------------------------------------------------------


@pytest.mark.parametrize("expected", ["right", "squeezed", "wrong", "foreign", "no array"])
def test_given_reference_outputs_are_what_is_compared_with(scene, expected):
    sha = hashlib.sha256(scene.models[0].read_bytes()).hexdigest()
    digits = [int(sha[k : k + 2], 16) % 100 for k in range(8)]  # as FAKE makes its rows
    right = np.array([[[d + row for d in digits]] for row in range(16)], np.int8)
    inputs, outputs = scene.folder / "x.npy", scene.folder / "y.npy"
    np.save(inputs, np.zeros((16, 3), np.int8))
    content = {
        "right": right,
        "squeezed": right[:, 0],
        "wrong": right[::-1],
        "foreign": np.zeros((16, 5), np.float32),
    }
    if expected in content:
        np.save(outputs, content[expected])
    else:
        outputs.write_bytes(b"no array")
    reference = Reference(inputs=(inputs,), outputs=(outputs,))
    jobs = scene.jobs(scene.models[:1], reference=reference)
    if expected == "no array":
        with pytest.raises(StorageError, match=r"y\.npy: is no \.npy array"):
            scene.measure(jobs)
        return
    (measurement,) = scene.measure(jobs)
    assert measurement.output_check.passed == (expected in ("right", "squeezed"))
    assert "16 real inputs" in measurement.output_check.how
    assert "same kernels" in measurement.output_check.how


# --- what cannot be one session -----------------------------------------------------------------


def test_jobs_that_cannot_be_one_session_are_refused(scene):
    other = RunConfig(repetitions=7)
    for jobs, words in [
        ([*scene.jobs(), *scene.jobs(config=other)], "need the same repetitions, not"),
        ([*scene.jobs(), *scene.jobs()], "are one file under one setting"),
    ]:
        with pytest.raises(UsageError, match=words):
            scene.measure(jobs)
    assert scene.starts() == []


def test_nothing_to_measure_is_refused(scene):
    runner = LitertPythonRunner(
        runtime="ai-edge-litert", python=Path(sys.executable), program=scene.program
    )
    with pytest.raises(UsageError, match="no file was named"):
        measure(
            [],
            HostDevice(workspace=scene.folder / "work"),
            runner,
            scene.results,
            seed=0,
            command="",
            kit=Kit(version="0", commit=None),
            progress=print,
        )


def test_a_file_that_was_written_anew_is_refused(scene):
    jobs = scene.jobs()
    scene.models[0].write_bytes(b"quantized again")
    with pytest.raises(UsageError, match=r"one\.tflite is not the file that .* means"):
        scene.measure(jobs)


def test_a_damaged_line_stops_before_anything_is_overwritten(scene):
    measurement = scene.measure()[0]
    sealed_path(scene.results, measurement.cell).unlink()
    path = runs_path(scene.results, measurement.cell)
    path.write_bytes(b"damaged\n" + path.read_bytes())
    before = scene.lines()
    with pytest.raises(StorageError, match="line 1 is damaged"):
        scene.measure()
    assert scene.lines() == before
