"""Small Keras networks of every form that the converter meets; needs TensorFlow."""

import keras
import numpy as np
from keras import layers

SIZE = 16
CLASSES = 5


def image(channels=3):
    return keras.Input((SIZE, SIZE, channels), name="image")


def head(x):
    return layers.Dense(CLASSES, name="logits")(layers.GlobalAveragePooling2D(name="pool")(x))


def plain(channels=3):
    """Convolution, depthwise convolution, mean, dense."""
    first = image(channels)
    x = layers.Conv2D(8, 3, strides=2, activation="relu", name="conv")(first)
    x = layers.DepthwiseConv2D(3, activation="relu", name="depthwise")(x)
    return keras.Model(first, head(x), name="plain")


def sequential():
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3), name="image"),
            layers.Conv2D(8, 3, strides=2, activation="relu", name="conv"),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(CLASSES, name="logits"),
        ],
        name="sequential",
    )


def nested():
    """A model inside a model inside a model."""
    inner = keras.Sequential([image(8), layers.Conv2D(8, 3, name="conv")], name="inner")
    first = image(8)
    outer = keras.Model(first, layers.ReLU(name="relu")(inner(first)), name="backbone")
    start = image()
    x = layers.Conv2D(8, 1, name="stem")(start)
    return keras.Model(start, head(outer(x)), name="nested")


def shared():
    """One convolution that is used three times."""
    conv = layers.Conv2D(8, 3, padding="same", activation="relu", name="shared")
    start = image(8)
    return keras.Model(start, head(conv(conv(conv(start)))), name="shared_layers")


def dense():
    """No convolution, and no picture."""
    start = keras.Input((40,), name="features")
    x = layers.Dense(64, activation="relu", name="hidden")(start)
    return keras.Model(start, layers.Dense(CLASSES, name="logits")(x), name="dense")


def branches(as_dict=False):
    """Two inputs and two outputs whose names are in another order than they are."""
    picture, features = image(), keras.Input((40,), name="features")
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, name="conv")(picture))
    x = layers.Concatenate(name="both")([seen, layers.Dense(8, name="hidden")(features)])
    outputs = {"wide": layers.Dense(7, name="wide")(x), "small": layers.Dense(3, name="small")(x)}
    if as_dict:
        return keras.Model({"image": picture, "features": features}, outputs, name="branches")
    return keras.Model([picture, features], list(outputs.values()), name="branches")


def unrolled():
    start = keras.Input((6, 8), name="steps")
    return keras.Model(start, layers.LSTM(8, unroll=True, name="memory")(start), name="unrolled")


def recurrent():
    start = keras.Input((6, 8), name="steps")
    return keras.Model(start, layers.LSTM(8, name="memory")(start), name="recurrent")


def with_policy(policy):
    """The plain network, built under a policy of 16 bits."""
    keras.config.set_dtype_policy(policy)
    try:
        return plain()
    finally:
        keras.config.set_dtype_policy("float32")


def with_lambda():
    start = image()
    return keras.Model(start, head(layers.Lambda(lambda x: x * 2, name="twice")(start)))


class Doubling(layers.Layer):
    """Of nobody's package."""

    def call(self, inputs):
        return inputs * 2


def with_custom():
    start = image()
    return keras.Model(start, head(Doubling(name="double")(start)), name="custom")


def with_nan():
    model = nested()
    conv = model.get_layer("backbone").get_layer("inner").get_layer("conv")
    conv.kernel.assign(np.full(conv.kernel.shape, np.nan))
    return model


def open_dimension():
    start = keras.Input((None, None, 3), name="image")
    return keras.Model(start, head(layers.Conv2D(8, 3)(start)), name="open")


class Subclass(keras.Model):
    """Declares no inputs."""

    def __init__(self):
        super().__init__(name="subclass")
        self.dense = layers.Dense(CLASSES)

    def call(self, inputs):
        return self.dense(inputs)


def subclass():
    model = Subclass()
    model(np.zeros((1, 4), np.float32))
    return model
