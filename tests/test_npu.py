"""NPUs by dispatch libraries: OpenVINO's, which can run on OpenVINO's CPU device."""

from pathlib import Path

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.output_check import FLOAT, check_outputs
from android_bench.runners import Start, open_runner
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import RunConfig
from tests.native_scene import LIBRARY, ROOT, build_runner
from tests.tiny_models import pack, tiny_float, unpack

pytestmark = pytest.mark.needs_openvino

OPENVINO = ROOT / "build" / "openvino" / "openvino" / "libs"
VENDOR = LIBRARY.path.parent / "vendors" / "intel_openvino"


@pytest.fixture
def run(tmp_path):
    """Runs a network on OpenVINO, or elsewhere."""
    device = HostDevice(workspace=tmp_path / "work")
    libraries = [OPENVINO, VENDOR / "dispatch", VENDOR / "compiler"]
    runner = open_runner("native", binary=build_runner(), libraries=libraries)
    path = tmp_path / "net.tflite"
    path.write_bytes(distinct_names(tiny_float()))

    def start(delegate, outputs=None, **more):
        config = RunConfig(delegate=delegate, warmup_runs=0, num_runs=3, min_secs=0, **more)
        sha256, folder = sha256_file(path), outputs and str(outputs)
        asked = Start(model=str(path), model_sha256=sha256, config=config, outputs=folder)
        return runner.start(device, asked, timeout_s=300)

    return start


def distinct_names(content):
    """OpenVINO takes tensors of one name for one tensor."""
    model = unpack(content)
    for place, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"tensor_{place}"
    return pack(model)


def test_openvino_compiles_where_it_runs_and_answers_what_the_cpu_does(run, tmp_path):
    found = run("openvino", tmp_path / "npu", options={"backend": "cpu"}, require_delegate=True)
    assert found.error is None
    assert (found.actual.delegate, found.actual.nodes_delegated) == ("openvino", 3)
    assert (found.actual.nodes_total, found.actual.partitions) == (3, 1)
    assert found.actual.hardware == "OpenVINO device CPU"
    run("none", tmp_path / "cpu")
    got, want = (np.load(tmp_path / where / "output_0.npy") for where in ("npu", "cpu"))
    seen = check_outputs([got], [want], FLOAT)
    assert seen.passed, seen.detail


def test_a_compiler_that_fails_is_a_fallback_and_not_the_npu(run):
    # This computer has no NPU, and LiteRT says nothing but a line of its log.
    found = run("openvino")
    assert found.error is None
    assert (found.actual.delegate, found.actual.nodes_delegated) == ("none", 0)
    required = run("openvino", require_delegate=True)
    assert required.error.startswith("openvino took 0 of 3 nodes")


def test_the_libraries_are_those_that_the_makefile_brings():
    assert next(Path(OPENVINO).glob("libopenvino.so.*"), None), "run `make test-npu`"
