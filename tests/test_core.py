"""The vocabulary: recipes, targets, preprocessing, errors, tables."""

import itertools
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.recipes import RECIPES, parse_recipe
from mobilekit.core import errors
from mobilekit.core.errors import MobileKitError, UnknownNameError, UsageError
from mobilekit.core.measurement import RunConfig
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.recipe import BITS, Granularity, IoType, Recipe, Scheme
from mobilekit.core.registry import Registry
from mobilekit.core.target import DELEGATES, OPTIONS, Target, check_options

EXIT_CODES = {
    errors.Finding: 1,
    errors.UsageError: 2,
    errors.UnknownNameError: 2,
    errors.ConversionError: 3,
    errors.ModelFileError: 3,
    errors.WeightsFileError: 3,
    errors.DeviceError: 4,
    errors.DeviceTimeoutError: 4,
    errors.RunnerError: 5,
    errors.IncomparableError: 6,
    errors.StorageError: 7,
}

INSTANCES = [
    errors.Finding("It is not."),
    errors.UnknownNameError("recipe", "flaot32", ["float32"], "plan.toml: convert"),
    errors.ModelFileError("net.tflite", "it is empty"),
    errors.WeightsFileError("net.pth", "it is empty"),
    errors.DeviceError("pixel_8", ["ls", "a b"], 2, "ls: a b: No such file\n"),
    errors.DeviceTimeoutError("pixel_8", ["sleep", "9"], 0.5),
    errors.StorageError("out.json", "cannot be written (No space left on device)"),
]


def all_errors(base: type) -> set[type]:
    return {base} | {e for child in base.__subclasses__() for e in all_errors(child)}


def test_every_error_has_the_exit_code_of_the_formats():
    core = {e for e in all_errors(MobileKitError) if e.__module__ == MobileKitError.__module__}
    assert core - {MobileKitError} == set(EXIT_CODES)
    assert {error: error.exit_code for error in EXIT_CODES} == EXIT_CODES


@pytest.mark.parametrize("error", INSTANCES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_with_their_facts(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)


def test_a_failing_command_names_device_command_and_last_words():
    assert str(INSTANCES[4]) == "pixel_8: `ls a b` exited 2: ls: a b: No such file"


def test_an_unknown_name_suggests_the_nearest_and_says_where():
    assert str(INSTANCES[1]) == (
        "plan.toml: convert: unknown recipe 'flaot32'. Did you mean 'float32'? Known: float32."
    )


def test_a_table_refuses_two_rows_of_one_name():
    row = RECIPES["float32"]
    with pytest.raises(ValueError, match="Two recipes are named 'float32'"):
        Registry("recipe", [row, row])


def test_a_table_can_be_asked_for_names_it_lacks():
    assert "float23" not in RECIPES
    with pytest.raises(UnknownNameError, match="Did you mean 'float32'"):
        RECIPES["float23"]


def test_recipe_names_are_the_formats_grammar():
    assert list(RECIPES) == [
        "float32",
        "float16",
        "dynamic_wi8_afp32",
        "weight_only_wi8_afp32",
        "static_wi8_ai8",
        "static_wi8_ai16",
        "dynamic_wi4_afp32",
        "weight_only_wi4_afp32",
    ]


def valid_recipes() -> list[Recipe]:
    recipes = []
    for scheme, bits in BITS.items():
        for weight_bits, activation_bits in bits:
            for granularity in Granularity:
                for io, float_logits in itertools.product(IoType, (False, True)):
                    try:
                        recipes.append(
                            Recipe(
                                scheme=scheme,
                                weight_bits=weight_bits,
                                activation_bits=activation_bits,
                                granularity=granularity,
                                io=io,
                                float_logits=float_logits,
                            )
                        )
                    except ValueError:
                        continue
    return recipes


@pytest.mark.parametrize("recipe", valid_recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_can_be_found_by_its_name(recipe):
    assert parse_recipe(recipe.name) == recipe


def test_no_two_recipes_share_a_name_or_a_digest():
    recipes = valid_recipes()
    assert len({r.name for r in recipes}) == len({r.digest for r in recipes}) == len(recipes)


def test_the_digest_tells_apart_what_the_name_leaves_out():
    recipe = RECIPES["static_wi8_ai8"].recipe
    other = replace(recipe, method="percentile")
    assert (other.name, other.digest != recipe.digest) == (recipe.name, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scheme": Scheme.DYNAMIC, "weight_bits": 8, "activation_bits": 8}, "does not exist with"),
        ({"scheme": Scheme.STATIC, "weight_bits": 8}, "does not exist with"),
        ({"scheme": Scheme.FLOAT, "weight_bits": 8}, "does not exist with"),
        (
            {"scheme": Scheme.FLOAT, "weight_bits": 32, "granularity": Granularity.PER_TENSOR},
            "no granularity",
        ),
        ({"scheme": Scheme.DYNAMIC, "weight_bits": 8, "io": IoType.FLOAT}, "float inputs"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(options, why):
    with pytest.raises(ValueError, match=why):
        Recipe(**options)


@pytest.mark.parametrize("name", ["static_wi8_ai8_iofloat_pertensor", "float32_pertensor", ""])
def test_a_name_outside_the_grammar_is_unknown(name):
    with pytest.raises(UnknownNameError):
        parse_recipe(name)


@pytest.mark.parametrize("delegate", DELEGATES.values(), ids=lambda delegate: delegate.name)
def test_every_target_reads_back(delegate):
    for variant in delegate.variants or (None,):
        target = Target(delegate=delegate.name, variant=variant)
        assert Target.parse(str(target)) == target
    assert Target.parse(delegate.name).variant == (delegate.variants or (None,))[-1]


@pytest.mark.parametrize(
    ("text", "error"),
    [("nnapi@26", "variant of nnapi '26'"), ("npu", "delegate 'npu'"), ("gpu@1", "no variants")],
)
def test_a_target_that_does_not_exist_is_refused(text, error):
    with pytest.raises(UsageError, match=error):
        Target.parse(text)


@pytest.mark.parametrize("row", OPTIONS.values(), ids=lambda row: row.name)
def test_every_option_is_of_a_delegate_that_its_runners_apply(row):
    for value in row.values:
        check_options(row.delegate, {row.option: value})
    assert set(row.measured_by) <= set(DELEGATES[row.delegate].measured_by)


@pytest.mark.parametrize(
    ("target", "options", "error"),
    [
        ("xnnpack", {"fp61": "true"}, "no option 'fp61'; it has fp16, weight_cache. Did you mean"),
        ("xnnpack", {"fp16": "false"}, "'fp16' of delegate 'xnnpack' takes true, not 'false'"),
        ("xnnpack", {"fp16": "true", "weight_cache": "true"}, "cannot go together"),
        ("gpu-mldrift", {"precision": "int8"}, "takes fp16 or fp32, not 'int8'"),
        (
            "qualcomm@sm8750",
            {"fp16": "true"},
            "Delegate 'qualcomm' has no option 'fp16'; it has none",
        ),
    ],
)
def test_an_option_that_does_not_exist_is_refused_with_what_does(target, options, error):
    with pytest.raises(UsageError, match=error):
        check_options(target, options)


def test_a_delegate_that_nothing_here_applies_says_what_does():
    assert all(row.measured_by or row.elsewhere for row in DELEGATES.values())
    assert "iOS" in DELEGATES["coreml"].elsewhere


@pytest.mark.parametrize("shape", ["", "0", "1,0", "1,,2", "x", "1,2,3,4,5,6,7,8,9", "-1,3"])
def test_a_shape_that_cannot_be_is_refused(shape):
    with pytest.raises(ValueError, match="the shape of 'image' must be like"):
        RunConfig(shapes={"image": shape})
    assert RunConfig(shapes={"image": "1,192,192,3"}).shapes


def test_raw_pixels_range_from_0_to_255():
    assert Preprocessing(input_size=(8, 8), resize_shorter=8).value_range == (0, 255)


@given(
    mean=st.tuples(*[st.floats(0, 255)] * 3),
    std=st.tuples(*[st.floats(0.1, 255)] * 3),
    pixel=st.integers(0, 255),
    channel=st.integers(0, 2),
)
def test_no_pixel_leaves_the_value_range(mean, std, pixel, channel):
    low, high = Preprocessing(input_size=(8, 8), resize_shorter=8, mean=mean, std=std).value_range
    assert low <= (pixel - mean[channel]) / std[channel] <= high


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"input_size": (9, 8), "resize_shorter": 8}, "does not fit"),
        ({"input_size": (8, 8), "resize_shorter": 8, "std": (1, 0, 1)}, "std must be above zero"),
    ],
)
def test_a_preprocessing_that_cannot_be_is_refused(options, why):
    with pytest.raises(ValueError, match=why):
        Preprocessing(**options)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"architecture": "../../etc"}, "is no name"),
        ({"architecture": "net", "weights": "a/b"}, "is no name"),
        ({"architecture": "net", "alpha": -1.0}, "alpha must be above 0"),
        ({"architecture": "net", "alpha": float("nan")}, "alpha must be above 0"),
        ({"architecture": "net", "classes": 0}, "must be 1..100000"),
        ({"architecture": "net", "input_size": (224, -1)}, "must be 1..100000"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(options, why):
    with pytest.raises(ValueError, match=why):
        ModelSpec(**options)


@pytest.mark.parametrize(
    "options",
    [{"alpha": 0.5}, {"input_size": (224, 160)}, {"classes": 10}, {"seed": 1}, {"weights": "x"}],
    ids=str,
)
def test_no_two_specs_share_a_name(options):
    spec = ModelSpec(architecture="net")
    assert replace(spec, **options).name != spec.name


@pytest.mark.parametrize("field", ["num_threads", "num_runs", "repetitions", "warmup_runs"])
def test_a_run_config_has_limits(field):
    with pytest.raises(ValueError, match=f"{field} must be"):
        RunConfig(**{field: -1})
