"""What cannot be converted: one sentence each, and nothing half written."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilekit.core.errors import ConversionError, MobileKitError, UsageError
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.files import convert_file

pytestmark = pytest.mark.needs_tensorflow

ROOT = Path(__file__).parent.parent
SIZE = 16
EXPECTS = Preprocessing(
    input_size=(SIZE, SIZE), resize_shorter=SIZE, mean=(127.5,) * 3, std=(127.5,) * 3
)


@pytest.fixture(scope="module")
def networks():
    import keras

    from tests import small_networks

    keras.utils.set_random_seed(0)
    return small_networks


def pictures(folder, values):
    """One picture a value, all of its pixels the same; a value of None is noise."""
    folder.mkdir()
    for index, value in enumerate(values):
        pixels = np.full((SIZE, SIZE, 3), value or 0, np.uint8)
        if value is None:
            pixels = np.random.default_rng(index).integers(0, 256, pixels.shape, np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def noise(folder):
    return pictures(folder / "photographs", [None, None])


def npz(folder, *arrays):
    np.savez(folder / "samples.npz", *arrays)
    return folder / "samples.npz"


def floats(*shape, value=0.5):
    return np.full(shape, value, np.float32)


# One row a thing that can be wrong: the model, the recipe, the calibration and the sentence.
# A model is a function of small_networks; calibration is a function of a folder, or None.
STATIC = "static_wi8_ai8"
ROWS = {
    "a Lambda layer in a file": (
        "with_lambda.keras",
        "float32",
        None,
        "its layer 'twice' is a Lambda layer, which is code of whoever wrote the file",
    ),
    "a Lambda layer in an old file": (
        "with_lambda.h5",
        "float32",
        None,
        "its layer 'twice' is a Lambda layer, which is code of whoever wrote the file",
    ),
    "a custom layer in a file": (
        "with_custom.keras",
        "float32",
        None,
        "its layer 'double' is of the class 'Doubling', which is not part of Keras",
    ),
    "a recurrent layer": (
        "recurrent",
        STATIC,
        lambda folder: npz(folder, floats(2, 6, 8)),
        "has a loop",
    ),
    "an unrolled one that XNNPACK refuses": (
        "unrolled",
        STATIC,
        lambda folder: npz(folder, np.random.default_rng(0).normal(size=(4, 6, 8))),
        "unrolled as static_wi8_ai8 is not what it should be",
    ),
    "an open dimension": ("open_dimension", "float32", None, "has an open dimension in its input"),
    "a subclass": ("subclass", "float32", None, "is a subclass of Model whose inputs nobody"),
    "NaN in weights": (
        "with_nan",
        "float32",
        None,
        "has 576 of 576 weights that are NaN or infinite in layer 'conv' (kernel)",
    ),
    "several inputs and pictures": (
        "branches",
        STATIC,
        noise,
        "takes inputs of (16, 16, 3) and (40,), and a preprocessing prepares pictures",
    ),
    "no picture": ("dense", STATIC, noise, "takes inputs of (40,), and a preprocessing"),
    "another channel count": (
        "grey",
        STATIC,
        noise,
        "takes inputs of (16, 16, 1), with 1 channels, and pictures have 3",
    ),
    "another size": ("small", STATIC, noise, "Give --crop with its height"),
    "no images asked for": ("plain", STATIC, None, "for that it needs to see images"),
    "no images there": (
        "plain",
        STATIC,
        lambda folder: pictures(folder / "photographs", []),
        "photographs is empty; put pictures into it",
    ),
    "no image that can be read": (
        "plain",
        STATIC,
        lambda folder: broken(folder),
        "Not one of the 1 pictures",
    ),
    "one constant image": (
        "plain",
        STATIC,
        lambda folder: pictures(folder / "photographs", [200]),
        "all of one colour, value 0.568627 in every pixel of 1",
    ),
    "NaN in images": (
        "plain",
        STATIC,
        lambda folder: npz(folder, floats(2, SIZE, SIZE, 3, value=np.nan)),
        "holds values that are not finite",
    ),
    "arrays of another shape": (
        "plain",
        STATIC,
        lambda folder: npz(folder, floats(2, SIZE, SIZE, 4)),
        "holds samples of (1, 16, 16, 4), and the model takes (1, 16, 16, 3)",
    ),
    "arrays of unequal lengths": (
        "branches",
        STATIC,
        lambda folder: npz(folder, floats(2, SIZE, SIZE, 3), floats(3, 40)),
        "has to hold equally many samples of every input",
    ),
    "pickled arrays": (
        "plain",
        STATIC,
        lambda folder: npz(folder, np.array([{}], dtype=object)),
        "is no .npz of number arrays",
    ),
    "a file of another kind": ("text.onnx", "float32", None, "is none of the files that are read"),
    "text in the place of a model": ("text.keras", "float32", None, "or no archive that Keras"),
    "text in the place of an h5": ("text.h5", "float32", None, "it is no HDF5 file"),
    "no such quantizer": ("plain", "quantizer", noise, "Unknown quantizer 'ours2'. Did you mean"),
}
NO_PICTURES = {"recurrent", "unrolled"}


def broken(folder):
    (folder / "photographs").mkdir()
    (folder / "photographs" / "a.png").write_bytes(b"no picture")
    return folder / "photographs"


def model_of(networks, name, folder):
    """A model in memory, or the file that a name asks for."""
    if name == "grey":
        return networks.plain(channels=1)
    if name == "small":
        import keras

        image = keras.Input((8, 8, 3))
        return keras.Model(image, networks.head(image), name="small")
    stem, _, suffix = name.partition(".")
    path = folder / name
    if stem == "text":
        path.write_text("no model")
        return path
    model = getattr(networks, stem)()
    if suffix:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(path)
        return path
    return model


@pytest.mark.parametrize("row", ROWS)
def test_it_is_one_sentence_and_nothing_is_half_written(networks, row, tmp_path, capfd):
    name, recipe, calibration, words = ROWS[row]
    options = {}
    if recipe == "quantizer":
        recipe, options = STATIC, {"quantizer": "ours2"}
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    model = model_of(networks, name, tmp_path / "data")
    capfd.readouterr()  # TensorFlow talks while the first model is built
    with pytest.raises(MobileKitError) as refused:
        convert_file(
            model,
            recipe,
            tmp_path / "out" / "net.tflite",
            calibration=calibration(tmp_path / "data") if calibration else None,
            preprocessing=None if name in NO_PICTURES or arrays(calibration, name) else EXPECTS,
            **options,
        )
    sentence = str(refused.value)
    assert words in sentence
    assert refused.value.exit_code in (2, 3)
    assert "\n" not in sentence
    assert re.search(r"[.?]$", sentence)
    assert list((tmp_path / "out").iterdir()) == []
    assert capfd.readouterr().err == ""


def arrays(calibration, name):
    """Whether a row gives arrays to a model of several inputs."""
    return name == "branches" and calibration is not noise


def test_a_file_that_describes_over_2_gb_is_refused_before_its_weights_take_memory(
    networks, tmp_path
):
    """Its description is all that there is: weights of 3.6 GB would not fit a test."""
    import json
    import zipfile

    import keras

    from converters.keras_shapes import count_params

    config = {}

    def build():
        image = keras.Input((8, 8, 3), name="image")
        x = keras.layers.Conv2D(30_000, 1, name="wide")(image)
        x = keras.layers.Conv2D(30_000, 1, name="wider")(x)
        model = keras.Model(image, networks.head(x), name="huge")
        config.update(keras.saving.serialize_keras_object(model))
        return model

    assert count_params(build) > 900_000_000
    path = tmp_path / "huge.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": keras.__version__}))
        archive.writestr("model.weights.h5", b"")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConversionError, match=r"900,\d{3},\d{3} parameters; its file would pass"):
        convert_file(path, "float32", tmp_path / "o.tflite", preprocessing=EXPECTS)
    taken_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert taken_kb < 500_000


def test_a_model_that_was_only_counted_takes_no_memory_later(networks):
    import keras

    from converters.keras_shapes import count_params

    made = []
    assert count_params(lambda: made.append(networks.plain()) or made[0]) > 100
    with keras.StatelessScope():
        pass  # where Keras gives a value to every variable that waits for one
    assert all(weights._value is None for weights in made[0].weights)


def test_an_architecture_of_over_2_gb_is_refused_before_it_is_built(tmp_path):
    from mobilekit.files import build_file

    with pytest.raises(ConversionError, match="its file would pass 2 GB"):
        build_file("mobilenet_v2", tmp_path / "net.keras", alpha=40.0)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
from mobilekit.cli import main
from mobilekit.core.quiet import quiet_stderr
import ai_edge_quantizer, converters.calibration
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
words = ["convert", "float.tflite", "--recipe", "float16", "--mean", "0", "--crop", "8"]
sys.exit(main([*words, "-o", "out/net.tflite"]))
"""


def test_a_disk_that_fills_leaves_what_was_there(tmp_path):
    from tests import tiny_models

    (tmp_path / "float.tflite").write_bytes(tiny_models.tiny_float())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "net.tflite").write_bytes(b"what was there")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert done.returncode == 7, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "cannot be written (File too large)" in last
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["net.tflite"]
    assert (tmp_path / "out" / "net.tflite").read_bytes() == b"what was there"


def test_a_pattern_that_names_no_layer_writes_nothing(networks, tmp_path):
    from mobilekit.core.recipe import LayerArithmetic, LayerRule

    rule = LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="lojits")
    with pytest.raises(UsageError, match=r"'lojits' names no layer.*'logits'"):
        convert_file(
            networks.plain(),
            "float16",
            tmp_path / "o.tflite",
            rules=[rule],
            preprocessing=EXPECTS,
        )
    assert list(tmp_path.iterdir()) == []
