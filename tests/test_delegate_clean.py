"""XNNPACK takes every family's int8 file whole, and the forms it is written in change nothing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.model import ModelSpec

pytestmark = pytest.mark.needs_tensorflow

PROGRAM = Path(__file__).parent.parent / "android_bench" / "runners" / "litert_python_program.py"
CLASSES = 10
# One variant a family, or more where options change what the file holds.
WHOLE = [
    ("alexnet", {"norm": "batch"}),
    ("vgg11", {}),
    ("squeezenet_1_0", {"bypass": "complex"}),
    ("efficientnet_lite1", {}),
    ("mnasnet_a1", {}),
    ("resnet18", {"shortcut": "zero_padding"}),
    ("flattened", {}),
    ("factorized", {"topology": "2d", "convolution": "bottleneck"}),
]
# Those of which a part stays outside: partitions, and the operators that remain.
IN_PARTS = [
    ("alexnet", {}, 3, {"LOCAL_RESPONSE_NORMALIZATION": 2}),
]
EXACT = 1e-5  # of the outputs' range


def build(name, options, target="xnnpack"):
    from mobilekit.networks import build_network

    small = ARCHITECTURES[name].min_input_size
    spec = ModelSpec(
        architecture=name,
        input_size=(small, small),
        classes=CLASSES,
        options=options,
        target=target,
    )
    return build_network(spec)


def images_for(model, count):
    random = np.random.default_rng(0)
    shape = (1, *model.inputs[0].shape[1:])
    return [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(count)]


def int8_file(model):
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import RECIPES

    content = freeze(model)
    ranges = calibrate(content, images_for(model, 4))
    return derive(content, RECIPES["static_wi8_ai8"].recipe, ranges=ranges)


def delegated(content, folder):
    """What XNNPACK took of a file: nodes, all nodes, partitions."""
    path = folder / "int8.tflite"
    path.write_bytes(content)
    command = [sys.executable, PROGRAM, "--model", path, "--num-runs", "1"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    actual = json.loads(answer.stdout.splitlines()[-1])["actual"]
    return actual["nodes_delegated"], actual["nodes_total"], actual["partitions"]


@pytest.mark.parametrize(("name", "options"), WHOLE, ids=str)
def test_xnnpack_takes_the_int8_file_in_one_partition(name, options, tmp_path):
    taken, nodes, partitions = delegated(int8_file(build(name, options)), tmp_path)
    assert (taken, partitions) == (nodes, 1)


@pytest.mark.parametrize(("name", "options", "parts", "outside"), IN_PARTS, ids=str)
def test_what_stays_outside_is_what_the_row_says(name, options, parts, outside, tmp_path):
    from converters.tflite_reader import read_model

    content = int8_file(build(name, options))
    taken, nodes, partitions = delegated(content, tmp_path)
    assert (nodes - taken, partitions) == (sum(outside.values()), parts)
    kinds = [operator.name for operator in read_model(content, "the int8 file").main.operators]
    for kind, count in outside.items():
        assert kind in ARCHITECTURES[name].outside_xnnpack
        assert kinds.count(kind) == count


@pytest.mark.parametrize(("name", "options"), WHOLE, ids=str)
def test_the_forms_of_the_delegate_compute_what_the_papers_layers_compute(name, options):
    from converters.keras_shapes import shapes_alone
    from mobilekit.weights.mapping import variables_of

    with shapes_alone():
        described = [
            [(type(layer), layer.get_config()) for layer in build(name, options, target).layers]
            for target in ("none", "xnnpack")
        ]
    if described[0] == described[1]:
        return  # the same layers, which compute the same
    plain, formed = build(name, options, "none"), build(name, options)
    theirs, ours = variables_of(plain), variables_of(formed)
    assert theirs.keys() == ours.keys()
    for key, variable in theirs.items():
        ours[key].assign(variable)
    [image] = images_for(plain, 1)
    expected, found = (np.asarray(model(image, training=False)) for model in (plain, formed))
    assert np.abs(found - expected).max() <= EXACT * np.ptp(expected)
