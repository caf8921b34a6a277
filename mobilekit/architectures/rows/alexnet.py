"""AlexNet: figures of the paper, of torchvision, and of those who compare with it."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

TORCHVISION = "torchvision AlexNet_Weights.IMAGENET1K_V1"
LAYERS = "recomputed from the layers"
BUILDERS = "mobilekit.architectures.alexnet"
UNGROUPED = {"groups": "no"}
BATCH = {"norm": "batch"}

ROWS = (
    Architecture(
        name="alexnet",
        builder=f"{BUILDERS}:alexnet",
        title="AlexNet",
        family="alexnet",
        input_size=(227, 227),
        min_input_size=67,
        trainable_params=60_965_224,
        total_params=60_965_224,
        macs=724_406_816,
        top1=59.3,
        paper="Krizhevsky, Sutskever, Hinton 2012, NIPS 25",
        source="Section 3.5 (layers), 3.3 (response normalization before the pool; CaffeNet swaps"
        " them); the paper prints an input of 224, but its 55x55 outputs need 227, as in Caffe;"
        " top-1 of one network from table 7 of arXiv:1409.1556; counts recomputed from the layers",
        options=(
            BuilderOption(
                name="groups",
                values=("yes", "no"),
                does="convolutions 2, 4 and 5 in two groups, as over the paper's two GPUs",
            ),
            BuilderOption(
                name="norm",
                values=("lrn", "batch", "none"),
                does="response normalization behind two activations; batch norm behind every"
                " convolution in its place, which wants training; or neither",
            ),
        ),
        figures=(
            Figure(
                column="trainable_params",
                value=60_000_000,
                unit=1_000_000,
                source="the paper's abstract, table 9 of arXiv:1704.04861",
                differs="the abstract rounds down",
            ),
            Figure(
                column="trainable_params",
                value=61_000_000,
                unit=1_000_000,
                source="table 1 of arXiv:1510.00149",
            ),
            Figure(column="trainable_params", value=60_965_224, source="Caffe's bvlc_alexnet"),
            Figure(
                column="macs",
                value=720_000_000,
                unit=10_000_000,
                source="table 9 of arXiv:1704.04861",
            ),
            Figure(
                column="macs",
                value=729_000_000,
                unit=1_000_000,
                source="introduction of arXiv:1512.06473",
                differs="0.6 % above convolutions and dense layers, and not explained there",
            ),
            Figure(column="trainable_params", value=62_378_344, source=LAYERS, options=UNGROUPED),
            Figure(column="macs", value=1_135_256_096, source=LAYERS, options=UNGROUPED),
            # 1,376 channels: two trained and two moving values each, and no bias.
            Figure(column="trainable_params", value=60_966_600, source=LAYERS, options=BATCH),
            Figure(column="total_params", value=60_969_352, source=LAYERS, options=BATCH),
            Figure(
                column="total_params", value=60_965_224, source=LAYERS, options={"norm": "none"}
            ),
        ),
        outside_xnnpack="LOCAL_RESPONSE_NORMALIZATION, twice, in float32: LiteRT has no integer"
        " kernel for it, and XNNPACK none at all; norm=batch leaves nothing outside",
    ),
    Architecture(
        name="alexnet_torchvision",
        builder=f"{BUILDERS}:alexnet_torchvision",
        title="AlexNet (torchvision)",
        family="alexnet",
        input_size=(224, 224),
        min_input_size=63,
        trainable_params=61_100_840,
        total_params=61_100_840,
        macs=714_188_480,
        top1=56.522,
        paper="Krizhevsky 2014, arXiv:1404.5997",
        source="torchvision/models/alexnet.py (layers, 61,100,840, 56.522 %), which averages to"
        " 6x6 where the input is not 224: here the first dense layer takes the map as it is",
        figures=(
            Figure(column="trainable_params", value=61_100_840, source=TORCHVISION),
            Figure(column="macs", value=714_000_000, unit=1_000_000, source=TORCHVISION),
        ),
    ),
)
