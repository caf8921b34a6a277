"""What can be converted: files of every format, models of every form."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.answers import FileAnswers
from converters.fidelity import snr_db
from converters.tflite_reader import read_file, read_model
from mobilekit.core.errors import MobileKitError, ModelFileError, UsageError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import LayerArithmetic, LayerRule
from mobilekit.files import convert_file, verify_file

pytestmark = pytest.mark.needs_tensorflow

ROOT = Path(__file__).parent.parent
SIZE = 16
EXPECTS = Preprocessing(
    input_size=(SIZE, SIZE), resize_shorter=SIZE, mean=(127.5,) * 3, std=(127.5,) * 3
)


def photographs(folder, count=4, size=(20, 20)):
    from PIL import Image

    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for index in range(count):
        pixels = random.integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return photographs(tmp_path_factory.mktemp("data") / "photographs")


@pytest.fixture(scope="module")
def plain():
    import keras

    from tests import small_networks

    keras.utils.set_random_seed(0)
    return small_networks.plain()


def saved(model, path):
    """Writes a model in the format that a path names."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras would rather write its own format
        model.save(path) if path.suffix else model.export(path, verbose=False)
    return path


def samples_of(model, count=4, seed=0):
    random = np.random.default_rng(seed)
    shapes = [tuple(each.shape[1:]) for each in model.inputs]
    return [random.uniform(-1, 1, (count, *shape)).astype(np.float32) for shape in shapes]


def arrays(model, path, **options):
    np.savez(path, *samples_of(model, **options))
    return path


# Formats.


@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.hdf5", "net_saved"])
def test_a_model_file_of_every_format_becomes_the_same_int8(plain, pictures, tmp_path, name):
    source = saved(plain, tmp_path / name)
    for of, output in ((plain, "memory.tflite"), (source, "file.tflite")):
        convert_file(
            of,
            "static_wi8_ai8",
            tmp_path / output,
            calibration=pictures,
            preprocessing=EXPECTS,
        )
    batch = samples_of(plain)[0]
    memory, file = (
        [FileAnswers((tmp_path / n).read_bytes()).of([x[None]])[0] for x in batch]
        for n in ("memory.tflite", "file.tflite")
    )
    assert np.array_equal(np.concatenate(memory), np.concatenate(file))


def test_an_h5_of_keras_2_is_read_although_it_has_groups(plain, tmp_path):
    import json

    import h5py

    source = saved(plain, tmp_path / "old.h5")
    with h5py.File(source, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
    made = convert_file(source, "float32", tmp_path / "o.tflite", preprocessing=EXPECTS)
    assert "depthwise" in made.layers


FROM_TFLITE = """
import sys
from mobilekit.cli import main
code = main(["convert", "float.tflite", "--recipe", "static_wi8_ai8", "--calibration", sys.argv[1],
             "--mean", "127.5", "--std", "127.5", "--crop", "16", "--keep-float", "logits",
             "-o", "int8.tflite"])
print(code, {"tensorflow", "keras"} & set(sys.modules))
"""


def test_anybodys_float_tflite_is_quantized_without_tensorflow(plain, pictures, tmp_path):
    from converters.freeze import freeze

    (tmp_path / "float.tflite").write_bytes(freeze(plain))
    done = subprocess.run(
        [sys.executable, "-c", FROM_TFLITE, str(pictures)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.splitlines()[-1:] == ["0 set()"], done.stderr
    found = verify_file(tmp_path / "int8.tflite")
    assert found.problems == ()
    assert found.model.recipe.startswith("static_wi8_ai8_mixed-")
    assert found.model.recipe_rules == (
        LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="logits"),
    )


def test_a_float16_tflite_with_an_open_batch_is_made_ready(plain, tmp_path):
    from converters.freeze import freeze, freeze_quantized
    from tests import tiny_models

    model = tiny_models.unpack(freeze_quantized(plain, "float16"))
    for index in model.subgraphs[0].inputs:
        model.subgraphs[0].tensors[index].shapeSignature = [-1, SIZE, SIZE, 3]
    (tmp_path / "half.tflite").write_bytes(tiny_models.pack(model))
    convert_file(
        tmp_path / "half.tflite",
        "static_wi8_ai8",
        tmp_path / "int8.tflite",
        calibration=arrays(plain, tmp_path / "samples.npz"),
        preprocessing=EXPECTS,
    )
    batch = samples_of(plain)[0]
    answers = (
        [FileAnswers(content).of([x[None]])[0] for x in batch]
        for content in (freeze(plain), (tmp_path / "int8.tflite").read_bytes())
    )
    assert snr_db(*(np.concatenate(each) for each in answers)) > 20


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("tiny_int8", "it is quantized already \\(it computes in integer arithmetic\\)"),
        ("tiny_dynamic", "it is quantized already \\(it computes in hybrid arithmetic\\)"),
        ("tiny_flex", "FlexErf"),
    ],
)
def test_a_tflite_that_is_no_float_file_is_refused(tmp_path, made, why):
    from tests import tiny_models

    (tmp_path / "net.tflite").write_bytes(getattr(tiny_models, made)())
    with pytest.raises(MobileKitError, match=why):
        convert_file(tmp_path / "net.tflite", "dynamic_wi8_afp32", tmp_path / "o.tflite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.tflite"]


def test_a_saved_model_that_reaches_out_of_its_graph_is_refused(tmp_path):
    import tensorflow as tf

    class Reading(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32)])
        def __call__(self, x):
            return x * tf.strings.to_number(tf.io.read_file("/etc/hostname"))

    module = Reading()
    tf.saved_model.save(module, str(tmp_path / "net"), signatures=module.__call__)
    with pytest.raises(ModelFileError, match=r"is ReadFile, which reaches out of the model"):
        convert_file(tmp_path / "net", "float32", tmp_path / "o.tflite")


# Forms.

FORMS = ["plain", "sequential", "nested", "shared", "dense", "branches"]
CASES = [(form, recipe) for form in FORMS for recipe in ("float32", "static_wi8_ai8")]


@pytest.mark.parametrize(("form", "recipe"), [*CASES, ("unrolled", "float32")])
def test_a_model_of_any_form_simply_works(form, recipe, tmp_path):
    import keras

    from tests import small_networks

    keras.utils.set_random_seed(0)
    model = getattr(small_networks, form)()
    pictures = len(model.inputs) == 1 and model.inputs[0].shape[-1] == 3
    calibration = None if recipe == "float32" else arrays(model, tmp_path / "samples.npz")
    convert_file(
        model,
        recipe,
        tmp_path / "o.tflite",
        calibration=calibration,
        preprocessing=EXPECTS if pictures else None,
    )
    file = FileAnswers((tmp_path / "o.tflite").read_bytes())
    samples = samples_of(model)
    wanted = keras.tree.flatten(model(samples if len(samples) > 1 else samples[0]))
    for index in range(4):
        got = file.of([values[index : index + 1] for values in samples])
        for want, answer in zip(wanted, got, strict=True):
            found = snr_db(np.asarray(want)[index : index + 1], answer)
            assert found is None or found > (60 if recipe == "float32" else 15)


def test_inputs_that_were_given_by_name_work_too(tmp_path):
    from tests import small_networks

    made = convert_file(small_networks.branches(as_dict=True), "float32", tmp_path / "o.tflite")
    main = read_file(tmp_path / "o.tflite").main
    assert {main.tensors[i].shape for i in main.inputs} == {(1, SIZE, SIZE, 3), (1, 40)}
    assert "hidden" in made.layers


@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "mixed_bfloat16", "bfloat16"])
def test_layers_of_16_bits_compute_in_float32(policy, tmp_path):
    from tests import small_networks

    said = []
    model = small_networks.with_policy(policy)
    convert_file(model, "float32", tmp_path / "o.tflite", preprocessing=EXPECTS, say=said.append)
    main = read_file(tmp_path / "o.tflite").main
    assert {t.dtype for t in main.tensors} == {"float32", "int32"}
    assert any("has layers of 16 bits, which compute in float32" in line for line in said)
    values = samples_of(model)[0][:1]
    want = np.asarray(model(values)).astype(np.float32)
    got = FileAnswers((tmp_path / "o.tflite").read_bytes()).of([values])[0]
    assert snr_db(want, got) > 25  # what 8 bits of mantissa leave


def test_inner_layers_of_nested_models_can_be_named(tmp_path):
    from tests import small_networks

    model = small_networks.nested()
    convert_file(
        model,
        "static_wi8_ai8",
        tmp_path / "o.tflite",
        rules=[LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern=".*inner/conv")],
        calibration=arrays(model, tmp_path / "samples.npz"),
        preprocessing=EXPECTS,
    )
    main = read_model((tmp_path / "o.tflite").read_bytes(), "o").main
    kinds = [
        {tensor.dtype for tensor in main.activations(operator)}
        for operator in main.operators
        if operator.name == "CONV_2D"
    ]
    assert kinds == [{"int8"}, {"float32"}]


def test_a_network_of_pictures_needs_to_know_how_they_are_prepared(plain, tmp_path):
    with pytest.raises(UsageError, match="Nothing says what the input of plain expects"):
        convert_file(plain, "float32", tmp_path / "o.tflite")
