"""Our quantizer beside the two others, on the same trained network and the same samples."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.answers import FileAnswers
from converters.fidelity import snr_db
from converters.quantizers import QUANTIZERS
from converters.tflite_reader import read_model
from mobilekit.core.errors import UsageError
from mobilekit.core.recipe import LayerArithmetic, LayerRule
from mobilekit.files import convert_file, verify_file

pytestmark = pytest.mark.needs_tensorflow

ROOT = Path(__file__).parent.parent
SIZE, CLASSES = 12, 4


def pictures(count, seed):
    """Bars of four directions in noise, and their class."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    across, along = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    planes = [across, along, across + along, across - along]
    waves = np.stack([np.sin(planes[label] * 1.3 + random.uniform(0, 6)) for label in labels])
    noise = random.normal(0, 0.4, (count, SIZE, SIZE, 1))
    return (waves[..., None] + noise).astype(np.float32), labels


@pytest.fixture(scope="module")
def trained():
    """A residual network with batch norm, which the stock calibrator gets wrong."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 1), name="image")
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(image)))
    for _ in range(2):
        y = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
        y = layers.Conv2D(8, 3, padding="same")(layers.ReLU(6.0)(layers.BatchNormalization()(y)))
        x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(CLASSES, name="logits")(x), name="bars")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(*pictures(1000, 0), epochs=4, batch_size=50, verbose=0)
    _, accuracy = model.evaluate(*pictures(200, 1), verbose=0)
    assert accuracy > 0.9
    return model


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    path = tmp_path_factory.mktemp("samples") / "samples.npz"
    np.savez(path, pictures(60, 2)[0])
    return path


def quantized(trained, samples, folder, quantizer, recipe="static_wi8_ai8"):
    output = folder / f"{quantizer}-{recipe}.tflite"
    convert_file(trained, recipe, output, calibration=samples, quantizer=quantizer)
    return output


def noise_db(trained, path):
    held_out = pictures(200, 3)[0]
    file = FileAnswers(path.read_bytes())
    got = np.concatenate([file.of([values[None]])[0] for values in held_out])
    return snr_db(np.asarray(trained(held_out)), got)


def test_ours_is_not_behind_either_of_the_others(trained, samples, tmp_path):
    found = {
        name: noise_db(trained, quantized(trained, samples, tmp_path, name)) for name in QUANTIZERS
    }
    assert found["ours"] >= found["tflite"] - 0.3
    assert found["ours"] >= found["ai-edge"] + 3  # whose calibration clips
    assert found["tflite"] > 15  # it is no straw man


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_every_quantizer_makes_the_same_operators_and_says_who_it_was(
    trained, samples, tmp_path, quantizer
):
    made = quantized(trained, samples, tmp_path, quantizer)
    found = verify_file(made, full_integer=True, io="int8", per_channel=True)
    assert found.problems == ()
    assert found.model.quantizer == quantizer
    assert found.verification.description.ops == {
        "CONV_2D": 5,
        "ADD": 2,
        "MEAN": 1,
        "FULLY_CONNECTED": 1,
    }


@pytest.mark.parametrize(
    "recipe",
    [
        "static_wi8_ai8_pertensor",
        "static_wi8_ai8_iofloat",
        "static_wi8_ai8_iouint8",
        "static_wi8_ai16",
        "dynamic_wi8_afp32",
        "float16",
    ],
)
def test_what_tfliteconverter_quantizes_is_what_it_claims(trained, samples, tmp_path, recipe):
    assert verify_file(quantized(trained, samples, tmp_path, "tflite", recipe)).problems == ()


@pytest.mark.parametrize("recipe", ["weight_only_wi8_afp32", "dynamic_wi4_afp32"])
def test_recipes_that_tfliteconverter_cannot_make_are_refused(trained, samples, tmp_path, recipe):
    with pytest.raises(UsageError, match=f"quantizer cannot make {recipe}"):
        quantized(trained, samples, tmp_path, "tflite", recipe)
    assert list(tmp_path.iterdir()) == []


def test_tfliteconverter_takes_no_rules(trained, samples, tmp_path):
    with pytest.raises(UsageError, match="cannot make static_wi8_ai8_mixed"):
        convert_file(
            trained,
            "static_wi8_ai8",
            tmp_path / "o.tflite",
            rules=[LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="logits")],
            calibration=samples,
            quantizer="tflite",
        )


SAME_BYTES = """
import hashlib, sys
from pathlib import Path
from mobilekit.files import convert_file
from mobilekit.core.recipe import LayerArithmetic, LayerRule
rule = LayerRule(arithmetic=LayerArithmetic.FLOAT, pattern="logits")
for recipe in ("float32", "float16", "static_wi8_ai8_iouint8", "dynamic_wi4_afp32"):
    output = Path(sys.argv[1]) / f"{recipe}.tflite"
    rules = [] if recipe == "float32" else [rule]
    convert_file(Path("net.keras"), recipe, output, rules=rules, calibration=Path(sys.argv[2]))
    print(recipe, hashlib.sha256(output.read_bytes()).hexdigest())
"""


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_of_a_keras_file(trained, samples, tmp_path):
    trained.save(tmp_path / "net.keras")
    told = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", SAME_BYTES, name, str(samples)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert len(told) == 1


def test_the_uint8_edges_of_tfliteconverter_have_our_scales(trained, samples, tmp_path):
    ports = []
    for name in ("ours", "tflite"):
        made = quantized(trained, samples, tmp_path, name, "static_wi8_ai8_iouint8")
        main = read_model(made.read_bytes(), name).main
        ports.append([main.tensors[i] for i in (*main.inputs, *main.outputs)])
    for ours, theirs in zip(*ports, strict=True):
        assert ours.dtype == theirs.dtype == "uint8"
        assert ours.quantization.zero_points == pytest.approx(
            theirs.quantization.zero_points, abs=1
        )
        assert ours.quantization.scales == pytest.approx(theirs.quantization.scales, rel=1e-3)


def test_a_kernel_above_32_mib_is_quantized_as_any_other():
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    from converters.quantize import LARGEST_BYTES, large_kernels

    kernel = np.random.default_rng(0).normal(size=(1024, 3, 3, 1024)).astype(np.float32)
    assert kernel.nbytes > LARGEST_BYTES
    scale = np.abs(kernel).max(axis=(1, 2, 3)) / np.float32(127)
    params = qtyping.UniformQuantParams(
        num_bits=8,
        quantized_dimension=0,
        scale=scale,
        zero_point=np.zeros(len(scale), np.int32),
        symmetric=True,
    )
    with large_kernels():
        found = uniform_quantize_tensor.uniform_quantize(kernel, params)
    assert found.dtype == np.int8
    exact = kernel / scale[:, None, None, None]
    assert np.abs(found - exact).max() <= 0.5 + 1e-4
