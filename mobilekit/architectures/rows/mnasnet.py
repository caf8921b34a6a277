"""MnasNet: figures of arXiv:1807.11626, tensorflow/tpu, torchvision and timm."""

from collections.abc import Iterator

from mobilekit.core.model import Architecture, Figure

README = "tensorflow/tpu models/official/mnasnet, README"
TORCHVISION = "torchvision, num_params and _ops of its weights"
TIMM = "timm results-imagenet.csv, without the moving statistics"
MORE = "it counts more than convolutions and dense layers: 1 to 3 % at every width and size"

# README: input size, and millions of multiply-adds at the widths of A1_PARAMS.
A1_MACS = (
    (224, (591.5, 315.2, 226.7, 105.2, 63.2)),
    (192, (435.1, 232.0, 166.9, 77.6, 46.8)),
    (160, (302.8, 161.6, 116.4, 54.4, 32.9)),
    (128, (194.5, 104.1, 75.0, 35.3, 21.6)),
    (96, (110.3, 59.3, 42.9, 20.5, 12.7)),
)
A1_PARAMS = ((1.4, 6.1), (1.0, 3.9), (0.75, 2.9), (0.5, 2.1), (0.35, 1.7))  # millions
# torchvision: width, parameters, millions of multiply-adds.
B1_FIGURES = (
    (0.5, 2_218_512, 104),
    (0.75, 3_170_208, 215),
    (1.0, 4_383_312, 314),
    (1.3, 6_282_256, 526),
)


def _a1() -> Iterator[Figure]:
    for alpha, millions in A1_PARAMS:
        value = round(millions * 1e6)
        yield Figure(
            column="trainable_params", value=value, unit=100_000, source=README, alpha=alpha
        )
    for size, row in A1_MACS:
        for (alpha, _), millions in zip(A1_PARAMS, row, strict=True):
            yield Figure(
                column="macs",
                value=round(millions * 1e6),
                unit=100_000,
                source=README,
                alpha=alpha,
                input_size=size,
                differs=MORE,
            )
    for alpha, value in ((1.0, 3_890_000), (0.75, 2_910_000)):
        yield Figure(column="trainable_params", value=value, unit=10_000, source=TIMM, alpha=alpha)


def _b1() -> Iterator[Figure]:
    for alpha, params, millions in B1_FIGURES:
        yield Figure(column="trainable_params", value=params, source=TORCHVISION, alpha=alpha)
        yield Figure(
            column="macs",
            value=millions * 1_000_000,
            unit=1_000_000,
            source=TORCHVISION,
            alpha=alpha,
        )


ROWS = (
    Architecture(
        name="mnasnet_a1",
        builder="mobilekit.architectures.mnasnet:mnasnet_a1",
        title="MnasNet-A1",
        family="mnasnet",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=3_887_038,
        total_params=3_920_526,
        macs=311_579_072,
        top1=75.2,
        paper="Tan et al. 2019, arXiv:1807.11626",
        source="Figure 7 (layers), Table 1 (75.2 %, 312M, 3.9M); tensorflow/tpu's mnasnet_models.py"
        " for what the figure leaves open; counts recomputed from the layers",
        figures=(
            Figure(
                column="macs", value=312_000_000, unit=1_000_000, source="arXiv:1807.11626, Table 1"
            ),
            *_a1(),
        ),
    ),
    Architecture(
        name="mnasnet_b1",
        builder="mobilekit.architectures.mnasnet:mnasnet_b1",
        title="MnasNet-B1",
        family="mnasnet",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=4_383_312,
        total_params=4_421_232,
        macs=314_415_872,
        top1=74.08,
        paper="Tan et al. 2019, arXiv:1807.11626",
        source="tensorflow/tpu's mnasnet_models.py (layers); TensorFlow Lite's hosted models"
        " (74.08 %); torchvision's weights reach 73.456; counts recomputed from the layers",
        figures=tuple(_b1()),
    ),
    Architecture(
        name="mnasnet_small",
        builder="mobilekit.architectures.mnasnet:mnasnet_small",
        title="MnasNet-small",
        family="mnasnet",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=2_030_264,
        total_params=2_047_192,
        macs=68_339_184,
        top1=66.0,
        paper="Tan et al. 2019, arXiv:1807.11626",
        source="tensorflow/tpu's mnasnet_models.py (layers) and README (66 %, 68M, 2.0M); counts"
        " recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=2_000_000, unit=100_000, source=README),
            Figure(column="trainable_params", value=2_030_000, unit=10_000, source=TIMM),
            Figure(column="macs", value=68_000_000, unit=1_000_000, source=README),
        ),
    ),
)
