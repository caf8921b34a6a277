"""Every architecture has the counts that its paper, or its layer table, gives."""

import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.model import ModelSpec

pytestmark = pytest.mark.needs_tensorflow

# (architecture, alpha, input size): trainable parameters, total parameters, MACs. The first five
# rows are recomputed from the layer tables and agree with the papers' rounded figures; slim's
# README prints 317M for the second, which is wrong. The last two round to slim's 6.06M and 1.66M.
COUNTS = {
    ("mobilenet_v1", 1.0, 224): (4_231_976, 4_253_864, 568_740_352),
    ("mobilenet_v1", 0.75, 224): (2_585_560, 2_601_976, 325_400_448),
    ("mobilenet_v1", 0.5, 160): (1_331_592, 1_342_536, 76_524_800),
    ("mobilenet_v1", 0.25, 128): (470_072, 475_544, 13_570_048),
    ("mobilenet_v2", 1.0, 224): (3_504_872, 3_538_984, 300_774_272),
    ("mobilenet_v2", 1.4, 224): (6_108_776, 6_156_712, 582_195_824),
    ("mobilenet_v2", 0.35, 224): (1_677_128, 1_691_208, 59_285_808),
    ("efficientnet_lite0", 1.0, 224): (4_652_008, 4_694_024, 385_187_552),
}


def build(name: str, **options):
    from mobilekit.networks import build_network

    return build_network(ModelSpec(architecture=name, **options))


@pytest.mark.parametrize(("name", "alpha", "size"), COUNTS)
def test_an_architecture_has_the_published_counts(name, alpha, size):
    from mobilekit.architectures.counts import count

    counts = count(build(name, alpha=alpha, input_size=(size, size)))
    assert (counts.trainable_params, counts.total_params, counts.macs) == COUNTS[name, alpha, size]


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.name)
def test_the_table_says_what_the_builder_builds(row):
    size = row.input_size[0]
    expected = (row.trainable_params, row.total_params, row.macs)
    assert COUNTS[row.name, 1.0, size] == expected, f"give {row.name} a row in COUNTS"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_builder_takes_the_common_options(name):
    import keras

    from mobilekit.architectures import blocks

    module, _, function = ARCHITECTURES[name].builder.partition(":")
    builder = getattr(__import__(module, fromlist=[function]), function)
    options = {"input_size": (64, 96), "classes": 7, "alpha": 0.25}
    assert builder(**options).output_shape == (None, 7)
    assert builder(**options, head=blocks.Head.NONE).output_shape[1:3] == (2, 3)
    probabilities = builder(**options, head=blocks.Head.PROBABILITIES)
    assert isinstance(probabilities.layers[-1], keras.layers.Softmax)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_both_flavours_have_the_same_weights_and_output(name):
    from mobilekit.architectures import blocks

    module, _, function = ARCHITECTURES[name].builder.partition(":")
    builder = getattr(__import__(module, fromlist=[function]), function)
    ours, theirs = (
        builder((64, 64), 7, 0.25, flavour=f) for f in (blocks.PYTORCH, blocks.TENSORFLOW)
    )
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert ours.output_shape == theirs.output_shape
    assert sum("pad" in layer.name for layer in ours.layers) == 5  # one each halving


def test_a_peak_counts_the_tensors_that_live_together():
    from mobilekit.architectures.counts import count

    # Stem 112x112x16 -> block 0 (depthwise in place of nothing: 16 + 16), project to 8, then
    # block 1 expands to 48 channels at 112x112 and its depthwise output at 56x56 joins it.
    model = build("mobilenet_v2", alpha=0.35)
    assert count(model).peak_activation_elements == 112 * 112 * 48 + 56 * 56 * 48


def test_equal_seeds_give_equal_weights_and_others_do_not():
    import numpy as np

    def first_weights(seed: int) -> np.ndarray:
        return build("mobilenet_v1", alpha=0.25, input_size=(32, 32), seed=seed).get_weights()[0]

    assert (first_weights(1) == first_weights(1)).all()
    assert (first_weights(1) != first_weights(2)).any()


def test_an_architecture_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'mobilenet_v2'"):
        build("mobilenetv2")


def test_a_size_that_does_not_fit_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match=r"mobilenet_v1 cannot be built with alpha 0\.01"):
        build("mobilenet_v1", alpha=0.01)
