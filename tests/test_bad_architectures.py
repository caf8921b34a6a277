"""What cannot be built is refused by the command line in one sentence, with its exit code."""

from pathlib import Path

import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.cli import main

pytestmark = pytest.mark.needs_tensorflow

ASKED, FILE = 2, 3
V2 = "mobilenet_v2"
SMALL = ["--alpha", "0.35", "--input-size", "32"]
# What is asked for, the exit code, and what the sentence says.
ROWS = {
    "an architecture that does not exist": (
        ["mobilenetv2"],
        ASKED,
        "Unknown architecture 'mobilenetv2'. Did you mean 'mobilenet_v2'?",
    ),
    "a size below the strides": (
        [V2, "--input-size", "31"],
        ASKED,
        "31x31 is too small for the strides of mobilenet_v2; the smallest input that works is"
        " 32x32.",
    ),
    "no size": ([V2, "--input-size", "0"], ASKED, "input size and classes must be 1..100000"),
    "a negative size": ([V2, "--input-size", "-224"], ASKED, "must be 1..100000"),
    "an absurd size": ([V2, "--input-size", "10000000"], ASKED, "must be 1..100000"),
    "an alpha that leaves no channels": (
        ["mobilenet_v1", "--alpha", "0.01"],
        ASKED,
        "mobilenet_v1 cannot be built with alpha 0.01",
    ),
    "an alpha of nothing": ([V2, "--alpha", "0"], ASKED, "alpha must be above 0"),
    "a negative alpha": ([V2, "--alpha", "-1"], ASKED, "alpha must be above 0"),
    "an alpha that is no number": ([V2, "--alpha", "nan"], ASKED, "alpha must be above 0"),
    "an endless alpha": ([V2, "--alpha", "inf"], ASKED, "alpha must be above 0 and at most 100"),
    "no class": ([V2, "--classes", "0"], ASKED, "input size and classes must be 1..100000"),
    "a negative class count": ([V2, "--classes", "-3"], ASKED, "must be 1..100000"),
    "an option that the family does not have": (
        [V2, "--option", "colour=blue"],
        ASKED,
        "mobilenet_v2 has no option 'colour'; it has none.",
    ),
    "an option without a value": (
        [V2, "--option", "colour"],
        ASKED,
        "--option takes NAME=VALUE, not 'colour'.",
    ),
    "an option twice": (
        [V2, "--option", "a=b", "--option", "a=c"],
        ASKED,
        "--option a is given twice",
    ),
    "a target that does not exist": (
        [V2, "--target", "xnnpak"],
        ASKED,
        "Unknown delegate 'xnnpak'. Did you mean 'xnnpack'?",
    ),
}
WEIGHTS = {
    "weights that do not exist": (
        [V2, "--weights", "torchvison"],
        ASKED,
        "Unknown weights of mobilenet_v2 'torchvison'. Did you mean 'torchvision'?",
    ),
    "a weights file that is not there": (
        [V2, "--weights", "no.pth"],
        ASKED,
        "There is no weights file no.pth.",
    ),
    "a weights file of a kind that nobody reads": (
        [V2, "--weights", "text.onnx"],
        ASKED,
        "text.onnx",
    ),
    "a weights file of something else": ([V2, *SMALL, "--weights", "text.pth"], FILE, "text.pth"),
    "a truncated weights file": ([V2, *SMALL, "--weights", "half.pth"], FILE, "half.pth"),
    "an empty weights file": ([V2, *SMALL, "--weights", "empty.pth"], FILE, "empty.pth"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with files that are no weights; nothing else may be in it afterwards."""
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "text.onnx": b"no weights",
        "text.pth": b"no weights",
        "half.pth": b"PK\x03\x04" + bytes(60),
        "empty.pth": b"",
    }.items():
        Path(name).write_bytes(content)
    return tmp_path


def refused(words, code, says, capsys, folder):
    before = sorted(folder.iterdir())
    assert main(words) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("mobilekit: ")
    assert says in lines[-1]
    assert lines[-1].endswith((".", "?"))
    assert "Traceback" not in "".join(lines)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("command", ["build", "info"])
def test_what_cannot_be_asked_for_is_refused_by_both_commands(command, row, capsys, folder):
    words, code, says = ROWS[row]
    output = ["-o", "net.keras"] if command == "build" else []
    refused([command, *words, *output], code, says, capsys, folder)


@pytest.mark.parametrize("row", WEIGHTS)
def test_weights_that_cannot_be_loaded_are_refused(row, capsys, folder):
    words, code, says = WEIGHTS[row]
    refused(["build", *words, "-o", "net.keras"], code, says, capsys, folder)


@pytest.mark.parametrize(
    "row", [r for r in ARCHITECTURES.values() if r.options], ids=lambda row: row.name
)
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(row, capsys, folder):
    has = ", ".join(option.name for option in row.options)
    says = f"{row.name} has no option 'colour'; it has {has}."
    refused(["info", row.name, "--option", "colour=blue"], ASKED, says, capsys, folder)
    first = row.options[0]
    says = f"Option {first.name!r} of {row.name} takes {', '.join(first.values)}, not 'blue'."
    refused(["info", row.name, "--option", f"{first.name}=blue"], ASKED, says, capsys, folder)


@pytest.mark.parametrize(
    "row", [r for r in ARCHITECTURES.values() if not r.has_alpha], ids=lambda row: row.name
)
def test_an_alpha_of_a_family_without_one_is_refused(row, capsys, folder):
    says = f"{row.name} has no alpha, so none but 1"
    refused(["info", row.name, "--alpha", "0.5"], ASKED, says, capsys, folder)


@pytest.mark.parametrize(
    "row", [r for r in ARCHITECTURES.values() if r.has_alpha], ids=lambda row: row.name
)
def test_the_smallest_alphas_make_a_network_or_one_sentence(row, capsys):
    for alpha in ("0.001", "0.01", "0.05"):
        code = main(["info", row.name, "--alpha", alpha, "--json"])
        said = capsys.readouterr().err.strip().splitlines()
        assert code in (0, ASKED)
        if code:
            assert f"{row.name} cannot be built with alpha {alpha}" in said[-1]
