"""Accelerators for real, on this computer: WebGPU on the software GPU of Debian's chromium-common.

SwiftShader is no GPU, and its times mean nothing; but LiteRT's accelerator, its shaders, buffers
and fallbacks are those of any other.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from android_bench.checking import arithmetic
from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.output_check import check_outputs, rule_for
from android_bench.runners import Start, open_runner
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import Kit, RunConfig, Validity
from tests.native_scene import LIBRARY, build_runner
from tests.sample_results import file_model
from tests.tiny_models import IMAGE, Network, tiny_float, tiny_int8

pytestmark = pytest.mark.needs_gpu

CHROMIUM = Path("/usr/lib/chromium")
ACCELERATOR = LIBRARY.path.with_name("libLiteRtWebGpuAccelerator.so")
GPU = RunConfig(delegate="gpu-mldrift", warmup_runs=0, num_runs=3, min_secs=0)


@pytest.fixture(autouse=True)
def software_gpu(tmp_path, monkeypatch):
    icd = CHROMIUM / "vk_swiftshader_icd.json"
    assert icd.exists(), "the tests of the GPU need Debian's chromium-common"
    monkeypatch.setenv("VK_ICD_FILENAMES", str(icd))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(CHROMIUM))  # its libvulkan.so.1
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))


@pytest.fixture
def device(tmp_path):
    return HostDevice(workspace=tmp_path / "work")


def open_gpu():
    return open_runner("native", binary=build_runner(), libraries=[ACCELERATOR])


def run(device, content, tmp_path, config=GPU, outputs=None):
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    start = Start(
        model=str(path),
        model_sha256=sha256_file(path),
        config=config,
        outputs=outputs and str(outputs),
    )
    return open_gpu().start(device, start, timeout_s=300)


def chain(*operators):
    """Unary operators, one behind the other."""
    net = Network()
    given = last = net.tensor("image", IMAGE)
    for place, operator in enumerate(operators):
        result = net.tensor(f"out{place}", IMAGE)
        net.operator(operator, [last], [result])
        last = result
    return net.finish([given], [last])


@pytest.mark.parametrize("options", [{}, {"precision": "fp32"}, {"precision": "fp16"}])
def test_a_small_cnn_answers_on_the_gpu_what_it_answers_on_the_cpu(device, tmp_path, options):
    config = replace(GPU, options=options)
    found = run(device, tiny_float(), tmp_path, config, tmp_path / "gpu")
    assert found.error is None
    assert found.requested.options == options
    assert found.actual.delegate == "gpu-mldrift"
    assert (found.actual.nodes_delegated, found.actual.nodes_total) == (3, 3)
    assert found.actual.partitions == 1
    assert "SwiftShader" in found.actual.hardware
    run(device, tiny_float(), tmp_path, replace(GPU, delegate="none"), tmp_path / "cpu")
    half, on_cpu = arithmetic(config)
    assert (half, on_cpu) == (options.get("precision") != "fp32", False)
    got, want = (np.load(tmp_path / where / "output_0.npy") for where in ("gpu", "cpu"))
    rule = rule_for("float32", integer=False, same_kernels=False, half=half)
    seen = check_outputs([got], [want], rule)
    assert seen.passed, seen.detail
    assert not np.array_equal(got, want)  # other kernels computed it


def test_precision_changes_what_the_gpu_computes(device, tmp_path):
    digests = {
        precision: run(
            device, tiny_float(), tmp_path, replace(GPU, options={"precision": precision})
        ).output_sha256
        for precision in ("fp16", "fp32")
    }
    assert digests["fp16"] != digests["fp32"]


def test_reading_the_outputs_waits_for_the_gpu_and_is_timed(device, tmp_path):
    found = run(device, tiny_float(), tmp_path)
    for total, read in zip(found.latencies_us, found.read_output_us, strict=True):
        assert read > 0.1 * total  # writing and dispatching alone return before it has computed


def test_nodes_that_the_gpu_left_are_counted(device, tmp_path):
    found = run(device, chain("ABS", "LOG_SOFTMAX", "EXP"), tmp_path)
    assert found.error is None
    assert (found.actual.nodes_delegated, found.actual.nodes_total) == (1, 3)
    assert found.actual.partitions is None
    assert "actual.partitions" in found.unread


def test_a_gpu_that_took_nothing_is_not_said_to_have_run(device, tmp_path):
    found = run(device, chain("LOG_SOFTMAX"), tmp_path)
    assert (found.actual.delegate, found.actual.nodes_delegated) == ("none", 0)


@pytest.mark.parametrize(
    ("operators", "taken"), [(("LOG_SOFTMAX",), 0), (("ABS", "LOG_SOFTMAX", "EXP"), 1)]
)
def test_a_required_gpu_that_left_nodes_is_an_error(device, tmp_path, operators, taken):
    config = replace(GPU, require_delegate=True)
    found = run(device, chain(*operators), tmp_path, config)
    assert found.error.startswith(f"gpu-mldrift took {taken} of {len(operators)} nodes")
    assert run(device, tiny_float(), tmp_path, config).error is None


def test_an_accelerator_without_a_gpu_is_an_error_and_the_cpu_does_not_stand_in(
    device, tmp_path, monkeypatch
):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    found = run(device, tiny_float(), tmp_path)
    assert "No adapters found" in found.error
    assert found.latencies_us == ()


def test_the_harness_checks_measures_and_says_that_it_was_software(device, tmp_path):
    jobs = []
    for recipe, content in (("float32", tiny_float()), ("static_wi8_ai8", tiny_int8())):
        path = tmp_path / f"{recipe}.tflite"
        path.write_bytes(content)
        model = file_model(path, recipe, name="tiny")
        jobs.append(Job(path=path, model=model, config=replace(GPU, repetitions=2)))
    measurements = measure(
        jobs,
        device,
        open_gpu(),
        tmp_path / "results",
        seed=0,
        command="x",
        kit=Kit(version="0", commit=None),
        progress=lambda done, total, text: None,
    )
    for measurement in measurements:
        assert measurement.output_check.passed, measurement.output_check.detail
        assert {found.actual.nodes_delegated for found in measurement.runs} == {3}
        assert measurement.validity.status is Validity.SUSPECT
        assert any("SwiftShader" in reason for reason in measurement.validity.reasons)
