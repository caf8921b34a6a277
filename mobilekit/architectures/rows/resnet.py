"""ResNet: figures of the paper, of torchvision, of Keras, and of the layers for every option."""

from collections.abc import Iterator, Mapping

from mobilekit.architectures.rows.printed import printed
from mobilekit.core.model import Architecture, BuilderOption, Figure

PAPER = "He, Zhang, Ren, Sun 2015, arXiv:1512.03385"
TABLE_1 = "table 1 of arXiv:1512.03385"
TABLE_6 = "table 6 of arXiv:1512.03385"
TORCHVISION = "torchvision's weights, num_params and _ops"
LAYERS = "recomputed from the layers"

NONE = {"shortcut": "none"}
ZERO_PADDING = {"shortcut": "zero_padding"}
PROJECTION = {"shortcut": "projection"}
PROJECTION_ALL = {"shortcut": "projection_all"}
BASIC = {"block": "basic"}
BOTTLENECK = {"block": "bottleneck"}
ON_3X3 = {"stride_on": "3x3"}

MEANING = (
    "projection (B) is a 1x1 convolution where shapes change, zero_padding (A) pads channels"
    " there, projection_all (C) projects in every block, none is the plain net"
)
SHORTCUT = BuilderOption(
    name="shortcut",
    values=("projection", "none", "zero_padding", "projection_all"),
    does=MEANING,
)
SHORTCUT_CIFAR = BuilderOption(
    name="shortcut",
    values=("zero_padding", "none", "projection", "projection_all"),
    does=MEANING,
)
BLOCKS = ("basic", "bottleneck")
BLOCK_DOES = "two 3x3 convolutions, or a 3x3 between two 1x1 with a quarter of the channels"
STRIDE_ON = BuilderOption(
    name="stride_on",
    values=("1x1", "3x3"),
    does="where a bottleneck halves the map: on its first convolution, as the paper, Caffe and"
    " Keras; on its second, as torchvision (v1.5)",
)


def _figures(options: Mapping[str, str], trainable: int, total: int, macs: int) -> Iterator[Figure]:
    columns = {"trainable_params": trainable, "total_params": total, "macs": macs}
    for column, value in columns.items():
        yield Figure(column=column, value=value, source=LAYERS, options=options)


def _imagenet(
    name: str,
    counts: tuple[int, int, int],
    top1: float,
    *figures: Figure,
    plain: tuple[int, int, int],
    all_projected: tuple[int, int, int],
    other_block: tuple[int, int, int],
) -> Architecture:
    """One network of table 1.

    Args:
        name: Of the row.
        counts: Trainable and total parameters, and MACs, of option B.
        top1: Of one crop: Caffe's for those with bottlenecks, fb.resnet.torch's for the others.
        figures: What others print.
        plain: The counts without shortcuts, and with those of option A, which have no weights.
        all_projected: Of option C.
        other_block: Of option B with the other kind of block.
    """
    deep = counts[0] > 25_000_000
    measured = (
        "top-1 of one crop by the authors' deep-residual-networks"
        if deep
        else "top-1 of one crop by fb.resnet.torch, since the authors published none"
    )
    return Architecture(
        name=name,
        builder=f"mobilekit.architectures.resnet:{name}",
        title=f"ResNet-{name.removeprefix('resnet')}",
        family="resnet",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=counts[0],
        total_params=counts[1],
        macs=counts[2],
        top1=top1,
        paper=PAPER,
        source="Table 1 (layers), section 3.3 (shortcuts), section 4.1 (deeper networks take option"
        " B); strides on the first 1x1 of a bottleneck, which the paper's counts and Caffe's files"
        " have, where torchvision's have the 3x3; zeros are padded behind the channels, as in"
        f" fb.resnet.torch; {measured}; counts recomputed from the layers",
        options=(
            SHORTCUT,
            BuilderOption(name="block", values=BLOCKS[::-1] if deep else BLOCKS, does=BLOCK_DOES),
            *((STRIDE_ON,) if deep else ()),
        ),
        figures=(
            *figures,
            *_figures(NONE, *plain),
            *_figures(ZERO_PADDING, *plain),
            *_figures(PROJECTION_ALL, *all_projected),
            *_figures(BASIC if deep else BOTTLENECK, *other_block),
        ),
    )


def _cifar(
    layers: int,
    counts: tuple[int, int, int],
    top1: float,
    params: str,
    *,
    projected: tuple[int, int, int],
    all_projected: tuple[int, int, int],
) -> Architecture:
    """One network of section 4.2: `counts` of option A, `projected` of B, `all_projected` of C."""
    return Architecture(
        name=f"resnet{layers}_cifar",
        builder=f"mobilekit.architectures.resnet:resnet{layers}_cifar",
        title=f"ResNet-{layers} for CIFAR-10",
        family="resnet_cifar",
        input_size=(32, 32),
        min_input_size=4,
        classes=10,
        trainable_params=counts[0],
        total_params=counts[1],
        macs=counts[2],
        top1=top1,
        paper=PAPER,
        source="Section 4.2 (6n + 2 layers, option A everywhere), table 6 (parameters, top-1 on"
        f" CIFAR-10{', the best of five: their mean is 93.39' if layers == 110 else ''}); zeros are"
        " padded behind the channels, as in fb.resnet.torch; counts recomputed from the layers",
        options=(SHORTCUT_CIFAR,),
        figures=(
            printed("trainable_params", params, TABLE_6),
            *_figures(NONE, *counts),
            *_figures(PROJECTION, *projected),
            *_figures(PROJECTION_ALL, *all_projected),
        ),
    )


def _paper(text: str, differs: str = "", **options: str) -> Figure:
    return printed("macs", text, TABLE_1, options=options, differs=differs)


def _torchvision(params: int, macs: str, options: Mapping[str, str]) -> tuple[Figure, ...]:
    return (
        printed("trainable_params", f"{params}", TORCHVISION, options=options),
        printed("macs", macs, TORCHVISION, options=options),
    )


def _keras(trainable: int, total: int) -> tuple[Figure, ...]:
    biases = "its convolutions have biases, which batch norm makes idle"
    return (
        printed("trainable_params", f"{trainable}", "keras.applications", differs=biases),
        printed("total_params", f"{total}", "keras.io/api/applications", differs=biases),
    )


DOWN = "the paper rounds down"

ROWS = (
    _imagenet(
        "resnet18",
        (11_689_512, 11_699_112, 1_814_073_344),
        69.57,
        _paper("1.8G"),
        _paper("1.8G", shortcut="none"),
        *_torchvision(11_689_512, "1.814G", {}),
        plain=(11_515_688, 11_523_496, 1_794_805_760),
        all_projected=(12_043_816, 12_055_464, 1_878_298_624),
        other_block=(15_995_176, 16_026_024, 2_111_045_632),
    ),
    _imagenet(
        "resnet34",
        (21_797_672, 21_814_696, 3_663_761_408),
        73.27,
        _paper("3.6G", DOWN),
        _paper("3.6G", shortcut="none"),
        _paper("3.6G", shortcut="zero_padding"),
        *_torchvision(21_797_672, "3.664G", {}),
        plain=(21_623_848, 21_639_080, 3_644_493_824),
        all_projected=(22_716_840, 22_739_624, 3_830_747_136),
        other_block=(25_557_032, 25_610_152, 3_857_973_248),
    ),
    _imagenet(
        "resnet50",
        (25_557_032, 25_610_152, 3_857_973_248),
        75.3,
        _paper("3.8G", DOWN),
        *_torchvision(25_557_032, "4.089G", ON_3X3),
        *_figures(ON_3X3, 25_557_032, 25_610_152, 4_089_184_256),
        *_keras(25_583_592, 25_636_712),
        plain=(22_780_456, 22_825_896, 3_498_311_680),
        all_projected=(40_128_552, 40_204_200, 6_324_224_000),
        other_block=(21_797_672, 21_814_696, 3_663_761_408),
    ),
    _imagenet(
        "resnet101",
        (44_549_160, 44_654_504, 7_570_194_432),
        76.4,
        _paper("7.6G"),
        *_torchvision(44_549_160, "7.801G", ON_3X3),
        *_figures(ON_3X3, 44_549_160, 44_654_504, 7_801_405_440),
        *_keras(44_601_832, 44_707_176),
        plain=(41_772_584, 41_870_248, 7_210_532_864),
        all_projected=(76_981_288, 77_143_976, 13_530_300_416),
        other_block=(41_869_096, 41_903_528, 7_594_348_544),
    ),
    _imagenet(
        "resnet152",
        (60_192_808, 60_344_232, 11_282_415_616),
        77.0,
        _paper("11.3G"),
        *_torchvision(60_192_808, "11.514G", ON_3X3),
        *_figures(ON_3X3, 60_192_808, 60_344_232, 11_513_626_624),
        *_keras(60_268_520, 60_419_944),
        plain=(57_416_232, 57_559_976, 10_922_754_048),
        all_projected=(107_335_720, 107_575_208, 20_736_376_832),
        other_block=(58_399_528, 58_449_320, 11_524_935_680),
    ),
    _cifar(
        20,
        (269_722, 271_098, 40_551_040),
        91.25,
        "0.27M",
        projected=(272_474, 274_042, 40_813_184),
        all_projected=(283_962, 286_010, 42_648_192),
    ),
    _cifar(
        32,
        (464_154, 466_426, 68_862_592),
        92.49,
        "0.46M",
        projected=(466_906, 469_370, 69_124_736),
        all_projected=(489_594, 492_986, 72_532_608),
    ),
    _cifar(
        44,
        (658_586, 661_754, 97_174_144),
        92.83,
        "0.66M",
        projected=(661_338, 664_698, 97_436_288),
        all_projected=(695_226, 699_962, 102_417_024),
    ),
    _cifar(
        56,
        (853_018, 857_082, 125_485_696),
        93.03,
        "0.85M",
        projected=(855_770, 860_026, 125_747_840),
        all_projected=(900_858, 906_938, 132_301_440),
    ),
    _cifar(
        110,
        (1_727_962, 1_736_058, 252_887_680),
        93.57,
        "1.7M",
        projected=(1_730_714, 1_739_002, 253_149_824),
        all_projected=(1_826_202, 1_838_330, 266_781_312),
    ),
)
