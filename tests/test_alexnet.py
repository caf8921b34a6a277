"""AlexNet's response normalization, groups and flattened map, wherever they pass through."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilekit.core.errors import ModelFileError

pytestmark = pytest.mark.needs_tensorflow

MODULE = "mobilekit.architectures.normalization"
REGISTERED = "mobilekit>LocalResponseNormalization"


def small_network():
    """A grouped convolution whose responses are normalized, and a flattened map."""
    import keras
    from keras import layers

    from mobilekit.architectures.normalization import LocalResponseNormalization

    image = keras.Input((9, 7, 4), name="image")
    x = layers.Conv2D(64, 3, groups=2, activation="relu", name="conv")(image)
    x = LocalResponseNormalization(radius=3, bias=1.5, alpha=0.3, beta=0.6, name="norm")(x)
    x = layers.Dense(5, name="logits")(layers.Flatten(name="flatten")(x))
    return keras.Model(image, x, name="small")


@settings(deadline=None, max_examples=25)
@given(
    radius=st.integers(1, 4),
    bias=st.floats(0.5, 3),
    alpha=st.floats(1e-4, 1),
    beta=st.floats(0.1, 1),
    channels=st.integers(1, 9),
)
def test_a_response_is_divided_by_the_energy_of_its_neighbours(radius, bias, alpha, beta, channels):
    from mobilekit.architectures.normalization import LocalResponseNormalization

    x = np.random.default_rng(0).normal(0, 2, (1, 2, 3, channels)).astype(np.float32)
    layer = LocalResponseNormalization(radius=radius, bias=bias, alpha=alpha, beta=beta)
    expected = np.empty_like(x)
    for i in range(channels):
        near = x[..., max(0, i - radius) : i + radius + 1].astype(np.float64)
        expected[..., i] = x[..., i] / (bias + alpha * (near**2).sum(axis=-1)) ** beta
    np.testing.assert_allclose(np.asarray(layer(x)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_that_normalizes_responses_loads_before_anything_has_imported_the_layer(
    suffix, tmp_path, monkeypatch
):
    import keras

    from mobilekit.model_files import load_model_file

    saved = small_network()
    path = tmp_path / f"net{suffix}"
    saved.save(path)
    monkeypatch.delitem(keras.saving.get_custom_objects(), REGISTERED)
    monkeypatch.delitem(sys.modules, MODULE)
    loaded = load_model_file(path)
    image = np.random.default_rng(0).normal(0, 1, (1, 9, 7, 4)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(loaded(image)), np.asarray(saved(image)))


@pytest.mark.parametrize("kind", ["LocalResponseNormalization", REGISTERED])
def test_a_layer_of_elsewhere_with_the_same_name_is_refused(kind):
    from mobilekit.keras_config import check_config

    layer = {"class_name": kind, "module": "somebody.elses", "config": {"name": "norm"}}
    with pytest.raises(ModelFileError, match=f"'norm' is of the class '{kind}'"):
        check_config("net.keras", {"config": {"layers": [layer]}})


@pytest.mark.parametrize("large_bytes", [0, 1 << 30])
def test_groups_and_normalization_are_single_operators_that_answer_as_keras_does(large_bytes):
    from ai_edge_litert.interpreter import Interpreter

    from converters.freeze import freeze
    from converters.tflite_reader import read_model

    model = small_network()
    content = freeze(model, large_bytes=large_bytes)
    operators = [operator.name for operator in read_model(content, "small").main.operators]
    assert operators.count("CONV_2D") == 1
    assert operators.count("LOCAL_RESPONSE_NORMALIZATION") == 1
    image = np.random.default_rng(0).normal(0, 1, (1, 9, 7, 4)).astype(np.float32)
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, np.asarray(model(image)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dropout", [False, True])
def test_dense_weights_of_pytorch_follow_the_pixels_of_a_flattened_map(dropout):
    import keras
    from keras import layers

    from mobilekit.weights.mapping import _to_keras_axes

    first = keras.Input((2, 3, 4), name="map")
    x = layers.Flatten()(first)
    x = layers.Dropout(0.5)(x) if dropout else x
    model = keras.Model(first, layers.Dense(5, use_bias=False, name="fc_1")(x))
    random = np.random.default_rng(0)
    theirs = random.normal(0, 1, (5, 24)).astype(np.float32)
    model.get_layer("fc_1").kernel.assign(_to_keras_axes(theirs, model.get_layer("fc_1")))
    image = random.normal(0, 1, (1, 2, 3, 4)).astype(np.float32)
    channels_first = image.transpose(0, 3, 1, 2).reshape(1, -1)
    np.testing.assert_allclose(np.asarray(model(image)), channels_first @ theirs.T, rtol=1e-4)


def test_ungrouped_kernels_see_every_channel_and_grouped_ones_half():
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures.alexnet import alexnet

    with shapes_alone():
        depths = [
            [alexnet(groups=groups).get_layer(f"conv_{i}").kernel.shape[2] for i in range(1, 6)]
            for groups in ("yes", "no")
        ]
    assert depths == [[3, 48, 256, 192, 192], [3, 96, 256, 384, 384]]


@pytest.mark.parametrize(
    ("norm", "normalizations"),
    [("lrn", ["norm_1", "norm_2"]), ("none", []), ("batch", [f"conv_{i}_bn" for i in range(1, 6)])],
)
def test_responses_are_normalized_where_the_option_says(norm, normalizations):
    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures.alexnet import alexnet

    with shapes_alone():
        names = [layer.name for layer in alexnet(norm=norm).layers]
    assert [name for name in names if "norm" in name or "_bn" in name] == normalizations
    # Section 3.3 of the paper: behind the activation, before the pool.
    if norm == "lrn":
        at = names.index("norm_1")
        assert names[at - 1 : at + 2] == ["conv_1_relu", "norm_1", "pool_1"]


@pytest.mark.parametrize(
    ("norm", "partitions", "outside"),
    [("lrn", 3, ("LOCAL_RESPONSE_NORMALIZATION",) * 2), ("batch", 1, ())],
)
def test_response_normalization_alone_stays_outside_xnnpack(norm, partitions, outside):
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.partitions import partitions_of
    from converters.recipes import RECIPES
    from mobilekit.architectures.alexnet import alexnet

    content = freeze(alexnet((67, 67), 10, norm=norm))
    random = np.random.default_rng(0)
    images = [random.uniform(-1, 1, (1, 67, 67, 3)).astype(np.float32) for _ in range(2)]
    ranges = calibrate(content, images)
    found = partitions_of(derive(content, RECIPES["static_wi8_ai8"].recipe, ranges=ranges))
    assert (found.count, found.outside) == (partitions, outside)
