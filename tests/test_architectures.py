"""Every architecture has the counts that its paper, or its layer table, gives."""

import functools

import pytest

from mobilekit.architectures import ARCHITECTURES
from mobilekit.core.errors import UnknownNameError, UsageError
from mobilekit.core.model import Architecture, ModelSpec

pytestmark = pytest.mark.needs_tensorflow

FIGURES = [(row, figure) for row in ARCHITECTURES.values() for figure in row.figures]


def build(name: str, **options):
    from mobilekit.networks import build_network

    return build_network(ModelSpec(architecture=name, **options))


def counts_of(row, **options):
    given = {"classes": row.classes, "input_size": row.input_size, **options}
    given["options"] = tuple(sorted(given.get("options", {}).items()))
    return counts_once(row.name, **given)


@functools.cache  # several figures are often of one network
def counts_once(name, *, options, **given):
    from mobilekit.networks import count_network

    return count_network(ModelSpec(architecture=name, options=dict(options), **given))


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("target", ["none", "xnnpack"])
def test_the_table_says_what_the_builder_builds_whatever_the_target(row, target):
    counts = counts_of(row, target=target)
    found = (counts.trainable_params, counts.total_params, counts.macs)
    assert found == (row.trainable_params, row.total_params, row.macs)


def figure_name(value) -> str:
    if isinstance(value, Architecture):
        return value.name
    changed = [f"{value.alpha}", f"{value.input_size or ''}", *value.options.values()]
    return "-".join([value.column, *changed])


@pytest.mark.parametrize(("row", "figure"), FIGURES, ids=figure_name)
def test_a_published_figure_agrees_or_says_why_not(row, figure):
    size = figure.input_size
    counts = counts_of(
        row,
        alpha=figure.alpha,
        input_size=(size, size) if size else row.input_size,
        classes=figure.classes if figure.classes != 1000 else row.classes,
        options=row.chosen(figure.options),
    )
    ours = getattr(counts, figure.column)
    assert figure.agrees(ours) == (not figure.differs), (
        f"{ours:,} here, {figure.value:,} by {figure.source}"
    )


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.name)
def test_every_builder_takes_the_common_options(row):
    import keras

    from converters.keras_shapes import shapes_alone
    from mobilekit.architectures.blocks import Head
    from mobilekit.core.loading import load

    builder, small = load(row.builder), row.min_input_size
    options = {"input_size": (small, small + 32), "classes": 7}
    if row.has_alpha:
        options["alpha"] = 0.25
    with shapes_alone():
        assert builder(**options).output_shape == (None, 7)
        assert len(builder(**options, head=Head.NONE).output_shape) == 4
        probabilities = builder(**options, head=Head.PROBABILITIES)
    assert isinstance(probabilities.layers[-1], keras.layers.Softmax)


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.name)
def test_an_input_below_the_smallest_is_refused_with_the_one_that_works(row):
    small = row.min_input_size
    with pytest.raises(UsageError, match=f"the smallest input that works is {small}x{small}"):
        counts_of(row, input_size=(small, small - 1))


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.name)
def test_an_option_that_a_family_does_not_have_is_refused_with_those_it_has(row):
    has = ", ".join(option.name for option in row.options) or "it has none"
    with pytest.raises(UsageError, match=has):
        row.chosen({"colour": "blue"})
    for option in row.options:
        with pytest.raises(UsageError, match=", ".join(option.values)):
            row.chosen({option.name: "no_such_value"})
        assert row.chosen({option.name: option.values[0]}) == {}


@pytest.mark.parametrize(
    ("row", "option", "value"),
    [(r, o.name, v) for r in ARCHITECTURES.values() for o in r.options for v in o.values[1:]],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_option_builds_another_network(row, option, value):
    plain_layers, plain_shape = described(row.name)
    other_layers, other_shape = described(row.name, **{option: value})
    assert plain_layers != other_layers
    assert plain_shape == other_shape


@functools.cache  # each is held against the one without options
def described(name, **options):
    """The layers of a network, and the shape of its output."""
    from converters.keras_shapes import shapes_alone
    from mobilekit.core.loading import load

    row = ARCHITECTURES[name]
    with shapes_alone():
        model = load(row.builder)(input_size=row.input_size, classes=row.classes, **options)
    layers = [(type(each).__name__, each.get_config()) for each in model.layers]
    return layers, model.outputs[0].shape


def test_both_flavours_have_the_same_weights():
    from mobilekit.architectures.flavour import PYTORCH, TENSORFLOW
    from mobilekit.core.loading import load

    builder = load(ARCHITECTURES["mobilenet_v2"].builder)
    ours, theirs = (builder((64, 64), 7, 0.25, flavour=f) for f in (PYTORCH, TENSORFLOW))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert sum("pad" in layer.name for layer in ours.layers) == 5  # one each halving


def test_a_peak_counts_the_tensors_that_live_together():
    from mobilekit.architectures.counts import count

    # Stem 112x112x16 -> block 0 (depthwise in place of nothing: 16 + 16), project to 8, then
    # block 1 expands to 48 channels at 112x112 and its depthwise output at 56x56 joins it.
    model = build("mobilenet_v2", alpha=0.35)
    assert count(model).peak_activation_elements == 112 * 112 * 48 + 56 * 56 * 48


def test_equal_seeds_give_equal_weights_and_others_do_not():
    import numpy as np

    def first_weights(seed: int) -> np.ndarray:
        return build("mobilenet_v1", alpha=0.25, input_size=(32, 32), seed=seed).get_weights()[0]

    assert (first_weights(1) == first_weights(1)).all()
    assert (first_weights(1) != first_weights(2)).any()


def test_an_architecture_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'mobilenet_v2'"):
        build("mobilenetv2")


def test_a_size_that_does_not_fit_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match=r"mobilenet_v1 cannot be built with alpha 0\.01"):
        build("mobilenet_v1", alpha=0.01)
