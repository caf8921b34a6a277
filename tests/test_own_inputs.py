"""`mobilekit benchmark` on a user's own inputs, on a range of seeded ones, and on a signature."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from android_bench.jobs import YOUNGER_SETTINGS
from android_bench.runners import RUNNERS
from mobilekit.cli import main
from mobilekit.core.errors import UsageError
from mobilekit.core.measurement import RunConfig, measure_config, run_config
from mobilekit.own_inputs import must_take_inputs
from tests.native_scene import build_runner
from tests.tiny_models import tiny_any_size, tiny_float, tiny_int8, two_signatures

QUICK = ["--num-runs", "2", "--warmup-runs", "0", "--min-secs", "0", "--repetitions", "1"]
QUICK += ["--cool-to", "none"]
OURS = [row.name for row in RUNNERS.values() if row.gives_outputs]
RNG = np.random.default_rng(5)
X, Y = (RNG.normal(size=(20, 1, 4)).astype(np.float32) for _ in "xy")
ARRAYS = {
    "x": X,
    "y": Y,
    "few": Y[:3],
    "flat": Y[:, 0],  # without the model's own batch dimension
    "wide": np.zeros((16, 1, 5), np.float32),
    "double": Y.astype(np.float64),
    "big_endian": Y.astype(">f4"),
    "none": Y[:0],
    "number": np.float32(3),
    "fortran": np.asfortranarray(Y),
    "nan": np.where(np.arange(20)[:, None, None] == 7, np.float32("nan"), Y),
    "image": RNG.uniform(-1, 1, (16, 8, 8, 3)).astype(np.float32),
    "small": RNG.uniform(-1, 1, (16, 5, 5, 3)).astype(np.float32),
    "pixels": RNG.integers(-128, 127, (16, 8, 8, 3), np.int8),
    "a=b": Y,
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with models and stacks, and nothing that was measured."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"MOBILEKIT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("MOBILEKIT_RUNNER", str(build_runner()))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("both.tflite").write_bytes(two_signatures())
    Path("float.tflite").write_bytes(tiny_float())
    Path("int8.tflite").write_bytes(tiny_int8())
    Path("any.tflite").write_bytes(tiny_any_size())
    for name, array in ARRAYS.items():
        np.save(f"{name}.npy", array)
    Path("text.npy").write_text("no array")
    Path("objects.npy").write_bytes(b"")
    np.save("objects.npy", np.array([{}]), allow_pickle=True)
    Path("cut.npy").write_bytes(Path("y.npy").read_bytes()[:-1])
    Path("twice.npy").write_bytes(Path("y.npy").read_bytes() * 2)
    return tmp_path / "here"


def benchmark(capsys, *words):
    """The measurements that the command printed."""
    code = main(["benchmark", *words, *QUICK, "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def given(*files):
    return [word for file in files for word in ("--input", file)]


def sha256(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


# --- own inputs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("runner", OURS)
@pytest.mark.parametrize(
    "files", [("x.npy", "y.npy"), ("y=y.npy", "x=x.npy"), ("y=flat.npy", "x.npy")]
)
def test_a_file_is_measured_and_checked_on_the_inputs_that_were_given(capsys, runner, files):
    (found,) = benchmark(capsys, "both.tflite", "--runner", runner, *given(*files))
    assert found["validity"]["status"] != "invalid"
    (run,) = found["runs"]
    assert run["inputs"] == {"source": "file", "sha256": [sha256(X), sha256(Y)]}
    assert run["output_sha256"] == [sha256(X[0] - Y[0]), sha256(X[0] * Y[0])]
    check = found["output_check"]
    assert check["passed"]
    assert "against LiteRT's built-in kernels" in check["how"]
    assert check["how"].endswith("20 real inputs")
    assert " ".join(given(*files)) in found["command"]


def test_other_inputs_are_another_result_and_the_same_ones_are_reused(capsys):
    def cells(*words):
        return [found["cell"] for found in benchmark(capsys, "both.tflite", *words)]

    own, seeded = cells(*given("x.npy", "y.npy")), cells()
    assert len({*own, *seeded, *cells(*given("y.npy", "x.npy"))}) == 3
    assert cells(*given("y=y.npy", "x=x.npy")) == own
    np.save("y.npy", Y + 1)
    assert cells(*given("x.npy", "y.npy")) != own


def test_fewer_inputs_than_a_check_needs_are_said(capsys):
    (found,) = benchmark(capsys, "both.tflite", *given("few.npy", "few.npy"))
    assert (
        "3 real inputs, fewer than the 16 that such a check needs" in found["output_check"]["how"]
    )


@pytest.mark.parametrize(
    ("model", "files"),
    [
        ("float", ["image.npy"]),
        ("int8", ["image=pixels.npy"]),
        ("both", ["a=b.npy", "x.npy"]),  # no input has that name, and a file has
    ],
)
def test_stacks_of_the_files_own_type_are_taken(capsys, model, files):
    (found,) = benchmark(capsys, f"{model}.tflite", *given(*files))
    assert {run["inputs"]["source"] for run in found["runs"]} == {"file"}


def test_inputs_have_the_shape_that_was_asked_for(capsys):
    words = ["any.tflite", "--runner", "native", "--shape", "image=1,5,5,3"]
    (found,) = benchmark(capsys, *words, *given("small.npy"))
    assert found["output_check"]["passed"]
    assert main(["benchmark", *words, *given("image.npy"), *QUICK]) == 2
    assert "takes float32 [count, 1, 5, 5, 3]." in capsys.readouterr().err


def test_a_profile_is_of_the_same_inputs(capsys):
    words = ["both.tflite", "--runner", "native", "--profile", *given("x.npy", "y.npy")]
    found = benchmark(capsys, *words)
    assert found["profiles"][0]["inputs"] == found["measurements"][0]["runs"][0]["inputs"]


# --- what does not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "words", "sentence"),
    [
        ("both", given("x.npy"), "has 2 inputs (x, y), and --input was given for 1"),
        ("both", given("x.npy", "y.npy", "y.npy"), "and --input was given for 3"),
        ("both", given("x.npy", "no.npy"), "There is no file no.npy; --input takes a .npy file."),
        ("both", given("x.npy", "z=y.npy"), "has no input 'z'; it has x, y."),
        ("both", given("x=x.npy", "x=y.npy"), "--input names 'x' twice."),
        ("both", given("x.npy", "few.npy"), "these differ: x.npy 20, few.npy 3."),
        ("both", given("x.npy", "wide.npy"), "wide.npy holds float32 [16, 1, 5], and input 'y'"),
        ("both", given("x.npy", "double.npy"), "takes float32 [count, 1, 4]."),
        ("both", given("x.npy", "big_endian.npy"), "big_endian.npy holds >f4"),
        ("both", given("none.npy", "none.npy"), "which is no input at all"),
        ("both", given("x.npy", "number.npy"), "number.npy holds float32 []"),
        ("both", given("x.npy", "fortran.npy"), "fortran.npy is in Fortran's order"),
        ("both", given("x.npy", "nan.npy"), "nan.npy holds NaN in input 7 of 20"),
        ("both", given("x.npy", "text.npy"), "text.npy is no .npy file that can be read"),
        ("both", given("x.npy", "objects.npy"), "objects.npy is no .npy file that can be read"),
        ("both", given("x.npy", "cut.npy"), "cut.npy is no .npy file that can be read"),
        ("both", given("x.npy", "twice.npy"), "twice.npy holds more than one array"),
        (
            "int8",
            given("image.npy"),
            "image.npy holds float32 [16, 8, 8, 3], and input 'image' of int8.tflite takes int8"
            " [count, 1, 8, 8, 3]: quantize the values first, as round(value / 1) + -128.",
        ),
        ("both", ["--signature", "doubel"], "no signature 'doubel'; it has both, double. Did you"),
        ("int8", ["--signature", "x"], "has no signature 'x'; it has none, so leave it out."),
        ("both", ["--signature", ""], "signature must be a key"),
        ("both", ["--signature", "double"], "does not know signature (double): leave it out, or"),
        ("float", ["--input-range", "0,5"], "no input of float.tflite takes whole numbers"),
        ("int8", ["--input-range", "0,128"], "is int8, which does not hold all of 0..128"),
        ("int8", ["--input-range", "5,0"], "two numbers, the least first: 5,0"),
        ("int8", ["--input-range", f"0,{1 << 63}"], "input_range must be two numbers"),
        ("int8", ["--input-range", "0,5", *given("pixels.npy")], "name one"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence_before_anything_starts(
    capsys, model, words, sentence
):
    assert main(["benchmark", f"{model}.tflite", "--runner", "litert_python", *words, *QUICK]) == 2
    printed = capsys.readouterr()
    assert sentence in " ".join(printed.err.split())
    assert printed.out == ""
    assert not Path("results").exists()


@pytest.mark.parametrize("text", ["0", "0:5", "a,b", "0,5,9", "1.5,2"])
def test_what_is_no_range_is_refused(capsys, text):
    assert main(["benchmark", "int8.tflite", "--input-range", text]) == 2
    assert "write LOW,HIGH, as in 0,255" in capsys.readouterr().err


@pytest.mark.parametrize("runner", [name for name in RUNNERS if name not in OURS])
def test_a_tool_that_draws_its_own_inputs_refuses_others(capsys, runner):
    words = ["--runner", runner, "--runner-binary", "text.npy", *given("image.npy")]
    assert main(["benchmark", "float.tflite", *words, *QUICK]) == 2
    said = f"Runner {runner} draws its inputs itself and shows no outputs: leave --input out"
    assert said in " ".join(capsys.readouterr().err.split())
    with pytest.raises(UsageError, match="--runner litert_python or --runner native"):
        must_take_inputs(runner)


# --- a range, a signature -------------------------------------------------------------------------


@pytest.mark.parametrize("runner", OURS)
@pytest.mark.parametrize("limits", [(0, 5), (-5, -1)])
def test_seeded_whole_numbers_lie_in_the_range(capsys, runner, limits):
    words = ["int8.tflite", "--runner", runner, f"--input-range={limits[0]},{limits[1]}"]
    (found,) = benchmark(capsys, *words)
    rows = [
        np.random.default_rng([0, 0, index]).integers(
            *limits, (1, 8, 8, 3), dtype=np.int8, endpoint=True
        )
        for index in range(16)
    ]
    assert found["runs"][0]["inputs"] == {"source": "seeded", "sha256": [sha256(np.stack(rows))]}
    assert found["config"]["input_range"] == list(limits)
    assert found["output_check"]["passed"]
    assert words[-1] in found["command"]


def test_a_signature_runs_that_is_not_the_first(capsys):
    words = ["both.tflite", "--runner", "native"]
    (first,), (second,) = (
        benchmark(capsys, *words),
        benchmark(capsys, *words, "--signature", "double"),
    )
    assert first["cell"] != second["cell"]
    assert (len(first["runs"][0]["output_sha256"]), first["config"]["signature"]) == (2, None)
    assert (len(second["runs"][0]["output_sha256"]), second["config"]["signature"]) == (1, "double")
    assert second["output_check"]["passed"]
    np.save("p.npy", np.arange(48, dtype=np.float32).reshape(16, 3))
    (own,) = benchmark(capsys, *words, "--signature", "double", *given("p=p.npy"))
    assert own["runs"][0]["output_sha256"] == [sha256(np.float32([[0, 2, 4]]))]


def test_younger_settings_are_of_the_config_and_unsaid_unless_asked_for():
    defaults = {field.name: field.default for field in dataclasses.fields(RunConfig)}
    assert {defaults[name] for name in YOUNGER_SETTINGS} == {None}


def test_settings_come_back_from_a_result():
    config = RunConfig(input_range=(-5, 5), signature="encode")
    assert run_config(measure_config(config, order_seed=1)) == config
