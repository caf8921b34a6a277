"""A weights file that somebody has: recognized by its names, loaded, or refused by name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mobilekit.core.errors import ModelFileError, UsageError, WeightsFileError
from mobilekit.core.model import ModelSpec
from mobilekit.weights import WEIGHT_SOURCES, names_of
from tests.test_safetensors import save

pytestmark = pytest.mark.needs_tensorflow

SPEC = ModelSpec(architecture="mobilenet_v2", alpha=0.35, input_size=(32, 32), classes=5)
HEADS = {"auxiliary": "yes"}
LITE = ModelSpec(architecture="efficientnet_lite0", alpha=0.25, input_size=(32, 32), classes=5)


def built(spec, flavour=None):
    """The network with weights that no initializer gives."""
    import keras

    from mobilekit.networks import build_network

    model = build_network(replace(spec, seed=7), flavour=flavour)
    random = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for variable in layer.weights:
                variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return model


def as_torch(model, source):
    """The network's weights as PyTorch names and stores them."""
    import keras

    from mobilekit.weights.mapping import variables_of

    variables, tensors = variables_of(model), {}
    for theirs, ours in names_of(WEIGHT_SOURCES[source]).items():
        value = np.asarray(variables[ours])
        if value.ndim == 4:
            depthwise = isinstance(model.get_layer(ours[0]), keras.layers.DepthwiseConv2D)
            value = value.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        tensors[theirs] = np.ascontiguousarray(value.T if value.ndim == 2 else value)
    return tensors


def save_torch(path, model, source):
    tensors = as_torch(model, source)
    tensors["stem.num_batches_tracked"] = np.zeros((), np.int64)
    kinds = {name: "I64" if value.dtype == np.int64 else "F32" for name, value in tensors.items()}
    return save(path, tensors, kinds)


def loaded(spec, path):
    from mobilekit.sources import network_of_spec

    network = network_of_spec(spec, str(path))
    return network, network.build()


def same_weights(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all((ours == theirs).all() for ours, theirs in pairs)


def test_safetensors_of_torchvision_are_recognized_by_their_names(tmp_path):
    from mobilekit.architectures.flavour import PYTORCH

    model = built(SPEC, PYTORCH)
    network, ours = loaded(
        SPEC, save_torch(tmp_path / "a.safetensors", model, "torchvision/mobilenet_v2")
    )
    assert network.spec.weights == "torchvision"
    assert network.preprocessing.mean == (123.675, 116.28, 103.53)
    assert same_weights(model, ours)
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype(np.float32)
    assert np.allclose(ours(image, training=False), model(image, training=False), atol=1e-5)


def test_names_of_two_sources_that_differ_need_the_file_name_of_one(tmp_path):
    model = built(LITE)
    path = save_torch(tmp_path / "model.safetensors", model, "timm/efficientnet_lite0")
    with pytest.raises(UsageError, match=r"timm \(tf_efficientnet_lite0-0aa007d2\.pth\), timm_ra"):
        loaded(LITE, path)
    named = path.rename(tmp_path / "tf_efficientnet_lite0-0aa007d2.safetensors")
    network, ours = loaded(LITE, named)
    assert network.spec.weights == "timm"
    assert network.preprocessing.mean == (127.5, 127.5, 127.5)
    assert same_weights(model, ours)


@pytest.mark.parametrize(("options", "weights"), [({}, "torchvision"), (HEADS, "torchvision_aux")])
def test_the_classifiers_of_training_in_a_file_load_where_they_were_asked_for(
    options, weights, tmp_path
):
    spec = replace(SPEC, architecture="googlenet_torchvision", alpha=1.0)
    source = WEIGHT_SOURCES["torchvision_aux/googlenet_torchvision"]
    model = built(replace(spec, options=HEADS), source.flavour)
    path = save_torch(tmp_path / "a.safetensors", model, source.name)
    network, ours = loaded(replace(spec, options=options), path)
    assert (network.spec.weights, network.spec.options) == (weights, options)
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype(np.float32)
    expected, found = (net(image, training=False) for net in (model, ours))
    assert len(ours.outputs) == len(model.outputs) if options else len(ours.outputs) == 1
    first = found[0] if options else found
    np.testing.assert_allclose(first, expected[0], rtol=1e-3, atol=1e-4)


def test_a_pool_in_another_form_is_the_same_network(tmp_path):
    spec = replace(SPEC, architecture="inception_v2", alpha=1.0, target="none")
    model = built(spec)
    model.save(tmp_path / "net.keras")
    network, ours = loaded(replace(spec, target="xnnpack"), tmp_path / "net.keras")
    assert network.spec.weights == "own"
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(image, training=False), model(image, training=False), rtol=1e-3, atol=1e-4
    )


def test_a_file_of_no_known_network_is_told_by_the_nearest(tmp_path):
    tensors = as_torch(built(LITE), "google/efficientnet_lite0")
    tensors["_fc2.bias"] = tensors.pop("_fc.bias")
    path = save(tmp_path / "a.safetensors", tensors, dict.fromkeys(tensors, "F32"))
    with pytest.raises(WeightsFileError) as caught:
        loaded(LITE, path)
    assert str(caught.value).endswith(
        "it is of another network than efficientnet_lite0 as google names it: 1 missing (_fc.bias)"
        " and 1 left over (_fc2.bias)."
    )
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("described", [True, False], ids=["described", "alone"])
@pytest.mark.parametrize("flavour", ["TENSORFLOW", "PYTORCH"])
def test_a_network_that_was_built_here_comes_back(tmp_path, described, flavour):
    from mobilekit.architectures import flavour as flavours
    from mobilekit.keras_file import save_network, sidecar
    from mobilekit.weights import preprocessing_for

    model = built(SPEC, getattr(flavours, flavour))
    kind = {"TENSORFLOW": "random", "PYTORCH": "torchvision"}[flavour]
    expects = replace(preprocessing_for("mobilenet_v2", kind, (32, 32)), resize_shorter=40)
    path = tmp_path / "net.keras"
    save_network(path, model, replace(SPEC, weights=kind), expects)
    if not described:
        sidecar(path).unlink()
    network, ours = loaded(SPEC, path)
    assert network.spec.weights == {"random": "own"}.get(kind, kind)
    assert (network.preprocessing == expects) == described
    assert same_weights(model, ours)


@pytest.mark.filterwarnings("ignore:.*HDF5 file")  # Keras would rather write .keras
def test_a_network_that_was_built_here_comes_back_from_hdf5(tmp_path):
    model = built(SPEC)
    model.save(tmp_path / "net.h5")
    network, ours = loaded(SPEC, tmp_path / "net.h5")
    assert network.spec.weights == "own"
    assert same_weights(model, ours)


def test_a_network_of_other_settings_is_refused_although_its_weights_would_fit(tmp_path):
    from mobilekit.architectures.flavour import Flavour

    path = tmp_path / "net.keras"
    built(SPEC, Flavour(epsilon=0.1)).save(path)
    with pytest.raises(WeightsFileError, match="built with other options, or for the padding"):
        loaded(SPEC, path)


@pytest.mark.filterwarnings("ignore:.*HDF5 file")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_whole_application_is_recognized(tmp_path, suffix):
    import keras

    theirs = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=5, classifier_activation=None
    )
    path = tmp_path / f"net{suffix}"
    if suffix == ".weights.h5":
        theirs.save_weights(path)
        with pytest.raises(WeightsFileError, match=r"save the whole network as \.keras"):
            loaded(SPEC, path)
        return
    theirs.save(path)
    network, ours = loaded(SPEC, path)
    assert network.spec.weights == "keras"
    image = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(theirs(image, training=False))
    assert np.abs(ours(image, training=False) - expected).max() <= 1e-4 * np.ptp(expected)


def test_the_class_count_of_a_file_has_to_be_asked_for(tmp_path):
    path = tmp_path / "net.keras"
    built(SPEC).save(path)
    with pytest.raises(UsageError, match="are for 5 classes, not for 1000") as caught:
        loaded(replace(SPEC, classes=1000), path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("net.pth", b"PK\x03\x04", WeightsFileError),
        ("net.pt", b"", WeightsFileError),
        ("net.safetensors", b"\xff" * 20, WeightsFileError),
        ("net.h5", b"\x89HDF\r\n\x1a\n", WeightsFileError),
        ("net.h5", b"no", WeightsFileError),
        ("net.keras", b"PK\x03\x04", ModelFileError),
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_built(tmp_path, name, content, error):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error) as caught:
        loaded(SPEC, tmp_path / name)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_files_that_nobody_reads_are_refused_with_those_that_are(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match=r"that are read: \.pth, \.pt, \.safetensors, \.keras"):
        loaded(SPEC, tmp_path / "net.onnx")
    with pytest.raises(UsageError, match=r"There is no weights file net\.pth"):
        loaded(SPEC, "net.pth")
    (tmp_path / "net.safetensors").write_bytes(
        save(tmp_path / "a", {"a": np.zeros(1, "<f4")}, {"a": "F32"}).read_bytes()
    )
    with pytest.raises(
        UsageError, match=r"No names of \.safetensors files are known for mobilenet_v1"
    ):
        loaded(replace(SPEC, architecture="mobilenet_v1"), tmp_path / "net.safetensors")


@pytest.mark.parametrize("damage", ["external link", "soft link", "external data", "text"])
def test_an_h5_file_reaches_nowhere_out_of_itself(tmp_path, damage):
    import h5py

    from mobilekit.weights.h5_file import read_h5_weights

    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel:0"] = np.zeros(3)
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["layer_names"] = [b"stem"]
        group = file.create_group("stem")
        group.attrs["weight_names"] = [b"stem/kernel:0"]
        inner = group.create_group("stem")
        if damage == "external link":
            inner["kernel:0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "kernel:0")
        elif damage == "soft link":
            inner["kernel:0"] = h5py.SoftLink("/elsewhere")
        elif damage == "external data":
            outside = [(str(tmp_path / "other.h5"), 0, 12)]
            inner.create_dataset("kernel:0", (3,), "f4", external=outside)
        else:
            inner["kernel:0"] = b"text"
    with pytest.raises(WeightsFileError, match=r"link to another place|no array of numbers"):
        read_h5_weights(tmp_path / "net.h5")


def test_the_command_says_whose_names_a_file_has(tmp_path, capsys):
    from mobilekit.cli import main

    source = "torchvision/mobilenet_v2"
    path = save_torch(tmp_path / "net.safetensors", built(SPEC), source)
    asked = ["--alpha", "0.35", "--input-size", "32", "--classes", "5", "--weights", str(path)]
    output = str(tmp_path / "out.keras")
    assert main(["build", "mobilenet_v2", *asked, "-o", output]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{output}\n"
    assert f"{path} has the names of torchvision weights of mobilenet_v2." in printed.err
    described = json.loads((tmp_path / "out.keras.json").read_text())
    assert described["spec"]["weights"] == "torchvision"
