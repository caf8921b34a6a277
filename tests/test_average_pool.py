"""An average pool computes the same as a depthwise convolution, which XNNPACK takes whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.needs_tensorflow

SHAPES = {"height": st.integers(1, 9), "width": st.integers(1, 9)}
WINDOWS = {"size": st.integers(2, 5), "stride": st.integers(1, 3)}


def pooled(image, target, border="ignored", **pool):
    import keras

    from mobilekit.architectures.blocks import Blocks

    inputs = keras.Input(image.shape[1:])
    model = keras.Model(
        inputs, Blocks(target=target, border=border).average_pool(inputs, name="pool", **pool)
    )
    assert model.trainable_weights == []
    return np.asarray(model(image))


def pixels(height, width):
    return np.random.default_rng(0).normal(1, 2, (1, height, width, 3)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(**SHAPES, **WINDOWS)
def test_the_form_of_a_pool_is_keras_own_pool(height, width, size, stride):
    import keras

    image = pixels(height, width)
    for padding in ["same", *["valid"] * (min(height, width) >= size)]:
        pool = {"size": size, "stride": stride, "padding": padding}
        expected = np.asarray(keras.layers.AveragePooling2D(size, stride, padding)(image))
        np.testing.assert_allclose(pooled(image, "xnnpack", **pool), expected, atol=1e-5)
        np.testing.assert_allclose(pooled(image, None, **pool), expected, atol=1e-5)


@settings(deadline=None, max_examples=10)
@given(**SHAPES, **WINDOWS)
def test_a_counted_border_is_one_of_zeros_in_both_forms(height, width, size, stride):
    image = pixels(height, width)
    pool = {"size": size, "stride": stride, "border": "counted"}
    plain, formed = (pooled(image, target, **pool) for target in (None, "xnnpack"))
    np.testing.assert_allclose(formed, plain, atol=1e-5)
    ones = pooled(np.ones_like(image), None, **pool)
    within = pooled(np.ones_like(image), None, **{**pool, "border": "ignored"})
    assert ones.min() > 0
    np.testing.assert_allclose(within, 1, atol=1e-6)
    np.testing.assert_allclose(ones * pooled(image, None, size=size, stride=stride), plain, 1e-4)


def branches(target):
    """A convolution, a pool and a 1x1 convolution behind it, beside another branch."""
    import keras
    from keras import layers

    from mobilekit.architectures.blocks import Blocks

    keras.utils.set_random_seed(0)
    blocks = Blocks(target=target)
    image = keras.Input((15, 15, 3), name="image")
    x = blocks.conv(image, 32, 3, name="conv", norm=False)
    y = blocks.average_pool(x, 3, name="pool")
    sides = [blocks.conv(each, 16, 1, name=name, norm=False) for each, name in ((x, "a"), (y, "b"))]
    return keras.Model(image, layers.Concatenate(name="concat")(sides))


def test_the_int8_form_is_one_partition_and_no_less_accurate_than_the_operator():
    from converters.answers import FileAnswers
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.fidelity import snr_db
    from converters.freeze import freeze
    from converters.partitions import partitions_of
    from converters.recipes import RECIPES

    random = np.random.default_rng(0)
    images = [random.normal(0, 1, (1, 15, 15, 3)).astype(np.float32) for _ in range(8)]
    decibels = {}
    for target, outside in (("none", ("AVERAGE_POOL_2D",)), ("xnnpack", ())):
        content = freeze(branches(target))
        recipe = RECIPES["static_wi8_ai8"].recipe
        int8 = derive(content, recipe, ranges=calibrate(content, images))
        assert partitions_of(int8).outside == outside
        expected, found = (
            np.stack([FileAnswers(each).of([image])[0] for image in images])
            for each in (content, int8)
        )
        decibels[target] = snr_db(expected, found)
    assert decibels["xnnpack"] >= decibels["none"]
