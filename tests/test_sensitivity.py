"""What rounding each tensor costs, and which layers are kept float because of it."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from converters.calibration import calibrate
from converters.fidelity import FileRunner, snr_db
from converters.foreign_float import as_float_file
from converters.recipes import parse_recipe, with_method
from converters.sensitivity import (
    ACTIVATIONS,
    WEIGHTS,
    Sensitivity,
    float_layers,
    measure_sensitivity,
)
from converters.tflite_reader import read_model
from mobilekit.core.recipe import Effort, LayerArithmetic, LayerRule
from tests import tiny_models

pytestmark = pytest.mark.needs_tensorflow  # the quantizer comes with it

FLOAT_FILE = as_float_file(tiny_models.tiny_float(), "tiny.tflite")
STATIC = parse_recipe("static_wi8_ai8")
CONV, POOL, LOGITS = tiny_models.CONV, tiny_models.MEAN, tiny_models.DENSE


def inputs(count, seed=0):
    random = np.random.default_rng(seed)
    return [random.uniform(0, 6, tiny_models.IMAGE).astype(np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def ranges():
    return calibrate(FLOAT_FILE, inputs(16))


def made(ranges, *rules, recipe=STATIC):
    from converters.convert import derive

    recipe = replace(recipe, rules=rules)
    return derive(FLOAT_FILE, recipe, ranges=ranges, layers=tiny_models.LAYERS)


def noise(content, fed):
    """Error power over signal power at the output."""
    wanted = FileRunner(FLOAT_FILE).run(fed)
    return 10 ** (-snr_db(wanted, FileRunner(content).run(fed)) / 10)


def test_errors_of_single_tensors_add_up_to_that_of_the_int8_file(ranges):
    integer = made(ranges)
    found = measure_sensitivity(FLOAT_FILE, integer, inputs(16))
    assert [each.share for each in found] == sorted((e.share for e in found), reverse=True)
    assert {(each.kind, each.tensor) for each in found} == {
        *((ACTIVATIONS, name) for name in ("image", CONV, POOL, LOGITS)),
        *((WEIGHTS, name) for name in (CONV, LOGITS)),
    }
    ratio = sum(each.share for each in found) / noise(integer, inputs(16))
    assert abs(10 * math.log10(ratio)) < 1.0


def test_what_float_layers_take_away_is_nearly_what_was_said(ranges):
    integer = made(ranges)
    found = measure_sensitivity(FLOAT_FILE, integer, inputs(16))
    kept = float_layers(FLOAT_FILE, found, 0.5, tiny_models.LAYERS)
    assert 0.5 <= kept.share < 1
    assert [rule.pattern for rule in kept.rules] == ["logits"]
    left = noise(made(ranges, *kept.rules), inputs(16)) / noise(integer, inputs(16))
    assert left == pytest.approx(1 - kept.share, abs=0.1)


def test_all_layers_leave_only_the_steps_of_the_input(ranges):
    found = measure_sensitivity(FLOAT_FILE, made(ranges), inputs(8))
    kept = float_layers(FLOAT_FILE, found, 1.0, tiny_models.LAYERS)
    assert [rule.pattern for rule in kept.rules] == ["conv", "pool", "logits"]
    image = next(each.share for each in found if each.tensor == "image")
    assert kept.share == pytest.approx(1 - image / sum(each.share for each in found))


def test_a_tensor_is_float_only_where_all_that_touch_it_are():
    def found(**shares):
        return [
            Sensitivity(tensor=tensor, kind=kind, share=shares.get(name, 0.0))
            for name, (tensor, kind) in {
                "conv_weights": (CONV, WEIGHTS),
                "conv_output": (CONV, ACTIVATIONS),
                "pooled": (POOL, ACTIVATIONS),
            }.items()
        ]

    def layers(**shares):
        kept = float_layers(FLOAT_FILE, found(**shares), 0.9, tiny_models.LAYERS)
        return [rule.pattern for rule in kept.rules]

    assert layers(conv_weights=1.0) == ["conv"]
    assert layers(conv_output=1.0) == ["conv", "pool"]
    assert layers(pooled=1.0) == ["pool", "logits"]
    # A little less error for half the layers comes first, and is enough.
    assert layers(conv_weights=0.95, conv_output=0.05) == ["conv"]
    assert layers() == []


def test_layers_without_a_name_are_not_kept():
    found = [Sensitivity(tensor=LOGITS, kind=WEIGHTS, share=1.0)]
    anonymous = tiny_models.unpack(FLOAT_FILE)
    for number, tensor in enumerate(anonymous.subgraphs[0].tensors):
        if tensor.name.decode() != LOGITS:
            tensor.name = f"t{number}".encode()
    kept = float_layers(tiny_models.pack(anonymous), found, 0.9, ())
    assert (kept.rules, kept.share) == ((), 0.0)


@pytest.mark.parametrize("recipe", ["static_wi8_ai8", "static_wi8_ai8_floatlogits"])
def test_methods_mend_the_int8_layers_of_mixed_files(recipe, ranges):
    from converters.methods.choice import improve

    rule = LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="logits")
    rules = () if "floatlogits" in recipe else (rule,)
    wanted = with_method(parse_recipe(recipe, rules), "gptq+bias_correction")
    mended = improve(
        FLOAT_FILE,
        wanted,
        None,
        inputs(16),
        recalibrate=lambda _: ranges.by_tensor,
        say=lambda _: None,
        layers=tiny_models.LAYERS,
    )
    plain = made(ranges, *rules, recipe=replace(wanted, rules=(), method="minmax"))
    assert noise(mended.content, inputs(32, seed=1)) < noise(plain, inputs(32, seed=1))
    dtypes = {
        operator.name: read_model(mended.content, "mixed").main.tensors[operator.inputs[0]].dtype
        for operator in read_model(mended.content, "mixed").main.operators
    }
    assert dtypes["CONV_2D"] == "int8"
    assert dtypes["FULLY_CONNECTED"] == "float32"


def test_int16_layers_have_no_methods():
    rule = LayerRule(arithmetic=LayerArithmetic.INT16, pattern="conv")
    recipe = parse_recipe("static_wi8_ai8", (rule,))
    assert not recipe.takes_methods
    assert recipe.with_effort(Effort.FAST) == recipe
    with pytest.raises(ValueError, match=re.escape("static int8 recipes have methods")):
        replace(recipe, method="gptq")
