"""SqueezeNet: figures of the paper, of torchvision, and of those who compare with it."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

MOBILENET = "table 9 of arXiv:1704.04861"
TABLE_3 = "table 3 of arXiv:1602.07360"
LAYERS = "recomputed from the layers"
SIMPLE = {"bypass": "simple"}
COMPLEX = {"bypass": "complex"}
BYPASS = BuilderOption(
    name="bypass",
    values=("no", "simple", "complex"),
    does="adds the input of every second fire module to its output; of the others too, through a"
    " 1x1 convolution",
)
PAPER = "Iandola et al. 2016, arXiv:1602.07360"

ROWS = (
    Architecture(
        name="squeezenet_1_0",
        builder="mobilekit.architectures.squeezenet:squeezenet_1_0",
        title="SqueezeNet",
        family="squeezenet",
        input_size=(224, 224),
        min_input_size=21,
        trainable_params=1_248_424,
        total_params=1_248_424,
        macs=818_924_576,
        top1=57.5,
        paper=PAPER,
        source="Table 1 (layers, 1,248,424), table 2 (57.5 %), figure 2 (bypasses: 60.4 % simple,"
        " 58.8 % complex); pools reach over the border as in the authors' network, whose input is"
        " 227; what follows a bypass' convolution is not published, so it is linear, as ResNet's",
        options=(BYPASS,),
        figures=(
            Figure(column="trainable_params", value=1_248_424, source="table 1, and torchvision"),
            Figure(column="macs", value=819_000_000, unit=1_000_000, source="torchvision"),
            Figure(column="macs", value=832_667_936, input_size=227, source=LAYERS),
            Figure(column="trainable_params", value=1_250_000, unit=10_000, source=MOBILENET),
            Figure(
                column="macs",
                value=1_700_000_000,
                unit=100_000_000,
                source=MOBILENET,
                differs="counts multiplications and additions apart",
            ),
            Figure(
                column="trainable_params",
                value=round(4.8 * 2**20 / 4),
                unit=round(0.1 * 2**20 / 4),
                source=f"{TABLE_3}, 4.8 MB of float32",
                options=SIMPLE,
            ),
            Figure(column="trainable_params", value=1_248_424, source=LAYERS, options=SIMPLE),
            Figure(column="macs", value=818_924_576, source=LAYERS, options=SIMPLE),
            Figure(
                column="trainable_params",
                value=round(7.7 * 2**20 / 4),
                unit=round(0.1 * 2**20 / 4),
                source=f"{TABLE_3}, 7.7 MB of float32",
                options=COMPLEX,
                differs="four 1x1 convolutions of 341,248 weights make it 6.1 MB; what else there"
                " was is not published",
            ),
            Figure(column="trainable_params", value=1_589_672, source=LAYERS, options=COMPLEX),
            Figure(column="macs", value=1_165_298_720, source=LAYERS, options=COMPLEX),
        ),
    ),
    Architecture(
        name="squeezenet_1_1",
        builder="mobilekit.architectures.squeezenet:squeezenet_1_1",
        title="SqueezeNet 1.1",
        family="squeezenet",
        input_size=(224, 224),
        min_input_size=17,
        trainable_params=1_235_496,
        total_params=1_235_496,
        macs=349_151_936,
        top1=58.178,
        paper=PAPER,
        source="the authors' README of v1.1 (a smaller first convolution, earlier pools);"
        " torchvision (1,235,496, 58.178 %)",
        options=(BYPASS,),
        figures=(
            Figure(column="trainable_params", value=1_235_496, source="torchvision"),
            Figure(column="macs", value=349_000_000, unit=1_000_000, source="torchvision"),
            Figure(column="macs", value=387_747_520, input_size=227, source=LAYERS),
            Figure(column="trainable_params", value=1_235_496, source=LAYERS, options=SIMPLE),
            Figure(column="trainable_params", value=1_572_648, source=LAYERS, options=COMPLEX),
            Figure(column="macs", value=447_660_736, source=LAYERS, options=COMPLEX),
        ),
    ),
)
