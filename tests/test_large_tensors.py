"""Convolution weights above the size at which ai-edge-quantizer gives up are quantized alike."""

import numpy as np
import pytest

pytestmark = pytest.mark.needs_tensorflow


@pytest.mark.parametrize("scales", [(6, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 5), (6,)], ids=str)
def test_pieces_give_the_numbers_of_the_whole(scales, monkeypatch):
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithms.uniform_quantize import uniform_quantize_tensor

    from converters import large_tensors

    random = np.random.default_rng(0)
    values = random.normal(0, 1, (6, 3, 3, 5)).astype(np.float32)
    parameters = qtyping.UniformQuantParams(
        num_bits=8,
        quantized_dimension=3 if scales and scales[-1] == 5 else 0,
        scale=random.uniform(0.01, 0.02, scales).astype(np.float32),
        zero_point=np.zeros(scales, np.int32),
    )
    theirs = uniform_quantize_tensor.uniform_quantize
    whole = theirs(values, parameters)
    monkeypatch.setattr(large_tensors, "LARGE_BYTES", values.nbytes // 4)
    with large_tensors.in_pieces():
        found = uniform_quantize_tensor.uniform_quantize(values, parameters)
    np.testing.assert_array_equal(found, whole)
    assert uniform_quantize_tensor.uniform_quantize is theirs


def test_a_convolution_of_33_million_bytes_becomes_int8():
    import keras
    from keras import layers

    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import RECIPES

    keras.utils.set_random_seed(0)
    image = keras.Input((1, 1, 2912), name="image")
    model = keras.Model(image, layers.Conv2D(2912, 1, kernel_initializer="ones")(image))
    content = freeze(model)
    assert model.count_params() * 4 > 32 * 2**20
    ranges = calibrate(content, [np.linspace(-1, 1, 2912, dtype=np.float32).reshape(1, 1, 1, -1)])
    int8 = derive(content, RECIPES["static_wi8_ai8"].recipe, ranges=ranges)
    assert len(int8) < len(content) / 3
