"""The output check: what passes, what fails, and what is said first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from android_bench.output_check import (
    FLOAT,
    HALF,
    INTEGER,
    OTHER_KERNELS,
    QUANTIZED_INSIDE,
    check_outputs,
    digest_outputs,
    rule_for,
)

RULES = [FLOAT, INTEGER, QUANTIZED_INSIDE, OTHER_KERNELS]
N = 16


def logits(seed=0, dtype=np.float32):
    values = np.random.default_rng(seed).normal(0, 20, (N, 1, 50))
    return np.rint(values).clip(-128, 127).astype(dtype)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8, np.int16])
def test_equal_outputs_pass_every_rule(rule, dtype):
    seen = check_outputs([logits(dtype=dtype)], [logits(dtype=dtype)], rule)
    assert (seen.passed, seen.detail) == (True, "equal to the bit on 16 inputs")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
@pytest.mark.parametrize(
    ("spoil", "first_words"),
    [
        (lambda out: np.zeros_like(out), "every output is 0"),
        (lambda out: np.full_like(out, -5), "every output is -5"),
        (lambda out: np.repeat(out[:1], N, axis=0), "every input gives the same output"),
        (lambda out: out[:, :, :-1], "outputs are int8 [16, 1, 49]; the reference has int8 [16"),
        (lambda out: out[:-1], "outputs are int8 [15, 1, 50]"),
        (lambda out: out.astype(np.float32), "outputs are float32"),
        (lambda out: -out, "SNR about the mean -6.0 dB"),
        (lambda out: np.roll(out, 1, axis=0), "SNR about the mean -"),
        (lambda out: logits(9, np.int8), "SNR about the mean -"),
    ],
)
def test_wrong_outputs_fail_every_rule(rule, spoil, first_words):
    seen = check_outputs([spoil(logits(dtype=np.int8))], [logits(dtype=np.int8)], rule)
    assert not seen.passed
    assert seen.detail.startswith(first_words)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_fails_and_is_said_first(rule, value):
    got = logits()
    got[3, 0, 7] = value
    seen = check_outputs([got], [logits()], rule)
    assert not seen.passed
    assert seen.detail.startswith("1 of 800 outputs are NaN or infinite")


def test_a_reference_that_is_not_finite_fails():
    want = logits()
    want[0, 0, 0] = np.nan
    seen = check_outputs([logits()], [want], FLOAT)
    assert not seen.passed
    assert "the reference outputs hold NaN" in seen.detail


def test_constant_outputs_are_right_where_the_reference_is_constant():
    zeros = np.zeros((N, 1, 3), np.int8)
    assert check_outputs([zeros], [zeros], INTEGER).passed


@pytest.mark.parametrize(("steps", "passed"), [(1, True), (2, False)])
def test_integers_of_the_same_kernels_may_be_one_step_off(steps, passed):
    got = logits(dtype=np.int8)
    got[0, 0, got[0, 0].argmin()] += steps
    seen = check_outputs([got], [logits(dtype=np.int8)], INTEGER)
    assert seen.passed == passed
    assert f"at most {steps} steps apart" in seen.detail


def test_a_difference_of_integers_does_not_wrap_around():
    want = np.array([[[127, 0, 5]]] * N, np.int8)
    got = np.array([[[-128, 0, 6]]] * N, np.int8)
    assert "at most 255 steps apart" in check_outputs([got], [want], INTEGER).detail


@pytest.mark.parametrize(("snr_db", "passed"), [(45, True), (35, False)])
def test_float_outputs_need_forty_decibels(snr_db, passed):
    want = logits()
    noise = np.random.default_rng(1).normal(size=want.shape)
    noise *= np.linalg.norm(want - want.mean()) / np.linalg.norm(noise) / 10 ** (snr_db / 20)
    seen = check_outputs([(want + noise).astype(np.float32)], [want], FLOAT)
    assert seen.passed == passed
    assert f"SNR about the mean {snr_db}.0 dB" in seen.detail


@pytest.mark.parametrize(("others", "passed"), [(1, True), (2, False)])
def test_one_of_sixteen_first_classes_may_differ(others, passed):
    want = np.tile(np.array([100, 99, 0, 0, 0], np.int8), (N, 1, 1))
    got = want.copy()
    got[:others, 0, :2] = [99, 100]
    seen = check_outputs([got], [want], INTEGER)
    assert seen.passed == passed
    assert f"the same first class on {N - others} of 16" in seen.detail


def test_classes_that_tie_in_the_reference_count_as_the_same():
    want = np.tile(np.array([100, 100, 0], np.int8), (N, 1, 1))
    got = np.tile(np.array([99, 100, 0], np.int8), (N, 1, 1))
    assert check_outputs([got], [want], INTEGER).passed


def test_every_output_of_a_model_is_checked():
    good, bad = logits(), np.zeros((N, 4), np.float32)
    seen = check_outputs([good, bad], [good, np.arange(64, dtype=np.float32).reshape(N, 4)], FLOAT)
    assert not seen.passed
    assert not check_outputs([good], [good, good], FLOAT).passed


@pytest.mark.parametrize(
    ("recipe", "integer", "same_kernels", "rule"),
    [
        ("float32", False, False, FLOAT),
        ("float16", False, True, FLOAT),
        ("static_wi8_ai8", True, True, INTEGER),
        ("static_wi8_ai8", True, False, OTHER_KERNELS),
        ("static_wi8_ai8_iofloat", False, True, QUANTIZED_INSIDE),
        ("dynamic_wi8_afp32", False, True, QUANTIZED_INSIDE),
        ("dynamic_wi8_afp32", False, False, OTHER_KERNELS),
        ("unknown", False, False, OTHER_KERNELS),
        ("unknown", True, False, OTHER_KERNELS),
    ],
)
def test_the_rule_follows_from_the_recipe_and_the_kernels(recipe, integer, same_kernels, rule):
    assert rule_for(recipe, integer=integer, same_kernels=same_kernels) is rule


def test_float16_arithmetic_has_a_rule_of_its_own_for_floats_alone():
    assert rule_for("float32", integer=False, same_kernels=False, half=True) is HALF
    assert rule_for("static_wi8_ai8", integer=True, same_kernels=False, half=True) is OTHER_KERNELS


@given(st.lists(st.integers(-128, 127), min_size=2, max_size=8), st.integers(0, 7))
def test_a_digest_tells_values_types_and_shapes_apart(values, place):
    array = np.array(values, np.int8)
    other = array.copy()
    other[place % len(values)] ^= 1
    digests = [
        digest_outputs(arrays)
        for arrays in ([array], [other], [array.astype(np.int16)], [array[None]], [array, array])
    ]
    assert len(set(digests)) == 5
    assert digest_outputs([array.copy()]) == digests[0]
