"""Fake-quantized twins: they compute what their int8 files compute, and can be trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from converters.answers import FileAnswers
from converters.qat import arithmetic, convert_aware, finetune, paused, quantization_aware, train
from converters.qat.kernels import Kernel
from converters.qat.quantizer import FakeQuantizer, RangeKind
from converters.ranges import INT8_MAX, INT8_MIN, quantization_of
from converters.recipes import parse_recipe
from converters.tflite_reader import read_model
from examples import train_for_int8
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.recipe import Recipe
from tests import small_networks

pytestmark = pytest.mark.needs_tensorflow

PER_CHANNEL = parse_recipe("static_wi8_ai8")
PER_TENSOR = parse_recipe("static_wi8_ai8_pertensor")
SIZE, CLASSES = 12, 5


def image() -> keras.KerasTensor:
    return keras.Input((SIZE, SIZE, 8), name="image")


def conv_bn(x, filters, kernel=1, *, name, relu=True, **options):
    x = layers.Conv2D(filters, kernel, padding="same", use_bias=not relu, name=name, **options)(x)
    x = layers.BatchNormalization(scale=relu, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def residual():
    """A sum, whose ReLU belongs to it, and one that is read before and behind its ReLU."""
    start = image()
    x = conv_bn(start, 8, 3, name="first")
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depthwise")(x)
    x = layers.Add(name="sum")([x, conv_bn(y, 8, name="narrow", relu=False)])
    x = layers.ReLU(name="sum_relu")(x)
    y = layers.Conv2D(8, 3, padding="same", dilation_rate=2, name="twice_read")(x)
    return start, layers.Add(name="last")([y, layers.ReLU(name="apart")(y)])


def joined():
    """Concatenations inside each other, one of whose inputs is read elsewhere too."""
    start = image()
    x = conv_bn(start, 6, name="left")
    y = layers.Conv2D(8, 1, activation="relu", groups=2, name="right")(start)
    z = layers.Concatenate(name="inner")([layers.Concatenate(name="outer")([x, y]), start])
    return start, layers.Concatenate(name="whole")([z, layers.Conv2D(2, 1, name="more")(y)])


def pooled():
    """Every pooling, and what a ReLU behind one is."""
    start = image()
    x = layers.MaxPooling2D(2, name="max")(layers.Conv2D(8, 3, name="first")(start))
    x = layers.AveragePooling2D(3, strides=1, padding="same", name="average")(x)
    x = layers.ReLU(name="behind")(layers.AveragePooling2D(2, name="halves")(x))
    return start, layers.GlobalAveragePooling2D(name="all")(x)


def gated():
    """A product with a sigmoid, and a border of zeros."""
    start = image()
    x = layers.ZeroPadding2D(1, name="border")(start)
    x = layers.Conv2D(8, 3, strides=2, name="strided")(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(x)
    return start, layers.Multiply(name="product")([x, gate])


def probable():
    """Dense layers behind a Flatten, with the batch norm that one has, to a softmax."""
    start = image()
    x = layers.Flatten(name="flat")(layers.MaxPooling2D(4, name="max")(start))
    x = layers.Dense(16, use_bias=False, name="hidden")(x)
    x = layers.ReLU(name="hidden_relu")(layers.BatchNormalization(name="hidden_norm")(x))
    return start, layers.Dense(CLASSES, activation="softmax", name="logits")(
        layers.Dropout(0.2, name="dropout")(x)
    )


def inside():
    """Layers in a model in a model."""
    start = image()
    block = keras.Sequential(
        [
            layers.Conv2D(8, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(6.0, name="relu"),
            layers.Conv2D(4, 1, activation="tanh", name="tanh"),
        ],
        name="block",
    )
    return start, block(start)


def network(form=residual) -> keras.Model:
    """A network whose batch norms have statistics, as after training."""
    keras.utils.set_random_seed(3)
    model = keras.Model(*form(), name=form.__name__)
    random = np.random.default_rng(3)
    for layer in (each for each in model._flatten_layers() if hasattr(each, "moving_variance")):
        for weights in layer.weights:
            low = -0.5 if weights.name in ("beta", "moving_mean") else 0.3
            weights.assign(random.uniform(low, 1.5, weights.shape))
    return model


def pictures(count, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (count, SIZE, SIZE, 8)).astype(np.float32)


def answers(content: bytes, images: np.ndarray) -> np.ndarray:
    runner = FileAnswers(content)
    return np.concatenate([runner.of((each[np.newaxis],))[0] for each in images])


def quantizers(twin) -> dict[str, FakeQuantizer]:
    return {each.name: each for each in twin.layers if isinstance(each, FakeQuantizer)}


def slope(function, *values) -> list[np.ndarray]:
    """The gradient of the sum of what a function gives, by each value."""
    variables = [tf.Variable(value, dtype=tf.float32) for value in values]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(function(*variables))
    return [np.asarray(each) for each in tape.gradient(total, variables)]


def value(function, *values) -> float:
    return float(tf.reduce_sum(function(*(tf.constant(v, tf.float32) for v in values))))


ends = st.floats(0.125, 100, width=32)


@given(ends, ends, st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_activations_are_rounded_as_a_file_of_the_same_range_holds_them(low, high, seed):
    x = np.random.default_rng(seed).uniform(-2 * low, 2 * high, 50).astype(np.float32)
    scale, zero = quantization_of(-low, high)
    assume(abs(zero % 1 - 0.5) > 0.01)  # either neighbour is right
    steps = np.clip(np.round(x / scale) + round(zero), INT8_MIN, INT8_MAX)
    got = np.asarray(arithmetic.fake_quantized(x, np.float32(-low), np.float32(high)))
    # Halves may fall to either side in another precision: a step, and of few values.
    assert np.abs(got - (steps - round(zero)) * scale).max() <= 1.01 * scale
    assert np.mean(np.abs(got - (steps - round(zero)) * scale) > 0.01 * scale) <= 0.1


def test_averages_are_rounded_away_from_zero_where_they_are_halves():
    low, high = np.float32(-128), np.float32(127)  # a step of 1 around zero
    got = arithmetic.fake_averaged(np.float32([0.5, 1.5, -0.5, -2.5, 1 / 3, -2 / 3]), low, high)
    assert np.asarray(got).tolist() == [1, 2, -1, -3, 0, -1]


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_inside_a_range_the_gradient_is_the_slope_over_whole_steps(steps):
    low, high = np.float32(-1), np.float32(2)
    scale = 3 / 255
    x = np.float32([-0.71, 0.003, 0.41, 1.7])
    rise = value(lambda v: arithmetic.fake_quantized(v, low, high), x + steps * scale)
    rise -= value(lambda v: arithmetic.fake_quantized(v, low, high), x - steps * scale)
    [found] = slope(lambda v: arithmetic.fake_quantized(v, low, high), x)
    assert found.tolist() == [1, 1, 1, 1]
    assert rise / (2 * steps * scale) == pytest.approx(found.sum(), rel=1e-4)


def test_outside_a_range_gradients_are_finite_differences():
    """There the value is the end of the range, whose zero point a ReLU keeps at -128."""
    x, high, nudge = np.float32([2.5, 7.0]), np.float32(2), 1e-2

    def held(v, top):
        return arithmetic.fake_quantized(v, np.float32(0), top)

    by_x, by_high = slope(held, x, high)
    assert by_x.tolist() == [0, 0]
    assert value(held, x + nudge, high) == value(held, x, high)
    rise = value(held, x, high + nudge) - value(held, x, high - nudge)
    assert by_high == pytest.approx(rise / (2 * nudge), rel=1e-3)


def test_where_values_and_range_grow_together_gradients_are_finite_differences():
    """No integer changes in that direction, so the difference is one of a smooth function."""
    random = np.random.default_rng(0)
    x, low, high, nudge = random.uniform(-2, 3, 100), -1.0, 2.0, 1e-2
    found = sum(
        float(np.sum(gradient * at))
        for gradient, at in zip(
            slope(arithmetic.fake_quantized, x, low, high), (x, low, high), strict=True
        )
    )
    more, less = (
        value(arithmetic.fake_quantized, x * by, low * by, high * by)
        for by in (1 + nudge, 1 - nudge)
    )
    assert found == pytest.approx((more - less) / (2 * nudge), rel=1e-3)


def test_gradients_of_weights_and_biases_are_slopes_over_whole_steps():
    weights, bound = np.float32([[0.2, -0.9], [0.51, 0.05]]), np.float32([[0.6, 1.0]])
    by_weights, by_bound = slope(
        lambda w, b: arithmetic.fake_quantized_weights(w, b)[0], weights, bound
    )
    assert by_weights.tolist() == [[1, 1], [1, 1]]

    def held(by):
        return value(
            lambda w, b: arithmetic.fake_quantized_weights(w, b)[0], weights * by, bound * by
        )

    found = float(np.sum(by_weights * weights) + np.sum(by_bound * bound))
    assert found == pytest.approx((held(1.01) - held(0.99)) / 0.02, rel=1e-3)
    [by_bias] = slope(lambda b: 0.01 * arithmetic.bias_in_steps(b, 0.01), [0.123, -4])
    assert by_bias == pytest.approx([1, 1])


def test_a_paused_twin_has_the_gradients_of_the_network_and_finite_differences():
    model = network()
    images = pictures(4)
    twin = paused(quantization_aware(model, PER_CHANNEL, images))
    wanted = gradients(model, images)
    found = gradients(twin, images)
    for name in ("kernel", "gamma", "beta"):
        [want], [got] = ([g for path, g in each.items() if path.endswith(f"{part}/{name}")]
                         for each, part in ((wanted, "first_norm" if name != "kernel" else "first"),
                                            (found, "first")))  # fmt: skip
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
    gamma = twin.get_layer("first").gamma
    sums, before = [], np.asarray(gamma)
    for nudge in (1e-2, -1e-2):
        gamma.assign(before + np.float32(nudge) * (np.arange(8) == 2))
        sums.append(float(tf.reduce_sum(tf.square(twin(images)))))
    [got] = [g for path, g in found.items() if path.endswith("first/gamma")]
    assert got[2] == pytest.approx((sums[0] - sums[1]) / 2e-2, rel=0.02)


def gradients(model, images) -> dict[str, np.ndarray]:
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(model(images, training=False)))
    found = tape.gradient(total, [each.value for each in model.trainable_variables])
    pairs = zip(model.trainable_variables, found, strict=True)
    return {variable.path: np.asarray(each) for variable, each in pairs}


def as_trained(twin: keras.Model) -> keras.Model:
    """The twin with other weights and ranges, without the seconds that training takes."""
    random = np.random.default_rng(5)
    for variable in twin.trainable_variables:
        variable.assign(variable + random.uniform(-0.1, 0.1, variable.shape))
    twin(2 * pictures(16, seed=5), training=True)  # moves averages
    return twin


@pytest.mark.parametrize(
    ("form", "recipe", "ranges"),
    [
        (residual, PER_CHANNEL, "moving"),
        (residual, PER_TENSOR, "learned"),
        (joined, PER_TENSOR, "moving"),
        (pooled, PER_CHANNEL, "learned"),
        (gated, PER_CHANNEL, "learned"),
        (inside, PER_TENSOR, "learned"),
        (probable, PER_CHANNEL, "moving"),
        (probable, PER_TENSOR, "learned"),
    ],
)
def test_a_file_holds_what_its_twin_computes(form, recipe: Recipe, ranges):
    images = pictures(40)
    twin = as_trained(quantization_aware(network(form), recipe, images[:16], ranges=ranges))
    content = convert_aware(twin, recipe)
    main = read_model(content, "file").main
    [scale] = main.tensors[main.outputs[0]].quantization.scales
    steps = np.round((answers(content, images) - twin.predict(images, verbose=0)) / scale)
    assert np.abs(steps).max() <= 2  # one step in a sum may be two behind it
    assert np.mean(steps == 0) >= 0.999


def test_quantizers_stand_where_one_operator_ends():
    twin = quantization_aware(network(residual), PER_CHANNEL, pictures(4))
    assert [*quantizers(twin)] == [
        "input_0_range",
        "first_relu_range",
        "depthwise_range",
        "narrow_norm_range",
        "sum_relu_range",
        "twice_read_range",
        "apart_range",
        "last_range",
    ]


def test_a_concatenation_gives_its_inputs_one_range_that_covers_all():
    images = pictures(16)
    twin = quantization_aware(network(joined), PER_CHANNEL, images)
    [shared] = quantizers(twin).values()
    assert shared.range()[0] == pytest.approx(images.min(), rel=0.5)
    before = shared.range()
    for _ in range(3):
        twin(images * 3, training=False)
    assert shared.range() == before
    for _ in range(3):
        twin(images * 3, training=True)
    low, high = shared.range()
    assert low < before[0]
    assert high > before[1]
    members = len(np.asarray(shared.low))
    assert members == 4  # the input, both branches and the last; no concatenation


def test_pooling_passes_its_scale_on():
    twin = quantization_aware(network(pooled), PER_CHANNEL, pictures(4))
    assert [*quantizers(twin)] == ["input_0_range", "first_range", "all_range"]


def test_answers_of_a_trained_twin_and_its_file_agree():
    """On 2,000 images, most of which are close to the border of two classes."""
    random = np.random.default_rng(0)
    kinds = random.normal(0, 1, (CLASSES, SIZE, SIZE, 8))
    labels = random.integers(0, CLASSES, 2400)
    images = (0.2 * kinds[labels] + random.normal(0, 1, (2400, SIZE, SIZE, 8))).astype(np.float32)
    keras.utils.set_random_seed(0)
    start, x = residual()
    x = layers.Dense(CLASSES, name="logits")(layers.GlobalAveragePooling2D(name="mean")(x))
    model = keras.Model(start, x, name="classifier")
    train(model, images[:400], labels[:400], epochs=6, learning_rate=1e-2, seed=0)
    said: list[str] = []
    twin = finetune(
        model,
        images[:400],
        labels[:400],
        epochs=2,
        learning_rate=1e-3,
        seed=0,
        recipe=PER_TENSOR,
        say=said.append,
    )
    assert [line.partition(", loss")[0] for line in said] == [
        f"classifier: epoch {epoch} of 2" for epoch in (1, 2)
    ]
    mine = twin.predict(images[400:], verbose=0).argmax(axis=1)
    files = answers(convert_aware(twin, PER_TENSOR), images[400:]).argmax(axis=1)
    assert len(np.unique(files)) == CLASSES, np.bincount(files)
    assert np.mean(mine == files) >= 0.999


def test_the_same_seed_gives_the_same_file_and_leaves_the_network_as_it_was():
    images, labels = pictures(64), np.arange(64) % CLASSES
    model = network(probable)
    before = model.get_weights()
    said: list[str] = []
    options = {"epochs": 8, "learning_rate": 1e-2, "batch": 16, "ranges": "learned"}
    one, same = (
        finetune(model, images, labels, **options, seed=1, say=said.append) for _ in range(2)
    )
    losses = [float(line.rpartition(" ")[2]) for line in said]
    assert losses[7] < 0.7 * losses[0]
    assert losses[:8] == losses[8:]
    assert convert_aware(one, PER_CHANNEL) == convert_aware(same, PER_CHANNEL)
    for now, then in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(now, then)


def test_a_twin_that_was_saved_computes_the_same(tmp_path):
    images = pictures(8)
    twin = quantization_aware(network(), PER_TENSOR, images, ranges=RangeKind.LEARNED)
    twin.save(tmp_path / "twin.keras")
    again = keras.models.load_model(tmp_path / "twin.keras")
    assert np.array_equal(again.predict(images, verbose=0), twin.predict(images, verbose=0))
    assert convert_aware(again, PER_TENSOR) == convert_aware(twin, PER_TENSOR)


def test_learned_ranges_of_weights_have_gradients_and_are_never_wider_than_the_weights():
    images = pictures(16)
    twin = quantization_aware(network(), PER_CHANNEL, images, ranges="learned")
    layer = twin.get_layer("twice_read")
    assert isinstance(layer, Kernel)
    [by_bound] = (
        gradient
        for path, gradient in gradients(twin, images).items()
        if path.endswith("twice_read/log_bound")
    )
    assert np.all(by_bound)
    for bound, clipped in ((-0.5, 8), (0.5, 0)):
        layer.log_bound.assign(np.full((1, 1, 1, 8), bound))
        kernel, _ = layer.plain_weights()
        narrower = np.abs(kernel).max(axis=(0, 1, 2)) < np.abs(layer.kernel).max(axis=(0, 1, 2))
        assert narrower.sum() == clipped


@pytest.mark.parametrize("name", ["static_wi8_ai8_iouint8", "static_wi8_ai8_iofloat"])
def test_inputs_and_outputs_may_have_another_type(name):
    images = pictures(8)
    twin = quantization_aware(network(probable), PER_CHANNEL, images)
    got = answers(convert_aware(twin, parse_recipe(name)), images)
    assert got == pytest.approx(twin.predict(images, verbose=0), abs=1.01 / 256)


def test_several_inputs_and_outputs_keep_their_order():
    model = small_networks.branches(as_dict=True)
    random = np.random.default_rng(0)
    arrays = [random.normal(0, 1, (6, *each.shape[1:])).astype(np.float32) for each in model.inputs]
    twin = quantization_aware(model, PER_CHANNEL, arrays)
    runner = FileAnswers(convert_aware(twin, PER_CHANNEL))
    fed = {each.name: a for each, a in zip(model.inputs, arrays, strict=True)}
    wanted = keras.tree.flatten(twin(fed))
    got = runner.of([each[:1] for each in arrays])
    for want, have in zip(wanted, got, strict=True):
        assert np.asarray(want)[:1] == pytest.approx(have, abs=0.05)


def lone_norm():
    start = image()
    return start, layers.BatchNormalization(name="lone")(layers.ReLU(name="relu")(start))


def leaky():
    start = image()
    return start, layers.ReLU(negative_slope=0.1, name="leaky")(start)


def three():
    start = image()
    return start, layers.Add(name="three")([start, start, start])


def wild():
    start = image()
    return start, layers.Conv2D(4, 1, activation="gelu", name="wild")(start)


def outside():
    start = image()
    return start, layers.Conv2D(8, 1)(start) + start


def shared():
    start = image()
    conv = layers.Conv2D(8, 1, name="shared")
    return start, conv(conv(start))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (lone_norm, "'lone' (BatchNormalization) does not stand alone behind a convolution"),
        (leaky, "'leaky' (ReLU) has a slope or a threshold"),
        (three, "'three' (Add) has 3 inputs"),
        (wild, "'wild_gelu' (Activation) has no fake-quantized twin"),
        (outside, "outside a layer"),
        (shared, "'shared' (Conv2D) 2 times"),
    ],
)
def test_what_has_no_twin_is_refused_by_name(form, sentence):
    with pytest.raises(ConversionError) as refused:
        quantization_aware(keras.Model(*form(), name="odd"), PER_CHANNEL, pictures(2))
    assert sentence in str(refused.value)


def test_recipes_that_no_twin_computes_as_are_refused():
    with pytest.raises(UsageError, match="not dynamic_wi8_afp32"):
        quantization_aware(network(), parse_recipe("dynamic_wi8_afp32"), pictures(2))
    with pytest.raises(UsageError, match="moving or learned"):
        quantization_aware(network(), PER_CHANNEL, pictures(2), ranges="fixed")
    with pytest.raises(UsageError, match="needs calibration inputs"):
        quantization_aware(network(), PER_CHANNEL, pictures(0))


def test_a_file_of_another_granularity_is_refused():
    twin = quantization_aware(network(probable), PER_CHANNEL, pictures(2))
    with pytest.raises(UsageError, match="trained for per_channel weights"):
        convert_aware(twin, PER_TENSOR)
    with pytest.raises(UsageError, match="no fake quantizers"):
        convert_aware(network(probable), PER_CHANNEL)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"images": pictures(4)[:, 1:]}, "takes images of (12, 12, 8), and these are (11, 12, 8)"),
        ({"labels": np.arange(3)}, "one integer an image: (4,), not (3,)"),
        ({"labels": np.float32([0, 1, 2, 3])}, "not (4,) of float32"),
        ({"labels": np.int64([0, 1, 2, 5])}, "5 classes, numbered from 0"),
        ({"epochs": 0}, "for 0 epochs"),
        ({"learning_rate": 0.0}, "at a learning rate of 0"),
    ],
)
def test_training_refuses_what_does_not_belong_to_the_network(changes, sentence):
    given = {
        "images": pictures(4),
        "labels": np.arange(4),
        "epochs": 1,
        "learning_rate": 0.1,
        "seed": 0,
    }
    with pytest.raises(UsageError) as refused:
        finetune(network(probable), **{**given, **changes})
    assert sentence in str(refused.value)


def test_training_that_ends_in_nothing_is_told():
    model = network(probable)
    with pytest.raises(ConversionError, match="smaller learning rate"):
        train(
            model,
            pictures(8) * np.float32(1e30),
            np.arange(8) % 5,
            epochs=2,
            learning_rate=1e30,
            seed=0,
            logits=False,
        )


def test_the_example_writes_a_file_and_says_what_is_wrong(tmp_path, capsys):
    network(probable).save(tmp_path / "net.keras")
    np.savez(tmp_path / "data.npz", images=pictures(20), labels=np.arange(20) % CLASSES)
    net, data, output = (str(tmp_path / each) for each in ("net.keras", "data.npz", "net.tflite"))
    arguments = [net, data, "-o", output]
    assert train_for_int8.main([*arguments, "--epochs", "1"]) == 0
    assert "of 4 images that were held out" in capsys.readouterr().out
    assert read_model((tmp_path / "net.tflite").read_bytes(), "net").ops["FULLY_CONNECTED"] == 2
    arguments[1] = str(tmp_path / "none.npz")
    assert train_for_int8.main(arguments) == 2
    assert "none.npz is no .npz of `images` and `labels`" in capsys.readouterr().err
