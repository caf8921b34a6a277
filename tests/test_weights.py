"""Pretrained weights: found without downloading, mapped without a rest on either side."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.choosing_weights import choose_weights
from mobilekit.core.errors import UnknownNameError, UsageError, WeightsFileError
from mobilekit.core.model import ModelSpec
from mobilekit.weights import (
    WEIGHT_SOURCES,
    check_mapping,
    find_source,
    names_of,
    preprocessing_for,
)

ROOT = Path(__file__).parent.parent
SPEC = ModelSpec(architecture="mobilenet_v2", weights="torchvision")


def test_weights_that_do_not_exist_suggest_the_nearest():
    with pytest.raises(
        UnknownNameError, match=r"weights of mobilenet_v2 'torchvison'.*torchvision"
    ):
        find_source("mobilenet_v2", "torchvison")
    with pytest.raises(UnknownNameError, match="Known: keras, random"):
        find_source("mobilenet_v1", "torchvision")


def test_missing_weights_name_the_command_that_brings_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBILEKIT_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"weights/mobilenet_v2-b0353104\.pth.*`make data`"):
        choose_weights(SPEC, "torchvision")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"alpha": 0.5},
            r"no torchvision weights of mobilenet_v2 with alpha 0\.5; there are with 1",
        ),
        ({"classes": 10}, "of mobilenet_v2 are for 1000 classes, not for 10"),
    ],
)
def test_weights_of_another_network_than_was_asked_for_are_refused(changed, sentence):
    with pytest.raises(UsageError, match=sentence):
        choose_weights(replace(SPEC, weights="random", **changed), "torchvision")


def test_weights_choose_the_options_they_need_and_refuse_others(monkeypatch, tmp_path):
    from mobilekit import choosing_weights
    from mobilekit.core.model import BuilderOption

    option = BuilderOption(name="stride_on", values=("1x1", "3x3"), does="")
    row = replace(ARCHITECTURES["mobilenet_v2"], options=(option,))
    source = replace(WEIGHT_SOURCES["torchvision/mobilenet_v2"], options={"stride_on": "3x3"})
    monkeypatch.setattr(choosing_weights, "ARCHITECTURES", {"mobilenet_v2": row})
    monkeypatch.setattr(choosing_weights, "find_source", lambda *_: source)
    monkeypatch.setenv("MOBILEKIT_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / source.file).write_bytes(b"")
    spec = replace(SPEC, weights="random")
    for asked in ({}, {"stride_on": "3x3"}):
        assert choose_weights(spec, "torchvision", asked).spec.options == {"stride_on": "3x3"}
    with pytest.raises(UsageError, match=r"are of stride_on=3x3, not stride_on=1x1; leave that"):
        choose_weights(spec, "torchvision", {"stride_on": "1x1"})


def test_the_crop_scales_with_the_input():
    published = preprocessing_for("mobilenet_v2", "torchvision", (224, 224))
    assert (published.resize_shorter, published.input_size) == (256, (224, 224))
    smaller = preprocessing_for("mobilenet_v2", "torchvision", (160, 160))
    assert (smaller.resize_shorter, smaller.mean) == (183, published.mean)
    assert preprocessing_for("mobilenet_v1", "random", (128, 128)).value_range == (-1.0, 1.0)


@pytest.mark.needs_tensorflow
@pytest.mark.parametrize("source", WEIGHT_SOURCES.values(), ids=lambda source: source.name)
def test_every_source_fills_its_network_and_leaves_nothing_over(source):
    from mobilekit.networks import shapes_of
    from mobilekit.weights.mapping import variables_of

    architecture = source.name.partition("/")[2]
    spec = ModelSpec(architecture=architecture, target="none", options=source.options)
    model = shapes_of(
        replace(spec, input_size=ARCHITECTURES[architecture].input_size), source.flavour
    )
    names = names_of(source)
    assert len(set(names.values())) == len(names)
    check_mapping("net.pth", model.name, names, names, variables_of(model))


@pytest.mark.needs_tensorflow  # the names follow from the layer table beside the builder
@pytest.mark.parametrize(
    ("missing", "extra", "sentence"),
    [
        (["features.0.0.weight"], [], "1 missing (features.0.0.weight) and none left over"),
        ([], ["fc.bias"], "none missing and 1 left over (fc.bias)"),
        (
            [],
            ["a", "b", "c", "d"],
            "none missing and 4 left over (a, b, c, …)",
        ),
    ],
)
def test_weights_of_another_network_are_named(missing, extra, sentence):
    names = names_of(WEIGHT_SOURCES["torchvision/mobilenet_v2"])
    tensors = [*(names.keys() - set(missing)), *extra]
    with pytest.raises(WeightsFileError) as caught:
        check_mapping("net.pth", "mobilenet_v2", names, tensors, set(names.values()))
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.needs_tensorflow
def test_a_variable_that_nobody_fills_is_named():
    names = names_of(WEIGHT_SOURCES["torchvision/mobilenet_v2"])
    variables = {*names.values(), ("new_layer", "kernel")}
    with pytest.raises(WeightsFileError, match=r"1 without a value \(new_layer/kernel\)"):
        check_mapping("net.pth", "mobilenet_v2", names, names, variables)


@pytest.mark.needs_tensorflow
@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("architecture", "weights", "right"),
    [
        ("mobilenet_v2", "torchvision", 18),  # what torchvision's own code answers as well
        ("efficientnet_lite0", "google", 18),  # 17 if pictures are resized bilinearly
    ],
)
def test_the_real_weights_see_what_is_in_the_photographs(
    architecture, weights, right, evaluation_images
):
    from mobilekit.images import read_inputs
    from mobilekit.sources import make_spec, network_of_spec

    images, labels = evaluation_images
    network = network_of_spec(make_spec(architecture), weights)
    loaded = list(read_inputs(images, network.preprocessing))
    pixels = np.concatenate([each.pixels for each in loaded])
    answers = np.asarray(network.build()(pixels, training=False)).argmax(1)
    assert sum(labels[e.name] == answer for e, answer in zip(loaded, answers, strict=True)) == right


@pytest.mark.needs_tensorflow
@pytest.mark.needs_data
def test_weights_of_another_width_leave_the_network_as_it_was():
    from mobilekit.networks import build_network
    from mobilekit.weights.mapping import load_torch_weights

    model = build_network(replace(SPEC, alpha=0.5, weights="random"))
    before = model.get_weights()
    path = ROOT / "build/data/weights/mobilenet_v2-b0353104.pth"
    with pytest.raises(WeightsFileError, match="so it is of another width"):
        load_torch_weights(model, WEIGHT_SOURCES["torchvision/mobilenet_v2"], path)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
