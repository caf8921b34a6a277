"""Large kernels go around TensorFlow's converter, and arrive where they belong."""

import numpy as np
import pytest

from converters.answers import FileAnswers
from converters.fidelity import snr_db
from converters.tflite_reader import read_model

pytestmark = pytest.mark.needs_tensorflow

SIDE = 8
ALL = 0  # freeze(large_bytes=ALL) takes the way of large models
LEAST_DB = 110.0  # a scale that is read back has half a step of float32 more error


def image(channels=16):
    import keras

    return keras.Input((SIDE, SIDE, channels), name="image")


def net(first, x):
    import keras

    return keras.Model(first, x, name="net")


def plain():
    """Convolutions, a separable one, a dense layer after Flatten: nothing is multiplied."""
    from keras import layers

    first = image()
    x = layers.Conv2D(32, 3, activation="relu", name="conv")(first)
    x = layers.SeparableConv2D(64, 3, name="separable")(x)
    return net(first, layers.Dense(10, name="logits")(layers.Flatten()(x)))


def normed():
    """Batch norms that training has moved, equal shapes one after the other, a residual sum."""
    from keras import layers

    first = image()
    x = first
    for index in range(4):
        y = layers.Conv2D(16, 3, padding="same", use_bias=False, name=f"conv_{index}")(x)
        y = layers.BatchNormalization(scale=index % 2 == 0, name=f"bn_{index}")(y)
        x = layers.Add()([x, layers.ReLU(6.0)(y)])
    x = layers.GlobalAveragePooling2D()(x)
    return net(first, layers.Dense(100, name="logits")(x))


def untrained_norms():
    """The same with batch norms that are all alike."""
    return normed()


def nested():
    """The batch norm of a convolution in another model."""
    import keras
    from keras import layers

    start = image()
    inner = keras.Model(start, layers.Conv2D(32, 3, name="conv")(start), name="inner")
    first = image()
    x = layers.BatchNormalization(name="bn")(inner(first))
    return net(first, layers.Dense(64, name="logits")(layers.Flatten()(x)))


def shared():
    from keras import layers

    conv = layers.Conv2D(16, 3, padding="same", name="conv")
    first = image()
    return net(first, layers.Flatten()(conv(conv(first))))


def constant():
    """A kernel that is one number in truth."""
    from keras import layers

    first = image()
    x = layers.Conv2D(64, 3, name="flat", kernel_initializer="ones")(first)
    return net(first, layers.Dense(64, name="logits")(layers.Flatten()(x)))


def shared_before_two_norms():
    """One kernel, multiplied in two ways."""
    from keras import layers

    conv = layers.Conv2D(16, 3, padding="same", name="conv")
    first = image()
    a = layers.BatchNormalization(name="bn_a")(conv(first))
    b = layers.BatchNormalization(name="bn_b")(conv(a))
    return net(first, layers.Flatten()(b))


def unused_half():
    """A kernel of which a slice alone is used, by a layer that is no plain one."""
    import keras
    from keras import layers

    @keras.saving.register_keras_serializable("tests")
    class Half(layers.Dense):
        def call(self, inputs):
            return keras.ops.matmul(inputs, self.kernel[:, ::2])

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], self.units // 2)

    first = image()
    return net(first, Half(64, name="half")(layers.Flatten()(first)))


def twice_normed():
    """Two batch norms behind each other, whose product no batch norm has."""
    from keras import layers

    first = image()
    x = layers.Conv2D(16, 3, use_bias=False, name="conv")(first)
    x = layers.BatchNormalization(name="bn_b")(layers.BatchNormalization(name="bn_a")(x))
    return net(first, layers.Flatten()(x))


NETS = (
    plain,
    normed,
    untrained_norms,
    nested,
    shared,
    constant,
    shared_before_two_norms,
    unused_half,
    twice_normed,
)
FILLED = (plain, normed, untrained_norms, nested, shared)


def built(build):
    import keras

    keras.utils.set_random_seed(0)
    model = build()
    random = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization) and build is not untrained_norms:
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


@pytest.mark.parametrize("build", NETS)
def test_the_file_answers_as_the_one_of_the_usual_way(build):
    from converters.freeze import freeze

    model = built(build)
    usual, around = freeze(model), freeze(model, large_bytes=ALL)
    samples = [
        np.random.default_rng(seed).uniform(-1, 1, (1, SIDE, SIDE, 16)).astype(np.float32)
        for seed in range(4)
    ]
    wants, gots = (
        np.concatenate([FileAnswers(content).of([sample])[0] for sample in samples])
        for content in (usual, around)
    )
    found = snr_db(wants, gots)
    assert found is None or found >= LEAST_DB
    assert read_model(usual, "usual").ops == read_model(around, "around").ops
    assert abs(len(usual) - len(around)) < 2000


@pytest.mark.parametrize("build", FILLED)
def test_the_usual_layers_do_go_around(build):
    from converters.freeze import _converted
    from converters.stand_ins import filled, size_bytes, stand_ins

    model = built(build)
    chosen = stand_ins(model)
    assert size_bytes(chosen) > 4096
    content = _converted(model, optimizations={}, chosen=chosen)
    assert filled(content, chosen, model) is not None


@pytest.mark.parametrize("build", [plain, normed])
def test_a_file_with_another_stand_in_is_not_filled(build):
    from converters.freeze import _converted
    from converters.stand_ins import filled, stand_ins

    model = built(build)
    chosen = stand_ins(model)
    content = _converted(model, optimizations={}, chosen=chosen)
    assert filled(content, chosen[1:], model) is None  # a constant that belongs to nobody
    assert filled(_converted(model, optimizations={}), chosen, model) is None  # none of them


def test_the_bytes_are_the_same_every_time():
    from converters.freeze import freeze

    model = built(normed)
    assert freeze(model, large_bytes=ALL) == freeze(model, large_bytes=ALL)


def test_a_small_model_takes_the_usual_way():
    from converters.freeze import freeze

    model = built(plain)
    assert freeze(model) == freeze(model, large_bytes=10**9)
