import os
import random
import time
import tracemalloc

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from converters.delegates.lint import Linter
from converters.flatbuffer import MAX_CHARGE
from converters.graph import BITS
from converters.recipes import parse_recipe
from converters.tflite_reader import read_file, read_model
from converters.tflite_schema import NUMBERS, TABLES
from converters.verify import verify
from mobilekit.core.errors import ModelFileError, StorageError, UsageError
from mobilekit.core.target import DELEGATES, Target
from tests import tiny_models

# `make full` asks for 10,000.
FUZZ_CASES = int(os.environ.get("MOBILEKIT_FUZZ_CASES", "500"))
FUZZ_LIMIT_S = 2.0
# Every delegate at its newest level, and the oldest that NNAPI has.
LINTED = (*map(Target.parse, DELEGATES), Target.parse("nnapi@27"))
EXTREMES = (0, 1, 2, 4, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)

SEEDS = {
    "float": tiny_models.tiny_float(),
    "float16": tiny_models.tiny_float("float16"),
    "dynamic": tiny_models.tiny_dynamic(),
    "int8": tiny_models.tiny_int8(island="LOGISTIC"),
    "flex": tiny_models.tiny_flex(),
    "variables": tiny_models.tiny_variables(assigned=True),
}


def problem_of(content):
    with pytest.raises(ModelFileError) as caught:
        read_model(content, "net.tflite")
    sentence = str(caught.value)
    assert sentence.startswith("net.tflite is not a model file that can be used: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return caught.value.problem


# What a file holds.


def test_a_float_network_is_read_whole():
    graph = read_model(SEEDS["float"], "net.tflite")
    main = graph.main
    assert graph.description == "made by a test"
    assert graph.ops == {"CONV_2D": 1, "MEAN": 1, "FULLY_CONNECTED": 1}
    assert [main.tensors[i].name for i in main.inputs] == ["image"]
    assert [main.tensors[i].shape for i in main.outputs] == [(1, tiny_models.CLASSES)]
    conv = main.operators[0]
    assert conv.options["padding"] == "SAME"
    assert conv.options["fused_activation_function"] == "RELU6"
    assert conv.options["dilation_h_factor"] == 1
    kernel, _ = tiny_models.float_weights()
    np.testing.assert_array_equal(main.tensors[conv.inputs[1]].values(), kernel)
    assert main.producers()[main.outputs[0]].name == "FULLY_CONNECTED"
    assert [op.name for op in main.consumers()[main.inputs[0]]] == ["CONV_2D"]
    assert [tensor.name for tensor in main.activations(conv)] == ["image", tiny_models.CONV]


def test_quantization_is_read_per_channel():
    main = read_model(SEEDS["int8"], "net.tflite").main
    weights = main.tensors[main.operators[0].inputs[1]]
    assert weights.dtype == "int8"
    assert weights.quantization.axis == 0
    assert weights.quantization.scales.shape == (tiny_models.CHANNELS,)
    assert weights.quantization.zero_points.tolist() == [0] * tiny_models.CHANNELS
    real = weights.values() * weights.quantization.scales[:, None, None, None]
    kernel, _ = tiny_models.float_weights()
    np.testing.assert_allclose(real, kernel, atol=weights.quantization.scales.max() / 2)


def test_constants_are_views_of_the_file():
    content = SEEDS["float"]
    main = read_model(content, "net.tflite").main
    whole = np.frombuffer(content, np.uint8)
    constants = [tensor for tensor in main.tensors if tensor.is_constant]
    assert constants
    assert all(np.shares_memory(tensor.values(), whole) for tensor in constants)


def test_custom_and_unknown_operators_keep_a_name():
    operator = read_model(SEEDS["flex"], "net.tflite").main.operators[0]
    assert (operator.name, operator.is_flex, operator.is_custom) == ("CUSTOM:FlexErf", True, True)
    assert bytes(operator.custom_options) == b"\1\2\3"
    model = tiny_models.unpack(SEEDS["float"])
    model.operatorCodes[1].builtinCode = 257
    assert read_model(tiny_models.pack(model), "x").main.operators[1].name == "UNKNOWN_257"


def test_operator_codes_of_old_writers_stand_in_the_deprecated_field():
    model = tiny_models.unpack(SEEDS["float"])
    for code in model.operatorCodes:
        code.builtinCode = 0
    graph = read_model(tiny_models.pack(model), "old.tflite")
    assert graph.ops == {"CONV_2D": 1, "MEAN": 1, "FULLY_CONNECTED": 1}


def test_a_dimension_that_is_not_known_is_dynamic():
    image = read_model(tiny_models.tiny_dynamic_shape(), "x").main.tensors[0]
    assert image.shape_signature == (-1, 8, 8, 3)
    assert image.is_dynamic


def test_optional_inputs_are_minus_one():
    model = tiny_models.unpack(SEEDS["float"])
    model.subgraphs[0].operators[0].inputs[2] = -1
    operator = read_model(tiny_models.pack(model), "x").main.operators[0]
    assert operator.inputs[2] == -1


def test_signatures_and_metadata_are_read():
    model = tiny_models.unpack(SEEDS["float"])
    model.metadata = [schema.MetadataT()]
    model.metadata[0].name, model.metadata[0].buffer = "min_runtime_version", 1
    model.signatureDefs = [signature(tensor=0)]
    graph = read_model(tiny_models.pack(model), "x")
    assert list(graph.metadata) == ["min_runtime_version"]
    assert graph.signatures[0].key == "serving_default"
    assert graph.signatures[0].inputs == {"image": 0}


def signature(tensor, subgraph=0):
    result = schema.SignatureDefT()
    result.signatureKey, result.subgraphIndex = "serving_default", subgraph
    result.inputs, result.outputs = [schema.TensorMapT()], []
    result.inputs[0].name, result.inputs[0].tensorIndex = "image", tensor
    return result


def test_names_cannot_move_the_terminals_cursor():
    model = tiny_models.unpack(SEEDS["float"])
    model.subgraphs[0].tensors[0].name = b"\x1b[2Jimage\xff\n"
    assert (
        read_model(tiny_models.pack(model), "x").main.tensors[0].name
        == "\ufffd[2Jimage\ufffd\ufffd"
    )


@given(st.sampled_from([("int4", 4, -8, 7), ("uint4", 4, 0, 15), ("int2", 2, -2, 1)]), st.data())
def test_packed_integers_are_unpacked(kind, data):
    dtype, bits, lowest, highest = kind
    values = data.draw(st.lists(st.integers(lowest, highest), min_size=1, max_size=9))
    packed = 0
    for place, value in enumerate(values):
        packed |= (value % 2**bits) << (bits * place)
    stored = packed.to_bytes(-(-len(values) * bits // 8), "little")
    tensor = only_tensor(dtype, (len(values),), stored)
    assert tensor.values().tolist() == values


def test_bfloat16_becomes_float32():
    halves = np.array([1.5, -2.0], np.float32).view(np.uint32) >> 16
    tensor = only_tensor("bfloat16", (2,), halves.astype(np.uint16).tobytes())
    assert tensor.values().tolist() == [1.5, -2.0]


def test_what_holds_no_numbers_says_so():
    with pytest.raises(UsageError, match="holds no dense constant"):
        read_model(SEEDS["float"], "x").main.tensors[0].values()
    with pytest.raises(UsageError, match="NumPy has no float8"):
        only_tensor("float8_e5m2", (2,), b"\0\0").values()


def only_tensor(dtype, shape, stored):
    net = tiny_models.Network()
    index = net.tensor("constant", shape, dtype, np.frombuffer(stored, np.uint8))
    return read_model(net.finish([], [index]), "x").main.tensors[index]


def test_buffers_behind_the_flatbuffer_are_found():
    kernel, _ = tiny_models.float_weights()
    tensor = read_model(outside_buffer(kernel.tobytes()), "big.tflite").main.tensors[1]
    np.testing.assert_array_equal(tensor.values(), kernel)


def outside_buffer(weights, shift=0):
    """The float network with its first kernel behind the flatbuffer, as files above 2 GB have."""
    model = tiny_models.unpack(SEEDS["float"])
    buffer = model.buffers[model.subgraphs[0].tensors[1].buffer]
    buffer.data, buffer.offset, buffer.size = None, 2, len(weights)
    start = len(tiny_models.pack(model))
    buffer.offset = start + shift
    content = tiny_models.pack(model)
    assert len(content) == start
    return content + weights


# The schema as data.


class RecordingBuilder:
    """Answers the schema's builder functions, and keeps what they would have written."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *arguments: self.calls.append((name, arguments))


@pytest.mark.parametrize("table", TABLES)
def test_every_row_agrees_with_the_installed_schema(table):
    kinds = {"Bool": "bool", "Int8": "i8", "Uint8": "u8", "Int32": "i32", "Uint32": "u32"}
    kinds |= {"Int64": "i64", "Uint64": "u64", "Float32": "f32"}
    installed = {}
    for name, function in vars(schema).items():
        if name.startswith(f"{table}Add"):
            builder = RecordingBuilder()
            function(builder, 1)
            [(prepend, (slot, _, default))] = builder.calls
            kind = prepend.removeprefix("Prepend").removesuffix("Slot")
            field = name.removeprefix(f"{table}Add").lower()
            start = getattr(schema, f"{table}Start{name.removeprefix(f'{table}Add')}Vector", None)
            if start is not None:
                start(builder, 1)
                kind = f"vector of {builder.calls[-1][1][0]} bytes"
            installed[field] = (slot, kinds.get(kind, kind), default)
    ours = {}
    for name, field in TABLES[table].items():
        kind = field.kind if field.kind in NUMBERS else "UOffsetTRelative"
        if field.vector:
            kind = f"vector of {field.width} bytes"
        ours[name.replace("_", "")] = (field.slot, kind, field.default)
    assert ours == installed


@pytest.mark.parametrize("union", [schema.BuiltinOptions, schema.BuiltinOptions2])
def test_only_options_without_fields_have_no_row(union):
    for name in vars(union):
        if not name.startswith("_") and name != "NONE" and name not in TABLES:
            builder = RecordingBuilder()
            getattr(schema, f"{name}Start")(builder)
            assert builder.calls == [("StartObject", (0,))], name


# Files that cannot be trusted.


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"TF", "it is a text file that begins 'TF'"),
        (b"\0\0\0", "it is truncated: it has 3 bytes"),
        (b"<!DOCTYPE html>\n<html>", "it is a text file that begins '<!DOCTYPE html>"),
        ("Überschrift\n".encode() * 100, "it is a text file that begins 'Überschrift"),
        (b"PK\x03\x04rest", "it is a zip archive, as a .keras file is"),
        (b"\x89HDF\r\n", "it is an HDF5 file, as an .h5 model is"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer"),
        (bytes(range(256)), "its bytes 4 to 8 are not TFL3"),
        (b"\x10\0\0\0TFL3", "it is truncated or damaged: it refers to byte 20 and ends at byte 8"),
        (b"\xf0\xff\xff\xffTFL3" + bytes(64), "it is damaged or hostile: an offset points to byte"),
        (b"\0\0\0\0TFL3" + bytes(64), "it is damaged or hostile"),
    ],
)
def test_a_foreign_file_is_refused_in_one_sentence(content, problem):
    assert problem_of(content).startswith(problem)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_truncated_file_is_refused_in_one_sentence(seed):
    content = SEEDS[seed]
    for length in range(9, len(content) - 4, max(1, len(content) // 60)):
        assert "truncated" in problem_of(content[:length])


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"There is no file .*nothing\.tflite"):
        read_file(tmp_path / "nothing.tflite")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StorageError, match="cannot be read"):
        read_file(tmp_path)


def test_a_file_is_read_from_disk(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(SEEDS["int8"])
    assert read_file(path).ops == read_model(SEEDS["int8"], "x").ops
    path.write_bytes(b"")
    with pytest.raises(ModelFileError, match="it is empty"):
        read_file(path)


def first_tensor(model):
    return model.subgraphs[0].tensors[0]


def kernel_of(model):
    return model.subgraphs[0].tensors[1]


def spoil_version(model):
    model.version = 2


def spoil_buffer_index(model):
    kernel_of(model).buffer = 99


def spoil_size(model):
    kernel_of(model).shape[0] += 1


def spoil_dynamic_constant(model):
    kernel_of(model).shape[0] = -1


def spoil_shape(model):
    first_tensor(model).shape[0] = -7


def spoil_rank(model):
    first_tensor(model).shape = [1] * 65


def spoil_operator_input(model):
    model.subgraphs[0].operators[0].inputs[0] = 1000


def spoil_operator_output(model):
    model.subgraphs[0].operators[0].outputs[0] = -2


def spoil_graph_input(model):
    model.subgraphs[0].inputs[0] = -1


def spoil_operator_code(model):
    model.subgraphs[0].operators[0].opcodeIndex = 9


def spoil_subgraphs(model):
    model.subgraphs = []


def spoil_custom_name(model):
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM


def spoil_zero_points(model):
    quantize_kernel(model, scales=[1.0] * 3, zero_points=[0] * 2)


def spoil_axis(model):
    quantize_kernel(model, scales=[1.0] * 3, zero_points=[0] * 3, axis=4)


def spoil_scales(model):
    quantize_kernel(model, scales=[1.0] * 2, zero_points=[0], axis=3)


def quantize_kernel(model, scales, zero_points, axis=0):
    quantization = kernel_of(model).quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = scales, zero_points
    quantization.quantizedDimension = axis


def spoil_signature(model):
    model.signatureDefs = [signature(tensor=1000)]


def spoil_signature_subgraph(model):
    model.signatureDefs = [signature(tensor=0, subgraph=3)]


def spoil_metadata(model):
    model.metadata = [schema.MetadataT()]
    model.metadata[0].name, model.metadata[0].buffer = "notes", 1000


SPOILED = {
    spoil_version: "schema version 2",
    spoil_buffer_index: "asks for buffer 99",
    spoil_size: "bytes of data where",
    spoil_dynamic_constant: "bytes of data where",
    spoil_shape: "a shape that cannot be",
    spoil_rank: "a shape that cannot be",
    spoil_operator_input: r"operator 0 \(CONV_2D\) has tensor 1000 among its inputs",
    spoil_operator_output: r"operator 0 \(CONV_2D\) has tensor -2 among its outputs",
    spoil_graph_input: "subgraph 0 has tensor -1 among its inputs",
    spoil_operator_code: "operator 0 asks for operator code 9",
    spoil_subgraphs: "no subgraph",
    spoil_custom_name: "custom and has no name",
    spoil_zero_points: "3 scales and 2 zero points",
    spoil_axis: "dimension 4, which it does not have",
    spoil_scales: "2 scales for 3 slices of dimension 3",
    spoil_signature: "tensor 1000 among its inputs",
    spoil_signature_subgraph: "subgraph 3, which is not there",
    spoil_metadata: "asks for buffer 1000",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_what_does_not_fit_together_is_refused(spoil):
    model = tiny_models.unpack(SEEDS["float"])
    spoil(model)
    with pytest.raises(ModelFileError, match=SPOILED[spoil]):
        read_model(tiny_models.pack(model), "net.tflite")


def test_a_buffer_that_ends_behind_the_file_is_refused():
    kernel, _ = tiny_models.float_weights()
    assert "buffer 1 ends at byte" in problem_of(outside_buffer(kernel.tobytes(), shift=1))


def shared_buffers(references):
    """A model whose buffers are one table, referred to again and again."""
    builder = flatbuffers.Builder(1024)
    schema.BufferStart(builder)
    buffer = schema.BufferEnd(builder)
    return model_with_vector(builder, [buffer] * references, schema.ModelAddBuffers)


def nested_sharing(width):
    """One subgraph `width` times, of one tensor `width` times, of `width` dimensions."""
    builder = flatbuffers.Builder(1024)
    shape = vector(builder, [1] * min(width, 64), lambda b, v: b.PrependInt32(v))
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    tensor = schema.TensorEnd(builder)
    tensors = vector(builder, [tensor] * width, lambda b, v: b.PrependUOffsetTRelative(v))
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    return model_with_vector(builder, [graph] * width, schema.ModelAddSubgraphs)


def vector(builder, items, prepend):
    builder.StartVector(4, len(items), 4)
    for item in items:
        prepend(builder, item)
    return builder.EndVector()


def model_with_vector(builder, offsets, add):
    items = vector(builder, offsets, lambda b, v: b.PrependUOffsetTRelative(v))
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    add(builder, items)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    "content",
    [shared_buffers(MAX_CHARGE // 32 + 1), nested_sharing(300), nested_sharing(3000)],
    ids=["many", "small", "large"],
)
def test_a_bomb_of_shared_offsets_is_refused_before_it_unfolds(content):
    tracemalloc.start()
    started = time.process_time()
    assert "over and over" in problem_of(content)
    seconds = time.process_time() - started
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 20  # tracing slows the walk several times
    assert peak_bytes < 400e6


def mutated(rng, content, others):
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        kind = rng.choice(("flip", "word", "cut", "splice"))
        at = rng.randrange(len(changed))
        if kind == "flip":
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == "word":
            value = rng.choice((*EXTREMES, rng.getrandbits(32), len(content)))
            at -= at % rng.choice((1, 4))
            changed[at : at + 4] = value.to_bytes(4, "little")
        elif kind == "cut":
            del changed[max(8, at) :]
        else:
            donor = rng.choice(others)
            start = rng.randrange(len(donor))
            length = rng.randrange(1, 64)
            changed[at : at + length] = donor[start : start + length]
    return bytes(changed)


def test_mutated_files_are_read_or_refused_and_nothing_else():
    rng = random.Random(20261124)
    seeds = list(SEEDS.values())
    read = refused = 0
    for case in range(FUZZ_CASES):
        content = mutated(rng, seeds[case % len(seeds)], seeds)
        started = time.process_time()
        try:
            graph = read_model(content, "fuzzed.tflite")
        except ModelFileError:
            refused += 1
        else:
            read += 1
            touch_everything(graph)
        assert time.process_time() - started < FUZZ_LIMIT_S, case
    assert min(read, refused) > FUZZ_CASES // 20  # both ways are walked


def touch_everything(graph):
    """Whatever was read must hold: no view may reach outside the file, and every check ends."""
    verify(graph, full_integer=True, recipe=parse_recipe("static_wi8_ai8"), allocate=False)
    linter = Linter(graph)
    for target in LINTED:
        assert len(linter.lint(target).ops) == sum(len(s.operators) for s in graph.subgraphs)
    for tensor in (tensor for subgraph in graph.subgraphs for tensor in subgraph.tensors):
        has_numbers = tensor.dtype in BITS and "float8" not in tensor.dtype
        if tensor.data is not None and has_numbers and not tensor.is_sparse:
            assert tensor.values().shape == tensor.shape


# What reading costs.


def test_a_large_model_is_read_quickly_and_without_copies(tmp_path):
    operators, weight_bytes = 1000, 100_000
    net = tiny_models.Network()
    previous = net.tensor("image", (1, 160))
    first = previous
    weights = np.zeros((weight_bytes // 4 // 160, 160), np.float32)
    for index in range(operators):
        kernel = net.tensor(f"kernel_{index}", weights.shape, data=weights[:0])
        buffer = net.model.buffers[-1]
        buffer.data, buffer.offset, buffer.size = None, 1 << 22, weights.nbytes
        output = net.tensor(f"net_1/layer_{index}_1/MatMul", (1, 160))
        net.operator(
            "FULLY_CONNECTED", [previous, kernel, -1], [output], tiny_models.conv_options()
        )
        previous = output
    content = net.finish([first], [previous])
    path = tmp_path / "large.tflite"
    path.write_bytes(content)
    os.truncate(path, operators * weight_bytes)
    tracemalloc.start()
    assert read_file(path).ops == {"FULLY_CONNECTED": operators}
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20e6
    seconds = []
    for _ in range(3):
        started = time.process_time()
        read_file(path)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.3
