"""The weights that keras.applications publishes: found where Keras keeps them, checked by Keras.

Nothing is downloaded: the way out of this computer is a closed port.
"""

import inspect
import urllib.request

import numpy as np
import pytest

from mobilekit.core.digest import sha256_file
from mobilekit.core.errors import UsageError, WeightsFileError
from mobilekit.core.model import ModelSpec
from mobilekit.weights import preprocessing_for
from mobilekit.weights.keras_applications import APPLICATIONS, Application
from mobilekit.weights.keras_published import PUBLISHED, published_of

pytestmark = pytest.mark.needs_tensorflow

SPEC = ModelSpec(architecture="mobilenet_v1", alpha=0.25, input_size=(128, 128), target="none")
FILE = "mobilenet_2_5_128_tf.h5"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Where Keras keeps weights, empty; what it cannot find there it cannot download."""
    from keras.src.backend import config

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def application(row, alpha, size, **more):
    import keras

    function, _, minimalistic = row.name.partition(" ")
    options = {"alpha": alpha} if "{alpha}" in row.file else {}
    options |= {"minimalistic": True} if minimalistic else {}
    build = getattr(keras.applications, function)
    return build(input_shape=(size, size, 3), weights="imagenet", **options, **more)


@pytest.mark.parametrize("row", PUBLISHED.values(), ids=lambda row: row.name)
def test_keras_asks_for_the_file_that_the_table_names(row, models):
    from converters.keras_shapes import shapes_alone

    for alpha in row.alphas:
        spec = ModelSpec(architecture="any", alpha=alpha, input_size=(row.sizes[0],) * 2)
        with shapes_alone(), pytest.raises(Exception, match="URL fetch failure on ") as caught:
            application(row, alpha, row.sizes[0])
        assert f"/{row.file_for(spec)}: " in str(caught.value)


@pytest.mark.parametrize("row", PUBLISHED.values(), ids=lambda row: row.name)
def test_the_preprocessing_is_the_applications_own(row):
    import keras

    function = row.name.partition(" ")[0]
    module = inspect.getmodule(getattr(keras.applications, function))
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 2, 2, 3)).astype(np.float32)
    theirs = module.preprocess_input(pixels.copy())
    if function.startswith("MobileNetV3"):  # it does so in the network, unless it is told not to
        theirs = pixels / 127.5 - 1
    expects = row.preprocessing
    ordered = pixels[..., ::-1] if expects.channel_order == "bgr" else pixels
    ours = (ordered - np.float32(expects.mean)) / np.float32(expects.std)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("row", APPLICATIONS.values(), ids=lambda row: row.name)
def test_every_application_has_published_weights(row):
    from mobilekit.weights import find_source

    source = find_source(row.name, "keras")
    assert source.top1 == published_of(row).top1
    size = source.preprocessing.input_size
    assert preprocessing_for(row.name, "keras", size) == source.preprocessing


def save_application(path):
    """The application with random weights, in the layout of the files that Keras publishes."""
    import h5py
    import keras
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    keras.utils.set_random_seed(3)
    theirs = keras.applications.MobileNet(
        input_shape=(128, 128, 3), alpha=0.25, weights=None, classifier_activation=None
    )
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, theirs)
    return theirs


@pytest.mark.parametrize("by_hand", [False, True], ids=["where Keras looks", "elsewhere"])
def test_a_file_that_is_there_is_loaded_and_named_by_content(by_hand, models):
    from mobilekit.sources import network_of_spec

    path = models.parent / "by_hand.h5" if by_hand else models / FILE
    theirs = save_application(path)
    network = network_of_spec(SPEC, str(path) if by_hand else "keras")
    assert (network.spec.weights, network.spec.weights_sha256) == ("keras", sha256_file(path))
    image = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
    expected = np.asarray(theirs(image, training=False))
    found = np.asarray(network.build()(image, training=False))
    assert np.abs(found - expected).max() <= 1e-4 * np.ptp(expected)


def test_without_the_file_and_the_network_one_sentence_says_where_to_put_it(models):
    from mobilekit.sources import network_of_spec

    with pytest.raises(UsageError) as caught:
        network_of_spec(SPEC, "keras")
    sentence = str(caught.value)
    assert str(models / FILE) in sentence
    assert sentence.endswith(f"fetch the file {FILE} elsewhere and put it there.")
    assert "URL fetch failure on https://storage.googleapis.com/" in sentence
    assert "\n" not in sentence
    assert caught.value.exit_code == 2


def test_a_damaged_file_is_refused_and_stays_where_it_is(models):
    from mobilekit.sources import network_of_spec

    (models / FILE).write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    network = network_of_spec(SPEC, "keras")
    with pytest.raises(WeightsFileError, match="Keras cannot load it") as caught:
        network.build()
    assert caught.value.exit_code == 3
    assert (models / FILE).exists()


def test_a_file_of_another_hash_is_told_when_keras_has_removed_it(models):
    from converters.keras_shapes import shapes_alone
    from mobilekit.weights.keras_download import published_application

    row = Application(name="mobilenet_v2", function="MobileNetV3Small", names="")
    path = models / published_of(row).file_for(ModelSpec(architecture="any"))
    path.write_bytes(b"others")
    with shapes_alone(), pytest.raises(UsageError, match="another hash, so Keras removed it"):
        published_application(row, ModelSpec(architecture="mobilenet_v2"), path)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"alpha": 0.3},
            r"no weights of mobilenet_v1 with alpha 0\.3; it has 0\.25, 0\.5, 0\.75, 1",
        ),
        ({"classes": 7}, "are for 1000 classes, not for 7"),
    ],
)
def test_a_network_that_has_no_such_weights_is_refused(changed, sentence, models):
    from dataclasses import replace

    from mobilekit.sources import network_of_spec

    with pytest.raises(UsageError, match=sentence):
        network_of_spec(replace(SPEC, **changed), "keras")
