"""The command line: help that runs, bad input in one sentence, the right exit code."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from mobilekit import EXPORTS, __version__
from mobilekit.cli import COMMANDS, main
from tests.small_plan import PLAN, environment, mobilekit, write_pictures, write_plan
from tests.tiny_models import tiny_float, tiny_int8

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder; what mobilekit keeps for itself is elsewhere."""
    for name, value in environment(tmp_path / "kept").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MOBILEKIT_DATA", str(tmp_path / "data"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def fails(capsys, code: int, *words: object) -> str:
    """Runs a command that must fail, and returns its one sentence."""
    assert main([str(word) for word in words]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("mobilekit: ")
    assert "Traceback" not in "".join(lines)
    return lines[-1]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_every_command_has_help_with_examples_of_itself(command, capsys):
    assert main([command.name, "--help"]) == 0
    text = capsys.readouterr().out
    assert command.summary in " ".join(text.split())
    examples = text.partition("examples:\n")[2].replace("\\\n", " ")
    assert examples.strip()
    for line in examples.strip().splitlines():
        assert shlex.split(line)[:2] == ["mobilekit", command.name]


def options_of(command: str) -> set[str]:
    import argparse

    parser = argparse.ArgumentParser()
    COMMANDS[command].load().add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_use_only_options_that_exist(command):
    used = set(re.findall(r"(?<= )(--?[a-z][a-z-]*)", COMMANDS[command].load().EXAMPLES))
    assert used <= options_of(command)


def test_the_readme_shows_every_command():
    readme = (ROOT / "README.md").read_text()
    missing = [name for name in COMMANDS if f"mobilekit {name}" not in readme]
    assert missing == []


def test_commands_in_the_docs_have_options_that_exist():
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for line in re.findall(r"^(?:\$ )?(mobilekit .*)$", page.read_text(), re.M):
            words = line.split()
            assert words[1] in COMMANDS, f"{page.name}: {line}"
            used = {w.partition("=")[0] for w in words if w.startswith("-")}
            assert used <= options_of(words[1]) | {"--help"}, f"{page.name}: {line}"


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mobilekit {__version__}\n"


def test_dashes_and_underscores_are_the_same(folder, capsys):
    Path("net.tflite").write_bytes(tiny_float())
    words = ["benchmark", "net.tflite", "--json", "--min-secs", "0"]
    assert main([*words, "--num_runs=2", "--warmup_runs", "0", "--repetitions", "1"]) == 0
    (measured,) = json.loads(capsys.readouterr().out)
    assert (measured["config"]["num_runs"], measured["config"]["warmup"]) == (2, 0)


@pytest.mark.parametrize(
    "kind", ["architectures", "recipes", "methods", "delegates", "device-kinds"]
)
def test_every_list_prints_a_table_and_json_of_the_same_names(kind, capsys):
    assert main(["list", kind, "--json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert main(["list", kind]) == 0
    table = capsys.readouterr().out
    assert names
    assert all(name in table for name in names)
    assert all(len(line) <= 80 for line in table.splitlines())


def test_an_unknown_command_lists_those_that_exist(capsys):
    assert main(["benchmrk"]) == 2
    assert "benchmark" in capsys.readouterr().err


def test_a_measurement_of_ones_own_files_needs_no_plan(folder, capsys):
    Path("a b;'ü.tflite").write_bytes(tiny_float())
    Path("int8.tflite").write_bytes(tiny_int8())
    words = ["benchmark", "a b;'ü.tflite", "int8.tflite", "--num-threads", "1,2"]
    words += ["--warmup-runs", "0", "--min-secs", "0"]
    assert main([*words, "--num-runs", "3", "--repetitions", "6"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "int8" in printed
    assert printed.count(" thread") >= 2
    assert len(list(Path("results").glob("*.json"))) == 4
    assert main([*words, "--num-runs", "3", "--repetitions", "6"]) == 0
    assert "reused" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--num-threads", "0"], "num_threads must be 1..256, not 0"),
        (["--num-threads", "two"], "--num-threads takes whole numbers"),
        (["--delegate", "xnnpak"], "Unknown delegate 'xnnpak'. Did you mean 'xnnpack'?"),
        (["--device", "hots"], "Unknown device kind 'hots'. Did you mean 'host'?"),
        (["--runtime", "tflite"], "does not run 'tflite'"),
        (["--option", "fp61=true"], "no option 'fp61'; it has fp16, weight_cache"),
        (["--option", "fp16=no"], "takes true, not 'no'"),
        (["--option", "fp16"], "--option takes NAME=VALUE, not 'fp16'"),
        (["--option", "fp16=true", "--option", "fp16=true"], "--option names 'fp16' twice"),
        (
            ["--option", "fp16=true"],
            "cannot apply option 'fp16' of xnnpack; measure with --runner native",
        ),
        (["--shape", "image=1,8"], "does not know shapes"),
        (["--shape", "image=1x8"], "the shape of 'image' must be like 1,192,192,3"),
        (["--runner-library", "x.so"], "'litert_python' brings no libraries"),
        (["--delegate", "nnapi"], "nnapi is applied by benchmark_model"),
        (["--delegate", "gpu-mldrift"], "gpu-mldrift is applied by native"),
    ],
)
def test_a_benchmark_of_what_does_not_exist_is_refused(folder, capsys, words, sentence):
    Path("net.tflite").write_bytes(tiny_float())
    assert sentence in fails(capsys, 2, "benchmark", "net.tflite", *words)


def test_a_delegate_that_nothing_here_applies_is_refused_and_not_replaced(folder, capsys):
    Path("net.tflite").write_bytes(tiny_float())
    sentence = fails(capsys, 2, "benchmark", "net.tflite", "--delegate", "gpu")
    assert "gpu" in sentence
    assert not list(Path().glob("results/*.json"))


@pytest.mark.parametrize("command", ["verify", "lint", "benchmark", "evaluate"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"not a model\n" * 20, "text"), (tiny_float()[:600], "truncated")],
    ids=["empty", "text", "truncated"],
)
def test_a_file_that_is_no_tflite_is_refused(folder, capsys, command, content, why):
    Path("net.tflite").write_bytes(content)
    write_pictures(folder / "photos", 1)
    extra = ["--images", "photos", "--mean", "0"] if command == "evaluate" else []
    sentence = fails(capsys, 3, command, "net.tflite", *extra)
    assert "net.tflite is not a model file that can be used" in sentence
    assert why in sentence


@pytest.mark.parametrize("command", ["verify", "lint", "benchmark"])
def test_a_missing_file_is_named(folder, capsys, command):
    assert "net.tflite" in fails(capsys, 2, command, "net.tflite")


def test_verify_says_what_a_file_is_and_exits_1_for_what_it_is_not(folder, capsys):
    Path("int8.tflite").write_bytes(tiny_int8())
    Path("float.tflite").write_bytes(tiny_float())
    assert main(["verify", "int8.tflite", "--full-integer"]) == 0
    assert "integer arithmetic" in capsys.readouterr().out
    assert main(["verify", "float.tflite", "--full-integer"]) == 1
    captured = capsys.readouterr()
    assert "float_op: Operator 0 (CONV_2D" in captured.out
    assert "is not what it should be" in captured.err
    assert main(["verify", "float.tflite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []


def test_evaluating_needs_to_know_what_the_input_expects(folder, capsys):
    Path("net.tflite").write_bytes(tiny_float())
    write_pictures(folder / "photos", 2)
    words = ["evaluate", "net.tflite", "--images", "photos"]
    assert "Give --mean and --std" in fails(capsys, 2, *words)
    assert "takes one value or three" in fails(capsys, 2, *words, "--mean", "1", "2")
    assert "--crop and --resize belong to" in fails(capsys, 2, *words, "--crop", "8")


FOLDERS = {
    "missing": (lambda f: None, "does not exist"),
    "empty": (lambda f: f.mkdir(), "is empty"),
    "of text files": (
        lambda f: (f.mkdir(), (f / "a.txt").write_text("a"), (f / "b.txt").write_text("b")),
        "holds 2 files, but none is a picture",
    ),
    "a file": (lambda f: f.write_text("x"), "is not a folder"),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_calibration_folder_that_cannot_be_is_refused_before_anything_is_built(
    folder, capsys, kind
):
    make, why = FOLDERS[kind]
    plan = write_plan(folder, PLAN.replace('"photos"\n[eval', '"calibration"\n[eval'))
    make(folder / "calibration")
    assert why in fails(capsys, 2, "run", plan)
    assert not list(Path().rglob("*.tflite"))


def test_a_static_recipe_without_calibration_is_refused(folder, capsys):
    plan = write_plan(folder, PLAN.replace('[calibration]\nimages = "photos"\n', ""))
    assert "give it a [calibration] table" in fails(capsys, 2, "run", plan)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mobilenet_v1", "mobilenet_v11"),
        ("static_wi8_ai8", "static_wi8_a8"),
        ("num_runs", "num_run"),
        ("architecture", "architektur"),
    ],
)
def test_a_plan_with_a_wrong_name_suggests_the_right_one(folder, capsys, wrong, right):
    plan = write_plan(folder, PLAN.replace(wrong, right))
    assert f"Did you mean '{wrong}'?" in fails(capsys, 2, "run", plan)


def test_results_under_a_regular_file_are_refused(folder, capsys):
    plan = write_plan(folder)
    Path("results").write_text("a file")
    sentence = fails(capsys, 7, "run", plan, "--out", "results/here")
    assert "results/here" in sentence


def test_missing_weights_name_the_command_that_brings_them(folder, capsys):
    words = ["build", "mobilenet_v2", "--weights", "torchvision", "-o", "net.keras"]
    assert "`make data` brings" in fails(capsys, 2, *words)
    assert not Path("net.keras").exists()


def test_a_report_of_nothing_says_what_to_run(folder, capsys):
    Path("empty").mkdir()
    assert "mobilekit run" in fails(capsys, 2, "report", "empty", "-o", "out")


def test_comparing_a_file_that_is_no_result_is_refused(folder, capsys):
    Path("a.json").write_text("{}")
    assert "a.json" in fails(capsys, 7, "compare", "a.json", "a.json")


def test_names_out_of_a_file_do_not_drive_the_terminal(folder, capsys):
    plan = write_plan(folder, PLAN + '[output]\n"\\u001b[2J" = 1\n')
    sentence = fails(capsys, 2, "run", plan)
    assert "\x1b" not in sentence
    assert "output." in sentence


@pytest.mark.needs_tensorflow
def test_a_damaged_keras_file_is_refused(folder):
    small = ["--alpha", "0.25", "--input-size", "32"]
    assert mobilekit(folder, "build", "mobilenet_v1", *small, "-o", "net.keras").returncode == 0
    content = bytearray((folder / "net.keras").read_bytes())
    content[40:44] = b"\xff\xff\xff\xff"
    content[-30:-20] = bytes(10)
    (folder / "net.keras").write_bytes(content)
    (folder / "net.keras.json").unlink()
    words = ["convert", "net.keras", "--recipe", "float32", "--mean", "0", "-o", "net.tflite"]
    refused = mobilekit(folder, *words)
    assert refused.returncode == 3, refused.stderr
    assert "net.keras is not a model file that can be used" in refused.stderr


def test_a_sidecar_that_names_another_folder_is_refused(folder, capsys):
    Path("net.keras").write_bytes(b"a model")
    spec = {"architecture": "../../escaped", "alpha": 1.0, "input_size": [32, 32]}
    expects = {"input_size": [32, 32], "resize_shorter": 36}
    sidecar = {"schema": 1, "spec": spec, "preprocessing": expects, "sha256": "0" * 64}
    Path("net.keras.json").write_text(json.dumps(sidecar))
    words = ["convert", "net.keras", "--recipe", "float32", "-o", "net.tflite"]
    assert "is no name" in fails(capsys, 7, *words)


def test_doctor_never_fails(folder, capsys, monkeypatch):
    Path("a_file").write_text("")
    monkeypatch.setenv("MOBILEKIT_CONFIG_DIR", "a_file/below")
    assert main(["doctor"]) == 0
    assert "cannot be" in capsys.readouterr().out


def test_doctor_says_what_is_there(folder, capsys):
    assert main(["doctor", "--json"]) == 0
    found = {check["name"]: check["found"] for check in json.loads(capsys.readouterr().out)}
    assert found["ai-edge-litert"].startswith("2.")
    assert found["demo data"] is None
    assert main(["doctor"]) == 0
    assert "make data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--io", "int8", "--per-channel", "--runtime", "2.14"], 0, ""),
        (["--io", "uint8"], 1, "2 findings; the first: The input 'image' is int8, and uint8"),
        (["--mean", "127.5", "--std", "127.5", "--crop", "8"], 1, "preprocessing to -1..1 gives"),
        (["--runtime", "2.15"], 2, "Unknown runtime '2.15'. Did you mean '2.14'?"),
    ],
)
def test_verify_holds_a_file_against_what_is_claimed(folder, capsys, options, code, words):
    Path("int8.tflite").write_bytes(tiny_int8())
    assert main(["verify", "int8.tflite", *options]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--keep-float", "["], "--keep-float '[' is no regular expression"),
        (["--int16", "conv"], "float16 cannot be mixed so"),
        (["--quantizer", "tfite"], "Unknown quantizer 'tfite'. Did you mean 'tflite'?"),
        (["--calibration", "none.npz"], "There is no file none.npz"),
    ],
)
@pytest.mark.needs_tensorflow
def test_options_of_convert_that_cannot_be_are_refused(folder, capsys, options, words):
    Path("float.tflite").write_bytes(tiny_float())
    before = sorted(Path().iterdir())
    convert = ["convert", "float.tflite", "--recipe", "float16", "-o", "new.tflite"]
    expects = ["--mean", "0", "--crop", "8"]
    assert words in fails(capsys, 2, *convert, *expects, *options)
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("command", ["build", "info"])
def test_without_tensorflow_it_says_how_to_get_it(folder, command):
    import subprocess

    # What Python itself does when a module is not there.
    words = [command, "mobilenet_v1", *(["-o", "net.keras"] if command == "build" else [])]
    code = (
        "import sys; sys.modules['tensorflow'] = None; from mobilekit.cli import main;"
        f"sys.exit(main({words!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "mobilekit: This needs tensorflow, which is not installed here. It comes with"
        " `pip install 'mobilekit[convert]'`.\n"
    )


def test_a_bug_is_one_line_and_its_own_exit_code(folder, capsys):
    class Broken:
        """An argument vector entry that breaks where nobody expects it."""

        def __getattr__(self, name: str) -> object:
            raise RuntimeError("nobody thought of this")

    from mobilekit.cli import list_command

    list_command.TABLES["broken"] = Broken  # type: ignore[assignment]
    try:
        assert main(["list", "broken"]) == 70
        error = capsys.readouterr().err
        assert error.startswith("mobilekit: this is a bug: ")
        assert "Traceback" not in error
        with pytest.raises((RuntimeError, TypeError)):
            main(["list", "broken", "--debug"])
    finally:
        del list_command.TABLES["broken"]


def test_a_reader_that_leaves_is_no_error(folder):
    import subprocess

    code = "import sys; from mobilekit.cli import main; sys.exit(main(['list', 'delegates']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_public_names_are_what_the_package_says():
    import mobilekit as package

    assert {name for name in EXPORTS if name not in dir(package)} == set()
    assert package.ModelSpec(architecture="mobilenet_v2").name == "mobilenet_v2_1.0_224_random"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.needs_tensorflow
def test_a_malicious_weights_file_does_not_run(folder):
    import pickle

    class Malicious:
        def __reduce__(self):
            return Path.touch, (Path("ran"),)

    Path("net.pth").write_bytes(pickle.dumps(Malicious()))
    found = mobilekit(folder, "build", "mobilenet_v2", "--weights", "net.pth", "-o", "net.keras")
    assert found.returncode == 3
    assert "net.pth holds no weights that can be used" in found.stderr
    assert not (folder / "ran").exists()
    assert not (folder / "net.keras").exists()


@pytest.mark.needs_tensorflow
def test_build_convert_and_verify_go_together(folder):
    write_pictures(folder / "photos", 4)
    small = ["--alpha", "0.25", "--input-size", "32", "--classes", "10"]
    for words in (
        ["build", "mobilenet_v1", *small, "--weights", "random", "-o", "net.keras"],
        [
            *("convert", "net.keras", "--recipe", "static_wi8_ai8"),
            *("--calibration", "photos", "-o", "net.tflite"),
        ],
        [
            *("verify", "net.tflite", "--full-integer"),
            *("--against", "net.keras", "--calibration", "photos"),
        ],
        ["evaluate", "net.tflite", "--images", "photos", "--labels", "photos/labels.txt"],
    ):
        done = mobilekit(folder, *words)
        assert done.returncode == 0, done.stderr
    made = json.loads((folder / "net.tflite.json").read_text())
    assert made["recipe"] == "static_wi8_ai8"
    assert made["spec"]["architecture"] == "mobilenet_v1"
    for missing in ([], ["--calibration", "nowhere"]):
        words = ["convert", "net.keras", "--recipe", "static_wi8_ai8", *missing]
        refused = mobilekit(folder, *words, "-o", "other.tflite")
        assert refused.returncode == 2
        assert not (folder / "other.tflite").exists()
