"""Flattened and factorized layers compute, and leave out, what their papers say."""

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


def kernels_of(model, prefix):
    return sum(
        int(np.prod(layer.kernel.shape))
        for layer in model.layers
        if layer.name.startswith(prefix) and hasattr(layer, "kernel")
    )


@pytest.mark.parametrize(
    ("prefix", "full", "flat"), [("conv_2", 307_200, 31_232), ("conv_3", 819_200, 103_424)]
)
def test_a_flattened_convolution_has_8_to_10_times_fewer_weights(prefix, full, flat):
    assert kernels_of(build("flattened", convolution="full"), prefix) == full
    assert kernels_of(build("flattened"), prefix) == flat
    assert 7.9 <= full / flat <= 10


def test_a_flattened_convolution_keeps_the_map_and_has_one_activation():
    full, flat = (build("flattened", convolution=value) for value in ("full", "flattened"))
    for number in (1, 2, 3):
        pool = f"pool_{number}"
        assert full.get_layer(pool).output.shape == flat.get_layer(pool).output.shape
    names = [layer.name for layer in flat.layers]
    assert [name for name in names if name.startswith("conv_2")] == [
        *(f"conv_2_{part}_{level}" for level in (1, 2)
          for part in ("lateral", "vertical", "horizontal")),
        "conv_2_relu",
    ]  # fmt: skip


def test_with_full_convolutions_it_costs_what_the_plain_net_costs():
    from mobilekit.architectures.counts import count

    ours = count(build("factorized", convolution="full"))
    plain = count(build("resnet18", shortcut="none"))
    assert (ours.trainable_params, ours.macs) == (plain.trainable_params, plain.macs)


@settings(max_examples=6, deadline=None)
@given(
    axes=st.integers(1, 3),
    window=st.integers(1, 3),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 9),
)
def test_an_output_sees_exactly_the_window_of_inputs_that_begins_at_its_cell(
    axes, window, sizes, seed
):
    import keras

    from mobilekit.architectures.blocks import Blocks
    from mobilekit.architectures.topology import Torus

    cells = 4
    torus = Torus(axes=axes, cells=cells, window=window)
    channels, filters = (size * cells**axes for size in sizes)
    image = keras.Input((2, 1, channels))
    model = keras.Model(image, torus.project(Blocks(), image, filters, "project"))
    links = sum(np.prod(layer.kernel.shape) for layer in model.layers if hasattr(layer, "kernel"))
    assert links == channels * filters * window**axes // cells**axes

    place = np.random.default_rng(seed).integers(channels)
    pixels = np.zeros((1, 2, 1, channels), np.float32)
    pixels[..., place] = 1
    answers = np.asarray(model(pixels)).reshape(2, *(cells,) * axes, sizes[1])
    source = np.unravel_index(place // sizes[0], (cells,) * axes)
    for cell in np.ndindex(*(cells,) * axes):
        near = all((a - b) % cells < window for a, b in zip(source, cell, strict=True))
        assert (answers[(0, *cell)] != 0).all() == near
        assert (answers[(1, *cell)] != 0).any() == near


@pytest.mark.parametrize("size", [2, 3])
def test_a_deconvolution_by_depth_is_that_of_each_channel(size):
    import keras

    from mobilekit.architectures.blocks import LINEAR, Blocks
    from mobilekit.architectures.deconvolution import depthwise_deconvolution

    image = keras.Input((3, 4, 5))
    blocks = Blocks(activation=LINEAR)
    model = keras.Model(image, depthwise_deconvolution(blocks, image, size, "widen"))
    pixels = np.random.default_rng(0).normal(size=(1, 3, 4, 5)).astype(np.float32)
    kernel = np.array(
        [
            [np.ravel(model.get_layer(f"widen_{row}{column}").kernel) for column in range(size)]
            for row in range(size)
        ]
    )
    expected = np.einsum("nhwc,ijc->nhiwjc", pixels, kernel).reshape(1, 3 * size, 4 * size, 5)
    assert np.abs(np.asarray(model(pixels)) - expected).max() < 1e-6


def test_its_layers_are_listed_with_all_that_they_cost():
    from mobilekit.core.model import ModelSpec
    from mobilekit.networks import cost_network

    options = {"convolution": "bottleneck", "topology": "2d"}
    cost = cost_network(ModelSpec(architecture="factorized", options=options))
    assert sum(row.macs for row in cost.layers) == cost.counts.macs
    assert sum(row.total_params for row in cost.layers) == cost.counts.total_params
    [stem] = [row for row in cost.layers if row.name == "stem_pool"]
    assert stem.output_shape == (56, 56, 64)  # not that of the Reshape behind it


def test_an_odd_map_behind_a_bottleneck_is_cut_to_what_it_was():
    model = build("factorized", convolution="bottleneck")
    assert model.get_layer("stage_4_layer_1_widen").output.shape == (None, 8, 8, 512)
    assert model.get_layer("stage_4_layer_1_crop").output.shape == (None, 7, 7, 512)


def test_a_topology_without_projections_is_refused():
    from mobilekit.core.errors import UsageError

    with pytest.raises(UsageError, match="leave one of the two away"):
        build("factorized", convolution="full", topology="2d")
