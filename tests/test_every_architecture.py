"""Every family becomes what its row says: one XNNPACK partition, exact forms, the counted peak.

One variant a family is quick; every row, with every value of every option, is for `make full`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.model import Architecture, ModelSpec
from mobilekit.core.recipe import MINMAX
from mobilekit.core.target import DEFAULT_TARGET, NO_TARGET

pytestmark = pytest.mark.needs_tensorflow

CLASSES = 10
SAMPLES = 2
EXACT = 1e-5  # of the outputs' range
# Pixels of a family whose last maps would else be one pixel: the converter then makes a bias of
# what a block adds, and XNNPACK leaves a convolution whose bias is no constant.
SIZES = {"mobilenet_v3": 64}


def cases():
    """The first row of a family, then all others and their options."""
    families = set()
    for row in ARCHITECTURES.values():
        marks = [pytest.mark.every_row] if row.family in families else []
        families.add(row.family)
        yield pytest.param((row, {}), id=row.name, marks=marks)
        for option in row.options:
            for value in option.values[1:]:
                name = f"{row.name}-{option.name}-{value}"
                yield pytest.param(
                    (row, {option.name: value}), id=name, marks=pytest.mark.every_row
                )


def network(row, options, target):
    """It, at its smallest size, or the family's own."""
    from mobilekit.networks import build_network

    small = SIZES.get(row.family, row.min_input_size)
    return build_network(
        ModelSpec(
            architecture=row.name,
            input_size=(small, small),
            classes=CLASSES,
            options=options,
            target=target,
        )
    )


def settle(model):
    """Batch norms that have seen something: those of a new network add nothing but zeros."""
    import keras

    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.weights])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network as its target wants it, and its files."""

    row: Architecture
    options: dict[str, str]
    model: Any = field(repr=False)
    plain: bytes = field(repr=False)
    int8: bytes = field(repr=False)

    def images(self):
        random = np.random.default_rng(0)
        shape = (1, *self.model.inputs[0].shape[1:])
        return [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(SAMPLES)]


@pytest.fixture(scope="module", params=list(cases()))
def case(request):
    from converters.calibration import calibrate
    from converters.convert import derive
    from converters.freeze import freeze
    from converters.recipes import parse_recipe, with_method

    row, options = request.param
    model = network(row, options, DEFAULT_TARGET)
    settle(model)
    plain = freeze(model)
    made = Case(row=row, options=options, model=model, plain=plain, int8=b"")
    recipe = with_method(parse_recipe("static_wi8_ai8"), MINMAX)
    int8 = derive(plain, recipe, ranges=calibrate(plain, made.images()))
    return Case(row=row, options=options, model=model, plain=plain, int8=int8)


def test_its_int8_file_is_one_partition_but_for_what_its_row_names(case):
    from converters.partitions import partitions_of

    found = partitions_of(case.int8)
    unnamed = [name for name in found.outside if name not in case.row.outside_xnnpack]
    assert unnamed == []
    if not found.outside:
        assert found.count == 1
    if not case.options:
        assert bool(found.outside) == bool(case.row.outside_xnnpack)


def test_its_peak_is_that_of_its_float_file(case):
    from converters.tflite_reader import read_model
    from mobilekit.architectures.file_order import peak_elements
    from tests.memory import peak_of

    assert peak_elements(case.model) == peak_of(read_model(case.plain, case.row.name).main)


def test_the_forms_of_its_target_compute_what_the_layers_of_the_paper_do(case):
    from converters.keras_shapes import shapes_alone

    with shapes_alone():
        if described(network(case.row, case.options, NO_TARGET)) == described(case.model):
            return  # the same layers, which compute the same
    plain = network(case.row, case.options, NO_TARGET)
    theirs, ours = weights_of(plain), weights_of(case.model)
    assert theirs.keys() == ours.keys()
    for key, variable in theirs.items():
        variable.assign(ours[key])
    [image, _] = case.images()
    expected, found = (np.asarray(model(image, training=False)) for model in (plain, case.model))
    assert np.ptp(expected) > 0
    assert np.abs(found - expected).max() <= EXACT * np.ptp(expected)


def described(model):
    return [(type(layer), layer.get_config()) for layer in model.layers]


def weights_of(model):
    from mobilekit.architectures.blocks import CONSTANT

    network = [layer for layer in model.layers if not layer.name.endswith(CONSTANT)]
    return {(layer.name, w.name): w for layer in network for w in layer.weights}
