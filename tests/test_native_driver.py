"""The driver of the C++ runner: what it brings, what it finds, and what it refuses."""

import hashlib
import json
import platform
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.harness import Job, measure
from android_bench.runners import RUNNERS, Start, open_runner
from android_bench.runners.elf import abi_of, same_abi
from android_bench.runners.native import NativeRunner
from mobilekit.core.errors import RunnerError, UsageError
from mobilekit.core.measurement import Kit, RunConfig
from tests.native_scene import LIBRARY, ROOT, build_runner
from tests.sample_results import file_model
from tests.tiny_models import tiny_any_size, tiny_float, tiny_int8

QUICK = RunConfig(warmup_runs=2, num_runs=5, min_secs=0)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    for name in ("MOBILEKIT_RUNNER", "MOBILEKIT_LITERT_LIBRARY", "MOBILEKIT_LITERT_VERSION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def device(tmp_path):
    return HostDevice(workspace=tmp_path / "work")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tiny_int8())
    return path


def start_of(path, config=QUICK, **more):
    return Start(model=str(path), model_sha256=sha256(path.read_bytes()), config=config, **more)


def open_native():
    return open_runner("native", binary=build_runner())


# --- with the real program ------------------------------------------------------------------------


def test_the_driver_gives_a_run(device, model):
    runner = open_native()
    run = runner.start(device, start_of(model), timeout_s=60)
    assert run.error is None
    assert run.runner == runner.program()
    assert run.runner.name in RUNNERS
    assert run.runtime == runner.runtime(device)
    assert run.context == runner.context(device) == "host"
    assert len(run.latencies_us) == QUICK.num_runs
    assert sum((*run.warmup_us, run.first_us)) > 300_000  # half a second, with the clock's calls


def test_a_start_without_a_warm_up_has_none(device, model):
    run = open_native().start(
        device, start_of(model, RunConfig(warmup_runs=0, num_runs=1, min_secs=0)), timeout_s=60
    )
    assert run.warmup_us == ()


def test_program_and_library_are_brought_once_by_their_digests(device, model):
    runner = open_native()
    runner.runtime(device)
    folder = Path(device.workspace) / "runners"
    program = folder / sha256(build_runner().read_bytes())
    library = folder / f"{sha256(LIBRARY.path.read_bytes())}.so"
    assert {path.name for path in folder.iterdir()} == {program.name, library.name}
    assert program.stat().st_mode & stat.S_IXUSR
    times = [path.stat().st_mtime_ns for path in (program, library)]
    runner.start(device, start_of(model), timeout_s=60)
    open_native().start(device, start_of(model), timeout_s=60)  # another driver, the same files
    assert [path.stat().st_mtime_ns for path in (program, library)] == times


def test_given_inputs_and_outputs_are_files_of_the_device(device, model, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 8, 8, 3), np.int8))
    more = {"inputs": (str(tmp_path / "x.npy"),), "outputs": str(tmp_path / "out")}
    run = open_native().start(device, start_of(model, **more), timeout_s=60)
    assert run.outputs.path == str(tmp_path / "out")
    assert np.load(tmp_path / "out" / "output_0.npy").shape == (4, 1, 30)


def test_options_reach_the_program_and_a_weight_cache_gets_a_file_of_its_own(device, model):
    runner, once = open_native(), {"warmup_runs": 0, "num_runs": 1, "min_secs": 0}
    caches = Path(device.workspace) / "caches"
    other = model.with_name("other.tflite")
    other.write_bytes(tiny_float())
    options, seen = {"weight_cache": "true"}, []
    for path in (model, model, other):
        run = runner.start(device, start_of(path, RunConfig(options=options, **once)), timeout_s=60)
        assert run.error is None
        assert run.requested.options == options
        seen.append(run.cache)
    assert seen == ["cold", "warm", "cold"]
    assert len(list(caches.iterdir())) == 2


def test_a_fresh_start_finds_no_cache_and_fills_it(device, model):
    config = RunConfig(
        options={"weight_cache": "true"}, warmup_runs=0, num_runs=1, min_secs=0, repetitions=6
    )
    starts = [start_of(model, config, fresh=fresh) for fresh in (True, False, True, False)]
    seen = [open_native().start(device, start, timeout_s=60).cache for start in starts]
    assert seen == ["cold", "warm", "cold", "warm"]


def test_the_first_timed_start_of_every_session_is_cold(device, model, tmp_path):
    config = RunConfig(
        options={"weight_cache": "true"}, warmup_runs=0, num_runs=10, min_secs=0, repetitions=6
    )
    measured = file_model(model, "static_wi8_ai8", name="tiny")
    for again in (False, True):
        (measurement,) = measure(
            [Job(path=model, model=measured, config=config)],
            device,
            open_native(),
            tmp_path / "results",
            seed=0,
            command="x",
            kit=Kit(version="0", commit=None),
            progress=lambda done, total, text: None,
            again=again,
        )
        assert [run.cache for run in measurement.runs] == ["cold", *["warm"] * 5]
    assert measurement.config.options == {"weight_cache": "true"}
    assert not list((Path(device.workspace) / "outputs").iterdir())


def test_shapes_reach_the_program(device, tmp_path):
    path = tmp_path / "any.tflite"
    path.write_bytes(tiny_any_size())
    once = {"warmup_runs": 0, "num_runs": 1, "min_secs": 0}
    run = open_native().start(device, start_of(path, RunConfig(**once)), timeout_s=60)
    assert "give it with --shape image=" in run.error
    config = RunConfig(shapes={"image": "1,9,7,3"}, **once)
    assert open_native().start(device, start_of(path, config), timeout_s=60).error is None


def test_libraries_lie_beside_the_runtimes_in_one_folder_by_their_digests(device, model, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    (given / "libVendor.so").write_bytes(b"for a DSP")
    runner = open_runner("native", binary=build_runner(), libraries=[given])
    run = runner.start(device, start_of(model), timeout_s=60)
    assert run.error is None
    assert run.runtime == runner.runtime(device)
    assert run.runtime.sha256 != open_native().runtime(device).sha256
    folder = Path(device.workspace) / "runners" / run.runtime.sha256
    assert {path.name for path in folder.iterdir()} == {"libLiteRt.so", "libVendor.so"}


def test_libraries_that_cannot_be_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lib.so").write_bytes(name.encode())
    with pytest.raises(UsageError, match=r"names /no/such\.so, which is no file and no folder"):
        open_runner("native", binary=build_runner(), libraries=[Path("/no/such.so")])
    both = [tmp_path / "a", tmp_path / "b" / "lib.so"]
    with pytest.raises(UsageError, match="have the same name"):
        open_runner("native", binary=build_runner(), libraries=both)
    assert open_runner("native", binary=build_runner(), libraries=[both[1], both[1]])
    with pytest.raises(UsageError, match="brings no libraries"):
        open_runner("litert_python", libraries=both)


@pytest.mark.parametrize("delegate", ["gpu-mldrift", "openvino", "qualcomm@sm8750"])
def test_a_delegate_without_its_libraries_is_refused(device, model, delegate):
    config = RunConfig(delegate=delegate, warmup_runs=0, num_runs=1)
    with pytest.raises(UsageError, match="comes out of libraries of its own; name") as caught:
        open_native().start(device, start_of(model, config), timeout_s=60)
    with pytest.raises(UsageError, match="name their files or their folder with --runner-library"):
        open_native().check(config)
    assert ("libLiteRtWebGpuAccelerator.so" in str(caught.value)) == (delegate == "gpu-mldrift")


def test_a_library_of_litert_for_other_processors_is_refused(device, tmp_path):
    other = bytearray(LIBRARY.path.read_bytes()[:4096])
    other[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    path = tmp_path / "libLiteRtDispatch_Other.so"
    path.write_bytes(other)
    with pytest.raises(RunnerError, match=r"libLiteRtDispatch_Other\.so is for riscv64"):
        open_runner("native", binary=build_runner(), libraries=[path]).runtime(device)


def test_the_harness_measures_and_checks_with_it(device, model, tmp_path):
    jobs = []
    for name, content in (("float", tiny_float()), ("int8", tiny_int8())):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        measured = file_model(path, name, name="tiny")
        config = RunConfig(warmup_runs=0, num_runs=10, min_secs=0, repetitions=6)
        jobs.append(Job(path=path, model=measured, config=config))
    measurements = measure(
        jobs,
        device,
        open_native(),
        tmp_path / "results",
        seed=0,
        command="x",
        kit=Kit(version="0", commit=None),
        progress=lambda done, total, text: None,
    )
    for measurement in measurements:
        assert measurement.output_check.passed, measurement.output_check.detail
        assert len(measurement.runs) == 6
        assert {run.runner.name for run in measurement.runs} == {"native"}
        assert {run.actual.nodes_delegated for run in measurement.runs} == {3}


def test_the_command_line_measures_with_it_and_says_so(model, tmp_path):
    words = ["benchmark", str(model), "--runner", "native", "--runner-binary", str(build_runner())]
    words += [
        "--num-runs",
        "3",
        "--warmup-runs",
        "0",
        "--repetitions",
        "6",
        "--min-secs",
        "0",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mobilekit", *words, "--out", str(tmp_path / "results")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (measurement,) = json.loads(done.stdout)
    assert measurement["runs"][0]["runner"]["name"] == "native"
    assert measurement["runs"][0]["runtime"]["api"] == "compiled_model"
    assert f"--runner native --runner-binary {build_runner()}" in measurement["command"]


def test_a_file_that_was_exchanged_is_refused(device, model):
    start = Start(model=str(model), model_sha256=sha256(tiny_float()), config=QUICK)
    with pytest.raises(RunnerError, match="about another start: model_sha256"):
        open_native().start(device, start, timeout_s=60)


def test_a_file_that_does_not_load_is_a_run_with_an_error(device, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(b"x")
    run = open_native().start(device, start_of(path), timeout_s=60)
    assert run.error == "the model is no .tflite file"
    assert run.latencies_us == ()


# --- programs that answer wrongly -----------------------------------------------------------------

FAKE = """#!{python}
import hashlib, json, sys
from pathlib import Path
document = json.loads({document!r})
document["runner"]["sha256"] = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
{body}
print(json.dumps(document))
"""


@pytest.fixture
def answer(device, model, tmp_path):
    """Starts a program that prints the real document, after `body` changed it."""
    real = open_native().start(device, start_of(model), timeout_s=60)
    from mobilekit.core.records import to_json

    def start_fake(body):
        fake = tmp_path / "fake"
        document = json.dumps(to_json(real))
        fake.write_text(FAKE.format(python=sys.executable, document=document, body=body))
        runner = NativeRunner(runtime="litert", binary=fake, library=LIBRARY)
        return runner.start(device, start_of(model), timeout_s=20)

    return start_fake


def test_a_right_document_is_taken(answer):
    assert answer("").error is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("document['latencies_us'].pop()", "every latency needs its two I/O parts"),
        ("document['warmup_us'] = [1.0]", "the least of warmup_us is 1 where 2"),
        ("document['runtime']['sha256'] = '0' * 64", "runtime.sha256"),
        ("document['runtime']['name'] = 'other'", "runtime is 'other'"),
        ("document['requested']['num_threads'] = 4", "requested.num_threads is 4"),
        ("document['requested']['options'] = {'fp16': 'true'}", "requested.options is"),
        ("document['runner']['sha256'] = '0' * 64", "another program answered"),
        ("sys.exit('a reason')", "exited 1: a reason"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(answer, body, problem):
    with pytest.raises(RunnerError, match=problem) as caught:
        answer(body)
    assert "\n" not in str(caught.value)


# --- what is refused -----------------------------------------------------------------------------


def test_a_version_that_the_runner_was_not_tested_with_is_a_runner_error(device, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_LITERT_LIBRARY", str(LIBRARY.path))
    monkeypatch.setenv("MOBILEKIT_LITERT_VERSION", "2.2.0")
    with pytest.raises(RunnerError, match=r"LiteRT 2\.2\.0 is not supported"):
        open_native().runtime(device)


def test_what_a_runner_does_not_take_is_refused():
    with pytest.raises(UsageError, match="needs no Python"):
        open_runner("native", python=Path(sys.executable))
    with pytest.raises(UsageError, match="takes no binary"):
        open_runner("litert_python", binary=build_runner())
    with pytest.raises(UsageError, match="it runs litert"):
        open_runner("native", runtime="tflite-runtime")


def test_a_program_for_other_processors_is_refused_before_it_starts(device, tmp_path):
    other = bytearray(build_runner().read_bytes())
    other[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    binary = tmp_path / "other"
    binary.write_bytes(other)
    with pytest.raises(RunnerError, match="program other is for riscv64"):
        open_runner("native", binary=binary).runtime(device)


def test_the_processors_of_a_file_are_told(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert abi_of(script) == "no ELF file"
    assert abi_of(build_runner()) == abi_of(LIBRARY.path) == platform.machine()
    assert same_abi("aarch64", "arm64-v8a")
    assert same_abi("aarch64", "aarch64")
    assert not same_abi("aarch64", "x86_64")
    assert not same_abi("no ELF file", "x86_64")
