"""The peak of activations is that of the file's own operators, in their own order."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.needs_tensorflow


def branchy(blocks, names, *, activation="relu"):
    """Two modules of four towers, then a residual with a projection: Inception and ResNet."""
    import keras
    from keras import layers

    one, three, five, pool = names
    image = keras.Input((33, 33, 3), name="image")
    x = blocks.conv(image, 16, 3, stride=2, name="stem")
    for index in range(2):
        name = f"mixed_{index}"
        towers = [blocks.conv(x, 8, 1, name=f"{name}_{one}")]
        y = blocks.conv(x, 24, 1, name=f"{name}_{three}_reduce", activation=activation)
        towers.append(blocks.conv(y, 32, 3, name=f"{name}_{three}"))
        y = blocks.conv(x, 4, 1, name=f"{name}_{five}_reduce", activation=activation)
        y = blocks.conv(y, 6, 3, name=f"{name}_{five}_a")
        towers.append(blocks.conv(y, 8, 3, name=f"{name}_{five}_b"))
        y = blocks.max_pool(x, 3, stride=1, padding="same", name=f"{name}_{pool}")
        towers.append(blocks.conv(y, 8, 1, name=f"{name}_{pool}_project"))
        x = layers.Concatenate(name=name)(towers)
    shortcut = blocks.conv(x, 64, 1, stride=2, name="res_shortcut", activation="linear")
    y = blocks.conv(x, 16, 1, name="res_a")
    y = blocks.conv(y, 16, 3, stride=2, name="res_b")
    y = blocks.conv(y, 64, 1, name="res_c", activation="linear")
    x = blocks.activate(layers.Add(name="res_add")([y, shortcut]), "res")
    x = blocks.max_pool(x, 2, name="pool_ceil", padding="ceil")
    return keras.Model(image, blocks.classifier(x, 5, "logits"), name="net")


def preactivated(blocks):
    """Batch norm and ReLU before the convolution, which the converter can fuse into nothing."""
    import keras
    from keras import layers

    image = keras.Input((32, 32, 3), name="image")
    x = blocks.conv(image, 16, 3, name="stem", norm=False, activation="linear")
    for index in range(2):
        y = blocks.activate(blocks.norm(x, f"block_{index}"), f"block_{index}")
        y = blocks.conv(y, 16, 3, name=f"block_{index}_a")
        y = blocks.conv(y, 16, 3, name=f"block_{index}_b", norm=False, activation="linear")
        x = layers.Add(name=f"block_{index}_add")([x, y])
    x = layers.Concatenate(name="both")(
        [x, blocks.max_pool(x, 3, stride=1, padding="same", name="max")]
    )
    x = blocks.activate(x, "both")
    return keras.Model(image, blocks.classifier(x, 5, "logits"), name="preactivated")


def sequence(blocks):
    """VGG's and AlexNet's: pools, dense layers behind a Flatten, softmax."""
    import keras
    from keras import layers

    image = keras.Input((34, 34, 3), name="image")
    x = blocks.conv(image, 16, 11, stride=4, name="stem", norm=False, padding="valid")
    x = blocks.conv(x, 24, 3, name="conv", norm=False)
    x = blocks.max_pool(x, 2, name="max")
    x = layers.Flatten(name="flat")(x)
    x = blocks.activate(layers.Dense(40, name="hidden")(x), "hidden")
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(image, blocks.logits(x, 5, "probabilities"), name="sequence")


def squeezed(blocks):
    """Hard-swish, and squeeze-and-excitation with either gate: MobileNetV3's."""
    import keras

    from mobilekit.architectures.squeeze_excite import squeeze_excite

    image = keras.Input((32, 32, 3), name="image")
    x = blocks.conv(image, 16, 3, stride=2, name="stem", activation="hard_swish")
    for index, gate in enumerate(("hard_sigmoid", "sigmoid")):
        y = blocks.conv(x, 32, 1, name=f"block_{index}_expand", activation="hard_swish")
        y = blocks.depthwise(y, 3, name=f"block_{index}_depthwise", activation="linear")
        y = blocks.activate(y, f"block_{index}", "hard_swish" if index else "relu")
        y = squeeze_excite(blocks, y, 8, name=f"block_{index}_se", gate=gate)
        y = blocks.conv(y, 16, 1, name=f"block_{index}_project", activation="linear")
        x = keras.layers.Add(name=f"block_{index}_add")([x, y])
    return keras.Model(image, blocks.classifier(x, 5, "logits"), name="squeezed")


def averaged(blocks):
    """Average pools of both kinds of border, in a tower and alone: Inception's."""
    import keras

    image = keras.Input((32, 32, 3), name="image")
    x = blocks.conv(image, 16, 3, stride=2, name="stem")
    for index, border in enumerate(("ignored", "counted")):
        y = replace(blocks, border=border).average_pool(x, 3, name=f"mixed_{index}_pool")
        y = blocks.conv(y, 8, 1, name=f"mixed_{index}_project")
        z = blocks.conv(x, 8, 3, name=f"mixed_{index}_conv")
        x = keras.layers.Concatenate(name=f"mixed_{index}")([z, y])
    x = blocks.average_pool(x, 5, stride=3, padding="valid", name="last_pool")
    return keras.Model(image, blocks.classifier(x, 5, "logits"), name="averaged")


def scaled(blocks):
    """Residuals that are multiplied before they are added: Inception-ResNet's; ReLUs of their own.

    The last one is Xception's, of whose input both branches read something else.
    """
    import keras

    from mobilekit.architectures.inception_resnet import residual

    image = keras.Input((16, 16, 3), name="image")
    x = blocks.conv(image, 16, 3, name="stem")
    for index, scale in enumerate((0.5, 1.0)):
        y = blocks.conv(x, 24, 3, name=f"block_{index}_conv")
        x = residual(blocks, x, y, scale, "linear", f"block_{index}")
    y = blocks.activate_apart(x, "block_2")
    y = blocks.conv(y, 16, 3, name="block_2_conv", activation="linear")
    x = keras.layers.Add(name="block_2_add")([y, x])
    return keras.Model(image, blocks.classifier(x, 5, "logits"), name="scaled")


def architecture(name):
    from mobilekit.core.model import ModelSpec
    from mobilekit.networks import build_network

    spec = ModelSpec(architecture=name, alpha=0.25, input_size=(64, 64), classes=10)
    return build_network(spec)


NETWORKS = {
    "towers": lambda b: branchy(b, ("one", "three", "five", "pool")),
    "towers by other names": lambda b: branchy(b, ("z", "b", "c", "a")),
    "towers without an activation": lambda b: branchy(
        b, ("1", "10", "2", "3"), activation="linear"
    ),
    "preactivated": preactivated,
    "sequence": sequence,
    "averaged": averaged,
    "averaged, as its paper writes it": lambda b: averaged(replace(b, target="none")),
    "squeezed": squeezed,
    "squeezed, as its paper writes it": lambda b: squeezed(replace(b, target="none")),
    "scaled": scaled,
    "scaled, as its paper writes it": lambda b: scaled(replace(b, target="none")),
    "mobilenet_v1": lambda _: architecture("mobilenet_v1"),
    "mobilenet_v2": lambda _: architecture("mobilenet_v2"),
}


def blocks_of(flavour):
    from mobilekit.architectures import flavour as flavours
    from mobilekit.architectures.blocks import Blocks

    return Blocks(flavour=getattr(flavours, flavour), target="xnnpack")


def settle(model):
    """Batch norms that have seen something: those of a new network add nothing but zeros."""
    import keras

    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.weights])


@pytest.mark.parametrize("flavour", ["TENSORFLOW", "PYTORCH"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_peak_is_that_of_the_file(name, flavour):
    import keras

    from converters.freeze import freeze
    from converters.layer_names import LayerNames
    from converters.tflite_reader import read_model
    from mobilekit.architectures.file_order import peak_elements, steps_of
    from tests.memory import peak_of

    keras.utils.set_random_seed(0)
    model = NETWORKS[name](blocks_of(flavour))
    settle(model)
    graph = read_model(freeze(model), name)
    names = LayerNames(graph, [layer.name for layer in model.layers])
    written = [
        names.of(operator, graph.main)
        for operator in graph.main.operators
        if operator.name != "RESHAPE"
    ]
    expected = [(step.layer.name, *step.fused) for step in steps_of(model) if step.inputs]
    assert len(written) == len(expected)
    # The last operator's output is called "Identity", and a softmax has no weights to tell by.
    for name_in_file, layers in zip(written[:-1], expected[:-1], strict=True):
        assert name_in_file in layers
    assert peak_elements(model) == peak_of(graph.main)
