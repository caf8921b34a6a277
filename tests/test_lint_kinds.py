"""Every kind of the vocabulary: where it holds, where it is broken, where nobody can tell."""

import pytest

from converters.delegates.kinds import KINDS, check, requirements
from converters.delegates.vocabulary import parse_constraint, vocabulary
from tests.lint_scene import site, tensor

F, T, U = False, True, None
IMAGE = tensor((1, 8, 6, 4))
INT8 = tensor((1, 8, 6, 4), "int8", scale=0.5, zero=3)
OTHER = tensor((1, 8, 6, 4), "int8", scale=0.25, zero=3)
UNKNOWN = tensor((1, -1, 6, 4))
CHANNELS = tensor((4, 3, 3, 4), "int8", scale=[0.5, 1, 2, 4])
ALONG_3 = tensor((4, 3, 3, 4), "int8", scale=[0.5, 1, 2, 4], axis=3)
BLOCKS = tensor((4, 4), "int4", details="BlockwiseQuantization")
SHAPE = tensor(dtype="int32", values=[1, 8, 6, 4])
AXES = tensor(dtype="int32", values=[1, -1])
HIDDEN = tensor((2,), "int32", external=True)
SCALAR = tensor(values=[2.0])


def conv(kernel=(4, 3, 5, 4), image=IMAGE, bias=None, **options):
    options = {"stride_h": 1, "stride_w": 2, "padding": "SAME", **options}
    weights = kernel if not isinstance(kernel, tuple) else tensor(kernel)
    return site("CONV_2D", [image, weights, bias], [IMAGE], **options)


def pool(**options):
    given = {"filter_height": 2, "filter_width": 3, "stride_h": 2, "stride_w": 3}
    return site("AVERAGE_POOL_2D", [IMAGE], [IMAGE], **{**given, **options})


def unary(one=IMAGE, other=IMAGE, op="ABS", **options):
    return site(op, [one], [other], **options)


def binary(one, other, op="ADD"):
    return site(op, [one, other], [IMAGE])


def pad(paddings):
    return site("PAD", [IMAGE, paddings], [IMAGE])


def resize(before, after, **options):
    return site(
        "RESIZE_BILINEAR", [tensor((1, *before, 3)), SHAPE], [tensor((1, *after, 3))], **options
    )


def mean(axes, image=IMAGE):
    return site("MEAN", [image, axes], [IMAGE])


RANK_4 = {"kind": "rank", "tensor": "input", "equals": 4}
OPAQUE = {"kind": "opaque", "text": "who knows"}
# kind, its fields, an operator, whether it holds
ROWS = [
    ("const", {"tensor": "paddings"}, pad(SHAPE), T),
    ("const", {"tensor": "paddings"}, pad(IMAGE), F),
    ("const", {"tensor": "bias"}, conv(), T),
    ("const", {"tensor": "i1"}, site("ADD", [IMAGE, IMAGE], [IMAGE], folded=[1]), T),
    ("runtime", {"tensor": "input"}, unary(), T),
    ("runtime", {"tensor": "input"}, unary(SCALAR), F),
    ("present", {"tensor": "bias"}, conv(bias=SCALAR), T),
    ("present", {"tensor": "bias"}, conv(), F),
    ("rank", {"tensor": "input", "max": 4}, unary(), T),
    ("rank", {"tensor": ["input", "output"], "in": [3, 4]}, unary(other=SCALAR), F),
    ("dim", {"tensor": "input", "axis": -1, "multiple_of": 4}, unary(), T),
    ("dim", {"tensor": "input", "axis": 3, "max": 3}, unary(), F),
    ("dim", {"tensor": "input", "axis": 1, "max": 3}, unary(UNKNOWN), U),
    ("dim", {"tensor": "input", "axis": 7, "max": 3}, unary(), T),
    (
        "dim",
        {"tensor": "input", "axis": 1, "multiple_of_option": "block_size"},
        unary(op="SPACE_TO_DEPTH", block_size=2),
        T,
    ),
    (
        "dim",
        {"tensor": "input", "axis": 1, "multiple_of_option": "block_size"},
        unary(op="SPACE_TO_DEPTH", block_size=3),
        F,
    ),
    ("dim", {"tensor": "input", "axis": 1, "multiple_of_option": "block_size"}, unary(), U),
    ("dims_product", {"tensor": "input", "axes": [1, 2], "max": 48}, unary(), T),
    ("dims_product", {"tensor": "input", "axes": [-3, -2], "max": 47}, unary(), F),
    ("dims_product", {"tensor": "input", "axes": [1, 2], "max": 47}, unary(UNKNOWN), U),
    ("elements", {"tensor": "input", "max": 192}, unary(), T),
    ("elements", {"tensor": "input", "equals": 1}, unary(), F),
    ("elements", {"tensor": "input", "equals": 1}, unary(UNKNOWN), U),
    ("unit_dims", {"tensor": "input", "except": [-3, -2, -1]}, unary(), T),
    ("unit_dims", {"tensor": "input", "except": [-1]}, unary(), F),
    ("unit_dims", {"tensor": "input", "except": [-2, -1]}, unary(UNKNOWN), U),
    ("nonempty", {"tensor": "input"}, unary(), T),
    ("nonempty", {"tensor": "input"}, unary(tensor((1, 0))), F),
    ("static_shape", {"tensor": "tensors"}, unary(), T),
    ("static_shape", {"tensor": "tensors"}, unary(tensor((1, 8), signature=(-1, 8))), F),
    (
        "static_shape",
        {"tensor": "tensors", "allow_axes": [0]},
        unary(tensor((1, 8), signature=(-1, 8))),
        T,
    ),
    ("same_shape", {"tensors": ["input", "output"]}, unary(), T),
    ("same_shape", {"tensors": ["input", "output"]}, unary(other=SCALAR), F),
    ("same_shape", {"tensors": ["input", "output"]}, unary(UNKNOWN), U),
    ("same_rank", {"tensors": ["input", "output"]}, unary(UNKNOWN), T),
    ("same_rank", {"tensors": ["input", "output"]}, unary(SCALAR), F),
    ("same_dim", {"a": ["input", 3], "b": ["filter", 3]}, conv(), T),
    ("same_dim", {"a": ["input", 3], "b": ["filter", 3]}, conv((4, 3, 3, 2)), F),
    ("same_dim", {"a": ["input", 1], "b": ["output", 1]}, conv(image=UNKNOWN), U),
    (
        "same_dim",
        {"a": ["output", 3], "b": ["input", 3], "factor_option": "depth_multiplier"},
        conv(depth_multiplier=1),
        T,
    ),
    (
        "same_dim",
        {"a": ["output", 3], "b": ["input", 3], "factor_option": "depth_multiplier"},
        conv(),
        U,
    ),
    ("broadcast", {"mode": "none"}, binary(IMAGE, IMAGE), T),
    ("broadcast", {"mode": "none"}, binary(IMAGE, SCALAR), F),
    ("broadcast", {"mode": "none"}, binary(IMAGE, UNKNOWN), U),
    ("broadcast", {"mode": "numpy"}, binary(IMAGE, tensor((6, 1))), T),
    ("broadcast", {"mode": "numpy"}, binary(IMAGE, tensor((5, 1))), F),
    ("broadcast", {"mode": "gpu_basic"}, binary(IMAGE, tensor((4,))), T),
    ("broadcast", {"mode": "gpu_basic"}, binary(IMAGE, tensor((8, 6, 4))), T),
    ("broadcast", {"mode": "gpu_basic"}, binary(tensor((1, 1)), IMAGE), T),
    ("broadcast", {"mode": "gpu_basic"}, binary(IMAGE, tensor((1, 4))), T),
    ("broadcast", {"mode": "gpu_basic"}, binary(IMAGE, tensor((6, 4))), F),
    ("broadcast", {"mode": "gpu_basic"}, binary(tensor((2, 8, 6, 4)), tensor((8, 6, 4))), F),
    ("broadcast", {"mode": "gpu_basic"}, binary(tensor((6, 4, 2)), tensor((4, 2))), F),
    ("broadcast", {"mode": "matmul_batch_equal"}, binary(IMAGE, tensor((1, 8, 4, 9))), T),
    ("broadcast", {"mode": "matmul_batch_equal"}, binary(IMAGE, tensor((1, 1, 4, 9))), F),
    ("broadcast", {"mode": "coreml"}, binary(IMAGE, tensor((1, 1, 1, 4))), T),
    ("broadcast", {"mode": "coreml"}, binary(IMAGE, tensor((1, 1, 6, 4))), F),
    ("broadcast", {"mode": "coreml"}, binary(tensor((2, 8, 6, 4)), SCALAR), T),
    ("broadcast", {"mode": "coreml"}, binary(tensor((2, 8, 6, 4)), tensor((1,))), F),
    ("dtype", {"tensor": "input", "in": ["float32"]}, unary(), T),
    ("dtype", {"tensor": "tensors", "in": ["float32"]}, unary(other=INT8), F),
    ("same_dtype", {"tensors": ["input", "output"]}, unary(), T),
    ("same_dtype", {"tensors": ["input", "output"]}, unary(other=INT8), F),
    ("values", {"tensor": "paddings", "min": 1}, pad(SHAPE), T),
    ("values", {"tensor": "paddings", "max": 7}, pad(SHAPE), F),
    ("values", {"tensor": "paddings", "min": 1}, pad(IMAGE), F),
    ("values", {"tensor": "paddings", "min": 1}, pad(HIDDEN), U),
    ("values", {"tensor": "paddings", "at": [0, 3], "max": 4}, pad(SHAPE), T),
    ("values", {"tensor": "paddings", "at": [1], "max": 4}, pad(SHAPE), F),
    (
        "values",
        {"tensor": "paddings", "rows": [0, 3], "equals": 0},
        pad(tensor(dtype="int32", values=[[0, 0], [1, 1], [2, 2], [0, 0]])),
        T,
    ),
    (
        "values",
        {"tensor": "paddings", "rows": [1], "equals": 0},
        pad(tensor(dtype="int32", values=[[0, 0], [1, 1]])),
        F,
    ),
    ("const_if_dtype", {"tensor": "tensors", "dtype": "int8"}, unary(), T),
    ("const_if_dtype", {"tensor": "tensors", "dtype": "int8"}, unary(INT8), F),
    ("quant_granularity", {"tensor": "input", "in": ["none"]}, unary(), T),
    ("quant_granularity", {"tensor": "input", "in": ["none"]}, unary(INT8), F),
    (
        "quant_granularity",
        {"tensor": "filter", "in": ["per_channel"], "axis": 0},
        conv(CHANNELS),
        T,
    ),
    ("quant_granularity", {"tensor": "filter", "in": ["per_channel"], "axis": 0}, conv(ALONG_3), F),
    (
        "quant_granularity",
        {"tensor": "filter", "in": ["per_channel"], "axis": -1},
        conv(ALONG_3),
        T,
    ),
    ("quant_granularity", {"tensor": "input", "in": ["per_channel"]}, unary(BLOCKS), F),
    ("quant_granularity", {"tensor": "input", "in": ["blockwise"]}, unary(BLOCKS), T),
    ("quant_if_dtype", {"tensor": "input", "dtype": "int8", "in": ["none"]}, unary(), T),
    ("quant_if_dtype", {"tensor": "input", "dtype": "int8", "in": ["none"]}, unary(INT8), F),
    ("scale", {"tensor": "input", "equals": 0.5}, unary(INT8), T),
    ("scale", {"tensor": "input", "equals": 0.5}, unary(OTHER), F),
    ("scale", {"tensor": "input", "equals": 0.5}, unary(), T),
    ("zero_point", {"tensor": "input", "equals": 3}, unary(INT8), T),
    ("zero_point", {"tensor": "input", "equals": 0}, unary(INT8), F),
    ("scale_positive", {"tensor": "input"}, unary(INT8), T),
    ("scale_positive", {"tensor": "input"}, unary(), F),
    ("scale_positive", {"tensor": "filter"}, conv(tensor((2, 1, 1, 1), "int8", scale=[1, 0])), F),
    ("same_quant", {"tensors": ["input", "output"]}, unary(INT8, INT8), T),
    ("same_quant", {"tensors": ["input", "output"]}, unary(INT8, OTHER), F),
    (
        "same_quant",
        {"tensors": ["input", "output"], "fields": ["zero_point"]},
        unary(INT8, OTHER),
        T,
    ),
    ("scale_ratio", {"num": ["input"], "den": ["output"], "max": 2.0}, unary(INT8, OTHER), T),
    ("scale_ratio", {"num": ["input"], "den": ["output"], "max_open": 2.0}, unary(INT8, OTHER), F),
    ("scale_ratio", {"num": ["input"], "den": ["output"], "min_open": 2.0}, unary(INT8, OTHER), F),
    ("scale_ratio", {"num": ["input"], "den": ["output"], "min": 2.5}, unary(INT8, OTHER), F),
    ("scale_ratio", {"num": ["input"], "den": ["output"], "min": 2.5}, unary(INT8), T),
    (
        "scale_ratio",
        {"num": ["input", "filter"], "den": ["output"], "max": 7.9},
        site("CONV_2D", [INT8, CHANNELS, None], [OTHER]),
        F,
    ),
    (
        "scale_ratio",
        {"num": ["input"], "den": ["output"], "times_option": "alpha", "abs_min": 0.5},
        unary(INT8, OTHER, alpha=-0.25),
        T,
    ),
    (
        "scale_ratio",
        {"num": ["input"], "den": ["output"], "times_option": "alpha", "abs_min": 0.5},
        unary(INT8, OTHER, alpha=0.125),
        F,
    ),
    (
        "scale_ratio",
        {"num": ["input"], "den": ["output"], "times_option": "alpha", "abs_min": 0.5},
        unary(INT8, OTHER),
        U,
    ),
    ("weights_abs_sum", {"max": 10}, conv(tensor(dtype="int8", values=[[[[1, -9]]]])), T),
    ("weights_abs_sum", {"max": 9}, conv(tensor(dtype="int8", values=[[[[1, -9]]]])), F),
    ("weights_abs_sum", {"max": 9}, conv(tensor((1, 1, 1, 2), "int8", external=True)), U),
    ("weights_abs_sum", {"max": 510}, conv(tensor((1, 1, 1, 2), "int8", external=True)), T),
    (
        "weights_abs_sum",
        {"max": 9},
        site("DEPTHWISE_CONV_2D", [IMAGE, tensor(dtype="int8", values=[[[[1, -9]]]])], [IMAGE]),
        T,
    ),
    ("activation", {"in": ["NONE", "RELU"]}, conv(fused_activation_function="RELU"), T),
    ("activation", {"in": ["NONE", "RELU"]}, conv(fused_activation_function="TANH"), F),
    ("activation", {"in": ["NONE"]}, unary(), T),
    ("option", {"name": "beta", "equals": 1.0}, unary(beta=1.0), T),
    ("option", {"name": "padding", "in": ["SAME", "VALID"]}, conv(padding="UNKNOWN_3"), F),
    ("option", {"name": "beta", "equals": 1.0}, unary(), U),
    ("option", {"name": "num_squeeze_dims", "not": 0}, unary(squeeze_dims=(1, 2)), T),
    ("option", {"name": "num_new_shape", "min": 1}, unary(new_shape=(0,)), F),
    ("option", {"name": "num_new_shape", "in": [3, 4]}, unary(new_shape=(1, 2, 3)), T),
    ("stride", {"max": 2}, conv(), T),
    ("stride", {"equals": 1}, conv(), F),
    ("stride", {"equals": 1}, unary(), U),
    ("dilation", {"equals": 1}, conv(), T),
    ("dilation", {"equals": 1}, conv(dilation_h_factor=2, dilation_w_factor=1), F),
    ("dilation", {"equals": 1}, unary(), U),
    ("kernel", {"h_max": 3, "w_max": 5}, conv(), T),
    ("kernel", {"area_max": 14}, conv(), F),
    ("kernel", {"w_min": 4}, pool(), F),
    ("kernel", {"h_min": 1}, unary(), U),
    ("stride_vs_kernel", {"relation": "eq"}, pool(), T),
    ("stride_vs_kernel", {"relation": "eq"}, pool(stride_h=1), F),
    ("stride_vs_kernel", {"relation": "le"}, pool(stride_h=1), T),
    ("stride_vs_kernel", {"relation": "le"}, pool(stride_w=4), F),
    ("stride_vs_kernel", {"relation": "le"}, unary(), U),
    ("no_padding", {}, conv(padding="VALID"), T),
    ("no_padding", {}, pool(padding="SAME"), T),
    ("no_padding", {}, conv(), F),
    ("no_padding", {}, conv(image=UNKNOWN), U),
    ("groups", {"equals": 1}, conv(), T),
    ("groups", {"equals": 1}, conv((4, 3, 3, 2)), F),
    ("groups", {"equals": 1}, conv((4, 3, 3, 0)), U),
    ("axis", {"from": "axes", "of": "input", "in": [1, "last"]}, mean(AXES), T),
    ("axis", {"from": "axes", "of": "input", "not": ["batch", "last"]}, mean(AXES), F),
    ("axis", {"from": "axes", "of": "input", "in": [-3, -2]}, mean(AXES), F),
    ("axis", {"from": "axes", "of": "input", "in": [1]}, mean(HIDDEN), U),
    ("axis", {"from": "option:axis", "of": "i0", "in": ["last"]}, unary(axis=-1), T),
    ("axis", {"from": "option:axis", "of": "i0", "not": ["batch"]}, unary(axis=0), F),
    ("version", {"max": 2}, unary(version=2), T),
    ("version", {"max": 2}, unary(version=3), F),
    ("count", {"what": "inputs", "equals": 3}, conv(), T),
    ("count", {"what": "runtime_inputs", "in": [1, 2]}, pad(SHAPE), T),
    ("count", {"what": "const_inputs", "equals": 0}, pad(SHAPE), F),
    ("count", {"what": "outputs", "equals": 2}, unary(), F),
    ("resize_scale", {"in": [2.0], "same_hw": True}, resize((4, 4), (8, 8)), T),
    ("resize_scale", {"in": [2.0, 4.0], "same_hw": True}, resize((4, 4), (8, 16)), F),
    ("resize_scale", {"power_of_two": True}, resize((4, 4), (12, 12)), F),
    ("resize_scale", {"power_of_two": True, "identity_ok": True}, resize((3, 5), (3, 5)), T),
    (
        "resize_scale",
        {"in": [2.0], "corner_option": "align_corners"},
        resize((4, 4), (7, 7), align_corners=True),
        T,
    ),
    (
        "resize_scale",
        {"max": 1024, "corner_option": "align_corners"},
        resize((1, 1), (7, 7), align_corners=True),
        U,
    ),
    ("resize_scale", {"max": 2}, resize((-1, 4), (8, 8)), U),
    ("if", {"if": [RANK_4], "then": [{"kind": "version", "max": 1}]}, unary(), T),
    ("if", {"if": [RANK_4], "then": [{"kind": "version", "max": 0}]}, unary(), F),
    ("if", {"if": [RANK_4], "then": [{"kind": "version", "max": 0}]}, unary(SCALAR), T),
    ("if", {"if": [RANK_4], "then": [], "else": [{"kind": "version", "max": 0}]}, unary(SCALAR), F),
    ("if", {"if": [OPAQUE], "then": [{"kind": "version", "max": 0}]}, unary(), U),
    ("if", {"if": [OPAQUE], "then": [RANK_4]}, unary(), T),
    ("any_of", {"of": [[OPAQUE], [RANK_4]]}, unary(), T),
    ("any_of", {"of": [[{"kind": "version", "max": 0}], [RANK_4]]}, unary(SCALAR), F),
    ("any_of", {"of": [[OPAQUE], [RANK_4]]}, unary(SCALAR), U),
    ("not", {"of": [RANK_4]}, unary(SCALAR), T),
    ("not", {"of": [RANK_4]}, unary(), F),
    ("not", {"of": [OPAQUE]}, unary(), U),
    ("not", {"of": [OPAQUE, {"kind": "version", "max": 0}]}, unary(), T),
    ("delegate_option", {"name": "x", "equals": True, "default": True}, unary(), T),
    ("delegate_option", {"name": "x", "equals": True, "default": False}, unary(), F),
    ("delegate_option", {"name": "x", "equals": 2, "default": 3}, unary(delegate={"x": 2}), T),
    ("delegate_option", {"name": "x", "equals": True}, unary(), U),
    ("neighbour", {"text": "alone"}, unary(), U),
    ("external_check", {"by": "a vendor"}, unary(), U),
    ("opaque", {"text": "who knows"}, unary(), U),
]
# What needs no file to be decided, and what no file decides.
NEVER_UNKNOWN = {"const", "runtime", "present", "rank", "nonempty", "static_shape", "same_rank"}
NEVER_UNKNOWN |= {"dtype", "same_dtype", "const_if_dtype", "quant_granularity", "quant_if_dtype"}
NEVER_UNKNOWN |= {"scale", "zero_point", "scale_positive", "same_quant", "activation", "version"}
NEVER_UNKNOWN |= {"count"}
ALWAYS_UNKNOWN = {"neighbour", "external_check", "opaque"}


@pytest.mark.parametrize(
    ("kind", "fields", "where", "holds"), ROWS, ids=[f"{row[0]}-{row[3]}" for row in ROWS]
)
def test_a_constraint_holds_is_broken_or_cannot_be_decided(kind, fields, where, holds):
    constraint = parse_constraint({"kind": kind, **fields}, "a test")
    answer = check(constraint, where)
    assert answer.holds is holds
    assert bool(answer.says) is not bool(holds)
    assert requirements([constraint])
    if holds is False and kind not in ("not", "if", "any_of"):
        assert "; taken: " in answer.says


def test_every_kind_is_implemented_and_has_every_answer_it_can_give():
    assert set(KINDS) == set(vocabulary()["kinds"])
    assert len(KINDS) == 45
    for kind in KINDS:
        answers = {holds for name, _, _, holds in ROWS if name == kind}
        if kind in ALWAYS_UNKNOWN:
            assert answers == {U}, kind
        elif kind in NEVER_UNKNOWN:
            assert answers == {T, F}, kind
        else:
            assert answers == {T, F, U}, kind


def test_what_is_broken_says_what_is_there_and_what_is_taken():
    def says(kind, where, **fields):
        return check(parse_constraint({"kind": kind, **fields}, "a test"), where).says

    assert says("rank", unary(), tensor="input", max=3) == "rank of input is 4; taken: at most 3"
    assert says("stride", conv(), equals=1) == "stride is 1x2; taken: 1"
    assert says("dtype", unary(INT8), tensor="input", **{"in": ["float32", "float16"]}) == (
        "input is int8; taken: float32 or float16"
    )
    assert says("quant_granularity", conv(CHANNELS), tensor="filter", **{"in": ["per_tensor"]}) == (
        "filter is quantized per channel; taken: per tensor"
    )
    assert says("scale_ratio", unary(INT8, OTHER), num=["input"], den=["output"], max_open=1.0) == (
        "scales input / output are 2; taken: less than 1"
    )
    assert says("not", unary(), of=[RANK_4]) == "not taken: rank input 4"
