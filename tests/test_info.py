"""`mobilekit list architectures` and `mobilekit info`: figures that add up, in 80 columns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.cli import main
from mobilekit.core.model import ModelSpec

ROOT = Path(__file__).parent.parent
FAMILIES = {row.family: row for row in ARCHITECTURES.values()}.values()


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_listing_architectures_imports_nothing_heavy():
    code = "import sys; from mobilekit.cli import main; main(['list', 'architectures']);"
    code += "print(sorted({'tensorflow', 'keras', 'numpy', 'rich'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_list_has_every_architecture_with_its_figures_in_80_columns(capsys):
    assert main(["list", "architectures"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    by_name = {line.split()[0]: line.split() for line in lines if line and line[0].islower()}
    for row in ARCHITECTURES.values():
        _, size, _, _, macs, top1 = by_name[row.name]
        assert size == "x".join(map(str, row.input_size))
        exact = float(macs[:-1]) * {"M": 1e6, "G": 1e9}[macs[-1]]
        assert exact == pytest.approx(row.macs, rel=5e-4)
        assert top1 == ("\N{EN DASH}" if row.top1 is None else f"{row.top1:.1f}")


def test_the_json_of_the_list_is_complete(capsys):
    assert main(["list", "architectures", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(ARCHITECTURES)
    for name, row in ARCHITECTURES.items():
        written = rows[name]
        counts = (written["trainable_params"], written["total_params"], written["macs"])
        assert counts == (row.trainable_params, row.total_params, row.macs)
        assert [o["name"] for o in written["options"]] == [o.name for o in row.options]
        assert [f["value"] for f in written["figures"]] == [f.value for f in row.figures]
        assert written["source"] == row.source


def test_an_architecture_without_a_published_accuracy_has_a_dash(capsys):
    from dataclasses import replace

    from mobilekit.cli.list_command import _print_architectures
    from mobilekit.core.records import to_json

    row = replace(ARCHITECTURES["mobilenet_v1"], top1=None)
    _print_architectures([to_json(row)])
    assert capsys.readouterr().out.splitlines()[1].endswith("  \N{EN DASH}")


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize("row", FAMILIES, ids=lambda row: row.family)
def test_the_rows_of_layers_add_up_and_are_the_layers_of_the_network(row):
    from mobilekit.networks import cost_network

    spec = ModelSpec(architecture=row.name, input_size=row.input_size, classes=row.classes)
    cost = cost_network(spec)
    rows, counts = cost.layers, cost.counts
    assert sum(each.trainable_params for each in rows) == counts.trainable_params
    assert sum(each.total_params for each in rows) == counts.total_params
    assert sum(each.macs for each in rows) == counts.macs
    names = [name for each in rows for name in (each.name, *each.folded)]
    assert len(set(names)) == len(names)
    # One tensor is there at least, and not more than all of them.
    largest = max(each.activation_elements for each in rows)
    everything = sum(each.activation_elements for each in rows)
    assert largest <= counts.peak_activation_elements <= 2 * everything


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize("row", FAMILIES, ids=lambda row: row.family)
def test_info_is_readable_in_80_columns(row, capsys):
    assert main(["info", row.name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert f"{row.trainable_params:,}  trainable parameters" in text
    assert f"{row.macs:,}  multiply-accumulates" in text
    for option in row.options:
        assert f"--option {option.name}={option.values[0]}" in text
    if row.top1 is not None:
        assert f"{row.top1} % top-1" in text
    assert text.count("published: ") == len(
        row.figures_of(
            ModelSpec(architecture=row.name, input_size=row.input_size, classes=row.classes)
        )
    ) + (row.top1 is not None)


@pytest.mark.needs_tensorflow
def test_info_says_what_a_hand_count_of_layers_says(capsys):
    assert main(["info", "mobilenet_v2", "--json", "--alpha", "0.35"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in found["layers"]}
    # Table 2: 3 -> 16 channels (32 * 0.35 = 11.2), 3x3, stride 2; batch norm has 2 + 2 of each.
    assert rows["stem"] == {
        "name": "stem",
        "kind": "Conv2D",
        "output_shape": [112, 112, 16],
        "trainable_params": 3 * 3 * 3 * 16 + 2 * 16,
        "total_params": 3 * 3 * 3 * 16 + 4 * 16,
        "macs": 112 * 112 * 3 * 3 * 3 * 16,
        "activation_elements": 112 * 112 * 16,
        "folded": ["stem_bn", "stem_relu"],
    }
    assert rows["block_2_add"]["trainable_params"] == rows["block_2_add"]["macs"] == 0
    assert found["peak_activation_int8_bytes"] == 112 * 112 * 48 + 56 * 56 * 48
    assert found["peak_activation_float32_bytes"] == 4 * found["peak_activation_int8_bytes"]
    published = {(f["column"], f["value"]): f for f in found["published"]}
    assert published["macs", 59_000_000]["agrees"]
    assert not published["trainable_params", 1_660_000]["agrees"]
    assert published["trainable_params", 1_660_000]["differs"]


@pytest.mark.parametrize(
    ("name", "room", "shown"),
    [
        ("stem", 12, "stem"),
        ("block35_10_branch_2_conv_3", 26, "block35_10_branch_2_conv_3"),
        ("block35_10_branch_2_conv_3", 16, "block…2_conv_3"),
    ],
)
def test_a_long_name_keeps_both_ends(name, room, shown):
    from mobilekit.cli.info_command import _shortened

    found = _shortened(name, room)
    assert len(found) <= room
    head, _, tail = shown.partition("…")
    assert found.startswith(head)
    assert found.endswith(tail)
