"""Inception-v4, Inception-ResNets: counts from the figures, residuals, their scales."""

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from tests.paper_notation import cost_of

pytestmark = pytest.mark.needs_tensorflow

STEM = ["3x3/2 32", "3x3V 32", "3x3 64"]
INCEPTION_V4 = [
    *STEM,
    ["max", "3x3/2 96"],
    ["1x1 64, 3x3V 96", "1x1 64, 7x1 64, 1x7 64, 3x3V 96"],
    ["3x3/2 192", "max"],
    *[["avg, 1x1 96", "1x1 96", "1x1 64, 3x3 96", "1x1 64, 3x3 96, 3x3 96"]] * 4,
    ["max", "3x3/2 384", "1x1 192, 3x3 224, 3x3/2 256"],
    *[
        [
            "avg, 1x1 128",
            "1x1 384",
            "1x1 192, 1x7 224, 7x1 256",
            "1x1 192, 1x7 192, 7x1 224, 1x7 224, 7x1 256",
        ]
    ]
    * 7,
    ["max", "1x1 192, 3x3/2 192", "1x1 256, 1x7 256, 7x1 320, 3x3/2 320"],
    *[
        [
            "avg, 1x1 256",
            "1x1 256",
            "1x1 384, 1x3 256 | 3x1 256",
            "1x1 384, 1x3 448, 3x1 512, 3x1 256 | 1x3 256",
        ]
    ]
    * 3,
]
REDUCTION_B = "1x1 256, 3x3/2 384"
INCEPTION_RESNET_V1 = [
    *STEM,
    "max",
    *["1x1 80", "3x3V 192", "3x3/2 256"],
    *[("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 32, 3x3 32")] * 5,
    ["max", "3x3/2 384", "1x1 192, 3x3 192, 3x3/2 256"],
    *[("1x1 128", "1x1 128, 1x7 128, 7x1 128")] * 10,
    ["max", REDUCTION_B, "1x1 256, 3x3/2 256", "1x1 256, 3x3 256, 3x3/2 256"],
    *[("1x1 192", "1x1 192, 1x3 192, 3x1 192")] * 5,
]
INCEPTION_RESNET_V2 = [
    *STEM,
    *["max", "1x1 80", "3x3V 192", "max"],
    ["1x1 96", "1x1 48, 5x5 64", "1x1 64, 3x3 96, 3x3 96", "avg, 1x1 64"],
    *[("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 48, 3x3 64")] * 10,
    ["max", "3x3/2 384", "1x1 256, 3x3 256, 3x3/2 384"],
    *[("1x1 192", "1x1 128, 1x7 160, 7x1 192")] * 20,
    ["max", REDUCTION_B, "1x1 256, 3x3/2 288", "1x1 256, 3x3 288, 3x3/2 320"],
    *[("1x1 192", "1x1 192, 1x3 224, 3x1 256")] * 10,
    "1x1 1536",
]
NETWORKS = {
    "inception_v4": INCEPTION_V4,
    "inception_resnet_v1": INCEPTION_RESNET_V1,
    "inception_resnet_v2": INCEPTION_RESNET_V2,
}


def build(name, size=75, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(input_size=(size, size), classes=10, **options)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("size", "gamma"), [(75, "no"), (96, "yes")])
def test_counts_follow_from_the_figures(name, size, gamma):
    from mobilekit.architectures.counts import count

    found = count(build(name, size, gamma=gamma))
    written = cost_of(NETWORKS[name], size=size, classes=10)
    assert found.macs == written.macs
    assert found.trainable_params == written.trainable(gamma=gamma == "yes")
    assert found.total_params == written.total(gamma=gamma == "yes")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_row_says_what_follows_from_the_figures(name):
    row, written = ARCHITECTURES[name], cost_of(NETWORKS[name], size=299, classes=1000)
    assert row.trainable_params == written.trainable()
    assert row.total_params == written.total()
    assert row.macs == written.macs


@pytest.mark.parametrize(
    ("name", "channels"),
    [("inception_v4", 1536), ("inception_resnet_v1", 1792), ("inception_resnet_v2", 1536)],
)
def test_one_pixel_is_left_of_the_smallest_image_and_64_of_the_published(name, channels):
    from mobilekit.architectures.blocks import Head

    assert build(name, head=Head.NONE).output_shape == (None, 1, 1, channels)
    assert build(name, 299, head=Head.NONE).output_shape == (None, 8, 8, channels)


@pytest.mark.parametrize(
    ("name", "residuals", "bare"),
    [("inception_resnet_v1", [5, 10, 5], 0), ("inception_resnet_v2", [10, 20, 9], 1)],
)
def test_residuals_are_scaled_and_activated_behind_the_addition(name, residuals, bare):
    import keras

    model = build(name)
    scales = [each for each in model.layers if isinstance(each, keras.layers.Rescaling)]
    found = [sum(each.scale == scale for each in scales) for scale in (0.17, 0.10, 0.20)]
    assert found == residuals
    additions = [each for each in model.layers if isinstance(each, keras.layers.Add)]
    activated = {
        each.name.removesuffix("_relu")
        for each in model.layers
        if isinstance(each, keras.layers.ReLU)
    }
    behind = [each.name.removesuffix("_add") in activated for each in additions]
    # The last addition of v2 is neither scaled nor activated, as in slim.
    assert behind == [True] * sum(residuals) + [False] * bare


def test_without_scaling_the_weights_are_the_same():
    plain, scaled = (build("inception_resnet_v1", scaling=each) for each in ("no", "yes"))
    assert [w.path for w in plain.weights] == [w.path for w in scaled.weights]
    assert not any("_scale" in layer.name for layer in plain.layers)


def test_the_converter_folds_scales_into_the_linear_convolutions():
    import keras

    from converters.freeze import freeze
    from converters.tflite_reader import read_model
    from mobilekit.architectures.blocks import Blocks
    from mobilekit.architectures.inception_resnet import residual

    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 8), name="image")
    blocks = Blocks()
    y = blocks.conv(image, 4, 1, name="tower")
    model = keras.Model(image, residual(blocks, image, y, 0.17, "relu", "block"))
    content = freeze(model)
    kinds = [each.name for each in read_model(content, "the float file").main.operators]
    assert kinds == ["CONV_2D", "CONV_2D", "ADD"]
    x = np.random.default_rng(0).normal(0, 1, (1, 4, 4, 8)).astype(np.float32)
    tower = np.asarray(keras.Model(image, y)(x))
    kernel = np.asarray(model.get_layer("block_expand").kernel)[0, 0]
    np.testing.assert_allclose(
        np.asarray(model(x)), np.maximum(x + 0.17 * (tower @ kernel), 0), atol=1e-5
    )


def test_towers_that_part_are_concatenated_before_the_others():
    import keras

    model = build("inception_v4")
    widths = [
        len(each.input) for each in model.layers if isinstance(each, keras.layers.Concatenate)
    ]
    assert max(widths) == 4  # XNNPACK takes five
