"""What each recipe makes of one float file; no TensorFlow is imported, only the quantizer."""

import numpy as np
import pytest

from converters.calibration import calibrate
from converters.foreign_float import as_float_file
from converters.layer_names import LayerNames
from converters.recipes import MIXED, parse_recipe, scheme_of, warnings_of
from converters.tflite_reader import read_model
from converters.verify import verify
from mobilekit.core.errors import ConversionError, UnknownNameError, UsageError
from mobilekit.core.recipe import IoType, LayerArithmetic, LayerRule, Scheme
from tests import tiny_models

# The quantizer comes with the extra [convert].
pytestmark = pytest.mark.needs_tensorflow

FLOAT_FILE = as_float_file(tiny_models.tiny_float(), "tiny.tflite")


def inputs(count):
    random = np.random.default_rng(0)
    return [random.uniform(0, 6, tiny_models.IMAGE).astype(np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def ranges():
    return calibrate(FLOAT_FILE, inputs(8))


def keep(pattern):
    return LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern=pattern)


def int16(pattern):
    return LayerRule(arithmetic=LayerArithmetic.INT16, pattern=pattern)


def made(ranges, name, *rules, content=FLOAT_FILE):
    """The file of a recipe, after all of its checks."""
    from converters.convert import derive

    recipe = parse_recipe(name, rules)
    file = derive(content, recipe, ranges=ranges, layers=tiny_models.LAYERS)
    graph = read_model(file, recipe.name)
    found = verify(
        graph, recipe=recipe, layers=tiny_models.LAYERS, full_integer=recipe.full_integer
    )
    assert [problem.sentence for problem in found.problems] == []
    return file


def interpreter(content, **options):
    from ai_edge_litert.interpreter import Interpreter

    loaded = Interpreter(model_content=content, **options)
    loaded.allocate_tensors()
    return loaded


def answer(loaded, values):
    loaded.set_tensor(loaded.get_input_details()[0]["index"], values)
    loaded.invoke()
    return loaded.get_tensor(loaded.get_output_details()[0]["index"])


# uint8 inputs and outputs.


@pytest.mark.parametrize("kernels", ["xnnpack", "reference"])
@pytest.mark.parametrize("granularity", ["", "_pertensor"])
def test_uint8_is_int8_and_128_to_the_bit(ranges, granularity, kernels):
    from ai_edge_litert.interpreter import OpResolverType

    options = {}
    if kernels == "reference":
        options["experimental_op_resolver_type"] = OpResolverType.BUILTIN_REF
    signed = interpreter(made(ranges, f"static_wi8_ai8{granularity}"), **options)
    unsigned = interpreter(made(ranges, f"static_wi8_ai8{granularity}_iouint8"), **options)
    random = np.random.default_rng(1)
    for _ in range(50):
        pixels = random.integers(0, 256, tiny_models.IMAGE, np.uint8)
        wanted = answer(signed, (pixels.astype(np.int16) - 128).astype(np.int8))
        got = answer(unsigned, pixels)
        assert got.dtype == np.uint8
        assert (got.astype(np.int16) - 128 == wanted).all()


def test_uint8_ports_keep_their_names_and_scales(ranges):
    ports = []
    for name in ("static_wi8_ai8", "static_wi8_ai8_iouint8"):
        main = read_model(made(ranges, name), name).main
        ports.append([main.tensors[i] for i in (*main.inputs, *main.outputs)])
    for signed, unsigned in zip(*ports, strict=True):
        assert signed.name == unsigned.name
        assert signed.quantization.scales == unsigned.quantization.scales
        assert signed.quantization.zero_points + 128 == unsigned.quantization.zero_points
        assert unsigned.dtype == "uint8"


def test_uint8_does_not_exist_with_int16_activations():
    with pytest.raises(UnknownNameError, match="static_wi8_ai16_iouint8"):
        parse_recipe("static_wi8_ai16_iouint8")


# Float logits.


def test_float_logits_leave_the_last_dense_layer_hybrid_in_one_partition(ranges):
    content = made(ranges, "static_wi8_ai8_floatlogits")
    main = read_model(content, "x").main
    last = main.operators[-1]
    kinds = [main.tensors[i].dtype for i in (last.inputs[0], last.inputs[1], last.outputs[0])]
    assert (last.name, kinds) == ("FULLY_CONNECTED", ["float32", "int8", "float32"])
    loaded = interpreter(content, num_threads=1)
    names = [op["op_name"] for op in loaded._get_ops_details()]
    assert names.count("DELEGATE") == 1


def test_float_logits_need_a_dense_layer_at_the_end(ranges):
    net = tiny_models.unpack(FLOAT_FILE)
    net.subgraphs[0].operators.pop()
    net.subgraphs[0].outputs = [net.subgraphs[0].operators[-1].outputs[0]]
    with pytest.raises(ConversionError, match=r"the output of this model is MEAN: take the recipe"):
        made(ranges, "static_wi8_ai8_floatlogits", content=tiny_models.pack(net))


# Mixed recipes.


def arithmetic(content):
    """The element types of each operator's activations, by operator name."""
    main = read_model(content, "x").main
    return {
        operator.name: {tensor.dtype for tensor in main.activations(operator)}
        for operator in main.operators
        if operator.name not in ("QUANTIZE", "DEQUANTIZE")
    }


@pytest.mark.parametrize(
    ("rules", "changed"),
    [
        ([keep("conv")], {"CONV_2D": {"float32"}}),
        ([keep("conv_relu")], {"CONV_2D": {"float32"}}),
        ([keep("tiny/conv")], {"CONV_2D": {"float32"}}),
        ([keep("CONV_.*")], {"CONV_2D": {"float32"}}),
        ([keep("l.*")], {"FULLY_CONNECTED": {"float32"}}),
        ([int16("pool")], {"MEAN": {"int16"}}),
        ([keep(".*"), int16("logits")], None),
        ([keep("pool"), int16("CONV_2D")], {"MEAN": {"float32"}, "CONV_2D": {"int16"}}),
        ([int16("logits"), keep("logits")], {"FULLY_CONNECTED": {"float32"}}),
    ],
    ids=str,
)
def test_rules_change_the_layers_that_they_name_and_no_others(ranges, rules, changed):
    plain = {"CONV_2D": {"int8"}, "MEAN": {"int8"}, "FULLY_CONNECTED": {"int8"}}
    if changed is None:
        plain, changed = {name: {"float32"} for name in plain}, {"FULLY_CONNECTED": {"int16"}}
    assert arithmetic(made(ranges, "static_wi8_ai8", *rules)) == {**plain, **changed}


@pytest.mark.parametrize("scheme", ["float16", "dynamic_wi8_afp32", "weight_only_wi4_afp32"])
def test_layers_are_kept_float_in_recipes_without_calibration(scheme):
    main = read_model(made(None, scheme, keep("conv")), scheme).main
    producers = main.producers()
    stored = {}
    for operator in main.operators:
        if operator.name in ("CONV_2D", "FULLY_CONNECTED"):
            index = operator.inputs[1]
            source = producers[index].inputs[0] if index in producers else index
            stored[operator.name] = main.tensors[source].dtype
    assert stored["CONV_2D"] == "float32"
    assert stored["FULLY_CONNECTED"] != "float32"


def test_a_pattern_that_names_nothing_is_refused_with_the_nearest_names(ranges):
    with pytest.raises(UsageError) as refused:
        made(ranges, "static_wi8_ai8", keep("logit"))
    assert str(refused.value).startswith(
        "--keep-float 'logit' names no layer and no operator of the float file; the nearest"
    )
    assert "'logits'" in str(refused.value)


def test_a_pattern_that_is_no_expression_is_refused(ranges):
    with pytest.raises(UsageError, match=r"--int16 'block_\(' is no regular expression: missing"):
        made(ranges, "static_wi8_ai8", int16("block_("))


def test_a_mixed_name_tells_other_rules_apart():
    one = parse_recipe("static_wi8_ai8_iouint8", (keep("a"),))
    other = parse_recipe("static_wi8_ai8_iouint8", (keep("b"),))
    assert MIXED.sub("", one.name) == "static_wi8_ai8_iouint8"
    assert one.name != other.name
    assert one.digest != other.digest
    assert parse_recipe(one.name, one.rules) == one
    assert scheme_of(one.name) is Scheme.STATIC
    with pytest.raises(UsageError, match="whose name does not tell its layers"):
        parse_recipe(one.name)
    with pytest.raises(UsageError, match="whose name does not tell its layers"):
        parse_recipe(one.name, other.rules)


@pytest.mark.parametrize(
    ("name", "rule", "why"),
    [
        ("float32", keep("a"), "there is no layer to keep"),
        ("dynamic_wi8_afp32", int16("a"), "int16 ones need a static recipe"),
    ],
)
def test_rules_without_a_meaning_are_refused(name, rule, why):
    with pytest.raises(UsageError, match=why):
        parse_recipe(name, (rule,))


def test_a_layer_is_named_alone_or_with_the_models_around_it():
    net = tiny_models.Network()
    image = net.tensor("image", (1, 4))
    output = net.tensor(
        "net_1/backbone_1/conv_relu_1/Relu;net_1/backbone_1/conv_1/convolution", (1, 4)
    )
    net.operator("RELU", [image], [output])
    graph = read_model(net.finish([image], [output]), "x")
    names = LayerNames(graph, ["backbone", "conv", "conv_relu"])
    assert names.all_of(graph.main.operators[0], graph.main) == {
        *("conv", "backbone/conv", "net/backbone/conv"),
        *("conv_relu", "backbone/conv_relu", "net/backbone/conv_relu"),
    }


# 4 and 16 bits.


@pytest.mark.parametrize("scheme", ["dynamic", "weight_only"])
def test_four_bits_halve_the_weights(scheme):
    eight, four = (made(None, f"{scheme}_wi{bits}_afp32") for bits in (8, 4))
    weights = sum(values.size for values in tiny_models.float_weights())
    assert len(eight) - len(four) == pytest.approx(weights / 2, rel=0.2)


def test_depthwise_convolutions_keep_8_bits_since_no_kernel_has_4():
    net = tiny_models.Network()
    image = net.tensor("image", (1, 8, 8, 40))
    kernel = np.random.default_rng(0).normal(size=(1, 5, 5, 40)).astype(np.float32)
    weights = net.tensor("net/depthwise/kernel", kernel.shape, data=kernel)
    bias = net.tensor("bias", (40,), data=np.zeros(40, np.float32))
    output = net.tensor("net/depthwise/depthwise", (1, 8, 8, 40))
    options = tiny_models.schema.DepthwiseConv2DOptionsT()
    options.strideW = options.strideH = options.depthMultiplier = 1
    options.dilationWFactor = options.dilationHFactor = 1
    net.operator("DEPTHWISE_CONV_2D", [image, weights, bias], [output], options)
    content = net.finish([image], [output])
    main = read_model(made(None, "dynamic_wi4_afp32", content=content), "x").main
    [stored] = [t for t in main.tensors if t.name.endswith("kernel")]
    assert stored.dtype == "int8"


def test_int16_activations_are_symmetric(ranges):
    main = read_model(made(ranges, "static_wi8_ai16"), "x").main
    ports = [main.tensors[i] for i in (*main.inputs, *main.outputs)]
    assert [(t.dtype, int(t.quantization.zero_points[0])) for t in ports] == [("int16", 0)] * 2


@pytest.mark.parametrize(
    ("recipe", "ops", "words"),
    [
        (parse_recipe("static_wi8_ai16"), {"CONV_2D": 1}, ["21 to 29 times"]),
        (parse_recipe("static_wi8_ai8", (int16("a"),)), {"CONV_2D": 1}, ["21 to 29 times"]),
        (parse_recipe("dynamic_wi4_afp32"), {"CONV_2D": 1}, ["2.3 to 2.9 times slower"]),
        (parse_recipe("dynamic_wi4_afp32"), {"FULLY_CONNECTED": 1}, []),
        (parse_recipe("static_wi8_ai8"), {"CONV_2D": 1}, []),
    ],
    ids=str,
)
def test_a_slow_recipe_is_warned_of_with_what_was_measured(recipe, ops, words):
    sentences = warnings_of(recipe, ops)
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


def test_every_io_type_can_be_named():
    suffixes = {IoType.NATIVE: "", IoType.UINT8: "_iouint8", IoType.FLOAT: "_iofloat"}
    for io, suffix in suffixes.items():
        assert parse_recipe(f"static_wi8_ai8_pertensor{suffix}_floatlogits").io is io
