"""The rule files: whole, in the closed vocabulary, and read at the right level."""

import copy
import dataclasses
import json

import pytest

from converters.delegates.kinds import requirements
from converters.delegates.levels import level_words, standing_of
from converters.delegates.rule_files import load_rules, parse_rules
from converters.delegates.verdict import Verdict, judge
from converters.delegates.vocabulary import FOLDER, RuleError, vocabulary, walk
from mobilekit.core.target import DELEGATES, Target
from mobilekit.linting import every_target
from tests.lint_scene import site, tensor

FILES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "vocabulary")
# Only the delegate itself can tell: its rules are not transcribed.
WITHOUT_RULES = {"gpu-mldrift", "openvino"}


def raw(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def test_every_delegate_has_rules_or_is_known_to_have_none():
    assert set(FILES) | WITHOUT_RULES == set(DELEGATES)
    assert len(FILES) == 9
    for name in DELEGATES:
        assert (load_rules(name) is None) == (name in WITHOUT_RULES)


@pytest.mark.parametrize("name", FILES)
def test_a_rule_file_is_whole_and_names_its_source(name):
    rules = load_rules(name)
    assert rules.delegate == name
    assert rules.source.source
    assert rules.source.date.startswith("2026-")
    assert rules.ops
    for entries in rules.ops.values():
        assert entries
    for fold in rules.folds:
        assert fold.op in vocabulary()["builtin_ops"]


@pytest.mark.parametrize("name", FILES)
def test_every_constraint_can_be_put_into_words(name):
    rules = load_rules(name)
    every = [*rules.always, *(c for es in rules.ops.values() for e in es for c in e.constraints)]
    for constraint in walk([rule.constraint for rule in every]):
        assert constraint.kind.replace("_", " ") in requirements([constraint])


def _kind(entry):
    entry["constraints"].append({"kind": "phase_of_the_moon"})


def _field(entry):
    entry["constraints"].append({"kind": "rank", "tensor": "input", "atleast": 4})


def _missing(entry):
    entry["constraints"].append({"kind": "dim", "tensor": "input"})


def _inner(entry):
    entry["constraints"].append({"kind": "not", "of": [{"kind": "rnak", "tensor": "input"}]})


def _role(entry):
    entry["constraints"].append({"kind": "rank", "tensor": "kernel"})


def _dtype(entry):
    entry["dtypes"]["input"] = ["float31"]


def _listed_dtype(entry):
    entry["constraints"].append({"kind": "dtype", "tensor": "input", "in": ["float31"]})


def _mode(entry):
    entry["constraints"].append({"kind": "broadcast", "mode": "any"})


def _level(entry):
    entry["min_level"] = 26


def _phase(entry):
    entry["constraints"].append({"kind": "version", "max": 1, "phase": "later"})


def _mixed(entry):
    then = [{"kind": "version", "max": 1, "phase": "build"}, {"kind": "version", "min": 1}]
    entry["constraints"].append({"kind": "if", "if": [], "then": then})


def _inner_level(entry):
    then = [{"kind": "version", "max": 1, "min_level": 29}]
    entry["constraints"].append({"kind": "if", "if": [], "then": then})


def _spared(entry):
    entry["constraints"].append({"kind": "version", "max": 1, "except_ops": ["ADD"]})


def _entry(entry):
    entry["max_version"] = 3


def _quantization(entry):
    entry["quantization"] = "some"


SPOILED = {
    _kind: r"nnapi.json: CONV_2D\[0\]: unknown kind of constraint 'phase_of_the_moon'",
    _field: r"unknown \['atleast'\]",
    _missing: r"lacks \['axis'\]",
    _inner: "unknown kind of constraint 'rnak'. Did you mean 'rank'",
    _role: "CONV_2D has no tensor 'kernel'",
    _dtype: r"input names the unknown types \['float31'\]",
    _listed_dtype: "dtype names 'float31', which is none of dtypes",
    _mode: "broadcast names 'any'",
    _level: "unknown level 26",
    _phase: "unknown phase 'later'",
    _mixed: "mixes what is tested before and during the build",
    _inner_level: "inside another has levels",
    _spared: "only global constraints have",
    _entry: r"unknown \['max_version'\]",
    _quantization: "unknown quantization 'some'",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_what_the_vocabulary_does_not_know_is_an_error_and_never_a_pass(spoil):
    rules = copy.deepcopy(raw("nnapi"))
    spoil(rules["ops"]["CONV_2D"][0])
    with pytest.raises(RuleError, match=SPOILED[spoil]):
        parse_rules(rules)


def test_an_operator_that_does_not_exist_is_an_error():
    rules = raw("coreml")
    rules["ops"]["CONV2D"] = rules["ops"]["CONV_2D"]
    with pytest.raises(RuleError, match="there is no operator CONV2D"):
        parse_rules(rules)


@pytest.mark.parametrize("target", every_target(), ids=str)
def test_every_variant_stands_for_a_level_that_the_rules_have(target):
    rules = load_rules(target.delegate)
    if rules is None:
        return
    standing = standing_of(target, rules)
    assert (standing.level is None) == (not rules.order)
    if standing.level is not None:
        assert standing.level in rules.order
        assert level_words(target.delegate, standing.level)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("nnapi@27", 27),
        ("nnapi@fl6", 1000006),
        ("nnapi", 1000008),
        ("ethosu@u65-512", "ethos-u65"),
        ("edgetpu@12", 12),
        ("xnnpack", "ai-edge-litert-2.3.0"),
        ("gpu", "litert-2026-08"),
        ("hexagon", None),
    ],
)
def test_a_variant_means_its_level_and_none_the_newest(name, level):
    target = Target.parse(name)
    assert standing_of(target, load_rules(target.delegate)).level == level


# Verdicts: entries, levels, phases.


def verdict(where, name):
    target = Target.parse(name)
    rules = load_rules(target.delegate)
    standing = standing_of(target, rules)
    return judge(dataclasses.replace(where, options=standing.options), rules, standing.level)


def int8_conv(**changes):
    filter_ = tensor(
        dtype="int8", values=[[[[1]]], [[[2]]]], scale=changes.pop("scale", [1, 2]), zero=0
    )
    bias = tensor(dtype="int32", values=[1, 2], scale=[0.5, 1])
    image = tensor((1, 4, 4, 1), "int8", scale=0.5)
    result = tensor((1, 4, 4, 2), "int8", scale=2.0)
    options = {"stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
    options |= {"padding": "SAME", "fused_activation_function": "RELU", **changes}
    return site("CONV_2D", [image, filter_, bias], [result], version=3, **options)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nnapi@27", "no"),
        ("nnapi@29", "yes"),
        ("nnapi@fl8", "yes"),
        ("gpu", "yes"),
        ("xnnpack", "yes"),
        ("ethosu@u55-128", "yes"),
        ("qualcomm", "maybe"),
        ("mediatek", "maybe"),
        ("coreml", "no"),
        ("hexagon", "yes"),
        ("edgetpu", "maybe"),
    ],
)
def test_a_full_integer_convolution_is_judged_by_every_delegate(name, wanted):
    found = verdict(int8_conv(), name)
    assert found.verdict == wanted
    assert bool(found.because) is (wanted != "yes")


def test_what_a_newer_level_takes_says_from_which_level_on():
    found = verdict(int8_conv(), "nnapi@27")
    assert found.because == "API 29 or later: input is int8; taken: float32 or uint8"
    assert found.constraint == "dtype"


def test_an_operator_that_is_not_listed_is_not_taken():
    found = verdict(site("WHILE", [tensor()], [tensor()]), "nnapi@27")
    assert found.verdict is Verdict.NO
    assert (found.constraint, found.because) == (
        "unlisted",
        "it is not among the delegate's operators",
    )


def test_the_entry_that_came_nearest_gives_the_reason():
    found = verdict(int8_conv(fused_activation_function="TANH"), "xnnpack")
    assert found.constraint == "activation"
    assert found.because.startswith("fused activation is TANH; taken: NONE, RELU")


def concatenation(second_scale):
    first = tensor((1, 4), "int8", scale=0.5)
    second = tensor((1, 4), "int8", scale=second_scale)
    result = tensor((1, 8), "int8", scale=0.5)
    return site("CONCATENATION", [first, second], [result], axis=1)


def test_what_only_the_build_tests_is_claimed_and_then_fails_as_a_whole():
    assert verdict(concatenation(0.5), "xnnpack").verdict is Verdict.YES
    found = verdict(concatenation(0.25), "xnnpack")
    assert (found.verdict, found.fails, found.constraint) == (Verdict.NO, True, "if")
    assert found.because.startswith("it is claimed, and then the delegate fails as a whole: scale")


def test_an_option_of_the_delegate_is_as_it_comes_unless_a_variant_sets_it():
    image = tensor((1, 2, 2, 3))
    flat = site("RESHAPE", [image], [tensor((1, 4, 3))], new_shape=(1, 4, 3))
    assert verdict(flat, "coreml@2").verdict is Verdict.YES
    found = verdict(flat, "coreml@3")
    assert (found.verdict, found.constraint) == (Verdict.NO, "delegate_option")
    assert "option coreml_version is 3; taken: 2" in found.because


def test_the_npu_families_differ():
    bools = tensor((1, 9, 3), "bool")
    less = site("LOGICAL_AND", [bools, bools], [bools])
    assert verdict(less, "ethosu@u85-256").verdict is Verdict.YES
    for family in ("u55-128", "u65-256"):
        found = verdict(less, f"ethosu@{family}")
        assert found.verdict is Verdict.NO
        assert found.because == f"it is not among the delegate's operators at ethos-{family[:3]}"
