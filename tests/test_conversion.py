"""Conversion: one float file, every recipe from it, each checked before it is written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.fidelity import FileRunner, snr_db
from converters.recipes import RECIPES, parse_recipe
from converters.tflite_reader import read_model
from mobilekit.core.errors import ConversionError, UsageError
from mobilekit.core.preprocessing import Preprocessing

pytestmark = pytest.mark.needs_tensorflow

ROOT = Path(__file__).parent.parent
EXPECTS = Preprocessing(input_size=(32, 32), resize_shorter=36, mean=(127.5,) * 3, std=(127.5,) * 3)
RAW = Preprocessing(input_size=(32, 32), resize_shorter=36)
# Least SNR at the logits of a small trained-like network, in dB: what the recipe keeps.
LEAST_DB = {
    "float32": 100.0,
    "float16": 50.0,
    "dynamic_wi8_afp32": 25.0,
    "weight_only_wi8_afp32": 30.0,
    "static_wi8_ai8": 25.0,
    "static_wi8_ai16": 40.0,
    "dynamic_wi4_afp32": 10.0,
    "weight_only_wi4_afp32": 10.0,
}


def inputs(count: int, low: float = -1, high: float = 1) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.uniform(low, high, (1, 32, 32, 3)).astype(np.float32) for _ in range(count)]


@pytest.fixture(scope="module")
def model():
    """A small network with every kind of layer that the builders use: pads, adds, depthwise."""
    import keras

    from mobilekit.architectures.blocks import LINEAR, Blocks, Head
    from mobilekit.architectures.flavour import PYTORCH

    keras.utils.set_random_seed(0)
    blocks = Blocks(flavour=PYTORCH, activation="relu6")
    image = keras.Input((32, 32, 3), name="image")
    x = blocks.conv(image, 8, 3, stride=2, name="stem")
    y = blocks.depthwise(x, 3, name="depthwise")
    y = blocks.conv(y, 8, 1, name="project", activation=LINEAR)
    x = keras.layers.Add(name="add")([x, y])
    x = blocks.depthwise(x, 3, stride=2, name="down")
    x = blocks.classifier(x, 10, Head.LOGITS, dropout=0.1)
    made = keras.Model(image, x, name="tiny")
    # Moving statistics as training leaves them, so that batch norm does something.
    random = np.random.default_rng(1)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, gamma.shape),
                    random.normal(0, 0.2, beta.shape),
                    random.normal(0, 0.2, mean.shape),
                    random.uniform(0.5, 1.5, variance.shape),
                ]
            )
    return made


@pytest.fixture(scope="module")
def float_file(model):
    from converters.freeze import freeze

    return freeze(model)


@pytest.fixture(scope="module")
def ranges(float_file):
    from converters.calibration import calibrate

    return calibrate(float_file, inputs(8))


def keras_logits(model, values: list[np.ndarray]) -> np.ndarray:
    return np.asarray(model(np.concatenate(values), training=False))


@pytest.mark.parametrize("name", LEAST_DB)
def test_every_recipe_keeps_the_logits_and_is_what_it_claims(model, float_file, ranges, name):
    from converters.convert import derive
    from converters.verify import verify

    recipe = RECIPES[name].recipe
    content = derive(float_file, recipe, ranges=ranges, preprocessing=EXPECTS)
    found = snr_db(keras_logits(model, inputs(8)), FileRunner(content).run(inputs(8)))
    assert found is None or found >= LEAST_DB[name]
    verified = verify(
        read_model(content, name),
        recipe=recipe,
        preprocessing=EXPECTS,
        layers=[layer.name for layer in model.layers],
        full_integer=recipe.needs_calibration,
    )
    assert [problem.sentence for problem in verified.problems] == []


def test_every_recipe_has_a_row_above():
    assert set(LEAST_DB) == set(RECIPES)


def test_the_float_file_has_a_fixed_batch_and_no_trace_of_variables(float_file):
    graph = read_model(float_file, "tiny")
    assert graph.main.tensors[graph.main.inputs[0]].shape == (1, 32, 32, 3)
    assert not {"VAR_HANDLE", "READ_VARIABLE", "SHAPE", "STRIDED_SLICE"} & set(graph.ops)


@pytest.mark.parametrize(
    ("layer", "tensor"),
    [
        # The two inputs of a residual addition and its output: stock calibration confuses these.
        ("stem_relu", "tiny_1/stem_relu_1/Relu6"),
        ("project_bn", "tiny_1/project_bn_1/batchnorm/add_1"),
        ("add", "tiny_1/add_1/Add"),
        ("logits", "Identity"),
    ],
)
def test_ranges_are_those_of_the_values_themselves(model, ranges, layer, tensor):
    import keras

    part = keras.Model(model.input, model.get_layer(layer).output)
    values = np.asarray(part(np.concatenate(inputs(8)), training=False))
    found = next(r for name, r in ranges.by_tensor.items() if name.partition(";")[0] == tensor)
    assert found == pytest.approx((values.min(), values.max()), abs=1e-4)


def test_calibration_counts_its_samples(ranges):
    assert ranges.samples == 8


def test_the_inputs_scale_follows_from_the_preprocessing_not_from_what_was_seen(float_file):
    from converters.calibration import calibrate
    from converters.convert import derive

    seen = calibrate(float_file, inputs(4, low=10, high=90))  # photographs without black or white
    content = derive(float_file, parse_recipe("static_wi8_ai8"), ranges=seen, preprocessing=RAW)
    graph = read_model(content, "tiny")
    quantization = graph.main.tensors[graph.main.inputs[0]].quantization
    assert (quantization.scales.tolist(), quantization.zero_points.tolist()) == ([1.0], [-128])


@pytest.mark.parametrize(
    ("name", "io", "scales"),
    [
        ("static_wi8_ai8", ("int8", "int8"), 8),
        ("static_wi8_ai8_pertensor", ("int8", "int8"), 1),
        ("static_wi8_ai8_iofloat", ("float32", "float32"), 8),
    ],
)
def test_options_of_static_recipes_reach_the_file(float_file, ranges, name, io, scales):
    from converters.convert import derive

    graph = read_model(
        derive(float_file, parse_recipe(name), ranges=ranges, preprocessing=EXPECTS), name
    ).main
    assert tuple(graph.tensors[i].dtype for i in (graph.inputs[0], graph.outputs[0])) == io
    convolution = next(o for o in graph.operators if o.name == "CONV_2D")
    assert len(graph.tensors[convolution.inputs[1]].quantization.scales) == scales


def test_static_recipes_say_that_they_need_images(float_file):
    from converters.convert import derive

    with pytest.raises(UsageError, match="needs to see images"):
        derive(float_file, parse_recipe("static_wi8_ai8"))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "at least one image"),
        ([np.zeros((1, 16, 16, 3), np.float32)], "the model takes"),
        ([np.full((1, 32, 32, 3), np.nan, np.float32)], "not finite"),
    ],
    ids=["none", "another shape", "NaN"],
)
def test_calibration_that_cannot_be_is_refused(float_file, values, why):
    from converters.calibration import calibrate

    with pytest.raises(UsageError, match=why):
        calibrate(float_file, values)


def test_a_network_with_nan_in_its_weights_is_not_calibrated():
    import keras

    from converters.calibration import calibrate
    from converters.freeze import freeze

    image = keras.Input((4, 4, 3), name="image")
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="broken")(image))
    content = freeze(model)
    kernel = model.layers[1].kernel.numpy().tobytes()
    transposed = np.frombuffer(kernel, "<f4").reshape(3, 2).T.tobytes()  # as LiteRT stores it
    assert transposed in content
    broken = content.replace(transposed, np.full(6, np.nan, "<f4").tobytes())
    with pytest.raises(ConversionError, match="values that are not finite in 1 tensors"):
        calibrate(broken, [np.ones((1, 4, 4, 3), np.float32)])


SAME_BYTES = """
import hashlib, sys
from pathlib import Path
import numpy as np
from converters.calibration import calibrate
from converters.convert import derive
from converters.recipes import parse_recipe
content = Path(sys.argv[1]).read_bytes()
random = np.random.default_rng(0)
inputs = [random.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32) for _ in range(3)]
seen = calibrate(content, inputs)
print(hashlib.sha256(derive(content, parse_recipe("static_wi8_ai8"), ranges=seen)).hexdigest())
"""


def test_two_processes_write_the_same_bytes(float_file, tmp_path):
    (tmp_path / "float.tflite").write_bytes(float_file)
    digests = {
        subprocess.run(
            [sys.executable, "-c", SAME_BYTES, str(tmp_path / "float.tflite")],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_a_model_that_builtin_operators_cannot_express_is_refused_in_one_sentence():
    import keras

    from converters.freeze import freeze

    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.ops.erfinv(image), name="strange")
    with pytest.raises(ConversionError, match=r"strange cannot be a \.tflite of builtin operators"):
        freeze(model)


def test_a_model_with_an_open_dimension_is_refused():
    import keras

    from converters.freeze import freeze

    image = keras.Input((None, None, 3))
    with pytest.raises(ConversionError, match="open dimension"):
        freeze(keras.Model(image, keras.layers.ReLU()(image)))


def test_a_model_whose_file_would_pass_2_gb_is_refused_from_its_parameter_count():
    import keras

    from converters.freeze import freeze
    from converters.model_size import MAX_PARAMS

    class Huge(keras.Model):
        """Claims more parameters than it holds, since 2 GB of them would not fit a test."""

        def count_params(self) -> int:
            return MAX_PARAMS + 1

    image = keras.Input((8, 8, 3))
    with pytest.raises(ConversionError, match="its file would pass 2 GB"):
        freeze(Huge(image, keras.layers.ReLU()(image)))


def test_equal_outputs_have_no_noise_and_nan_is_refused():
    reference = np.ones((2, 3), np.float32)
    assert snr_db(reference, reference) is None
    assert snr_db(reference, reference * 1.1) == pytest.approx(20.0, abs=0.01)
    for values in ((reference, np.full((2, 3), np.nan)), (np.full((2, 3), np.nan), reference)):
        with pytest.raises(ConversionError, match="not finite"):
            snr_db(*values)
    with pytest.raises(ConversionError, match="are both of the same classes"):
        snr_db(reference, np.ones((2, 1), np.float32))


def test_answers_are_read_only_of_files_that_have_scores_of_classes():
    import keras

    from converters.freeze import freeze

    image = keras.Input((4, 4, 3), name="image")
    pixels = np.zeros((1, 4, 4, 3), np.float32)
    same = freeze(keras.Model(image, keras.layers.ReLU()(image)))
    with pytest.raises(ConversionError, match="no scores of classes"):
        FileRunner(same).run([pixels])
    with pytest.raises(ConversionError, match=r"takes inputs of shape \(1, 4, 4, 3\), not"):
        FileRunner(same).raw(pixels[:, :2])
    flat = keras.layers.Flatten()(image)
    broken = keras.Model(image, keras.layers.Dense(2)(flat * np.float32(1e38) * np.float32(1e38)))
    with pytest.raises(ConversionError, match="not finite"):
        FileRunner(freeze(broken)).run([pixels + 1])
