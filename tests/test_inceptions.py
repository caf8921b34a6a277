"""GoogLeNet, BN-Inception and Inception V3: counts by hand, and what each option changes."""

import pytest

from tests.paper_notation import cost_of

pytestmark = pytest.mark.needs_tensorflow


def build(name, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(**options)


def inception_v3(five, three, across):
    """The network in the notation of the papers.

    Args:
        five: The larger kernel of the second tower of the first modules.
        three: That of the third.
        across: A function of filters: what stands for 7x7.
    """

    def module_b(c):
        return [
            "1x1 192",
            f"1x1 {c}, {across(c, 192)}",
            f"1x1 {c}, {across(c, c)}, {across(c, 192)}",
            "avg, 1x1 192",
        ]

    module_c = [
        "1x1 320",
        "1x1 384, 1x3 384 | 3x1 384",
        "1x1 448, 3x3 384, 1x3 384 | 3x1 384",
        "avg, 1x1 192",
    ]
    return [
        *["3x3/2 32", "3x3V 32", "3x3 64", "max", "1x1 80", "3x3V 192", "max"],
        *[
            ["1x1 64", f"1x1 48, {five}", f"1x1 64, {three}", f"avg, 1x1 {filters}"]
            for filters in (32, 64, 64)
        ],
        ["max", "3x3/2 384", "1x1 64, 3x3 96, 3x3/2 96"],
        *[module_b(c) for c in (128, 160, 160, 192)],
        ["max", "1x1 192, 3x3/2 320", f"1x1 192, {across(192, 192)}, 3x3/2 192"],
        *[module_c] * 2,
    ]


def thin(between, filters):
    return f"1x7 {between}, 7x1 {filters}"


@pytest.mark.parametrize(
    ("options", "network"),
    [
        ({}, ("5x5 64", "3x3 96, 3x3 96", thin)),
        ({"factorize": "3x3"}, ("3x3 64, 3x3 64", "3x3 96, 3x3 96", thin)),
        ({"factorize": "5x5"}, ("5x5 64", "5x5 96", thin)),
        ({"square": "square"}, ("5x5 64", "3x3 96, 3x3 96", lambda _, filters: f"7x7 {filters}")),
    ],
    ids=["released", "3x3", "5x5", "square"],
)
@pytest.mark.parametrize("gamma", ["no", "yes"])
def test_inception_v3_costs_what_its_figures_do_however_it_is_factored(options, network, gamma):
    from mobilekit.architectures.counts import count

    cost = cost_of(inception_v3(*network), size=299, classes=1000)
    found = count(build("inception_v3", gamma=gamma, **options))
    expected = (cost.trainable(gamma=gamma == "yes"), cost.total(gamma=gamma == "yes"), cost.macs)
    assert (found.trainable_params, found.total_params, found.macs) == expected


def test_nothing_is_activated_between_linear_factors():
    plain, linear = (build("inception_v3", between=between) for between in ("relu", "linear"))
    kept, left = ({layer.name for layer in model.layers} for model in (plain, linear))
    assert left < kept
    # Three pairs of 3x3, three pairs of 1x7 and 7x1 in four modules, and one in a reduction.
    firsts = {name.removesuffix("_relu") for name in kept - left}
    assert len(firsts) == 3 + 3 * 4 + 1
    kernels = [plain.get_layer(name).kernel_size for name in firsts]
    assert {kernel: kernels.count(kernel) for kernel in set(kernels)} == {
        (3, 3): 3,
        (1, 7): 5,
        (7, 1): 8,
    }


def test_linear_reductions_of_googlenet_are_those_before_larger_kernels():
    kept, left = (
        {layer.name for layer in build("googlenet", reduce=reduce).layers}
        for reduce in ("relu", "linear")
    )
    assert left < kept
    assert {name.removesuffix("_relu") for name in kept - left} == {
        "conv_2_reduce",
        *(
            f"inception_{module}_{part}_reduce"
            for module in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
            for part in ("3x3", "5x5")
        ),
    }


@pytest.mark.parametrize(
    ("name", "outputs"), [("googlenet", 3), ("googlenet_torchvision", 3), ("inception_v3", 2)]
)
def test_the_classifiers_of_training_are_outputs_behind_the_first(name, outputs):
    import keras

    from mobilekit.architectures.blocks import Head

    model = build(name, auxiliary="yes", classes=7)
    assert [tuple(each.shape) for each in model.outputs] == [(None, 7)] * outputs
    first = model.outputs[0]._keras_history.operation
    assert first.name == "logits"
    ends = build(name, auxiliary="yes", head=Head.PROBABILITIES).outputs
    assert all(isinstance(end._keras_history.operation, keras.layers.Softmax) for end in ends)
    assert len(build(name, auxiliary="yes", head=Head.NONE).outputs) == 1


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_a_network_without_classifiers_of_training_has_the_same_layers_else(name):
    plain, with_heads = (
        {layer.name for layer in build(name, auxiliary=auxiliary).layers}
        for auxiliary in ("no", "yes")
    )
    assert plain < with_heads
    assert all(layer.startswith("auxiliary") for layer in with_heads - plain)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("bn_inception", [256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024]),
        ("inception_v2", [256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024]),
    ],
)
def test_the_modules_of_bn_inception_have_the_channels_of_their_source(name, channels):
    import keras

    joined = [
        layer.output.shape[1:]
        for layer in build(name).layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert [shape[2] for shape in joined] == channels
    assert [shape[0] for shape in joined] == [28, 28, 14, 14, 14, 14, 14, 7, 7, 7]


@pytest.mark.parametrize("name", ["bn_inception", "inception_v2", "inception_v3"])
@pytest.mark.parametrize("target", ["none", "xnnpack"])
def test_a_counted_border_needs_no_correction(name, target):
    import keras

    kinds = (keras.layers.Rescaling, keras.layers.AveragePooling2D)
    counted = build(name, target=target, pool_padding="counted").layers
    ignored = build(name, target=target).layers
    found = [
        [sum(isinstance(each, kind) for each in layers) for kind in kinds]
        for layers in (counted, ignored)
    ]
    pools = 9 if name == "inception_v3" else 7
    expected = {"none": [[0, pools], [0, pools]], "xnnpack": [[0, 0], [pools, 0]]}
    assert found == expected[target]


def test_a_batch_norm_of_pytorchs_first_versions_is_a_row():
    import keras
    import numpy as np

    from mobilekit.weights.mapping import _to_keras_axes

    layer = keras.layers.BatchNormalization(name="norm")
    assert _to_keras_axes(np.ones((1, 5), np.float32), layer).shape == (5,)
