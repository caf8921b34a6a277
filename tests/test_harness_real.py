"""The harness with the real runner on tiny real files."""

import os
from pathlib import Path

import pytest

from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.runners import open_runner
from android_bench.unfinished import UnfinishedError
from mobilekit.core.measurement import Kit, RunConfig
from tests.harness_scene import ROOT, Scene
from tests.sample_results import file_model
from tests.tiny_models import tiny_float, tiny_int8


@pytest.fixture
def scene(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    return Scene(tmp_path)


def real_jobs(scene, **more):
    config = RunConfig(warmup_runs=2, num_runs=10, min_secs=0, repetitions=6)
    jobs = []
    for name, recipe, content in (
        ("float", "float32", tiny_float()),
        ("int8", "static_wi8_ai8", tiny_int8()),
    ):
        path = scene.folder / f"{name} net.tflite"
        path.write_bytes(content)
        model = file_model(path, recipe, name="tiny")
        jobs.append(Job(path=path, model=model, config=config, **more))
    return jobs


def measure_real(scene, runner, jobs):
    return measure(
        jobs,
        HostDevice(workspace=scene.folder / "work"),
        runner,
        scene.results,
        seed=0,
        command="x",
        kit=Kit(version="0", commit=None),
        progress=lambda done, total, text: None,
    )


def test_real_files_are_measured_and_their_outputs_agree(scene):
    for measurement in measure_real(scene, open_runner(), real_jobs(scene)):
        assert measurement.output_check.passed, measurement.output_check.detail
        assert len(measurement.runs) == 6
        assert measurement.median_us > 0
        assert "built-in kernels" in measurement.output_check.how
        assert "16 seeded inputs" in measurement.output_check.how
        outputs = {run.output_sha256 for run in measurement.runs}
        assert len(outputs) == 1


@pytest.mark.needs_legacy
def test_tflite_runtime_measures_and_its_int8_fallback_is_said(scene):
    python = os.environ.get("MOBILEKIT_LEGACY_PYTHON", ROOT / ".venv-legacy" / "bin" / "python")
    runner = open_runner(runtime="tflite-runtime", python=Path(python))
    real, integer = measure_real(scene, runner, real_jobs(scene))
    assert real.output_check.passed
    assert integer.output_check.passed
    assert not any("fallback" in reason for reason in real.validity.reasons)
    assert any("fallback: xnnpack" in reason for reason in integer.validity.reasons)


def test_a_file_that_cannot_be_run_is_an_error_that_names_it(scene):
    jobs = scene.jobs()  # their bytes are no .tflite
    with pytest.raises(
        UnfinishedError, match="one static_wi8_ai8, 1 thread cannot be run: ValueError"
    ):
        measure_real(scene, open_runner(), jobs)
    assert not list(scene.results.glob("**/*.json*"))
