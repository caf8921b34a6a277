"""The Python runner: the program, the driver, and what the driver refuses."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from android_bench.devices.host import HostDevice
from android_bench.output_check import FLOAT, OTHER_KERNELS, check_outputs
from android_bench.runners import RUNNERS, Start, open_runner
from android_bench.runners.litert_python import PROGRAM, LitertPythonRunner
from android_bench.runners.litert_python_program import EXIT_ERROR, zone_c
from mobilekit.core.errors import DeviceTimeoutError, RunnerError, UnknownNameError, UsageError
from mobilekit.core.measurement import Run, RunConfig
from mobilekit.core.records import from_json, to_json
from tests.tiny_models import tiny_dynamic, tiny_flex, tiny_float, tiny_int8

ROOT = Path(__file__).resolve().parents[1]
LEGACY = Path(os.environ.get("MOBILEKIT_LEGACY_PYTHON", ROOT / ".venv-legacy" / "bin" / "python"))
QUICK = RunConfig(warmup_runs=2, num_runs=5, min_secs=0)


def run_program(*arguments, python=sys.executable):
    done = subprocess.run(
        [str(python), str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def write(tmp_path):
    """Writes a model, or a stack of inputs, and says where."""

    def write_file(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)
        return path

    return write_file


@pytest.fixture
def device(tmp_path):
    return HostDevice(workspace=tmp_path / "work")


# --- the program ----------------------------------------------------------------------------------


def test_the_document_is_a_run_with_every_key_of_the_format(write):
    code, document = run_program("--model", write("net.tflite", tiny_float()), "--num-runs", 7)
    run = from_json(Run, document)
    assert code == 0
    by_harness = {"block", "order", "started", "cool_down", "retried"}
    by_other_runners = {"load", "summary"}
    assert set(to_json(run)) - set(document) == by_harness | by_other_runners
    assert run.error is None
    assert len(run.latencies_us) == len(run.write_input_us) == len(run.read_output_us) == 7
    assert len(run.warmup_us) == 10
    assert run.model_sha256 == sha256(tiny_float())
    assert run.runner.sha256 == sha256(PROGRAM.read_bytes())
    assert len(run.runtime.sha256) == 64
    assert (run.runtime.name, run.runtime.api) == ("ai-edge-litert", "interpreter")
    assert 0 <= run.busy_share <= 1


def test_a_latency_holds_its_two_io_parts(write):
    _, document = run_program("--model", write("net.tflite", tiny_float()))
    run = from_json(Run, document)
    for total, written, read in zip(
        run.latencies_us, run.write_input_us, run.read_output_us, strict=True
    ):
        assert 0 < written + read < total


def test_what_cannot_be_read_is_null_and_has_a_reason(write):
    _, document = run_program("--model", write("net.tflite", tiny_float()))
    missing = {f"conditions.{k}" for k, v in document["conditions"]["after"].items() if v is None}
    missing |= {f"memory.{k}" for k, v in document["memory"].items() if v is None}
    missing |= {f"actual.{k}" for k, v in document["actual"].items() if v is None}
    assert set(document["unread"]) == missing
    assert all(document["unread"].values())


@pytest.mark.parametrize(
    ("value", "celsius"),
    [(45, 45.0), (-5, -5.0), (45_500, 45.5), (-274_000, None), (255_000, None), (999, None)],
)
def test_zones_are_taken_in_either_unit_but_none_that_no_silicon_survives(value, celsius):
    assert zone_c(value) == celsius


def test_memory_is_this_processs_own(write):
    _, document = run_program("--model", write("net.tflite", tiny_float()))
    memory = document["memory"]
    assert 20_000_000 < memory["vm_hwm_bytes"] < 300_000_000
    assert memory["rss_anon_bytes"] + memory["rss_file_bytes"] <= memory["vm_hwm_bytes"]


@pytest.mark.parametrize(
    ("content", "delegated", "total", "partitions"),
    [
        (tiny_float(), 3, 3, 1),
        (tiny_float("float16"), 5, 5, 1),
        (tiny_int8(), 3, 3, 1),
        (tiny_int8(island="SQRT"), 6, 6, 1),
        (tiny_int8(island="SIGN"), 5, 6, 2),  # XNNPACK has no SIGN
    ],
)
def test_nodes_that_the_delegate_took_are_counted(write, content, delegated, total, partitions):
    _, document = run_program("--model", write("net.tflite", content), "--num-runs", 1)
    assert document["actual"] == {
        "delegate": "xnnpack",
        "nodes_delegated": delegated,
        "nodes_total": total,
        "partitions": partitions,
    }


def test_without_a_delegate_the_built_in_kernels_run(write):
    model = write("net.tflite", tiny_float())
    _, document = run_program("--model", model, "--delegate", "none", "--num-runs", 1)
    assert document["actual"] == {
        "delegate": "none",
        "nodes_delegated": 0,
        "nodes_total": 3,
        "partitions": 0,
    }


def test_outputs_of_every_input_are_written_and_the_first_is_hashed(write, tmp_path):
    images = np.random.default_rng(1).normal(size=(5, 8, 8, 3)).astype(np.float32)
    inputs, model = write("x.npy", images), write("net.tflite", tiny_float())
    _, document = run_program(
        *("--model", model, "--input", inputs, "--num-runs", 3, "--outputs", tmp_path / "out")
    )
    outputs = np.load(tmp_path / "out" / "output_0.npy")
    assert outputs.shape == (5, 1, 30)
    assert len({row.tobytes() for row in outputs}) == 5
    assert document["output_sha256"] == [sha256(outputs[0].tobytes())]
    assert document["inputs"] == {"source": "file", "sha256": [sha256(images.tobytes())]}
    assert document["outputs"] == {"path": str(tmp_path / "out")}


def test_a_stack_may_have_the_models_own_batch_dimension(write):
    images = np.ones((3, 1, 8, 8, 3), np.int8)
    inputs, model = write("x.npy", images), write("net.tflite", tiny_int8())
    code, document = run_program("--model", model, "--input", inputs, "--num-runs", 1)
    assert (code, document["error"]) == (0, None)


@pytest.mark.parametrize(("content", "rule"), [(tiny_float(), FLOAT), (tiny_int8(), OTHER_KERNELS)])
def test_xnnpack_and_the_built_in_kernels_agree_on_seeded_inputs(write, tmp_path, content, rule):
    model, outputs = write("net.tflite", content), {}
    for delegate in ("xnnpack", "none"):
        folder = tmp_path / delegate
        run_program(
            *("--model", model, "--delegate", delegate, "--outputs", folder, "--num-runs", 1)
        )
        outputs[delegate] = np.load(folder / "output_0.npy")
    assert len(outputs["none"]) == 16
    assert check_outputs([outputs["xnnpack"]], [outputs["none"]], rule).passed


def test_seeds_make_inputs(write):
    model = write("net.tflite", tiny_int8())
    digests = [
        run_program("--model", model, "--num-runs", 1, *more)[1]["inputs"]["sha256"]
        for more in ((), ("--seed", 0), ("--seed", 1), ("--input-range", "0:1"))
    ]
    assert digests[0] == digests[1]
    assert len({*map(tuple, digests)}) == 3


@pytest.mark.parametrize(
    ("content", "inputs", "problem"),
    [
        (b"", None, "ValueError: "),
        (b"this is a text file, not a model" * 10, None, "ValueError: "),
        (tiny_flex(), None, "Select TensorFlow op"),
        (tiny_float(), np.ones((2, 8, 8, 3), np.int8), "takes float32 .* holds int8"),
        (tiny_float(), np.ones((2, 9, 8, 3), np.float32), r"holds float32 \[2, 9, 8, 3\]"),
        (tiny_float(), np.ones((0, 8, 8, 3), np.float32), r"holds float32 \[0, 8, 8, 3\]"),
        (tiny_float(), np.array([{}]), "are no .npy file"),
        (tiny_float(), b"no array", "are no .npy file"),
    ],
)
def test_what_cannot_run_is_told_in_the_document(write, content, inputs, problem):
    arguments = ["--model", write("net.tflite", content)]
    if inputs is not None:
        path = write("x.npy", inputs)
        arguments += ["--input", path]
    code, document = run_program(*arguments)
    assert code == EXIT_ERROR
    assert from_json(Run, document).error == document["error"]
    assert "\n" not in document["error"]
    assert re.search(problem, document["error"])


def test_too_many_input_files_are_refused(write):
    images = write("x.npy", np.ones((2, 8, 8, 3), np.float32))
    model = write("net.tflite", tiny_float())
    _, document = run_program("--model", model, "--input", images, "--input", images)
    assert document["error"] == "the model has 1 inputs, 2 were given"


def test_a_runtime_that_is_not_there_is_told_with_the_way_to_get_it():
    code, document = run_program("--probe", "--runtime", "tflite-runtime")
    assert code == EXIT_ERROR
    assert document["error"].endswith(f"{sys.executable} -m pip install tflite-runtime")


def test_the_program_imports_nothing_of_the_project():
    text = PROGRAM.read_text()
    assert "mobilekit." not in text
    assert "android_bench." not in text


def test_a_killed_parent_takes_the_program_with_it(write):
    model = write("net.tflite", tiny_float())
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    program = [sys.executable, str(PROGRAM), "--model", str(model), "--num-runs", "100000000"]
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pid = int(parent.stdout.readline())
    while "XNNPACK delegate" not in parent.stderr.readline():  # it has begun by then
        assert alive(pid)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


# --- the driver with the real program -------------------------------------------------------------


def start_of(content, path, config=QUICK, **more):
    return Start(model=str(path), model_sha256=sha256(content), config=config, **more)


def test_the_driver_gives_a_run(device, write):
    runner, content = open_runner(), tiny_int8()
    run = runner.start(device, start_of(content, write("net.tflite", content)), timeout_s=60)
    assert run.error is None
    assert run.runner == runner.program()
    assert run.runtime == runner.runtime(device)
    assert run.context == "host"
    assert len(run.latencies_us) == QUICK.num_runs


def test_the_program_is_a_row_of_the_table():
    assert open_runner().program().name in RUNNERS


def test_a_file_that_was_exchanged_is_refused(device, write):
    start = start_of(tiny_int8(), write("net.tflite", tiny_float()))
    with pytest.raises(RunnerError, match="about another start: model_sha256"):
        open_runner().start(device, start, timeout_s=60)


def test_a_file_that_does_not_load_is_a_run_with_an_error(device, write):
    run = open_runner().start(device, start_of(b"x", write("net.tflite", b"x")), timeout_s=60)
    assert "ValueError" in run.error
    assert run.latencies_us == ()


def test_a_runtime_that_is_missing_is_a_runner_error(device):
    runner = open_runner(runtime="tflite-runtime", python=Path(sys.executable))
    with pytest.raises(RunnerError, match="pip install tflite-runtime"):
        runner.runtime(device)


def test_a_python_that_is_missing_is_a_runner_error_or_a_device_error(device):
    runner = open_runner(python=Path("/no/such/python"))
    with pytest.raises(Exception, match="/no/such/python"):
        runner.runtime(device)


def test_unknown_runners_and_runtimes_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'litert_python'"):
        open_runner("litert_pyton")
    with pytest.raises(UsageError, match="it runs ai-edge-litert, tflite-runtime"):
        open_runner(runtime="tensorflow")


def test_a_named_python_that_does_not_exist_is_refused_and_no_other_is_taken(device, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_LEGACY_PYTHON", "/no/such/python")
    with pytest.raises(UsageError, match="names /no/such/python, which does not exist"):
        open_runner(runtime="tflite-runtime").runtime(device)


# --- the driver with programs that answer wrongly -------------------------------------------------

FAKE = """
import hashlib, json, os, signal, sys, time
from pathlib import Path
document = json.loads({document!r})
document["runner"]["sha256"] = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
{body}
"""


@pytest.fixture(scope="module")
def good_document(tmp_path_factory):
    """What the real program prints."""
    model = tmp_path_factory.mktemp("model") / "net.tflite"
    model.write_bytes(tiny_float())
    return run_program("--model", model, "--num-runs", 5, "--warmup-runs", 2)[1]


@pytest.fixture
def answer(device, write, good_document):
    """Starts a program with `body`, which may change the `document` and print it."""

    def start_fake(body, timeout_s=20.0):
        text = FAKE.format(document=json.dumps(good_document), body=body)
        runner = LitertPythonRunner(
            runtime="ai-edge-litert",
            python=Path(sys.executable),
            program=write("fake.py", text.encode()),
        )
        model = write("net.tflite", tiny_float())
        return runner.start(device, start_of(tiny_float(), model), timeout_s=timeout_s)

    return start_fake


PRINT = "print(json.dumps(document))"


def test_a_right_document_is_taken(answer):
    assert answer(PRINT).error is None


def test_lines_before_the_document_are_ignored(answer):
    assert answer(f"print('INFO: hello')\n{PRINT}\nprint()").error is None


def test_keys_of_a_later_version_are_ignored(answer):
    assert answer(f"document['later'] = 1\n{PRINT}").error is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "exited 0 and said nothing on standard error"),
        ("sys.exit('a reason')", "exited 1: a reason"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        ("print('no document')", "is not its document"),
        ("print('[]')", "a table is needed"),
        ("print('{}')", "its schema is None, not 1"),
        (f"document['schema'] = 2\n{PRINT}", "its schema is 2, not 1"),
        (f"del document['runtime']\n{PRINT}", "runtime: this key is missing"),
        (f"document['latencies_us'][0] = -1.0\n{PRINT}", "times must be above zero"),
        (f"document['latencies_us'][0] = float('nan')\n{PRINT}", "NaN is not a JSON number"),
        (f"document['latencies_us'][0] = 'fast'\n{PRINT}", r"latencies_us\[0\]: a number"),
        (f"document['latencies_us'].pop()\n{PRINT}", "every latency needs its two I/O parts"),
        (f"document['latencies_us'] = []\n{PRINT}", "must have latencies"),
        (f"del document['warmup_us'][1:]\n{PRINT}", r"the least of warmup_us is 1 where 2"),
        (f"document['model_sha256'] = '0' * 64\n{PRINT}", "model_sha256"),
        (f"document['requested']['num_threads'] = 4\n{PRINT}", "requested.num_threads is 4"),
        (f"document['requested']['delegate'] = 'gpu'\n{PRINT}", "requested.delegate is 'gpu'"),
        (f"document['inputs']['source'] = 'file'\n{PRINT}", "inputs.source is 'file'"),
        (f"document['runner']['sha256'] = '0' * 64\n{PRINT}", "another program answered"),
        (f"document['context'] = chr(0xd800)\n{PRINT}", "surrogates not allowed"),
        ("print('[' * 100000)", "nested too deeply"),
        ("text = json.dumps(document)\nprint(text[:len(text) // 2])", "is not its document"),
        (f"{PRINT}\nprint('and more')", "is not its document"),
        (f"document['context'] = 'x' * 10000\ndel document['actual']\n{PRINT}", "actual"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(answer, body, problem):
    with pytest.raises(RunnerError, match=problem) as caught:
        answer(body)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_program_that_hangs_is_a_timeout(answer):
    with pytest.raises(DeviceTimeoutError):
        answer("time.sleep(60)", timeout_s=0.5)


# --- the runtime before LiteRT --------------------------------------------------------------------


@pytest.mark.needs_legacy
@pytest.mark.parametrize(
    ("content", "delegated"),
    # The wheel of 2.14 was built without XNNPACK's int8 kernels.
    [(tiny_float(), 3), (tiny_int8(), 0)],
)
def test_tflite_runtime_runs_float_and_static_int8(device, write, content, delegated):
    runner = open_runner(runtime="tflite-runtime", python=LEGACY)
    run = runner.start(device, start_of(content, write("net.tflite", content)), timeout_s=60)
    assert run.error is None
    assert (run.runtime.name, run.runtime.version) == ("tflite-runtime", "2.14.0")
    assert (run.actual.nodes_delegated, run.actual.nodes_total) == (delegated, 3)


@pytest.mark.needs_legacy
def test_tflite_runtime_gives_the_outputs_of_litert(write, tmp_path):
    for name, content in (("float", tiny_float()), ("int8", tiny_int8())):
        model, outputs = write(f"{name}.tflite", content), []
        for python, runtime in ((sys.executable, "ai-edge-litert"), (LEGACY, "tflite-runtime")):
            folder = tmp_path / name / runtime
            run_program(
                *("--model", model, "--runtime", runtime, "--outputs", folder, "--num-runs", 1),
                *("--delegate", "none"),
                python=python,
            )
            outputs.append(np.load(folder / "output_0.npy"))
        assert check_outputs(outputs[:1], outputs[1:], FLOAT).passed


@pytest.mark.needs_legacy
def test_tflite_runtime_says_that_it_cannot_run_dynamic_files(write):
    model = write("net.tflite", tiny_dynamic())
    code, document = run_program("--model", model, "--runtime", "tflite-runtime", python=LEGACY)
    assert code == EXIT_ERROR
    assert "Didn't find op for builtin opcode 'FULLY_CONNECTED'" in document["error"]
