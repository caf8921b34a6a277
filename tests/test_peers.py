"""The networks of keras.applications answer as ours do, with the same weights."""

from dataclasses import replace

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.loading import load
from mobilekit.core.model import ModelSpec
from mobilekit.weights.keras_applications import APPLICATIONS

pytestmark = pytest.mark.needs_tensorflow

CLASSES = 10
# Applications that an argument makes of others.
MINIMALISTIC = [
    replace(
        row,
        options={"minimalistic": "yes"},
        arguments={**row.arguments, "minimalistic": True},
        names=f"{row.names}_minimalistic",
    )
    for row in APPLICATIONS.values()
    if row.name.startswith("mobilenet_v3")
]
# Networks whose dense layers have weights for every pixel, so that small inputs keep them small,
# those of which Keras refuses an input of 64, and the deepest.
SMALL = {
    "vgg16": (32, 64),
    "vgg19": (32, 64),
    "resnet50": (32, 64),
    "resnet101": (32, 64),
    "resnet152": (32, 64),
    "inception_resnet_v2": (75, 107),
    "xception": (71, 96),
}
# Of their logits' range.
TOLERANCE = 1e-4


def cases():
    """Two input sizes of every application, and two widths where it has them.

    The sizes are multiples of 32: Keras pads odd maps of some networks otherwise than SAME does.
    """
    for row in (*APPLICATIONS.values(), *MINIMALISTIC):
        small = -(-max(64, ARCHITECTURES[row.name].min_input_size) // 32) * 32
        widths = row.alphas if ARCHITECTURES[row.name].has_alpha else (1.0,)
        for alpha in widths:
            for size in SMALL.get(row.name, (small, small + 64)):
                name = "-".join((row.name, *row.options))
                yield pytest.param(row, alpha, size, id=f"{name}-{alpha}-{size}")


def build_theirs(row, alpha, size):
    """The application with random weights whose batch norm has seen something."""
    import keras

    width = {"alpha": alpha} if ARCHITECTURES[row.name].has_alpha else {}
    keras.utils.set_random_seed(1)
    theirs = getattr(keras.applications, row.function)(
        input_shape=(size, size, 3),
        weights=None,
        classes=CLASSES,
        classifier_activation=None,
        **width,
        **row.arguments,
    )
    random = np.random.default_rng(1)
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = {
                "gamma": lambda shape: random.uniform(0.5, 1.5, shape),
                "beta": lambda shape: random.normal(0, 0.3, shape),
                "moving_mean": lambda shape: random.normal(0, 0.3, shape),
                "moving_variance": lambda shape: random.uniform(0.5, 1.5, shape),
            }
            for variable in layer.weights:
                variable.assign(values[variable.name](variable.shape))
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.normal(0, 0.1, layer.bias.shape))
    return theirs


def build_ours(row, alpha, size):
    from mobilekit.networks import build_network

    return build_network(
        ModelSpec(
            architecture=row.name,
            alpha=alpha,
            input_size=(size, size),
            classes=CLASSES,
            options=row.options,
        ),
        flavour=row.flavour,
    )


@pytest.mark.parametrize(("row", "alpha", "size"), list(cases()))
def test_ours_answers_as_the_application_with_its_weights(row, alpha, size):
    from mobilekit.weights.mapping import load_keras_weights

    theirs = build_theirs(row, alpha, size)
    ours = build_ours(row, alpha, size)
    load_keras_weights(ours, load(row.names)(), theirs)
    images = np.random.default_rng(2).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    expected = np.asarray(theirs(images, training=False))
    found = np.asarray(ours(images, training=False))
    assert np.ptp(expected, axis=1).min() > 1e-3  # else everything would agree
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
