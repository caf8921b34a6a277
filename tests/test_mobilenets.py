"""What the papers of the MobileNets say of their layers, beside the totals."""

import math

import pytest

from mobilekit.core.model import ModelSpec
from mobilekit.core.target import FORMS

pytestmark = pytest.mark.needs_tensorflow


def network(name, target="none", **options):
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.architectures.flavour import TENSORFLOW
    from mobilekit.networks import shapes_of

    size = ARCHITECTURES[name].input_size
    return shapes_of(
        ModelSpec(architecture=name, input_size=size, options=options, target=target), TENSORFLOW
    )


def macs(layer):
    from mobilekit.architectures.counts import layer_macs

    return layer_macs(layer)


def test_mobilenet_v1_spends_its_work_where_table_2_says():
    from keras import layers

    kinds = {"pointwise": 0, "depthwise": 0, "stem": 0, "logits": 0}
    params = dict(kinds)
    for layer in network("mobilenet_v1").layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
            kind = layer.name.rpartition("_")[2]
            kinds[kind] += macs(layer)
            params[kind] += math.prod(layer.kernel.shape)
    total, weights = sum(kinds.values()), sum(params.values())
    shares = {kind: round(100 * count / total, 2) for kind, count in kinds.items()}
    # The table prints 1.19 for the stem, and so adds up to 99.29.
    assert shares == {"pointwise": 94.86, "depthwise": 3.06, "stem": 1.91, "logits": 0.18}
    held = {kind: round(100 * count / weights, 2) for kind, count in params.items()}
    assert held == {"pointwise": 74.59, "depthwise": 1.06, "stem": 0.02, "logits": 24.33}


@pytest.mark.parametrize(
    ("channels", "size", "convolution", "millions"),
    [
        (512, 14, "full", 462),
        (512, 14, "separable", 52.3),
        (384, 14, "separable", 29.6),
        (384, 10, "separable", 15.1),
    ],
)
def test_one_layer_costs_what_table_3_says(channels, size, convolution, millions):
    import keras

    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures.blocks import Blocks

    with shapes_alone():
        image = keras.Input((size, size, channels))
        if convolution == "full":
            x = Blocks().conv(image, channels, 3, name="full")
        else:
            x = Blocks().depthwise(image, 3, name="depthwise")
            x = Blocks().conv(x, channels, 1, name="pointwise")
        found = sum(macs(layer) for layer in keras.Model(image, x).layers)
    digits = 0 if millions > 100 else 1
    assert round(found / 1e6, digits) == millions


def test_the_twins_of_mobilenet_v1_have_its_maps_but_five_blocks():
    def maps(**options):
        ends = ("pointwise", "full")
        found = network("mobilenet_v1", **options).layers
        return [layer.output.shape[1:] for layer in found if layer.name.endswith(ends)]

    plain = maps()
    assert maps(convolution="full") == plain
    assert maps(depth="shallow") == plain[:6] + plain[11:]
    assert plain[6:11] == [(14, 14, 512)] * 5


@pytest.mark.parametrize(
    ("name", "squeezed", "swishes"),
    # Stem, the last convolution and the head, and two in a block of Tables 1 and 2.
    [("mobilenet_v3_large", 8, 3 + 2 * 9), ("mobilenet_v3_small", 9, 3 + 2 * 8)],
)
def test_options_of_mobilenet_v3_take_away_what_they_name(name, squeezed, swishes):
    def found(**options):
        names = [layer.name for layer in network(name, **options).layers]
        kernels = {
            layer.kernel_size
            for layer in network(name, **options).layers
            if "depthwise" in layer.name and hasattr(layer, "kernel_size")
        }
        return (
            sum(each.endswith("_se_multiply") for each in names),
            sum(each.endswith("_hard_swish") for each in names),
            (5, 5) in kernels,
        )

    assert found() == (squeezed, swishes, True)
    assert found(squeeze_excite="no") == (0, swishes, True)
    assert found(activation="relu") == (squeezed, 0, True)
    assert found(minimalistic="yes") == (0, 0, False)


def test_what_changes_a_network_is_no_form_that_a_target_may_choose():
    assert not FORMS["relu_for_hard_swish"].exact
    assert not FORMS["no_squeeze_excite"].exact
    assert FORMS["hard_swish_by_relu6"].exact


@pytest.mark.parametrize(
    ("target", "operators"),
    [("none", {"HARD_SWISH"}), ("xnnpack", {"ADD", "MUL"})],
)
def test_the_converter_leaves_the_form_of_hard_swish_as_it_is(target, operators):
    import keras

    from converters.freeze import freeze
    from converters.tflite_reader import read_model
    from mobilekit.architectures.blocks import Blocks

    image = keras.Input((4, 4, 3))
    model = keras.Model(image, Blocks(target=target).activate(image, "x", "hard_swish"))
    found = {each.name for each in read_model(freeze(model), "the file").main.operators}
    assert found == operators


def test_hard_swish_is_the_papers_in_every_form():
    import numpy as np

    from mobilekit.architectures.activations import ACTIVATIONS

    x = np.linspace(-8, 8, 1001, dtype=np.float32)
    expected = x * np.minimum(np.maximum(x + 3, 0), 6) / 6
    for name in ("hard_swish", "hard_swish_by_relu6"):
        np.testing.assert_allclose(np.asarray(ACTIVATIONS[name]("x")(x)), expected, atol=1e-6)
    gate = np.asarray(ACTIVATIONS["hard_sigmoid"]("x")(x))
    np.testing.assert_allclose(gate * x, expected, atol=1e-6)


def test_a_network_with_forms_is_saved_and_read_again(tmp_path):
    import keras

    from mobilekit.architectures.blocks import Blocks
    from mobilekit.architectures.squeeze_excite import squeeze_excite

    blocks = Blocks(target="xnnpack", activation="hard_swish")
    image = keras.Input((4, 4, 8))
    model = keras.Model(image, squeeze_excite(blocks, blocks.activate(image, "x"), 8, name="se"))
    model.save(tmp_path / "net.keras")
    pixels = keras.random.uniform((1, 4, 4, 8), -4, 4, seed=1)
    again = keras.models.load_model(tmp_path / "net.keras")
    assert bool(keras.ops.all(again(pixels) == model(pixels)))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("mobilenet_v4_conv_small", [112, 56, 28, 14, 7]),
        ("mobilenet_v4_conv_medium", [128, 64, 32, 16, 8]),
        ("mobilenet_v4_conv_large", [192, 96, 48, 24, 12]),
    ],
)
def test_every_stage_of_mobilenet_v4_halves_its_map(name, sizes):
    shapes = [layer.output.shape for layer in network(name).layers[1:]]
    maps = [shape[1] for shape in shapes if len(shape) == 4 and shape[1] > 1]
    assert list(dict.fromkeys(maps)) == sizes


def test_the_first_depthwise_convolution_of_a_bottleneck_is_linear():
    layers = {layer.name: layer for layer in network("mobilenet_v4_conv_small").layers}
    assert "block_4_start_bn" in layers
    assert "block_4_start_relu" not in layers
    assert layers["block_4_start"].strides == (1, 1)  # the one in the middle strides
    assert layers["block_4_depthwise"].strides == (2, 2)
    assert "block_9_depthwise" not in layers  # like ConvNeXt's: one at the start alone
