"""SqueezeNet's bypasses, its pools over the border, and its classifier of maps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.needs_tensorflow


def build(name, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(**options)


@settings(deadline=None, max_examples=25)
@given(height=st.integers(3, 12), width=st.integers(3, 12), size=st.sampled_from([2, 3]))
def test_a_ceil_pool_reaches_over_the_lower_and_the_right_edge_alone(height, width, size):
    import keras

    from mobilekit.architectures.blocks import Blocks

    image = keras.Input((height, width, 2))
    pooled = Blocks().max_pool(image, size, name="pool", padding="ceil")
    x = np.random.default_rng(0).normal(-5, 1, (1, height, width, 2)).astype(np.float32)
    rows, columns = (math.ceil((length - size) / 2) + 1 for length in (height, width))
    expected = np.array(
        [
            [x[0, 2 * r : 2 * r + size, 2 * c : 2 * c + size].max((0, 1)) for c in range(columns)]
            for r in range(rows)
        ]
    )
    found = np.asarray(keras.Model(image, pooled)(x))[0]
    np.testing.assert_array_equal(found, expected)


def test_a_ceil_pool_that_no_padding_makes_is_refused():
    import keras

    from mobilekit.architectures.blocks import Blocks

    with pytest.raises(ValueError, match="no padding is a ceil pool of 5/2 over 8 pixels"):
        Blocks().max_pool(keras.Input((8, 8, 1)), 5, name="pool", padding="ceil")


@pytest.mark.parametrize("name", ["squeezenet_1_0", "squeezenet_1_1"])
@pytest.mark.parametrize(
    ("bypass", "added", "widened"),
    [
        ("no", [], []),
        ("simple", [3, 5, 7, 9], []),
        ("complex", [2, 3, 4, 5, 6, 7, 8, 9], [2, 4, 6, 8]),
    ],
)
def test_a_bypass_goes_around_the_modules_that_the_paper_names(name, bypass, added, widened):
    names = [layer.name for layer in build(name, bypass=bypass).layers]
    assert [n for n in names if n.endswith("_add")] == [f"fire_{i}_add" for i in added]
    assert [n for n in names if n.endswith("_bypass")] == [f"fire_{i}_bypass" for i in widened]
    assert not any(n.startswith("fire") and n.endswith("_bypass_relu") for n in names)


@pytest.mark.parametrize(
    ("name", "size", "maps"),
    [
        ("squeezenet_1_0", 224, [54, 27, 13]),
        ("squeezenet_1_0", 227, [55, 27, 13]),
        ("squeezenet_1_1", 224, [55, 27, 13]),
        ("squeezenet_1_1", 227, [56, 28, 14]),
    ],
)
def test_pools_give_the_maps_of_the_published_networks(name, size, maps):
    pools = [x for x in build(name, input_size=(size, size)).layers if x.name.startswith("pool")]
    assert [pool.output.shape[1:3] for pool in pools] == [(side, side) for side in maps]


def test_logits_are_means_of_what_a_relu_lets_through():
    from mobilekit.architectures.squeezenet import squeezenet_1_1

    model = squeezenet_1_1(input_size=(32, 32), classes=50)
    images = np.random.default_rng(0).normal(0, 1, (2, 32, 32, 3)).astype(np.float32)
    logits = np.asarray(model(images))
    assert logits.min() >= 0 < logits.max()
    assert model.get_layer("logits").input is model.get_layer("conv_10_relu").output
