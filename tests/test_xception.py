"""Xception: counts from figure 5, where activations stand, and the modules on the way to it."""

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.target import DEFAULT_TARGET

pytestmark = pytest.mark.needs_tensorflow

# Figure 5: the map's side before and behind each block, and the widths of its modules.
BLOCKS = (
    (147, 74, (128, 128)),
    (74, 37, (256, 256)),
    (37, 19, (728, 728)),
    *((19, None, (728, 728, 728)),) * 8,
    (19, 10, (728, 1024)),
)
SEPARABLE = "separable"


def counted(module):
    """Trainable and total parameters, multiplications, of 299x299 and 1000 classes by hand.

    `module` is how many 3x3 convolutions share the channels of a 1x1; or a separable convolution.
    """
    weights = normed = macs = 0

    def add(made, side, channels):
        nonlocal weights, normed, macs
        weights, normed, macs = weights + made, normed + channels, macs + made * side**2

    def add_module(inputs, outputs, side):
        if module == SEPARABLE:
            add(9 * inputs, side, 0)
            add(inputs * outputs, side, outputs)
        else:
            groups = outputs if module == "extreme" else int(module)
            add(inputs * outputs, side, outputs)
            add(9 * outputs * outputs // groups, side, outputs)

    add(9 * 3 * 32, 149, 32)
    add(9 * 32 * 64, 147, 64)
    channels = 64
    for side, halved, widths in BLOCKS:
        if halved:
            add(channels * widths[-1], halved, widths[-1])
        for width in widths:
            add_module(channels, width, side)
            channels = width
    for width in (1536, 2048):
        add_module(channels, width, 10)
        channels = width
    weights += 2048 * 1000 + 1000
    return weights + 2 * normed, weights + 4 * normed, macs + 2048 * 1000


def build(name, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(**options)


def counts(row):
    return row.trainable_params, row.total_params, row.macs


def test_xception_has_the_counts_of_figure_5():
    assert counts(ARCHITECTURES["xception"]) == counted(SEPARABLE)


def test_every_number_of_segments_has_the_counts_that_follow():
    from mobilekit.architectures.counts import count

    row = ARCHITECTURES["xception_towers"]
    assert counts(row) == counted("4")
    for segments in row.options[0].values:
        assert counts(count(build(row.name, segments=segments))) == counted(segments)


@pytest.mark.parametrize(("between", "activations"), [("linear", 0), ("relu", 34), ("elu", 34)])
def test_the_option_alone_puts_activations_behind_depthwise_convolutions(between, activations):
    model = build("xception", between=between)
    behind = [
        node.operation.name
        for layer in model.layers
        if layer.name.endswith("_depthwise")
        for node in layer._outbound_nodes
    ]
    assert len(behind) == 34  # of 36 layers: two are plain convolutions
    assert sum(name.endswith(f"_{between}") for name in behind) == activations
    assert not any(each.use_bias for each in model.layers if each.name.endswith("_depthwise"))


def test_segments_do_not_overlap():
    import keras

    from mobilekit.architectures.xception import xception_towers

    keras.utils.set_random_seed(0)
    model = xception_towers(input_size=(37, 37), classes=2)
    layer = model.get_layer("entry_0_0_3x3")
    x = np.random.default_rng(0).normal(0, 1, (1, 16, 16, 128)).astype(np.float32)
    before = np.asarray(layer(x))
    x[..., 32:64] += 1  # the second of four segments
    changed = np.abs(np.asarray(layer(x)) - before).max((0, 1, 2)) > 1e-6
    assert list(np.flatnonzero(changed)) == list(range(32, 64))


def test_a_relu_of_its_own_is_within_a_constant_convolution_where_the_target_asks():
    import keras

    formed, plain = (build("xception", target=target) for target in (DEFAULT_TARGET, None))
    constants = [each.name for each in formed.layers if each.name.endswith("_constant")]
    assert len(constants) == 11  # blocks whose input is read by the shortcut too, but the first
    assert {layer.name for layer in formed.layers} - {layer.name for layer in plain.layers} == {
        *constants
    }
    assert [w.path for w in formed.trainable_weights] == [w.path for w in plain.trainable_weights]
    ones = keras.initializers.get("ones")
    for name in constants:
        layer = formed.get_layer(name)
        assert type(layer.depthwise_initializer) is type(ones)
        assert (layer.kernel_size, layer.use_bias, layer.trainable) == ((1, 1), False, False)
