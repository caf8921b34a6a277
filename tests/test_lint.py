"""`mobilekit lint`: what it prints, when it exits 1, what it costs, and files of others."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobilekit.cli import main
from mobilekit.core.errors import UsageError
from mobilekit.core.target import DELEGATES
from mobilekit.linting import Limit, every_target, lint_file, parse_targets
from tests import tiny_models
from tests.test_lint_partitions import chain

ROOT = Path(__file__).parent.parent
THIRD_PARTY = ROOT / "build" / "third_party"
LIMIT_S, LIMIT_BYTES = 0.5, 300e6


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    Path("float.tflite").write_bytes(tiny_models.tiny_float())
    Path("int8.tflite").write_bytes(tiny_models.tiny_int8(island="LOGISTIC"))
    Path("chain.tflite").write_bytes(chain("ABS", "SIGN", "ABS", "SIGN", "ABS", "CEIL"))
    return tmp_path


def printed(capsys, *words, code=0):
    assert main(["lint", *words]) == code
    return capsys.readouterr()


def test_one_target_says_what_stays_outside_why_and_what_helps(folder, capsys):
    text = printed(capsys, "chain.tflite", "--target", "xnnpack").out
    told = " ".join(text.split())
    assert "by the rules of google-ai-edge/LiteRT f67457790c9c, 2026-08-21, for" in told
    assert "; not run" in told
    assert "4 of 6 operators on the delegate, in 3 partitions" in told
    assert "2 SIGN layer_1 +1 it is not among the delegate's operators" in told
    assert "What helps most" in text
    assert "Partitions, in order of execution" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("words", [[], ["--target", "all"]])
def test_no_target_means_a_table_of_all(folder, capsys, words):
    text = printed(capsys, "int8.tflite", *words).out
    assert all(len(line) <= 80 for line in text.splitlines())
    for delegate in DELEGATES:
        assert delegate in text
    assert "deprecated since Android 15" in " ".join(text.split())
    assert "no rules of it are here; not run" in text


def test_nnapi_is_told_to_be_deprecated_and_what_to_use_instead(folder, capsys):
    told = " ".join(printed(capsys, "float.tflite", "--target", "nnapi@30").out.split())
    assert "NNAPI is deprecated since Android 15. Use the GPU delegate" in told
    assert "nnapi@30: by the rules of" in told


def test_json_is_a_list_of_reports(folder, capsys):
    text = printed(capsys, "int8.tflite", "--target", "xnnpack", "--target", "gpu", "--json").out
    reports = json.loads(text)
    assert [report["target"]["delegate"] for report in reports] == ["xnnpack", "gpu"]
    assert reports[0]["summary"]["ops"] == 6
    assert reports[0]["ops"][0]["verdict"] == "yes"
    assert reports[0]["oracle"] is None


def test_markdown_has_the_same_tables(folder, capsys):
    text = printed(capsys, "chain.tflite", "--target", "xnnpack", "--md").out
    assert "| 2 | SIGN | layer\\_1 +1 | it is not among the delegate's operators |" in text
    matrix = printed(capsys, "chain.tflite", "--md").out
    assert "| gpu-mldrift | 0 | 6 |" in matrix


def test_names_out_of_a_file_end_no_cell_and_no_tag(folder, capsys):
    Path("flex.tflite").write_bytes(tiny_models.tiny_flex().replace(b"FlexErf", b"<b>|`*_"))
    text = printed(capsys, "flex.tflite", "--target", "xnnpack", "--md").out
    assert r"CUSTOM:\<b\>\|\`\*\_" in text


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["chain.tflite", "--fail-on", "fallback"], "2 of 6 operators stay outside"),
        (["chain.tflite", "--fail-on", "partitions:2"], "3 partitions, and 2 may be"),
        (["chain.tflite", "--fail-on", "partitions:3"], None),
        (["chain.tflite", "--fail-on", "unknown"], None),
        (["float.tflite", "--fail-on", "fallback", "--fail-on", "partitions:1"], None),
        (["float.tflite", "--target", "qualcomm", "--fail-on", "unknown"], "the rules cannot tell"),
        (["float.tflite", "--target", "openvino", "--fail-on", "unknown"], "the rules cannot tell"),
        (["float.tflite", "--target", "openvino", "--fail-on", "fallback"], None),
    ],
)
def test_a_limit_that_is_broken_exits_1_and_names_it(folder, capsys, words, finding):
    if "--target" not in words:
        words = [*words, "--target", "xnnpack"]
    said = printed(capsys, *words, code=0 if finding is None else 1)
    assert said.out  # whatever is beyond a limit, the report is printed
    assert finding is None or finding in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--target", "xnnpak"], "Unknown delegate 'xnnpak'. Did you mean 'xnnpack'?"),
        (["--target", "nnapi@26"], "Unknown variant of nnapi '26'."),
        (["--target", "hexagon@5"], "has no variants"),
        (["--target", "all", "--target", "gpu"], "give it alone"),
        (["--fail-on", "partitions"], "--fail-on takes fallback, partitions:N, unknown"),
        (["--fail-on", "partitions:-1"], "--fail-on takes"),
        (["--fail-on", "unknown:3"], "--fail-on takes"),
        (["--md", "--json"], "exclude each other"),
    ],
)
def test_what_cannot_be_asked_is_refused(folder, capsys, words, sentence):
    said = printed(capsys, "float.tflite", *words, code=2)
    assert sentence in said.err
    assert not said.out


def test_targets_and_limits_are_read():
    assert parse_targets([]) == parse_targets(["all"]) == every_target()
    assert len(every_target()) == sum(max(1, len(row.variants)) for row in DELEGATES.values())
    assert [str(target) for target in parse_targets(["gpu", "nnapi", "gpu"])] == [
        "gpu",
        "nnapi@fl8",
    ]
    assert Limit.parse("partitions:12").most == 12
    with pytest.raises(UsageError):
        Limit.parse("")


def test_a_file_of_ours_names_its_layers(folder):
    report = lint_file(Path("float.tflite"), ["ethosu@u55-128"])[0]
    assert [op.layer for op in report.ops] == ["conv", "pool", "logits"]


def test_linting_imports_neither_tensorflow_nor_a_runtime(folder):
    code = (
        "import json, sys; from mobilekit.cli import main; main(['lint', 'int8.tflite']);"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})));"
        "print(json.dumps([m for m in sys.modules if m.startswith('ai_edge_litert.')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *_, loaded, litert = done.stdout.splitlines()
    assert not {"tensorflow", "keras", "ai_edge_quantizer", "PIL", "scipy"} & set(
        json.loads(loaded)
    )
    assert json.loads(litert) == ["ai_edge_litert.schema_py_generated"]


# What it costs.


def large_file(path, megabytes=100, operators=400):
    """Dense int8 layers, whose weights stand behind the flatbuffer."""
    net = tiny_models.Network()
    each = megabytes * 10**6 // operators
    width = 500
    shape = (each // width, width)
    first = previous = net.tensor("image", (1, width), "int8", quantization=(0.5, 0))
    for index in range(operators):
        scales = np.full(shape[0], 0.01, np.float32)
        weights = np.zeros(0, np.int8)
        kernel = net.tensor(
            f"kernel_{index}", shape, "int8", weights, (scales, np.zeros(shape[0]), 0)
        )
        buffer = net.model.buffers[-1]
        buffer.data, buffer.offset, buffer.size = None, 1, each
        wide = net.tensor(f"net_1/wide_{index}_1/MatMul", (1, shape[0]), "int8", None, (0.5, 0))
        net.operator(
            "FULLY_CONNECTED", [previous, kernel, -1], [wide], schema.FullyConnectedOptionsT(), 4
        )
        previous = net.tensor(f"net_1/next_{index}_1/Sign", (1, width), "int8", None, (0.5, 0))
        net.operator("SIGN" if index % 9 else "ABS", [wide], [previous])
    start = len(net.finish([first], [previous])) + 64 * 1024
    for number, buffer in enumerate(b for b in net.model.buffers if b.size):
        buffer.offset = start + number * each
    content = net.finish([first], [previous])
    with path.open("wb") as file:
        file.write(content.ljust(start, b"\0"))
        random_bytes = random.Random(0).randbytes(each)
        for _ in range(operators):
            file.write(random_bytes)


def test_a_large_model_is_linted_quickly_and_in_little_memory(tmp_path):
    path = tmp_path / "large.tflite"
    large_file(path)
    assert path.stat().st_size > 100e6
    code = (
        "import sys, time; from mobilekit.linting import lint_file; from pathlib import Path;"
        "lint_file(Path(sys.argv[1]), [sys.argv[2]]);"
        "status = Path('/proc/self/status').read_text();"  # ru_maxrss may be the parent's
        "print(time.process_time(), status.partition('VmHWM:')[2].split()[0])"
    )
    for target in ("xnnpack", "ethosu@u55-128", "nnapi@27"):
        seconds = []
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-c", code, str(path), target],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            spent, kilobytes = done.stdout.split()
            seconds.append(float(spent))
            assert float(kilobytes) * 1024 < LIMIT_BYTES
        assert min(seconds) < 2 * LIMIT_S, target  # CI's processors are slower and shared


# Files of others.


@pytest.mark.needs_third_party
def test_files_of_others_are_linted_for_every_target():
    names = sorted(THIRD_PARTY.rglob("*.tflite"))
    assert len(names) == 51
    for path in names:
        for report in lint_file(path):
            assert len(report.ops) == report.summary.ops
            assert all(op.because for op in report.ops if op.verdict != "yes")


@pytest.mark.needs_third_party
def test_xnnpack_cuts_files_of_others_as_the_rules_say():
    from tests.interpreter_partitions import partitions
    from tests.test_lint_xnnpack import by_the_rules

    differing = set()
    for path in sorted(THIRD_PARTY.rglob("*.tflite")):
        if path.stem in NEEDS_OWN_KERNELS:
            continue
        content = path.read_bytes()
        if set(partitions(content)) != set(by_the_rules(content)[1]):
            differing.add(path.relative_to(THIRD_PARTY).as_posix())
    assert differing == set()


# No interpreter here loads them.
NEEDS_OWN_KERNELS = {"face_landmark_with_attention"}
