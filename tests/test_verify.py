import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from converters.allocation import allocation_problem
from converters.layer_names import LayerNames
from converters.ranges import input_quantization, quantization_of
from converters.recipes import parse_recipe
from converters.tflite_reader import read_model
from converters.verify import ALLOCATES, CHECKS, verify
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerArithmetic, LayerRule
from tests import tiny_models
from tests.tiny_models import tiny_float, tiny_int8

RAW_PIXELS = Preprocessing(input_size=(8, 8), resize_shorter=8)
TO_UNIT = Preprocessing(input_size=(8, 8), resize_shorter=8, mean=(127.5,) * 3, std=(127.5,) * 3)


KEEP_LOGITS = LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="log.*")
INT16_POOL = LayerRule(arithmetic=LayerArithmetic.INT16, pattern="MEAN")


def verified(
    content, recipe=None, *, rules=(), layers=tiny_models.LAYERS, allocate=False, **claims
):
    graph = read_model(content, "net.tflite")
    claimed = parse_recipe(recipe, rules) if recipe else None
    return verify(graph, recipe=claimed, layers=layers, allocate=allocate, **claims)


def found(verification):
    return [(problem.check, problem.operator, problem.layer) for problem in verification.problems]


# Files that are what they claim to be.


@pytest.mark.parametrize(
    ("content", "recipe", "arithmetic", "weights"),
    [
        (tiny_float(), "float32", "float", "float32"),
        (tiny_float("float16"), "float16", "float", "float16"),
        (tiny_float("weight_only"), "weight_only_wi8_afp32", "float", "int8"),
        (
            tiny_float("weight_only", per_channel=False),
            "weight_only_wi8_afp32_pertensor",
            "float",
            "int8",
        ),
        (tiny_models.tiny_dynamic(), "dynamic_wi8_afp32", "hybrid", "int8"),
        (tiny_int8(), "static_wi8_ai8", "integer", "int8"),
        (tiny_int8(per_channel=False), "static_wi8_ai8_pertensor", "integer", "int8"),
        (
            tiny_int8(float_io=True),
            "static_wi8_ai8_iofloat",
            "integer with float inputs and outputs",
            "int8",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_follows_its_recipe_has_no_problem(content, recipe, arithmetic, weights):
    verification = verified(content, recipe, allocate=True)
    assert verification.problems == ()
    assert verification.ok
    assert verification.runs is True
    assert verification.description.arithmetic == arithmetic
    assert verification.description.weights == {weights: 2}


def test_a_full_integer_file_is_described():
    verification = verified(tiny_int8(), full_integer=True, preprocessing=RAW_PIXELS)
    assert verification.ok
    assert verification.runs is None
    description = verification.description
    assert description.ops == {"CONV_2D": 1, "MEAN": 1, "FULLY_CONNECTED": 1}
    [image] = description.inputs
    assert (image.name, image.dtype, image.shape) == ("image", "int8", tiny_models.IMAGE)
    assert (image.scale, image.zero_point) == (1.0, -128)


def test_a_layer_that_a_rule_keeps_float_is_no_fault():
    content = tiny_int8(dense="float32")
    assert verified(content, "static_wi8_ai8", rules=(KEEP_LOGITS,), allocate=True).ok


def test_unsigned_outputs_are_integers_too():
    assert verified(tiny_int8(output="uint8"), full_integer=True).ok


def test_a_streaming_network_sets_its_variables_itself():
    assert verified(tiny_models.tiny_variables(assigned=True), allocate=True).ok


def test_an_infinity_to_pad_with_is_no_broken_weight():
    net = tiny_models.Network()
    image = net.tensor("image", (1, 4))
    lowest = net.tensor("lowest", (), data=np.float32(-np.inf))
    output = net.tensor("output", (1, 4))
    net.operator("MAXIMUM", [image, lowest], [output], schema.MaximumMinimumOptionsT())
    assert verified(net.finish([image], [output]), allocate=True).ok


# Files that are not.


def with_kernel(change, content=None):
    """A network whose convolution has been tampered with."""
    model = tiny_models.unpack(content or tiny_float())
    change(model, model.subgraphs[0].tensors[1])
    return tiny_models.pack(model)


def put_nan(model, kernel):
    model.buffers[kernel.buffer].data[:4] = np.frombuffer(np.float32(np.nan).tobytes(), np.uint8)


def put_zero_scale(_, kernel):
    kernel.quantization.scale[5] = 0.0


def put_external(_, kernel):
    kernel.externalBuffer = 1


def put_open_shape_inside(model, _):
    conv = model.subgraphs[0].operators[0].outputs[0]
    model.subgraphs[0].tensors[conv].shapeSignature = [1, -1, 8, tiny_models.CHANNELS]


# One row a fault: the file, the claims, and every problem as (check, operator, layer).
CONV, POOL, LOGITS = (0, "conv"), (1, "pool"), (2, "logits")
FLOAT_IO = [("io_type", None, None)] * 2
FAULTS = {
    "variables": (tiny_models.tiny_variables(), {}, [("variables", 1, None)]),
    "variables of ours": (
        tiny_models.tiny_variables(assigned=True),
        {"recipe": "float32"},
        [("variables", 3, None)],
    ),
    "flex": (tiny_models.tiny_flex(), {}, [("flex", 0, None)]),
    "external": (with_kernel(put_external), {}, [("external", *CONV)]),
    "dynamic input": (tiny_models.tiny_dynamic_shape(), {}, [("dynamic_shape", None, None)]),
    "dynamic inside": (with_kernel(put_open_shape_inside), {}, [("dynamic_shape", *CONV)]),
    "float": (
        tiny_float(),
        {"full_integer": True},
        [("float_op", *CONV), ("float_op", *POOL), ("float_op", *LOGITS), *FLOAT_IO],
    ),
    "hybrid": (
        tiny_models.tiny_dynamic(),
        {"full_integer": True},
        [("float_op", *POOL), ("hybrid_op", *CONV), ("hybrid_op", *LOGITS), *FLOAT_IO],
    ),
    "island": (tiny_int8(island="LOGISTIC"), {"full_integer": True}, [("island", 2, None)]),
    "island of a recipe": (
        tiny_int8(island="LOGISTIC"),
        {"recipe": "static_wi8_ai8"},
        [("island", 2, None)],
    ),
    "float tail": (
        tiny_int8(dense="float32"),
        {"recipe": "static_wi8_ai8"},
        [("island", 3, "logits"), ("io_type", None, None), ("weights_float", 3, "logits")],
    ),
    "float edges": (tiny_int8(float_io=True), {"full_integer": True}, FLOAT_IO),
    "float edges of a recipe": (
        tiny_int8(float_io=True),
        {"recipe": "static_wi8_ai8"},
        FLOAT_IO,
    ),
    "integer edges": (tiny_int8(), {"recipe": "static_wi8_ai8_iofloat"}, FLOAT_IO),
    "uint8 output": (
        tiny_int8(output="uint8"),
        {"recipe": "static_wi8_ai8"},
        [("io_type", None, None)],
    ),
    "fed 0-255 where -1..1 was declared": (
        tiny_int8(),
        {"preprocessing": TO_UNIT},
        [("input_scale", None, None)],
    ),
    "fed 0-255 through a float input": (
        tiny_int8(float_io=True),
        {"preprocessing": TO_UNIT},
        [("input_scale", None, None)],
    ),
    "zero point": (
        tiny_int8(image=(1.0, -127)),
        {"preprocessing": RAW_PIXELS},
        [("input_scale", None, None)],
    ),
    "a recipe that did nothing": (
        tiny_float(),
        {"recipe": "dynamic_wi8_afp32"},
        [("weights_float", *CONV), ("weights_float", *LOGITS)],
    ),
    "float16 that did nothing": (
        tiny_float(),
        {"recipe": "float16"},
        [("weights_float", *CONV), ("weights_float", *LOGITS)],
    ),
    "float32 that is int8": (
        tiny_float("weight_only"),
        {"recipe": "float32"},
        [("bits", 2, "conv"), ("bits", 4, "logits")],
    ),
    "int8 that is float16": (
        tiny_float("float16"),
        {"recipe": "weight_only_wi8_afp32"},
        [("bits", 2, "conv"), ("bits", 4, "logits")],
    ),
    "per tensor": (
        tiny_int8(per_channel=False),
        {"recipe": "static_wi8_ai8"},
        [("granularity", *CONV), ("granularity", *LOGITS)],
    ),
    "per channel": (
        tiny_int8(),
        {"recipe": "static_wi8_ai8_pertensor"},
        [("granularity", *CONV), ("granularity", *LOGITS)],
    ),
    "uint8 asked for": (
        tiny_int8(),
        {"io": "uint8"},
        [("io_type", None, None)] * 2,
    ),
    "convolutions per tensor": (
        tiny_int8(per_channel=False),
        {"per_channel": True},
        [("granularity", *CONV)],
    ),
    "float per channel": (tiny_float(), {"per_channel": True}, [("no_scales", None, None)]),
    "too new for 2.14": (
        tiny_models.tiny_dynamic(),
        {"runtime": "2.14"},
        [("operator_version", *LOGITS)],
    ),
    "a rule that did nothing": (
        tiny_int8(),
        {"recipe": "static_wi8_ai8", "rules": (KEEP_LOGITS, INT16_POOL)},
        [("rules", *LOGITS), ("rules", *POOL)],
    ),
    "NaN": (with_kernel(put_nan), {}, [("not_finite", *CONV)]),
    "zero scale": (with_kernel(put_zero_scale, tiny_int8()), {}, [("scales", *CONV)]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_nothing_else(fault):
    content, claims, problems = FAULTS[fault]
    verification = verified(content, **claims)
    assert sorted(found(verification), key=str) == sorted(problems, key=str)
    assert not verification.ok


def test_every_check_has_a_file_that_fails_it():
    assert {check for _, _, problems in FAULTS.values() for check, *_ in problems} == {*CHECKS}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("hybrid", "(CONV_2D, layer 'conv') is hybrid: its weights are integers"),
        ("island", "Operator 2 (LOGISTIC) leaves the integers of this graph"),
        ("flex", "Operator 0 (CUSTOM:FlexErf) needs TensorFlow's own kernels"),
        ("fed 0-255 where -1..1 was declared", "preprocessing to -1..1 gives 0.00784314 and 0"),
        ("dynamic input", "The input 'image' has a dimension that is not fixed: (-1, 8, 8, 3)"),
        ("per tensor", "stores its weights with 1 scale, and per_channel means 40"),
        ("float edges of a recipe", "The input 'image_float' is float32, and int8 was asked for"),
    ],
)
def test_a_problem_is_told_with_its_operator_and_what_to_do(fault, words):
    content, claims, _ = FAULTS[fault]
    sentences = [problem.sentence for problem in verified(content, **claims).problems]
    [sentence] = [sentence for sentence in sentences if words in sentence][:1]
    assert sentence.endswith(".")
    assert len(sentence.split(". ")) == 2  # the problem, and the remedy


def test_an_island_names_the_operators_inside_it():
    net = tiny_models.Network()
    source = net.tensor("in", (1, 4), "int8", quantization=(0.1, 0))
    real = net.tensor("r0", (1, 4))
    net.operator("DEQUANTIZE", [source], [real], schema.DequantizeOptionsT(), version=2)
    for index in range(6):
        following = net.tensor(f"net/sine_{index}/Sin", (1, 4))
        net.operator("SIN", [real], [following])
        real = following
    output = net.tensor("out", (1, 4), "int8", quantization=(0.1, 0))
    net.operator("QUANTIZE", [real], [output], schema.QuantizeOptionsT())
    content = net.finish([source], [output])
    layers = [f"sine_{index}" for index in range(6)]
    [problem] = verified(content, full_integer=True, layers=layers).problems
    assert (problem.check, problem.layer) == ("island", "sine_0")
    assert "operator 2 (SIN, layer 'sine_1')" in problem.sentence
    assert "and 2 more" in problem.sentence


# Loading and running.


def test_a_file_with_custom_operators_is_not_run():
    verification = verified(tiny_models.tiny_flex(), allocate=True)
    assert verification.runs is None
    assert found(verification) == [("flex", 0, None)]


def test_a_file_that_the_runtime_refuses_is_a_problem():
    content = with_kernel(lambda model, _: setattr(model.operatorCodes[0], "version", 99))
    verification = verified(content, allocate=True)
    assert verification.runs is False
    [problem] = verification.problems
    assert problem.check == ALLOCATES
    assert "the runtime refuses it" in problem.sentence
    assert "CONV_2D" in problem.sentence


def crashing():
    """Structurally sound, and its float16 kernel is unpacked into another shape than it has."""
    model = tiny_models.unpack(tiny_float("float16"))
    unpacked = model.subgraphs[0].operators[0].outputs[0]
    model.subgraphs[0].tensors[unpacked].shape[2] = 6212
    return tiny_models.pack(model)


def test_a_file_that_crashes_the_runtime_does_not_crash_us():
    [problem] = verified(crashing(), allocate=True).problems
    assert problem.check == ALLOCATES
    assert "it crashes the runtime (SIG" in problem.sentence


def test_a_file_that_answers_nan_is_a_problem():
    problem = allocation_problem(with_kernel(put_nan))
    assert problem == "it answers NaN or infinity at output 'Identity' to an input of zeros"


def test_a_file_that_never_ends_is_a_problem():
    assert allocation_problem(tiny_float(), timeout_s=0.001) == (
        "it did not finish one inference in 0.001 s"
    )


def test_the_trial_needs_no_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert allocation_problem(tiny_int8()) is None


def test_verifying_imports_no_tensorflow_and_no_runtime():
    code = "import sys, converters.verify;"
    code += "print({'tensorflow', 'keras', 'ai_edge_litert.interpreter'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Scales of inputs.


def test_raw_pixels_have_scale_one():
    assert input_quantization(RAW_PIXELS) == (1.0, -128)
    assert quantization_of(0, 255) == (1.0, -128.0)


def test_a_range_is_widened_to_hold_zero():
    assert quantization_of(51, 255) == (1.0, -128.0)
    assert quantization_of(-255, -51) == (1.0, 127.0)


def test_a_range_of_nothing_has_a_scale():
    assert quantization_of(0, 0) == (1.0, 0.0)


pixels = st.floats(-300, 300, allow_nan=False)
deviations = st.floats(1, 300)


@given(st.tuples(pixels, pixels, pixels), st.tuples(deviations, deviations, deviations))
def test_every_pixel_fits_an_int8_input(mean, std):
    preprocessing = Preprocessing(input_size=(8, 8), resize_shorter=8, mean=mean, std=std)
    scale, zero_point = input_quantization(preprocessing)
    assert scale > 0
    for value in (*preprocessing.value_range, 0.0):
        assert -128.501 <= value / scale + zero_point <= 127.501


@pytest.mark.parametrize("zero_point", [-1, 0])
def test_a_half_may_be_rounded_to_either_side(zero_point):
    content = tiny_int8(image=(2 / 255, zero_point))
    assert verified(content, preprocessing=TO_UNIT).ok


# Layers.

FUSED = (
    "net_1/block_16_depthwise_relu_1/Relu6;net_1/block_16_depthwise_BN_1/batchnorm/mul_1;"
    "net_1/block_16_depthwise_1/depthwise;net_1/block_16_pad_1/Pad1"
)


def names_of(names, layers):
    """LayerNames of a file that has tensors of these names."""
    net = tiny_models.Network()
    for name in names:
        net.tensor(name, (1,))
    return LayerNames(read_model(net.finish([], []), "x"), layers)


@pytest.mark.parametrize(
    ("name", "layers", "layer"),
    [
        (
            FUSED,
            ["block_16_depthwise", "block_16_depthwise_relu", "block_16_pad"],
            "block_16_depthwise",
        ),
        # The convolution is not a layer of this model: the best that is left.
        (FUSED, ["block_16_depthwise_BN", "block_16_depthwise_relu"], "block_16_depthwise_relu"),
        ("net_1/Conv_1_1/convolution1", ["Conv_1", "Conv1"], "Conv_1"),
        ("net_1/Conv1_1/convolution", ["Conv_1", "Conv1"], "Conv1"),
        ("net/conv_1/convolution", ["conv", "conv_1"], "conv_1"),
        ("net_1/add_relu_1/Relu;net_1/add_1/Add", ["add", "add_relu"], "add"),
        ("head_1/backbone_1/conv_1/convolution", ["head", "backbone", "conv"], "conv"),
        ("head_1/backbone_1/conv_1/convolution", ["backbone", "dense"], "backbone"),
        ("image", ["image"], "image"),
        ("Identity", ["dense"], None),
        ("", ["dense"], None),
        (FUSED, [], "block_16_depthwise"),
        ("net_1/pool_1/Mean", [], "pool"),
        ("net/pool/Mean", [], "pool"),
        ("Identity", [], None),
    ],
)
def test_the_layer_is_found_in_a_tensors_name(name, layers, layer):
    assert names_of([name], layers).layer_of(name) == layer


@pytest.mark.parametrize("suffix", ["", "_1"])
def test_a_number_is_the_layers_own_where_the_other_names_say_so(suffix):
    layers = ["conv", "conv_1", "conv_2"]
    names = [f"net{suffix}/{layer}{suffix}/convolution" for layer in layers]
    finder = names_of(names, layers)
    assert [finder.layer_of(name) for name in names] == layers


def test_numbers_are_kept_where_layers_would_fall_together():
    names = [f"net_1/conv_{index}/convolution" for index in range(3)]
    finder = names_of(names, [])
    assert [finder.layer_of(name) for name in names] == ["conv_0", "conv_1", "conv_2"]


def test_the_last_layer_is_found_by_its_weights():
    graph = read_model(tiny_float(), "x")
    finder = LayerNames(graph, tiny_models.LAYERS)
    assert [finder.of(op, graph.main) for op in graph.main.operators] == ["conv", "pool", "logits"]
