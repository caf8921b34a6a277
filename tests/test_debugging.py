"""Ranking layers by the error that they add: a layer that was broken comes first, by its name."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from converters.calibration import calibrate
from converters.counterparts import Counterparts
from converters.foreign_float import as_float_file
from converters.layer_errors import measure_errors
from converters.methods.surgery import Model
from converters.recipes import parse_recipe
from converters.tflite_reader import read_model
from mobilekit.cli import main
from mobilekit.core.errors import ConversionError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerArithmetic, LayerRule
from mobilekit.debugging import LayerError, LayerErrors, debug_file, node_data
from tests import tiny_models

pytestmark = pytest.mark.needs_tensorflow  # the quantizer comes with it

FLOAT_FILE = as_float_file(tiny_models.tiny_float(), "tiny.tflite")
PREPARED = ["--mean", "0", "--std", "42.5", "--crop", "8", "--resize", "8"]


def samples(count=4):
    random = np.random.default_rng(0)
    return [(random.uniform(0, 6, tiny_models.IMAGE).astype(np.float32),) for _ in range(count)]


def quantized(name="static_wi8_ai8", *rules):
    from converters.convert import derive

    recipe = parse_recipe(name, rules)
    ranges = calibrate(FLOAT_FILE, samples(8))
    return derive(FLOAT_FILE, recipe, ranges=ranges, layers=tiny_models.LAYERS)


def with_broken_weights(content, code):
    """The file with the weights of one layer turned over."""
    model = Model(content)
    [layer] = [each for each in model.layers() if each.code == code]
    model.set_values(layer.weights, model.values(layer.weights)[::-1].copy())
    return model.pack()


def errors(content, *, is_scaled=False):
    found = measure_errors(FLOAT_FILE, content, samples(), is_scaled=is_scaled)
    return {each.operator: each for each in found}


CONV, POOL, LOGITS = 0, 1, 2  # places of the operators


def test_a_broken_layer_is_told_from_those_that_inherit_its_error():
    sound, broken = errors(quantized()), errors(with_broken_weights(quantized(), 3))
    assert broken[CONV].alone > 0.1 > 100 * sound[CONV].alone
    for heir in (POOL, LOGITS):
        assert broken[heir].alone == sound[heir].alone
        assert broken[heir].so_far > 0.01 > sound[heir].so_far


def test_the_first_operator_inherits_nothing():
    found = errors(quantized())
    assert found[CONV].alone == pytest.approx(found[CONV].so_far)
    assert 0 < found[POOL].alone < found[POOL].so_far


@pytest.mark.parametrize(
    "name",
    [
        "float16",
        "dynamic_wi8_afp32",
        "weight_only_wi8_afp32",
        "static_wi8_ai16",
        "static_wi8_ai8_iofloat",
        "static_wi8_ai8_iouint8",
        "static_wi8_ai8_floatlogits",
    ],
)
def test_files_of_every_recipe_are_compared(name):
    content = quantized(name)
    found, graph = errors(content), read_model(content, name).main
    work = [o for o in graph.operators if o.name in ("CONV_2D", "MEAN", "FULLY_CONNECTED")]
    assert len(work) == 3
    for operator in work:
        assert 0 <= found[operator.index].alone < 0.01
        assert 0 <= found[operator.index].so_far < 0.01


def test_layers_that_stayed_float_add_nothing_and_what_bridges_them_is_followed():
    rule = LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="conv")
    content = quantized("static_wi8_ai8", rule)
    by_name = {o.name: o.index for o in read_model(content, "mixed").main.operators}
    found = errors(content)
    assert found[by_name["CONV_2D"]].alone < 1e-10 < found[by_name["MEAN"]].alone
    assert found[by_name["QUANTIZE"]].alone > 0


def test_equalized_channels_are_compared_at_their_own_scale():
    model = Model(FLOAT_FILE)
    conv, logits = model.layers()
    factors = np.linspace(0.2, 4, tiny_models.CHANNELS).astype(np.float32)
    model.graph.operators[0].builtinOptions.fusedActivationFunction = 1  # RELU: scales pass it
    real = model.pack()
    model.set_values(conv.weights, model.values(conv.weights) * factors[:, None, None, None])
    model.set_values(conv.bias, model.values(conv.bias) * factors)
    model.set_values(logits.weights, model.values(logits.weights) / factors)
    scaled = model.pack()
    honest = measure_errors(real, scaled, samples(), is_scaled=True)
    assert max(each.alone for each in honest) < 1e-6
    assert max(each.so_far for each in honest) < 1e-6
    naive = measure_errors(real, scaled, samples(), is_scaled=False)
    assert naive[CONV].so_far > 0.1


def test_a_file_of_another_model_is_refused():
    stranger = tiny_models.unpack(quantized())
    for tensor in stranger.subgraphs[0].tensors:
        tensor.name, tensor.shape = b"x" + tensor.name, [1, *tensor.shape]
    content = tiny_models.pack(stranger)
    assert Counterparts(Model(FLOAT_FILE), Model(content)).pairs == {}
    with pytest.raises(ConversionError, match="was made from another model"):
        measure_errors(FLOAT_FILE, content, samples(), is_scaled=False)


@pytest.fixture
def scene(tmp_path):
    (tmp_path / "net.tflite").write_bytes(tiny_models.tiny_float())
    (tmp_path / "int8.tflite").write_bytes(with_broken_weights(quantized(), 9))
    np.savez(tmp_path / "samples.npz", np.concatenate([values for [values] in samples(20)]))
    return tmp_path


def command(scene, *more):
    words = ["debug", scene / "int8.tflite", "--against", scene / "net.tflite"]
    return main([str(word) for word in (*words, *PREPARED, *more)])


def test_the_command_names_the_keras_layer_first(scene, capsys):
    assert command(scene, "--calibration", scene / "samples.npz") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:2] == ["logits", "FULLY_CONNECTED"]
    assert float(lines[2].split()[3]) < 10 < float(lines[3].split()[3])
    assert "on 16 samples of calibration" in " ".join(" ".join(lines).split())


def test_json_has_the_raw_ratios_and_noise_is_said(scene, capsys):
    assert command(scene, "--json") == 0
    found = capsys.readouterr()
    document = json.loads(found.out)
    assert document["layers"][0]["layer"] == "logits"
    assert document["source"] == "noise"
    assert document["layers"][0]["alone"] > document["layers"][1]["alone"]
    assert "photographs tell more" in found.err


def test_node_data_are_what_model_explorer_reads(scene, capsys):
    path = scene / "nodes.json"
    assert command(scene, "--calibration", scene / "samples.npz", "--node-data", path) == 0
    data = json.loads(path.read_text())
    # Results by the operator's place, a number each; colours at 0 and 1 of their range.
    assert set(data) == {"results", "gradient"}
    assert set(data["results"]) == {"0", "1", "2"}
    assert all(isinstance(each["value"], float) for each in data["results"].values())
    assert [each["stop"] for each in data["gradient"]] == [0, 1]
    values = {place: each["value"] for place, each in data["results"].items()}
    assert max(values, key=values.get) == str(LOGITS)


def test_operators_that_add_nothing_or_are_not_known_have_no_colour():
    rows = [
        LayerError(operator=place, op="X", layer=None, tensor="t", alone=alone, so_far=None)
        for place, alone in enumerate((0.01, 0.0, None))
    ]
    found = LayerErrors(
        model="a", against="b", samples=1, source="noise", scaled=False, layers=tuple(rows)
    )
    assert node_data(found)["results"] == {"0": {"value": -20.0}}


def test_inputs_of_another_shape_are_refused(scene):
    smaller = tiny_models.unpack(tiny_models.tiny_float())
    for tensor in smaller.subgraphs[0].tensors:
        if list(tensor.shape[:3]) == [1, 8, 8]:
            tensor.shape = [1, 4, 4, *tensor.shape[3:]]
    (scene / "net.tflite").write_bytes(tiny_models.pack(smaller))
    expects = Preprocessing(input_size=(4, 4), resize_shorter=4)
    with pytest.raises(ConversionError, match="made from another one"):
        debug_file(scene / "int8.tflite", scene / "net.tflite", preprocessing=expects)


@pytest.mark.parametrize("record", [LayerError, LayerErrors])
def test_every_key_of_layer_errors_is_documented(record):
    page = (Path(__file__).parent.parent / "docs" / "formats.md").read_text()
    section = page.partition("## Climbs")[2].partition("\n## ")[0]
    missing = [
        f.name for f in dataclasses.fields(record) if not re.search(rf"\b{f.name}\b", section)
    ]
    assert missing == []
