"""Partitions as TFLite's partitioner forms them, folds, boundaries, what helps."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from converters.delegates.lint import Linter, lint
from converters.delegates.partitions import before_the_cut, kept, turns
from converters.graph import Operator, Subgraph
from converters.macs import operator_macs
from converters.tflite_reader import read_model
from mobilekit.core.target import DELEGATES, Target
from tests import tiny_models
from tests.interpreter_partitions import partitions


def graph_of(inputs):
    """Operators by what they read: operator i makes tensor i; a negative index is fed."""
    operators = tuple(
        Operator(index=i, name="ADD", version=1, inputs=tuple(read), outputs=(i,), options={})
        for i, read in enumerate(inputs)
    )
    return Subgraph(index=0, name="", tensors=(), inputs=(), outputs=(), operators=operators)


def as_the_partitioner(inputs, taken):
    """The partitioner's own nested loops: epochs, each gathered until nothing changes."""
    done, found = set(), []
    while len(done) < len(inputs):
        epoch, kind, changed = [], None, True
        while changed:
            changed = False
            for node, read in enumerate(inputs):
                if node in done or any(tensor >= 0 and tensor not in done for tensor in read):
                    continue
                if kind is None:
                    kind = node in taken
                if (node in taken) == kind:
                    done.add(node)
                    epoch.append(node)
                    changed = True
        found.append((kind, tuple(sorted(epoch))))
    return found


@st.composite
def graphs(draw):
    inputs = []
    for node in range(draw(st.integers(1, 12))):
        inputs.append(draw(st.lists(st.integers(-1, node - 1), max_size=3)))
    return inputs, draw(st.sets(st.integers(0, len(inputs) - 1)))


@given(graphs())
def test_turns_are_those_of_the_partitioner(drawn):
    inputs, taken = drawn
    found = turns(graph_of(inputs), taken)
    assert [(turn.taken, turn.nodes) for turn in found] == as_the_partitioner(inputs, taken)
    assert sorted(node for turn in found for node in turn.nodes) == list(range(len(inputs)))


def test_nodes_are_gathered_and_not_cut_into_runs():
    # 0 and 2 are the delegate's, 1 stands between them and neither waits for it.
    found = turns(graph_of([[-1], [-1], [0], [1, 2]]), {0, 2, 3})
    assert [(turn.taken, turn.nodes) for turn in found] == [
        (True, (0, 2)),
        (False, (1,)),
        (True, (3,)),
    ]


def test_a_damaged_order_of_execution_still_runs_every_operator_once():
    found = turns(graph_of([[1], [0], [2]]), {0, 2})
    assert sorted(node for turn in found for node in turn.nodes) == [0, 1, 2]


@pytest.mark.parametrize(
    ("delegate", "sizes", "keeps"),
    [
        ("xnnpack", [1, 5, 2], {0, 1, 2}),
        ("gpu", [1, 5, 2, 5], {1}),
        ("nnapi", [1, 5, 2, 5], {1, 2, 3}),
        ("coreml", [1, 5, 2], {1, 2}),
    ],
)
def test_delegates_keep_what_they_keep_by_default(delegate, sizes, keeps):
    from converters.delegates.partitions import Turn

    made = [Turn(taken=True, nodes=tuple(range(size))) for size in sizes]
    assert kept(delegate, made) == keeps


def test_a_compiler_that_cuts_once_leaves_all_behind_the_cut():
    operators = graph_of([[-1], [0], [1], [2]]).operators
    assert before_the_cut(operators, {0, 1, 3}) == {0, 1}
    assert before_the_cut(operators, {0, 1, 2, 3}) == {0, 1, 2, 3}


# Files.

LAYERS = (*tiny_models.LAYERS, *(f"layer_{place}" for place in range(9)))


def linted(content, target):
    return lint(read_model(content, "net.tflite"), Target.parse(target), LAYERS)


def chain(*names):
    """Unary operators one behind the other, on an image."""
    net = tiny_models.Network()
    first = previous = net.tensor("image", tiny_models.IMAGE)
    for place, name in enumerate(names):
        output = net.tensor(f"tiny_1/layer_{place}_1/{name}", tiny_models.IMAGE)
        net.operator(name, [previous], [output])
        previous = output
    return net.finish([first], [previous])


IMAGE_BYTES = 4 * 8 * 8 * 3


def test_a_report_names_layers_reasons_and_boundaries():
    report = linted(chain("ABS", "SIGN", "ABS", "NEG"), "xnnpack")
    assert [op.verdict for op in report.ops] == ["yes", "no", "yes", "yes"]
    refused = report.ops[1]
    assert (refused.op, refused.layer, refused.constraint) == ("SIGN", "layer_1", "unlisted")
    parts = [(p.first, p.last, p.ops, p.boundary_bytes) for p in report.partitions]
    assert parts == [(0, 0, 1, 2 * IMAGE_BYTES), (2, 3, 2, 2 * IMAGE_BYTES)]
    assert all(partition.boundary_tensors == 2 for partition in report.partitions)
    summary = report.summary
    assert (summary.ops, summary.delegated, summary.partitions) == (4, 3, 2)
    assert summary.macs_share is None  # there are none
    assert summary.boundary_bytes == 4 * IMAGE_BYTES
    assert [(mend.op, mend.partitions) for mend in report.mends] == [("SIGN", 1)]
    assert report.mends[0].layers == ("layer_1",)
    assert report.mends[0].boundary_bytes == 2 * IMAGE_BYTES


def test_mending_ranks_what_joins_partitions_before_what_joins_none():
    names = ["ABS", "SIGN", "ABS", "SIGN", "ABS", "RELU_0_TO_1"]
    report = linted(chain(*names), "xnnpack")
    assert [(mend.op, mend.ops, mend.partitions) for mend in report.mends] == [
        ("SIGN", ((0, 1), (0, 3)), 1),
        ("RELU_0_TO_1", ((0, 5),), 3),
    ]


def test_what_lies_in_partitions_that_are_not_kept_is_stranded():
    report = linted(chain("ABS", "ABS", "CEIL", "ABS"), "gpu")
    assert [partition.kept for partition in report.partitions] == [True, False]
    assert [op.index for op in report.stranded] == [3]
    assert (report.summary.delegated, report.summary.kept) == (2, 1)
    assert any("largest partition" in note for note in report.notes)


@pytest.mark.parametrize("weights", ["float16", "weight_only"])
def test_unpacked_constants_are_folded(weights):
    content = tiny_models.tiny_float(weights)
    report = linted(content, "xnnpack")
    assert {op.verdict for op in report.ops} == {"yes"}
    assert report.summary.partitions == 1
    assert partitions(content) == [frozenset(range(5))]
    # Only what is fed and read crosses: the constants are the delegate's own.
    assert report.partitions[0].boundary_bytes == IMAGE_BYTES + 4 * tiny_models.CLASSES


def test_nnapi_takes_float16_constants_as_a_whole_or_not_at_all():
    assert linted(tiny_models.tiny_float("float16"), "nnapi@30").summary.delegated == 5
    model = tiny_models.unpack(tiny_models.tiny_float("float16"))
    model.operatorCodes[3].version = 99  # of MEAN, which no rule takes
    report = linted(tiny_models.pack(model), "nnapi@30")
    assert [op.verdict for op in report.ops].count("no") == 1
    assert (report.summary.partitions, report.summary.kept, report.summary.delegated) == (2, 0, 0)


def test_an_unpacker_stays_where_one_of_its_readers_does():
    net = tiny_models.Network()
    image = net.tensor("image", (1, 4))
    stored = net.tensor("half", (1, 4), "float16", np.ones((1, 4), np.float16))
    whole, total, sign = (net.tensor(name, (1, 4)) for name in ("whole", "total", "sign"))
    net.operator("DEQUANTIZE", [stored], [whole], schema.DequantizeOptionsT())
    net.operator("ADD", [image, whole], [total], schema.AddOptionsT())
    net.operator("SIGN", [whole], [sign])
    content = net.finish([image], [total, sign])
    report = linted(content, "xnnpack")
    assert [(op.verdict, op.constraint) for op in report.ops] == [
        ("no", "fold"),
        ("yes", ""),
        ("no", "unlisted"),
    ]
    assert partitions(content) == [frozenset({1})]
    assert report.mends[0].partitions == 1


def test_open_dimensions_and_several_subgraphs_are_linted():
    report = linted(tiny_models.two_signatures(), "xnnpack")
    assert [(op.subgraph, op.index) for op in report.ops] == [(0, 0), (0, 1), (1, 0)]
    assert [partition.subgraph for partition in report.partitions] == [0, 1]
    model = tiny_models.unpack(tiny_models.tiny_int8())
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 8, 8, 3]
    first = linted(tiny_models.pack(model), "edgetpu").ops[0]
    assert first.because == "shape of input is left open: ?x8x8x3; taken: a fixed one"


def test_composites_and_customs_are_named():
    net = tiny_models.Network()
    image, output = net.tensor("image", (1, 4)), net.tensor("out", (1, 4))
    options = schema.StableHLOCompositeOptionsT()
    options.name, options.decompositionSubgraphIndex = "odml.rms_norm", 1
    net.operator("STABLEHLO_COMPOSITE", [image], [output], options)
    net.graph.inputs, net.graph.outputs = [image], [output]
    net.subgraph()
    a, b = net.tensor("a", (1, 4)), net.tensor("b", (1, 4))
    net.operator("ABS", [a], [b])
    content = net.finish([a], [b])
    report = linted(content, "mediatek")
    assert (report.ops[0].op, report.ops[0].verdict) == ("COMPOSITE:odml.rms_norm", "maybe")
    assert linted(tiny_models.tiny_flex(), "mediatek").ops[0].op == "CUSTOM:FlexErf"


@pytest.mark.parametrize("delegate", ["gpu-mldrift", "openvino"])
def test_without_rules_nothing_is_claimed(delegate):
    report = linted(tiny_models.tiny_float(), delegate)
    assert report.rules is None
    assert {op.verdict for op in report.ops} == {"maybe"}
    assert not any(op.delegated for op in report.ops)
    assert (report.summary.partitions, report.summary.macs_share) == (None, None)


@pytest.mark.parametrize("delegate", DELEGATES)
def test_one_linter_answers_for_every_delegate(delegate):
    linter = Linter(read_model(tiny_models.tiny_int8(island="LOGISTIC"), "net.tflite"))
    report = linter.lint(Target.parse(delegate))
    assert len(report.ops) == 6
    assert report == linter.lint(Target.parse(delegate))


def test_an_option_of_the_delegate_can_be_given():
    net = tiny_models.Network()
    large, small, total = (
        net.tensor(*named) for named in (("a", (1, 6, 4)), ("b", (6, 4)), ("c", (1, 6, 4)))
    )
    net.operator("ADD", [large, small], [total], schema.AddOptionsT())
    linter = Linter(read_model(net.finish([large, small], [total]), "net.tflite"))
    gpu = Target.parse("gpu")
    assert linter.lint(gpu).summary.delegated == 0
    assert linter.lint(gpu, {"enhanced_broadcast": True}).summary.delegated == 1


def test_macs_are_counted_as_for_whole_networks():
    main = read_model(tiny_models.tiny_float(), "net.tflite").main
    channels, classes = tiny_models.CHANNELS, tiny_models.CLASSES
    assert [operator_macs(operator, main) for operator in main.operators] == [
        8 * 8 * channels * 3 * 3 * 3,
        0,
        channels * classes,
    ]


def test_macs_of_transposed_convolutions_and_matrices():
    net = tiny_models.Network()
    shape = net.tensor("shape", (4,), "int32", np.array([1, 8, 8, 5], np.int32))
    kernel, image = net.tensor("kernel", (5, 3, 3, 2)), net.tensor("image", (1, 4, 4, 2))
    wide = net.tensor("wide", (1, 8, 8, 5))
    net.operator("TRANSPOSE_CONV", [shape, kernel, image], [wide])
    a, b, c = net.tensor("a", (3, 4, 6)), net.tensor("b", (3, 6, 5)), net.tensor("c", (3, 4, 5))
    net.operator("BATCH_MATMUL", [a, b], [c])
    main = read_model(net.finish([image, kernel, a, b], [wide, c]), "net.tflite").main
    assert [operator_macs(operator, main) for operator in main.operators] == [
        4 * 4 * 2 * 3 * 3 * 5,
        3 * 4 * 5 * 6,
    ]
