"""VGG's five configurations have as many layers with weights as their names say."""

import pytest

pytestmark = pytest.mark.needs_tensorflow


def build(name, **options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.core.loading import load

    with shapes_alone():
        return load(ARCHITECTURES[name].builder)(**options)


@pytest.mark.parametrize(
    ("name", "weighted"),
    [("vgg11", 11), ("vgg13", 13), ("vgg16_c", 16), ("vgg16", 16), ("vgg19", 19)],
)
def test_a_network_is_as_deep_as_it_is_called(name, weighted):
    assert sum(bool(layer.weights) for layer in build(name).layers) == weighted


def test_configuration_c_differs_from_d_in_kernels_alone():
    kernels = {
        name: [layer.kernel.shape for layer in build(name).layers if "conv" in layer.name
               and hasattr(layer, "kernel")]
        for name in ("vgg16_c", "vgg16")
    }  # fmt: skip
    pairs = list(zip(kernels["vgg16_c"], kernels["vgg16"], strict=True))
    assert all(c[2:] == d[2:] for c, d in pairs)
    assert [index for index, (c, d) in enumerate(pairs) if c[0] != d[0]] == [6, 9, 12]
    assert {c[:2] for c, d in pairs if c != d} == {(1, 1)}


def test_batch_norm_stands_between_every_convolution_and_its_activation_and_leaves_the_bias():
    plain, normed = (build("vgg11", norm=norm) for norm in ("none", "batch"))
    names = [layer.name for layer in normed.layers]
    convolutions = [layer for layer in plain.layers if layer.name.split("_")[-2:-1] == ["conv"]]
    assert len(convolutions) == 8
    for layer in convolutions:
        at = names.index(layer.name)
        assert names[at + 1 : at + 3] == [f"{layer.name}_bn", f"{layer.name}_relu"]
        assert normed.get_layer(layer.name).use_bias
    assert [name for name in names if not name.endswith("_bn")] == [x.name for x in plain.layers]
