"""With the input scaling in the first convolution, a file answers the same of raw pixels."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.answers import FileAnswers
from converters.fidelity import snr_db
from converters.folded_scaling import carriers, fold_scaling, scaled
from converters.partitions import partitions_of
from converters.tflite_reader import read_model
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.preprocessing import Preprocessing

pytestmark = pytest.mark.needs_tensorflow

SIZE, CLASSES = 32, 10
STATIC = "static_wi8_ai8"
# torchvision's: every channel has a mean and a deviation of its own.
EXPECTS = Preprocessing(
    input_size=(SIZE, SIZE),
    resize_shorter=SIZE,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)
TOLERANCE = 1e-5  # of the logits' range


def head(x):
    from tests.small_networks import head as small

    return small(x)


def first(*layers_first, size=SIZE):
    """A network that begins with some layers; every bias is something."""
    import keras

    keras.utils.set_random_seed(0)
    image = x = keras.Input((size, size, 3), name="image")
    for layer in layers_first:
        x = layer(x)
    model = keras.Model(image, head(keras.layers.ReLU()(x)), name="net")
    for weights in model.weights:
        if weights.name == "bias":
            weights.assign(np.random.default_rng(1).normal(0, 0.5, weights.shape))
    return model


def conv(kernel, *, stride=1, padding="same", **options):
    from keras import layers

    return layers.Conv2D(12, kernel, stride, padding, name="conv", **options)


def zeros(*sides):
    from keras import layers

    return layers.ZeroPadding2D(sides if len(sides) > 1 else sides[0], name="pad")


def depthwise(multiplier):
    from keras import layers

    return layers.DepthwiseConv2D(3, padding="same", depth_multiplier=multiplier, name="depthwise")


# The way a network may begin, and how many borders its file then has.
BEGINNINGS = {
    "valid": (lambda: first(conv(3, padding="valid")), 0),
    "same, even stride": (lambda: first(conv(3, stride=2)), 2),
    "same, odd size": (lambda: first(conv(3, stride=2), size=33), 2),
    "same, stride 4": (lambda: first(conv(11, stride=4)), 2),
    "symmetric": (lambda: first(zeros(1), conv(3, stride=2, padding="valid")), 2),
    "another border on each side": (
        lambda: first(zeros((0, 3), (2, 0)), conv(5, stride=2, padding="valid")),
        2,
    ),
    "patches": (lambda: first(conv(4, stride=4)), 0),
    "one row": (lambda: first(conv((1, 3))), 1),
    "one pixel": (lambda: first(conv(1)), 0),
    "holes": (lambda: first(conv(3, dilation_rate=2)), 2),
    "without a bias": (lambda: first(conv(3, use_bias=False)), 2),
    "groups": (lambda: first(conv(3, groups=3)), 2),
    "depthwise": (lambda: first(depthwise(1)), 2),
    "depthwise, widened": (lambda: first(depthwise(4)), 2),
}


def pixels(model, count=4):
    random = np.random.default_rng(0)
    shape = (1, *model.input_shape[1:])
    return [random.integers(0, 256, shape).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("row", BEGINNINGS)
def test_a_folded_file_answers_raw_pixels_as_the_other_does_scaled_ones(row):
    from converters.freeze import freeze

    build, borders = BEGINNINGS[row]
    model = build()
    content = freeze(model)
    folded = fold_scaling(content, EXPECTS, "net")
    inputs = pixels(model)
    want = np.concatenate([FileAnswers(content).of(scaled([x], EXPECTS))[0] for x in inputs])
    got = np.concatenate([FileAnswers(folded).of([x])[0] for x in inputs])
    assert np.abs(got - want).max() <= TOLERANCE * np.ptp(want)
    ops = read_model(folded, "folded").ops
    assert ops.get("CONCATENATION", 0) == borders
    assert "PAD" not in ops


@pytest.mark.parametrize("flavour", ["TENSORFLOW", "PYTORCH"])
@pytest.mark.parametrize("size", [32, 33])
def test_a_network_of_either_flavour_is_the_same_and_one_partition_in_int8(flavour, size):
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import parse_recipe
    from mobilekit.architectures import flavour as flavours
    from mobilekit.core.model import ModelSpec
    from mobilekit.networks import build_network

    spec = ModelSpec(
        architecture="mobilenet_v1", alpha=0.25, input_size=(size, size), classes=CLASSES
    )
    model = build_network(spec, flavour=getattr(flavours, flavour))
    content = freeze(model)
    folded = fold_scaling(content, EXPECTS, "net")
    # Pictures seldom hold every value; the scale of the border must be the camera's all the same.
    inputs = [40 + x * 0.6 for x in pixels(model)]
    want = np.concatenate([FileAnswers(content).of(scaled([x], EXPECTS))[0] for x in inputs])
    got = np.concatenate([FileAnswers(folded).of([x])[0] for x in inputs])
    assert np.abs(got - want).max() <= TOLERANCE * np.ptp(want)
    raw = replace(EXPECTS, mean=(0.0,) * 3, std=(1.0,) * 3)
    ranges = calibrate(folded, inputs)
    made = derive(folded, parse_recipe(STATIC), ranges=ranges, preprocessing=raw)
    main = read_model(made, "int8").main
    carried = list(carriers(main, main.inputs[0], (-1e9, 1e9)))
    assert len(carried) == 3
    for index in carried:
        quantized = main.tensors[index].quantization
        assert (quantized.scales[0], quantized.zero_points[0]) == (1, -128)
    found = partitions_of(made)
    assert (found.count, found.outside) == (1, ())
    answers = np.concatenate([FileAnswers(made).of([x])[0] for x in inputs])
    assert snr_db(want, answers) > 20


def test_a_scaling_by_one_number_needs_no_border():
    from converters.freeze import freeze

    model = first(conv(3))
    only_std = replace(EXPECTS, mean=(0.0,) * 3)
    content = freeze(model)
    folded = fold_scaling(content, only_std, "net")
    assert read_model(folded, "folded").ops == read_model(content, "net").ops
    for values in pixels(model):
        [want] = FileAnswers(content).of(scaled([values], only_std))
        [got] = FileAnswers(folded).of([values])
        assert np.abs(got - want).max() <= TOLERANCE * np.ptp(want)


def pool():
    from keras import layers

    return layers.MaxPooling2D(2)


def dense_first():
    import keras

    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Dense(5)(keras.layers.Flatten()(image))
    return keras.Model(image, x, name="net")


def two_readers():
    import keras

    image = keras.Input((8, 8, 3), name="image")
    towers = [keras.layers.Conv2D(4, k, padding="same", name=f"tower_{k}")(image) for k in (1, 3)]
    return keras.Model(image, head(keras.layers.Concatenate()(towers)), name="net")


def two_inputs():
    from tests.small_networks import branches

    return branches()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: first(pool(), conv(3)), r"no convolution that .* \(MAX_POOL_2D\)"),
        (dense_first, r"no convolution"),
        (two_readers, "2 operators of net read its input"),
        (two_inputs, "net has 2 inputs"),
        (lambda: first(zeros(1), conv(3, stride=2)), "is padded twice"),
    ],
)
def test_what_cannot_be_folded_exactly_is_refused_in_one_sentence(build, words):
    from converters.freeze import freeze

    with pytest.raises(ConversionError, match=words) as refused:
        fold_scaling(freeze(build()), EXPECTS, "net")
    assert "--fold-preprocessing" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(6):
        coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 36)).save(folder / f"{index}.png")
    return folder


def test_a_folded_file_says_that_it_takes_raw_pixels_and_is_judged_with_them(tmp_path, photographs):
    from mobilekit.files import build_file, convert_file, evaluate_file

    keras_file = build_file(
        "mobilenet_v1", tmp_path / "net.keras", alpha=0.25, input_size=SIZE, classes=CLASSES
    )
    files = {}
    for fold in (False, True):
        for recipe in ("float32", STATIC, f"{STATIC}_iouint8"):
            files[fold, recipe] = tmp_path / f"{recipe}-{fold}.tflite"
            made = convert_file(
                keras_file,
                recipe,
                files[fold, recipe],
                calibration=photographs if recipe != "float32" else None,
                fold_preprocessing=fold,
            )
            expects = made.preprocessing
            assert (expects.mean == (0, 0, 0), expects.std == (1, 1, 1)) == (fold, fold)
            assert (made.folded is not None) == fold
    for references in (keras_file, files[True, "float32"], files[False, "float32"]):
        for (_, recipe), path in files.items():
            found = evaluate_file(path, photographs, against=references)
            least = 80 if recipe == "float32" else 15
            assert found.snr_db is None or found.snr_db > least, (path, references)
    written = json.loads(Path(f"{files[True, STATIC]}.json").read_text())
    assert written["folded"]["mean"] == [127.5] * 3


def test_a_folded_file_is_debugged_with_raw_pixels(tmp_path, photographs):
    from mobilekit.debugging import debug_file
    from mobilekit.files import build_file, convert_file

    keras_file = build_file(
        "mobilenet_v1", tmp_path / "net.keras", alpha=0.25, input_size=SIZE, classes=CLASSES
    )
    path = tmp_path / "net.tflite"
    convert_file(keras_file, STATIC, path, calibration=photographs, fold_preprocessing=True)
    found = debug_file(path, against=keras_file, calibration=photographs)
    compared = [layer.so_far for layer in found.layers if layer.so_far is not None]
    assert len(compared) > 20
    assert max(compared) < 0.1


def test_a_model_whose_scaling_nobody_knows_is_refused(tmp_path):
    from mobilekit.files import convert_file

    with pytest.raises(UsageError, match="which scaling is to be folded into net"):
        convert_file(first(conv(3)), "float32", tmp_path / "o.tflite", fold_preprocessing=True)
    assert list(tmp_path.iterdir()) == []


def test_a_plan_and_the_command_fold_what_they_are_told_to(tmp_path, photographs, monkeypatch):
    from mobilekit.cli import main
    from mobilekit.files import build_file
    from mobilekit.pipeline import run_plan
    from mobilekit.plan import read_plan

    monkeypatch.chdir(tmp_path)
    build_file("mobilenet_v1", Path("net.keras"), alpha=0.25, input_size=SIZE, classes=CLASSES)
    plan = Path("plan.toml")
    plan.write_text(
        'schema = 1\n[[models]]\nfile = "net.keras"\n'
        '[convert]\nrecipes = ["float32", "static_wi8_ai8"]\neffort = "none"\n'
        "fold_preprocessing = true\n"
        '[calibration]\nimages = "photographs"\n[evaluation]\nimages = "photographs"\n'
    )
    done = run_plan(read_plan(plan), command="", progress=lambda *_: None, say=lambda _: None)
    assert [c.model.preprocessing.mean for c in done.candidates] == [(0, 0, 0)] * 2
    assert [c.model.folded.mean for c in done.candidates] == [(127.5,) * 3] * 2
    plain, quantized = done.accuracies
    assert plain.snr_db > 80
    assert quantized.snr_db > 15
    words = ["convert", "net.keras", "--recipe", "float32", "-o", "net.tflite"]
    assert main([*words, "--fold-preprocessing"]) == 0
    assert json.loads(Path("net.tflite.json").read_text())["preprocessing"]["std"] == [1, 1, 1]


def test_the_ladder_refuses_to_fold(tmp_path, capsys):
    from mobilekit.cli import main

    words = ["convert", "net.keras", "--recipe", "auto", "--max-drop", "1", "--calibration", "x"]
    assert main([*words, "--fold-preprocessing", "-o", "net.tflite"]) == 2
    assert "--fold-preprocessing belongs to a recipe that is named" in capsys.readouterr().err
