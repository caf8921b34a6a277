"""MobileNetV4 without attention: figures of arXiv:2404.10518 and of timm."""

from mobilekit.architectures.rows.printed import printed
from mobilekit.core.model import Architecture

PAPER = "arXiv:2404.10518, Table 6"
TRAINABLE = "trainable_params"
MORE = "timm's profiler counts more than convolutions and dense layers"
BELOW = "below the paper's own layers, of which timm has as many as we"

SMALL = (
    printed("macs", "0.2G", PAPER),
    printed(TRAINABLE, "3.8M", PAPER),
    printed("macs", "0.19G", "timm"),
    printed(TRAINABLE, "3.77M", "timm"),
    printed("macs", "0.25G", "timm", input_size=256, differs=MORE),
    printed(TRAINABLE, "2.24M", "timm", alpha=0.5),
)
MEDIUM = (
    printed("macs", "1.0G", PAPER, differs=BELOW),
    printed(TRAINABLE, "9.2M", PAPER, differs=BELOW),
    printed("macs", "1.10G", "timm", differs=MORE),
    printed(TRAINABLE, "9.72M", "timm"),
    printed("macs", "0.84G", "timm", input_size=224, differs=MORE),
    printed("macs", "1.71G", "timm", input_size=320, differs=MORE),
)
LARGE = (
    printed("macs", "5.9G", PAPER, differs=BELOW),
    printed(TRAINABLE, "31M", PAPER, differs=BELOW),
    printed("macs", "6.43G", "timm", differs=MORE),
    printed(TRAINABLE, "32.59M", "timm"),
    printed("macs", "2.86G", "timm", input_size=256, differs=MORE),
    printed("macs", "4.47G", "timm", input_size=320, differs=MORE),
    printed("macs", "8.75G", "timm", input_size=448, differs=MORE),
)

ROWS = (
    Architecture(
        name="mobilenet_v4_conv_small",
        builder="mobilekit.architectures.mobilenet_v4:mobilenet_v4_conv_small",
        title="MobileNetV4-Conv-S",
        family="mobilenet_v4",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=3_774_024,
        total_params=3_799_112,
        macs=186_005_568,
        top1=73.8,
        paper="Qin et al. 2024, arXiv:2404.10518",
        source="The appendix's table (layers), as tensorflow/models and timm build it; Table 6"
        " (73.8 %, 0.2G, 3.8M); counts recomputed from the layers",
        figures=SMALL,
    ),
    Architecture(
        name="mobilenet_v4_conv_medium",
        builder="mobilekit.architectures.mobilenet_v4:mobilenet_v4_conv_medium",
        title="MobileNetV4-Conv-M",
        family="mobilenet_v4",
        input_size=(256, 256),
        min_input_size=32,
        has_alpha=True,
        trainable_params=9_715_512,
        total_params=9_783_416,
        macs=1_080_244_224,
        top1=79.9,
        paper="Qin et al. 2024, arXiv:2404.10518",
        source="The appendix's table (layers), as tensorflow/models and timm build it, which have"
        " 9.72M where Table 6 prints 9.2M and 79.9 %; counts recomputed from the layers",
        figures=MEDIUM,
    ),
    Architecture(
        name="mobilenet_v4_conv_large",
        builder="mobilekit.architectures.mobilenet_v4:mobilenet_v4_conv_large",
        title="MobileNetV4-Conv-L",
        family="mobilenet_v4",
        input_size=(384, 384),
        min_input_size=32,
        has_alpha=True,
        trainable_params=32_590_864,
        total_params=32_740_416,
        macs=6_376_220_672,
        top1=82.9,
        paper="Qin et al. 2024, arXiv:2404.10518",
        source="The appendix's table (layers), as timm builds it, which has 32.59M where Table 6"
        " prints 31M and 82.9 %; counts recomputed from the layers",
        figures=LARGE,
    ),
)
