"""The runner for 64-bit Arm, emulated: its outputs are those of this computer."""

import json
import os

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.runners import Start
from android_bench.runners.native import NativeRunner, find_library
from mobilekit.cli import main
from mobilekit.core.digest import sha256_file
from mobilekit.core.measurement import RunConfig
from tests.adb_scene import adb_server, modern_adb, simulated
from tests.arm64_scene import (
    PROCESSORS,
    arm64_library,
    arm64_profile,
    arm64_runner,
    build_arm64_runner,
)
from tests.native_scene import build_runner
from tests.simulated_device.phone import Phone
from tests.tiny_models import tiny_float, tiny_int8

pytestmark = pytest.mark.needs_qemu

SIZE, COUNT = 64, 16
ARCHITECTURES = ("mobilenet_v1", "mobilenet_v2")
ONCE = RunConfig(warmup_runs=0, num_runs=1, min_secs=0, repetitions=1, cooling="none")


@pytest.fixture(scope="module")
def adb(tmp_path_factory):
    with adb_server(modern_adb(), tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=PROCESSORS)
def phone(request, adb):
    """An emulated phone, and its device."""
    phone = Phone(arm64_profile(request.param))
    with simulated(adb, phone) as device:
        yield phone, device


def small_network(name):
    """A small one with seeded weights, and statistics that let every layer do something."""
    import keras

    from mobilekit.architectures import ARCHITECTURES as ROWS
    from mobilekit.core.loading import load

    keras.utils.set_random_seed(7)
    model = load(ROWS[name].builder)(input_size=(SIZE, SIZE), classes=20, alpha=0.25)
    random = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, gamma.shape),
                    random.normal(0, 0.2, beta.shape),
                    random.normal(0, 0.05, mean.shape),
                    random.uniform(0.05, 0.15, variance.shape),
                ]
            )
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Float and int8 files of two architectures, and inputs, by architecture and kind."""
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import parse_recipe

    folder, random = tmp_path_factory.mktemp("files"), np.random.default_rng(3)
    images = random.uniform(-1, 1, (COUNT, 1, SIZE, SIZE, 3)).astype(np.float32)
    np.save(folder / "float32.npy", images)
    for name in ARCHITECTURES:
        frozen = freeze(small_network(name))
        ranges = calibrate(frozen, list(images))
        for recipe in ("float32", "static_wi8_ai8"):
            content = derive(frozen, parse_recipe(recipe), ranges=ranges)
            (folder / f"{name}.{recipe}.tflite").write_bytes(content)
    return folder


def answers(runner, device, model, inputs, folder):
    """Outputs of all inputs on a device, and the run's document."""
    remote = [f"{device.workspace}/files/{path.name}" for path in (model, inputs)]
    for path, there in zip((model, inputs), remote, strict=True):
        device.push(path, there)
    outputs = f"{device.workspace}/outputs/{model.stem}"
    start = Start(
        model=remote[0],
        model_sha256=sha256_file(model),
        config=ONCE,
        inputs=(remote[1],),
        outputs=outputs,
    )
    run = runner.start(device, start, timeout_s=120)
    assert run.error is None
    device.pull(f"{outputs}/output_0.npy", folder / "output.npy")
    return np.load(folder / "output.npy"), run


def quantized(inputs, model, folder):
    """The inputs as integers, on the scale of the file."""
    from converters.tflite_reader import read_model

    graph = read_model(model.read_bytes(), model.name).main
    scale = graph.tensors[graph.inputs[0]].quantization
    values = np.round(np.load(inputs) / scale.scales[0]) + scale.zero_points[0]
    np.save(folder / "int8.npy", np.clip(values, -128, 127).astype(np.int8))
    return folder / "int8.npy"


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_outputs_are_those_of_this_computer(phone, files, tmp_path, architecture):
    _, device = phone
    host = HostDevice(workspace=tmp_path / "host")
    here = NativeRunner(runtime="litert", binary=build_runner(), library=find_library())
    there = arm64_runner()
    assert there.runtime(device).version == here.runtime(host).version
    for recipe in ("float32", "static_wi8_ai8"):
        model, inputs = files / f"{architecture}.{recipe}.tflite", files / "float32.npy"
        if recipe != "float32":
            inputs = quantized(inputs, model, tmp_path)
        want, ours = answers(here, host, model, inputs, tmp_path)
        got, run = answers(there, device, model, inputs, tmp_path)
        assert run.actual == ours.actual
        assert run.actual.nodes_delegated == run.actual.nodes_total
        assert run.inputs.sha256 == ours.inputs.sha256
        assert len(np.unique(want)) > 40  # of 320 values: the network answers something
        if recipe == "float32":
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())
        else:
            np.testing.assert_array_equal(got, want)
            assert run.output_sha256 == ours.output_sha256


def test_an_emulated_phone_says_so_and_times_are_not_taken(
    adb, phone, tmp_path, monkeypatch, capsys
):
    there, device = phone
    info = device.info()
    assert (info.simulated, info.emulated, info.abi) == (True, "qemu", "arm64-v8a")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "adb").symlink_to(adb.path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("MOBILEKIT_LITERT_LIBRARY", str(arm64_library().path))
    (tmp_path / "float.tflite").write_bytes(tiny_float())
    (tmp_path / "int8.tflite").write_bytes(tiny_int8())
    words = ["--device", f"adb:{there.address}", "--adb-port", str(adb.port), "--runner", "native"]
    words += ["--runner-binary", str(build_arm64_runner()), "--repetitions", "2"]
    before = there.programs_started
    assert main(["benchmark", "float.tflite", "int8.tflite", *words]) == 0
    # The probe, and both sides of two output checks.
    assert there.programs_started - before == 5
    shown = " ".join(capsys.readouterr().out.split())
    assert "its times do not, so none were taken" in shown
    assert "invalid" in shown
    for path in (tmp_path / "results").glob("*.json"):
        measured = json.loads(path.read_text())
        assert measured["device"]["emulated"] == "qemu"
        assert measured["output_check"]["passed"] is True
        assert measured["runs"] == []
        assert measured["validity"]["status"] == "invalid"
        assert "qemu emulates" in measured["validity"]["reasons"][0]
    assert main(["devices", "--adb-port", str(adb.port)]) == 0
    assert "simulated, emulated by qemu" in capsys.readouterr().out
