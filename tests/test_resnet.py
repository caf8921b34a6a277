"""ResNet's options change what the paper says they change, and cost what it says they cost."""

import pytest

pytestmark = pytest.mark.needs_tensorflow


def build(name, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(**options)


def macs_of(model, prefix=""):
    from mobilekit.architectures.counts import layer_macs

    return sum(layer_macs(layer) for layer in model.layers if layer.name.startswith(prefix))


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_a_network_is_as_deep_as_it_is_called(depth):
    model = build(f"resnet{depth}", shortcut="none")
    assert sum(hasattr(layer, "kernel") for layer in model.layers) == depth


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_a_network_for_cifar_is_as_deep_as_it_is_called(depth):
    model = build(f"resnet{depth}_cifar")
    assert sum(hasattr(layer, "kernel") for layer in model.layers) == depth


def test_a_projection_in_a_bottleneck_doubles_its_time_and_its_size():
    block = "stage_1_block_2_"  # 256 -> 64 -> 64 -> 256 channels of 56x56 pixels
    without = macs_of(build("resnet50"), block)
    every = macs_of(build("resnet50", shortcut="projection_all"), block)
    assert without == 56 * 56 * 69_632
    assert every == 56 * 56 * (69_632 + 65_536)
    assert every / without == pytest.approx(1.94, abs=0.005)


@pytest.mark.parametrize(
    ("shortcut", "projections", "pads", "additions"),
    [("none", 0, 0, 0), ("zero_padding", 0, 3, 8), ("projection", 3, 0, 8),
     ("projection_all", 8, 0, 8)],
)  # fmt: skip
def test_a_shortcut_stands_where_the_paper_has_it(shortcut, projections, pads, additions):
    names = [layer.name for layer in build("resnet18", shortcut=shortcut).layers]
    assert sum(name.endswith("_shortcut") for name in names) == projections
    assert sum(name.endswith("_shortcut_pad") for name in names) == pads
    assert sum(name.endswith("_add") for name in names) == additions


@pytest.mark.parametrize(("stride_on", "halving"), [("1x1", "conv_1"), ("3x3", "conv_2")])
def test_the_stride_is_on_the_convolution_that_was_asked_for(stride_on, halving):
    model = build("resnet50", stride_on=stride_on)
    for stage in (2, 3, 4):
        strides = {
            part: model.get_layer(f"stage_{stage}_block_1_{part}").strides
            for part in ("conv_1", "conv_2", "conv_3", "shortcut")
        }
        assert {part for part, stride in strides.items() if stride == (2, 2)} == {
            halving,
            "shortcut",
        }


def test_a_stride_of_bottlenecks_is_refused_where_there_are_none():
    from mobilekit.core.errors import UsageError
    from mobilekit.core.model import ModelSpec
    from mobilekit.networks import count_network

    options = {"block": "basic", "stride_on": "3x3"}
    with pytest.raises(UsageError, match="leave one of the two away"):
        count_network(ModelSpec(architecture="resnet50", options=options))


@pytest.mark.parametrize("target", [None, "xnnpack"])
def test_zero_padding_leaves_pixels_out_and_adds_channels_of_zeros(target):
    import keras
    import numpy as np

    from mobilekit.architectures.blocks import Blocks
    from mobilekit.architectures.resnet import Residual

    residual = Residual(blocks=Blocks(target=target), kind="basic", shortcut="zero_padding")
    image = keras.Input((5, 6, 2))
    model = keras.Model(image, residual._shortcut(image, 5, 2, "block"))
    pixels = np.random.default_rng(0).normal(size=(1, 5, 6, 2)).astype(np.float32)
    found = np.asarray(model(pixels))
    assert (found[..., :2] == pixels[:, ::2, ::2]).all()
    assert found.shape == (1, 3, 3, 5)
    assert not found[..., 2:].any()
    assert not model.trainable_weights


@pytest.mark.parametrize(
    ("depth", "trainable", "total"),
    [(50, 25_583_592, 25_636_712), (101, 44_601_832, 44_707_176), (152, 60_268_520, 60_419_944)],
)
def test_with_the_biases_of_keras_it_has_the_parameters_of_keras(depth, trainable, total):
    from mobilekit.architectures.counts import count
    from mobilekit.architectures.flavour import KERAS_RESNET

    counts = count(build(f"resnet{depth}", flavour=KERAS_RESNET))
    assert (counts.trainable_params, counts.total_params) == (trainable, total)


@pytest.mark.parametrize("size", [(224, 224), (32, 64)])
def test_symmetric_borders_of_the_stem_give_the_same_map(size):
    from mobilekit.architectures.flavour import PYTORCH, TENSORFLOW

    shapes = [
        build("resnet18", input_size=size, flavour=flavour).get_layer("stem_pool").output.shape
        for flavour in (TENSORFLOW, PYTORCH)
    ]
    assert shapes == [(None, size[0] // 4, size[1] // 4, 64)] * 2
