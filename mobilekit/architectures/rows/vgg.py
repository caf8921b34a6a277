"""VGG: figures of the paper, of torchvision, Keras, timm, and of those who compare with it."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

TABLE_2 = "table 2 of arXiv:1409.1556"
MOBILENET = "table 8 of arXiv:1704.04861"
RESNET = "arXiv:1512.03385"
BATCH = {"norm": "batch"}
NORM = BuilderOption(
    name="norm",
    values=("none", "batch"),
    does="none, as the paper; batch norm behind every convolution, as torchvision",
)


def _row(
    name: str,
    letter: str,
    params: int,
    channels: int,
    macs: int,
    top1: float,
    *figures: Figure,
) -> Architecture:
    """One configuration of table 1.

    Args:
        name: Of the row.
        letter: The paper's name.
        params: Weights and biases.
        channels: Outputs of all convolutions; batch norm has two trained and two moving values
            for each.
        macs: At 224 pixels.
        top1: Table 3, a scale of 256 in training and testing.
        figures: What others print.
    """
    recomputed = "recomputed from the layers"
    return Architecture(
        name=name,
        builder=f"mobilekit.architectures.vgg:{name}",
        title=f"VGG-{letter}",
        family="vgg",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=params,
        total_params=params,
        macs=macs,
        top1=top1,
        paper="Simonyan, Zisserman 2014, arXiv:1409.1556",
        source="Table 1 (layers), table 3 (a scale of 256, whole images; the paper's best single"
        " scale is 1 to 2 points higher); counts recomputed from the layers",
        options=(NORM,),
        figures=(
            *figures,
            Figure(
                column="total_params",
                value=params + 4 * channels,
                source=recomputed,
                options=BATCH,
            ),
            Figure(column="macs", value=macs, source=recomputed, options=BATCH),
        ),
    )


def _paper(millions: int, source: str = TABLE_2) -> Figure:
    return Figure(column="trainable_params", value=millions * 10**6, unit=10**6, source=source)


def _torchvision(params: int, batch: int, gmacs: float) -> tuple[Figure, ...]:
    """What torchvision prints of a network, without and with batch norm."""
    source = "torchvision's weights, num_params and _ops"
    return (
        Figure(column="trainable_params", value=params, source=source),
        Figure(column="trainable_params", value=batch, source=source, options=BATCH),
        Figure(column="macs", value=round(gmacs * 10**9), unit=10**6, source=source),
    )


def _timm(gmacs: float, batch_gmacs: float) -> tuple[Figure, ...]:
    """What timm prints of a network, without and with batch norm."""
    source = "timm's benchmark-infer-amp-nchw"
    return (
        Figure(column="macs", value=round(gmacs * 10**9), unit=10**7, source=source),
        Figure(
            column="macs",
            value=round(batch_gmacs * 10**9),
            unit=10**7,
            source=source,
            options=BATCH,
            differs="timm counts batch norm too, two for each value",
        ),
    )


def _gmacs(value: float, source: str, differs: str = "") -> Figure:
    return Figure(
        column="macs", value=round(value * 10**9), unit=10**8, source=source, differs=differs
    )


CONVOLUTIONS = "counts the convolutions alone, without 124M of the dense layers"
KERAS = "keras.applications"

ROWS = (
    _row(
        "vgg11",
        "A",
        132_863_336,
        2752,
        7_609_090_048,
        70.4,
        _paper(133),
        *_torchvision(132_863_336, 132_868_840, 7.609),
        *_timm(7.61, 7.62),
    ),
    _row(
        "vgg13",
        "B",
        133_047_848,
        2944,
        11_308_466_176,
        71.3,
        _paper(133),
        *_torchvision(133_047_848, 133_053_736, 11.308),
        *_timm(11.31, 11.33),
    ),
    _row("vgg16_c", "C", 133_638_952, 4224, 11_770_888_192, 71.9, _paper(134)),
    _row(
        "vgg16",
        "D",
        138_357_544,
        4224,
        15_470_264_320,
        73.0,
        _paper(138),
        *_torchvision(138_357_544, 138_365_992, 15.470),
        *_timm(15.47, 15.50),
        _paper(138, MOBILENET),
        _gmacs(15.3, MOBILENET, CONVOLUTIONS),
        _gmacs(15.3, RESNET, CONVOLUTIONS),
        Figure(column="total_params", value=138_357_544, source=KERAS),
    ),
    _row(
        "vgg19",
        "E",
        143_667_240,
        5504,
        19_632_062_464,
        72.7,
        _paper(144),
        *_torchvision(143_667_240, 143_678_248, 19.632),
        *_timm(19.63, 19.66),
        _gmacs(19.6, RESNET),
        Figure(column="total_params", value=143_667_240, source=KERAS),
    ),
)
