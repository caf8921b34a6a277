"""The C++ runner: the program, against the Python runner and the installed library."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from android_bench.runners.litert_python import PROGRAM
from android_bench.runners.litert_python_program import EXIT_ERROR
from mobilekit.core.measurement import Run
from mobilekit.core.records import from_json, to_json
from tests.native_scene import (
    LIBRARY,
    SOURCE,
    build_runner,
    fake_library,
    functions,
    make_runner,
    optional_functions,
    run_native,
)
from tests.tiny_models import (
    IMAGE,
    Network,
    schema,
    tiny_any_size,
    tiny_dynamic,
    tiny_dynamic_shape,
    tiny_flex,
    tiny_float,
    tiny_int8,
    tiny_variables,
    two_signatures,
)

ONCE = ("--num-runs", 1, "--warmup-runs", 0)


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


def run_python(*arguments):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    return json.loads(done.stdout.splitlines()[-1])


# --- the document ---------------------------------------------------------------------------------


def test_the_document_is_a_run_with_every_key_of_the_format(write):
    arguments = ("--num-runs", 7, "--warmup-runs", 10, "--context", "host")
    code, document, _ = run_native("--model", write("net.tflite", tiny_float()), *arguments)
    run = from_json(Run, document, ignore_unknown=True)
    assert code == 0
    by_harness = {"block", "order", "started", "cool_down", "retried"}
    others = {"paced", "load", "summary"}  # that were not asked for
    assert set(to_json(run)) - set(document) == by_harness | others
    assert set(document) <= set(to_json(run))
    assert document["warmup_settled"] is None  # none by time was asked for
    assert run.error is None
    assert len(run.latencies_us) == len(run.write_input_us) == len(run.read_output_us) == 7
    assert len(run.warmup_us) == 10
    assert run.model_sha256 == sha256(tiny_float())
    assert run.runner.sha256 == sha256(build_runner().read_bytes())
    assert run.runtime.sha256 == sha256(LIBRARY.path.read_bytes())
    assert (run.runtime.name, run.runtime.api) == ("litert", "compiled_model")
    assert (run.context, run.runtime.version) == ("host", LIBRARY.version)
    assert 0 <= run.busy_share <= 1
    assert document["processors"] == sorted(os.sched_getaffinity(0))
    for total, written, read in zip(
        run.latencies_us, run.write_input_us, run.read_output_us, strict=True
    ):
        assert 0 < written + read < total


def test_what_cannot_be_read_is_null_and_has_a_reason(write):
    _, document, _ = run_native("--model", write("net.tflite", tiny_float()), *ONCE)
    missing = {f"conditions.{k}" for k, v in document["conditions"]["after"].items() if v is None}
    missing |= {f"memory.{k}" for k, v in document["memory"].items() if v is None}
    missing |= {"windows"} if document["windows"] is None else set()
    assert set(document["unread"]) == missing
    assert all(document["unread"].values())


def test_memory_is_this_processs_own(write):
    # A parent with much memory: a child's ru_maxrss would begin with it.
    ballast = np.ones(100_000_000, np.uint8)
    _, document, _ = run_native("--model", write("net.tflite", tiny_float()), *ONCE)
    memory = document["memory"]
    assert 3_000_000 < memory["vm_hwm_bytes"] < 40_000_000 < len(ballast)
    assert memory["rss_anon_bytes"] + memory["rss_file_bytes"] <= memory["vm_hwm_bytes"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_takes_effect(write, threads):
    model = write("net.tflite", tiny_float())
    _, document, _ = run_native("--model", model, "--num-threads", threads, *ONCE)
    assert document["requested"]["num_threads"] == document["threads"] == threads


# --- against the Python runner --------------------------------------------------------------------


@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
@pytest.mark.parametrize(
    "content",
    [
        tiny_float(),
        tiny_float("float16"),
        tiny_dynamic(),
        tiny_int8(),
        tiny_int8(output="uint8"),
        tiny_int8(float_io=True),
        tiny_int8(island="SIGN"),
        tiny_dynamic_shape(),
    ],
    ids=["float", "float16", "dynamic", "int8", "uint8", "float_io", "island", "dynamic_shape"],
)
def test_both_runners_give_the_same_bits_and_see_the_same_nodes(write, tmp_path, content, delegate):
    model = write("net.tflite", content)
    arguments = ("--model", model, "--delegate", delegate, "--num-threads", 2, "--seed", 3, *ONCE)
    _, native, _ = run_native(*arguments, "--outputs", tmp_path / "native" / "deep")
    python = run_python(*arguments, "--outputs", tmp_path / "python")
    assert native["error"] is python["error"] is None
    for field in ("inputs", "output_sha256", "actual", "model_sha256", "requested"):
        assert native[field] == python[field], field
    ours = (tmp_path / "native" / "deep" / "output_0.npy").read_bytes()
    assert ours == (tmp_path / "python" / "output_0.npy").read_bytes()
    assert native["outputs"] == {"path": str(tmp_path / "native" / "deep")}


def test_both_runners_give_the_same_bits_for_given_inputs(write):
    images = np.random.default_rng(1).normal(size=(5, 8, 8, 3)).astype(np.float32)
    arguments = ("--model", write("net.tflite", tiny_float()), "--input", write("x.npy", images))
    _, native, _ = run_native(*arguments, *ONCE)
    assert native["inputs"] == {"source": "file", "sha256": [sha256(images.tobytes())]}
    assert native["output_sha256"] == run_python(*arguments, *ONCE)["output_sha256"]


def test_a_stack_may_have_the_models_own_batch_dimension(write):
    inputs = write("x.npy", np.ones((3, *IMAGE), np.int8))
    model = write("net.tflite", tiny_int8())
    code, document, _ = run_native("--model", model, "--input", inputs, *ONCE)
    assert (code, document["error"]) == (0, None)


def pass_through(*dtypes):
    """One RESHAPE an input, which copies elements of any type."""
    net, inputs, outputs = Network(), [], []
    for position, dtype in enumerate(dtypes):
        shape = net.tensor("shape", (1,), "int32", np.array((6,), np.int32))
        inputs.append(net.tensor(f"in{position}", (2, 3), dtype))
        outputs.append(net.tensor(f"out{position}", (6,), dtype))
        net.operator("RESHAPE", [inputs[-1], shape], [outputs[-1]], schema.ReshapeOptionsT())
    return net.finish(inputs, outputs)


SEEDED = ["int8", "uint8", "int16", "int32", "uint32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", [*SEEDED, "uint16", "uint64"])
def test_the_librarys_number_of_every_element_type_is_the_one_we_declare(write, tmp_path, dtype):
    model, stack = write("net.tflite", pass_through(dtype)), np.arange(12, dtype=dtype)
    inputs = write("x.npy", stack.reshape(2, 2, 3))
    _, document, _ = run_native(
        *("--model", model, "--input", inputs, "--outputs", tmp_path / "out", *ONCE)
    )
    assert document["error"] is None
    given = np.load(tmp_path / "out" / "output_0.npy")
    assert given.dtype == dtype
    assert np.array_equal(given, stack.reshape(2, 6))


def test_seeded_inputs_are_numpys_for_every_type_and_position(write):
    model = write("net.tflite", pass_through(*SEEDED))
    _, document, _ = run_native("--model", model, "--seed", 2**40, "--input-count", 3, *ONCE)
    digests = []
    for position, dtype in enumerate(map(np.dtype, SEEDED)):
        total = hashlib.sha256()
        for index in range(3):
            rng = np.random.default_rng([2**40, position, index])
            if dtype.kind == "f":
                values = rng.uniform(-1, 1, (2, 3)).astype(dtype)
            else:
                low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
                values = rng.integers(low, high, (2, 3), dtype=dtype, endpoint=True)
            total.update(values.tobytes())
        digests.append(total.hexdigest())
    assert document["inputs"] == {"source": "seeded", "sha256": digests}


@pytest.mark.parametrize("span", [(0, 1), (-5, 5), (3, 3), (-128, 126), (0, 99)])
def test_seeded_ranges_are_numpys(write, span):
    model = write("net.tflite", pass_through("int8", "int16", "int32", "int64"))
    text = f"{span[0]}:{span[1]}"
    arguments = ("--model", model, "--input-range", text, "--input-count", 2, *ONCE)
    _, document, _ = run_native(*arguments)
    for position, dtype in enumerate(("int8", "int16", "int32", "int64")):
        total = hashlib.sha256()
        for index in range(2):
            rng = np.random.default_rng([0, position, index])
            total.update(rng.integers(*span, (2, 3), dtype=dtype, endpoint=True).tobytes())
        assert document["inputs"]["sha256"][position] == total.hexdigest()


# --- signatures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [False, True])
def test_inputs_and_outputs_stand_in_the_graphs_order(write, tmp_path, named):
    x, y = np.arange(8, dtype=np.float32).reshape(2, 4), np.full((2, 4), 10, np.float32)
    files = [write("x.npy", x), write("y.npy", y)]
    words = [f"y={files[1]}", f"x={files[0]}"] if named else files
    _, document, _ = run_native(
        *("--model", write("net.tflite", two_signatures()), "--outputs", tmp_path / "out"),
        *(word for file in words for word in ("--input", file)),
        *ONCE,
    )
    assert document["error"] is None
    assert np.array_equal(np.load(tmp_path / "out" / "output_0.npy").reshape(2, 4), x - y)
    assert np.array_equal(np.load(tmp_path / "out" / "output_1.npy").reshape(2, 4), x * y)
    assert document["actual"]["nodes_total"] == 2


def test_a_signature_is_chosen_by_its_key(write):
    model = write("net.tflite", two_signatures())
    _, document, _ = run_native("--model", model, "--signature", "double", *ONCE)
    assert document["error"] is None
    assert document["actual"]["nodes_total"] == document["actual"]["nodes_delegated"] == 1
    code, document, _ = run_native("--model", model, "--signature", "doubel", *ONCE)
    assert code == EXIT_ERROR
    assert document["error"] == "the model has no signature 'doubel'; it has both, double"


# --- options --------------------------------------------------------------------------------------


def test_a_node_on_the_cpus_own_kernels_is_an_error_where_the_delegate_is_required(write):
    whole, island = write("a.tflite", tiny_int8()), write("b.tflite", tiny_int8(island="SIGN"))
    assert run_native("--model", whole, "--require-delegate", *ONCE)[0] == 0
    code, document, _ = run_native("--model", island, "--require-delegate", *ONCE)
    assert code == EXIT_ERROR
    assert document["error"].startswith("xnnpack took 5 of 6 nodes")


def test_a_mask_holds_the_process_to_processors(write):
    model, last = write("net.tflite", tiny_float()), max(os.sched_getaffinity(0))
    _, document, _ = run_native("--model", model, "--affinity", f"{1 << last:x}", *ONCE)
    assert document["processors"] == [last]
    assert document["requested"]["affinity"] == f"{1 << last:x}"
    code, document, _ = run_native("--model", model, "--affinity", "8000000000000000", *ONCE)
    assert code == EXIT_ERROR
    assert "cannot be had" in document["error"]


def test_float16_is_asked_for_and_seen_in_the_outputs(write):
    model = write("net.tflite", tiny_float())
    outputs = []
    for words in ((), ("--option", "fp16=true")):
        folder = model.parent / f"out{len(words)}"
        _, document, _ = run_native("--model", model, *words, "--outputs", folder, *ONCE)
        assert document["requested"]["options"] == ({"fp16": "true"} if words else {})
        assert document["actual"]["nodes_delegated"] == 3
        outputs.append(np.load(folder / "output_0.npy"))
    assert not np.array_equal(*outputs)
    assert np.allclose(*outputs, atol=0.01)


def test_a_weight_cache_is_cold_then_warm_and_changes_no_output(write, tmp_path):
    model, cache = write("net.tflite", tiny_float()), tmp_path / "new" / "weights"
    seen = []
    for junk in (None, None, b"no weights"):
        if junk is not None:
            cache.write_bytes(junk)
        _, document, _ = run_native("--model", model, "--weight-cache", cache, *ONCE)
        assert document["error"] is None
        assert document["requested"]["options"] == {"weight_cache": "true"}
        seen.append(document["cache"])
        assert cache.stat().st_size > 10_000
    assert seen == ["cold", "warm", "cold"]
    plain = run_native("--model", model, *ONCE)[1]
    assert plain["cache"] is None
    assert plain["output_sha256"] == document["output_sha256"]


def test_without_packed_weights_there_is_no_cache_and_it_is_said(write, tmp_path):
    model = write("net.tflite", pass_through("float32"))
    _, document, _ = run_native("--model", model, "--weight-cache", tmp_path / "weights", *ONCE)
    assert document["error"] is None
    assert (document["cache"] is None) == ("cache" in document["unread"])


def test_a_shape_is_given_to_an_input_that_has_none(write, tmp_path):
    model = write("net.tflite", tiny_any_size())
    image = np.random.default_rng(0).uniform(-1, 1, (16, *IMAGE[1:])).astype(np.float32)
    words = ["--input", write("x.npy", image), *ONCE]
    got = run_native("--model", model, "--shape", "image=1,8,8,3", *words)[1]
    fixed = run_native("--model", write("fixed.tflite", tiny_float()), *words)[1]
    assert got["error"] is None
    assert got["output_sha256"] == fixed["output_sha256"]
    larger = run_native("--model", model, "--shape", "image=1,31,17,3", *ONCE)[1]
    assert larger["error"] is None
    assert larger["actual"]["nodes_delegated"] == 3


@pytest.mark.parametrize(
    ("content", "words", "problem"),
    [
        (
            tiny_any_size(),
            (),
            r"'image' is not fixed, \[1, -1, -1, 3\]; give it with --shape image=",
        ),
        (tiny_any_size(), ("image=1,8,8,4",), r"\[1, 8, 8, 4\] does not fit input 'image'"),
        (tiny_any_size(), ("image=8,8",), "does not fit"),
        (tiny_any_size(), ("imago=1,8,8,3",), "no input 'imago'; it has image"),
        (tiny_float(), ("image=1,9,9,3",), r"takes \[1, 8, 8, 3\]"),
        (tiny_any_size(), ("image=1,200000,300000,3",), "no memory for 'image'"),
        (tiny_any_size(False), (), "an older converter wrote the file"),
    ],
)
def test_a_shape_that_is_missing_or_does_not_fit_is_one_sentence(write, content, words, problem):
    model = write("net.tflite", content)
    shapes = [part for word in words for part in ("--shape", word)]
    code, document, _ = run_native("--model", model, *shapes, *ONCE)
    assert code == EXIT_ERROR
    assert re.search(problem, document["error"])
    assert "\n" not in document["error"]


def test_an_accelerator_that_is_not_there_is_an_error_and_nothing_runs_instead(write, tmp_path):
    model = write("net.tflite", tiny_float())
    _, document, _ = run_native("--model", model, "--delegate", "gpu-mldrift", *ONCE)
    assert document["error"].startswith("gpu-mldrift needs a libLiteRt*Accelerator.so")
    shutil.copy(LIBRARY.path, tmp_path)
    words = ["--libraries", tmp_path, "--delegate", "gpu-mldrift", *ONCE]
    _, document, _ = run_native("--model", model, *words, library=tmp_path / "libLiteRt.so")
    assert "the runtime could use none in" in document["error"]
    assert document["latencies_us"] == []


def test_pacing_counts_deadlines_that_were_missed(write):
    model = write("net.tflite", tiny_float())
    start = time.monotonic()
    _, document, _ = run_native("--model", model, "--paced", 50, "--num-runs", 10)
    assert time.monotonic() - start >= 9 / 50
    assert document["paced"]["fps"] == 50
    assert len(document["latencies_us"]) == 10


def test_time_limits_hold_together(write):
    model = write("net.tflite", tiny_float())
    _, document, _ = run_native("--model", model, "--num-runs", 1, "--min-secs", 0.1)
    assert sum(document["latencies_us"]) > 50_000  # the clock's own calls are not in it
    _, document, _ = run_native("--model", model, "--num-runs", 10**9, "--max-secs", 0.1)
    assert 1 < len(document["latencies_us"]) < 10**7
    assert sum(document["latencies_us"]) < 200_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--model is needed"),
        (("--model",), "--model needs a value"),
        (("--model", "x", "--delegate", "nnapi"), "one of xnnpack, none"),
        (("--model", "x", "--num-runs", "0"), "--num-runs: '0'"),
        (("--model", "x", "--option", "fp61=true"), "xnnpack has no option 'fp61'; it has fp16"),
        (("--model", "x", "--option", "fp16=yes"), "'yes' is no value of fp16; it takes true"),
        (("--model", "x", "--option", "fp16"), "is not NAME=VALUE"),
        (("--model", "x", "--delegate", "none", "--weight-cache", "y"), "only xnnpack has one"),
        (
            ("--model", "x", "--weight-cache", "y", "--option", "fp16=true"),
            "crashes with one and fp16",
        ),
        (("--model", "x", "--shape", "image=1,0"), "is not NAME=1,192,192,3"),
        (("--modle", "x"), "unknown option '--modle'"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_sentence(words, said):
    done = subprocess.run([build_runner(), *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_killed_parent_takes_the_program_with_it(write):
    words = ["--model", write("net.tflite", tiny_float()), "--num-runs", 10**9, "--max-secs", 60]
    words += ["--library", LIBRARY.path, "--library-version", LIBRARY.version]
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, build_runner(), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    assert alive(pid)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def alive(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return "\nState:\tZ" not in file.read()
    except OSError:
        return False


# --- what cannot run ------------------------------------------------------------------------------

TRUNCATED = "truncated or damaged"
NO_MODEL = "no .tflite file"


@pytest.mark.parametrize(
    ("content", "inputs", "problem"),
    [
        (b"", None, NO_MODEL),
        (b"this is a text file, not a model" * 10, None, NO_MODEL),
        (tiny_float()[:1000], None, TRUNCATED),
        (tiny_float()[:-1], None, TRUNCATED),
        (tiny_flex(), None, "Select TensorFlow op"),
        (tiny_float(), np.ones((2, 8, 8, 3), np.int8), "takes float32 .* holds int8"),
        (tiny_float(), np.ones((2, 9, 8, 3), np.float32), r"holds float32 \[2, 9, 8, 3\]"),
        (tiny_float(), np.ones((0, 8, 8, 3), np.float32), "no stack"),
        (tiny_float(), np.array([{}]), r"are no .npy file \(it holds '\|O'"),
        (tiny_float(), np.asfortranarray(np.ones((2, 8, 8, 3), np.float32)), "Fortran"),
        (tiny_float(), b"no array", "are no .npy file"),
    ],
)
def test_what_cannot_run_is_told_in_the_document(write, content, inputs, problem):
    arguments = ["--model", write("net.tflite", content), *ONCE]
    if inputs is not None:
        arguments += ["--input", write("x.npy", inputs)]
    code, document, _ = run_native(*arguments)
    assert code == EXIT_ERROR
    assert from_json(Run, document, ignore_unknown=True).error == document["error"]
    assert "\n" not in document["error"]
    assert re.search(problem, document["error"])


def test_inputs_that_do_not_fit_the_model_are_refused(write):
    images = write("x.npy", np.ones((2, 8, 8, 3), np.float32))
    model = write("net.tflite", tiny_float())
    _, document, _ = run_native("--model", model, "--input", images, "--input", images)
    assert document["error"] == "the model has 1 inputs, 2 were given"
    wide = write("wide.tflite", pass_through("int8"))
    _, document, _ = run_native("--model", wide, "--input-range", "0:1000")
    assert "does not hold all of --input-range" in document["error"]


def test_outputs_that_cannot_be_written_are_an_error(write):
    model = write("net.tflite", tiny_float())
    code, document, _ = run_native("--model", model, "--outputs", "/proc/no/such", *ONCE)
    assert code == EXIT_ERROR
    assert "/proc/no cannot be made" in document["error"]


def damaged_models(count):
    """Tiny models cut short, or with some bytes replaced; the same ones every time."""
    rng = random.Random(20261124)
    whole = [tiny_float(), tiny_int8(), tiny_float("float16"), tiny_variables(True)]
    whole.append(two_signatures())
    for _ in range(count):
        content = bytearray(rng.choice(whole))
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        else:
            for _ in range(rng.choice((1, 2, 8, 64))):
                near = rng.random() < 0.5
                place = rng.randrange(min(len(content), 2000) if near else len(content))
                content[place] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        yield bytes(content)


def run_damaged(write, program, count):
    errors = 0
    for content in damaged_models(count):
        code, document, stderr = run_native(
            *("--model", write("net.tflite", content), "--num-threads", 2, *ONCE), program=program
        )
        assert "Sanitizer" not in stderr, stderr
        assert "runtime error" not in stderr, stderr
        assert code == (EXIT_ERROR if document["error"] else 0)
        errors += code == EXIT_ERROR
    assert errors > count // 2


def test_damaged_models_give_a_document(write):
    run_damaged(write, build_runner(), 60)


@pytest.mark.needs_sanitizers
def test_damaged_models_give_a_document_under_sanitizers(write):
    run_damaged(write, build_runner(sanitized=True), 60)


# --- the library ----------------------------------------------------------------------------------


def test_the_program_says_which_library_it_found():
    code, document, _ = run_native("--probe")
    assert (code, document["error"]) == (0, None)
    assert document["runtime"]["sha256"] == sha256(LIBRARY.path.read_bytes())


def test_a_library_without_a_folder_is_searched_as_the_system_does():
    done = subprocess.run(
        [build_runner(), "--probe", "--library-version", LIBRARY.version],
        env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARY.path.parent)},
        capture_output=True,
        text=True,
    )
    document = json.loads(done.stdout)
    assert document["error"] is None
    assert document["runtime"]["sha256"] == sha256(LIBRARY.path.read_bytes())


@pytest.mark.parametrize("version", ["2.2.0", "3.0.0", ""])
def test_another_version_than_those_that_were_tested_is_refused(version):
    code, document, _ = run_native("--probe", version=version)
    assert code == EXIT_ERROR
    assert re.search("is not supported; this runner was tested with 2.3.0", document["error"])


def test_a_library_that_is_missing_or_none_is_told(tmp_path):
    code, document, _ = run_native("--probe", library="/no/such.so")
    assert code == EXIT_ERROR
    assert "/no/such.so cannot be read" in document["error"]
    text = tmp_path / "text.so"
    text.write_text("no library")
    assert "cannot be opened" in run_native("--probe", library=text)[1]["error"]


def test_every_function_that_the_library_lacks_is_named(tmp_path):
    library = fake_library(tmp_path, without=("RunCompiledModel", "CreateOptions"))
    code, document, _ = run_native("--probe", library=library)
    assert code == EXIT_ERROR
    assert "lacks LiteRtCreateOptions, LiteRtRunCompiledModel: it is no LiteRT" in document["error"]


def test_functions_that_only_some_starts_need_may_be_missing(tmp_path):
    # This one lacks them, and is refused for something else.
    error = run_native("--probe", library=fake_library(tmp_path))[1]["error"]
    assert optional_functions()
    assert not any(name in error for name in optional_functions())


def test_a_library_that_treats_tensors_otherwise_is_refused(tmp_path):
    code, document, _ = run_native("--probe", library=fake_library(tmp_path))
    assert code == EXIT_ERROR
    assert "treats tensors otherwise than LiteRT 2.3.0 (float32" in document["error"]


def test_a_library_that_crashes_leaves_a_document(tmp_path):
    bodies = {"CreateEnvironment": ("int, const void*, void**", "*(volatile int*)8 = 1; return 0;")}
    library = fake_library(tmp_path, bodies)
    code, document, _ = run_native("--probe", library=library)
    assert code == EXIT_ERROR
    assert document["error"] == "the runtime crashed with SIGSEGV while the library was opened"


def test_the_declarations_name_functions_that_the_library_has():
    symbols = LIBRARY.path.read_bytes()
    for name in [*(name for _, name in functions()), *optional_functions()]:
        assert f"LiteRt{name}\0".encode() in symbols


@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes_elsewhere(tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(SOURCE, copy / "android_bench" / "runner")
    command = ["make", "-s", "-j2", "-f", "android_bench/runner/runner.mk", "runner"]
    subprocess.run(command, cwd=copy, check=True)
    again = copy / "build" / "runner" / "mobilekit_runner"
    assert again.read_bytes() == build_runner().read_bytes()


def test_the_programs_own_tests_pass():
    done = make_runner("runner-test")
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(list(SOURCE.glob("*_test.cc")))
    assert f"{count} tests of the runner passed" in done.stdout
