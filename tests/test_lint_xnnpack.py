"""The rules of XNNPACK against LiteRT's own interpreter: same operators, same partitions."""

import numpy as np
import pytest

from converters.delegates.judging import judge_graph
from converters.delegates.levels import standing_of
from converters.delegates.partitions import crossing, readers_of, turns
from converters.delegates.rule_files import load_rules
from converters.delegates.verdict import Verdict
from converters.tflite_reader import read_model
from mobilekit.core.target import Target
from tests import tiny_models
from tests.interpreter_partitions import partitions
from tests.single_operators import FAMILIES

RULES = load_rules("xnnpack")
STANDING = standing_of(Target(delegate="xnnpack"), RULES)

TINY = {
    "float32": tiny_models.tiny_float(),
    "float16": tiny_models.tiny_float("float16"),
    "weight_only": tiny_models.tiny_float("weight_only"),
    "weight_only_pertensor": tiny_models.tiny_float("weight_only", per_channel=False),
    "dynamic": tiny_models.tiny_dynamic(),
    "dynamic_pertensor": tiny_models.tiny_dynamic(per_channel=False),
    "int8": tiny_models.tiny_int8(),
    "int8_pertensor": tiny_models.tiny_int8(per_channel=False),
    "int8_float_io": tiny_models.tiny_int8(float_io=True),
    "int8_uint8_out": tiny_models.tiny_int8(output="uint8"),
    "int8_float_dense": tiny_models.tiny_int8(dense="float32"),
    "island_taken": tiny_models.tiny_int8(island="LOGISTIC"),
    "island_refused": tiny_models.tiny_int8(island="SIGN"),
    "open_batch": tiny_models.tiny_dynamic_shape(),
    "two_signatures": tiny_models.two_signatures(),
}


def by_the_rules(content):
    """The file, and places of the main subgraph's operators by partition."""
    graph = read_model(content, "net.tflite")
    judged = judge_graph(graph, RULES, STANDING).judgements
    own = {place: one for (number, place), one in judged.items() if number == 0}
    taken = {place for place, one in own.items() if one.verdict is not Verdict.NO}
    found = [frozenset(turn.nodes) for turn in turns(graph.main, taken) if turn.taken]
    return graph, [seen(graph.main, nodes) for nodes in found]


def seen(subgraph, nodes):
    """Of a partition, what the interpreter shows: operators whose values leave it at last."""
    makers = {t: p for p in nodes for t in subgraph.operators[p].outputs}
    crossed = crossing(subgraph, nodes, readers_of(subgraph))
    entering = {t for t in crossed if t not in makers}
    todo = [t for t in crossed if t in makers]
    found = set()
    while todo:
        place = makers.get(todo.pop())
        if place is None or place in found:
            continue
        found.add(place)
        todo += [t for t in subgraph.operators[place].inputs if t >= 0 and t not in entering]
    return frozenset(found)


@pytest.mark.parametrize("name", TINY)
def test_a_tiny_file_falls_apart_as_the_interpreter_cuts_it(name):
    _, wanted = by_the_rules(TINY[name])
    assert set(partitions(TINY[name])) == set(wanted)


# Files of one operator.


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_single_operators_are_taken_as_the_interpreter_takes_them(family):
    decided = set()
    for content in family():
        graph, wanted = by_the_rules(content)
        operator = graph.main.operators[0]
        try:
            real = partitions(content)
        except (RuntimeError, ValueError):
            # The runtime's own kernels refuse it, so nothing was left for the delegate to say.
            assert not wanted
            continue
        assert set(real) == set(wanted), (operator, graph.main.tensors)
        decided.add(bool(real))
    assert decided == {True, False}


# One network of many forms, converted in every way; what XNNPACK refuses differs by type.


def many_forms():
    import keras
    from keras import layers

    start = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6", name="stem")(start)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Activation("hard_swish", name="swish")(x)
    left = layers.AveragePooling2D(2, name="average")(x)
    right = layers.MaxPooling2D(2, name="maximum")(x)
    x = layers.Add(name="add")([left, right])
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="excite")(gate)
    x = layers.Multiply(name="scale")([x, gate])
    x = layers.UpSampling2D(2, interpolation="nearest", name="nearest")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="bilinear")(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", name="transposed")(x)
    x = layers.ZeroPadding2D(1, name="pad")(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, name="dilated")(x)
    x = layers.LeakyReLU(negative_slope=0.2, name="leaky")(x)
    parts = [layers.Conv2D(2, 1, name=f"branch_{i}")(x) for i in range(6)]
    x = layers.Concatenate(name="six")(parts)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(5, name="logits")(x)
    return keras.Model(start, layers.Softmax(name="softmax")(x), name="forms")


RECIPES = (
    "float32",
    "float16",
    "dynamic_wi8_afp32",
    "weight_only_wi8_afp32",
    "static_wi8_ai8",
    "static_wi8_ai8_pertensor",
    "static_wi8_ai8_iofloat",
    "static_wi8_ai16",
    "dynamic_wi4_afp32",
)


@pytest.fixture(scope="module")
def float_file():
    from converters.freeze import freeze

    return freeze(many_forms())


@pytest.fixture(scope="module")
def ranges(float_file):
    from converters.calibration import calibrate

    random = np.random.default_rng(0)
    images = [random.uniform(-1, 1, (1, 16, 16, 3)).astype(np.float32) for _ in range(4)]
    return calibrate(float_file, images)


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize("name", RECIPES)
def test_a_network_of_many_forms_falls_apart_as_the_interpreter_cuts_it(name, float_file, ranges):
    from converters.convert import derive
    from converters.recipes import parse_recipe

    content = derive(float_file, parse_recipe(name), ranges=ranges)
    graph, wanted = by_the_rules(content)
    assert set(partitions(content)) == set(wanted)
    assert len(graph.main.operators) > 20  # nothing was folded to nothing
