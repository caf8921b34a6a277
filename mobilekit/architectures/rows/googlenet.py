"""GoogLeNet: figures of arXiv:1409.4842, of Caffe, slim and torchvision."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

BUILDERS = "mobilekit.architectures.googlenet"
PAPER = "Szegedy et al. 2014, arXiv:1409.4842"
LAYERS = "recomputed from the layers"
TORCHVISION = "torchvision GoogLeNet_Weights.IMAGENET1K_V1"
SLIM = "slim's inception_v1_test, 5,607,184 without the classes, and 1,025,000 for these"
MOBILENET = "table 8 of arXiv:1704.04861"
HEADS = {"auxiliary": "yes"}
BATCH = {"norm": "batch"}
SEPARABLE = {"stem": "separable"}
AUXILIARY = BuilderOption(
    name="auxiliary",
    values=("no", "yes"),
    does="the two classifiers that training adds to the loss, as a second and a third output;"
    " inference drops them",
)

ROWS = (
    Architecture(
        name="googlenet",
        builder=f"{BUILDERS}:googlenet",
        title="GoogLeNet",
        family="googlenet",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=6_998_552,
        total_params=6_998_552,
        macs=1_582_671_872,
        top1=68.7,
        paper=PAPER,
        source="Table 1 and figures 2, 3 (layers; the reductions have a ReLU, section 5); Caffe's"
        " bvlc_googlenet (68.7 %; 6,998,552; constants of the response normalization, and a full"
        " 7x7 kernel, where Table 1 counts a separable one); counts recomputed from the layers",
        options=(
            AUXILIARY,
            BuilderOption(
                name="norm",
                values=("lrn", "batch", "none"),
                does="response normalization twice before the modules; batch norm behind every"
                " convolution in its place, which wants training; or neither",
            ),
            BuilderOption(
                name="reduce",
                values=("relu", "linear"),
                does="the activation of the 1x1 convolutions that stand before larger ones; the"
                " paper has ReLU, linear is there to be compared",
            ),
            BuilderOption(
                name="stem",
                values=("full", "separable"),
                does="one 7x7 convolution, or eight filters a colour and a 1x1 convolution, which"
                " is what Table 1 counts",
            ),
        ),
        figures=(
            Figure(column="trainable_params", value=6_998_552, source="Caffe's bvlc_googlenet"),
            Figure(column="macs", value=1_582_671_872, source=LAYERS),
            Figure(column="trainable_params", value=13_378_280, source=LAYERS, options=HEADS),
            Figure(column="macs", value=1_591_044_096, source=LAYERS, options=HEADS),
            Figure(column="trainable_params", value=7_005_832, source=LAYERS, options=BATCH),
            Figure(column="total_params", value=7_020_392, source=LAYERS, options=BATCH),
            # 9,408 weights less, 1,176 + 1,536 more.
            Figure(column="trainable_params", value=6_991_856, source=LAYERS, options=SEPARABLE),
            Figure(column="macs", value=1_498_677_248, source=LAYERS, options=SEPARABLE),
            Figure(
                column="macs",
                value=1_500_000_000,
                unit=100_000_000,
                source="section 1 of the paper, table 3 of arXiv:1512.00567",
                options=SEPARABLE,
            ),
            Figure(
                column="macs",
                value=1_502_000_000,
                unit=1_000_000,
                source="sum of the paper's Table 1",
                differs="Table 1 rounds, and its row 5a, 54M, fits a reduction to 48, not to the 32"
                " that it prints",
                options=SEPARABLE,
            ),
            Figure(
                column="trainable_params",
                value=6_800_000,
                unit=100_000,
                source=f"sum of the paper's Table 1, {MOBILENET}",
                differs="Table 1 counts by 1,024 and leaves out biases",
                options=SEPARABLE,
            ),
            Figure(
                column="macs",
                value=1_550_000_000,
                unit=10_000_000,
                source=MOBILENET,
                differs="between the count with a separable first convolution and the full one",
            ),
        ),
        outside_xnnpack="LOCAL_RESPONSE_NORMALIZATION, twice, in float32: LiteRT has no integer"
        " kernel for it, and XNNPACK none at all; norm=batch leaves nothing outside",
    ),
    Architecture(
        name="googlenet_torchvision",
        builder=f"{BUILDERS}:googlenet_torchvision",
        title="GoogLeNet (slim, torchvision)",
        family="googlenet",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=6_624_904,
        total_params=6_639_464,
        macs=1_498_376_192,
        top1=69.778,
        paper=PAPER,
        source="torchvision/models/googlenet.py, ported from slim's Inception v1 (layers: batch"
        " norm, 3x3 where the paper has 5x5, a last pool of 2x2; 69.778 %, slim 69.8 %); its"
        " auxiliary classifiers average to 4x4 whatever the size, here they have the paper's pool",
        options=(
            AUXILIARY,
            BuilderOption(
                name="gamma",
                values=("yes", "no"),
                does="the factor of batch norm, which torchvision has and slim leaves out",
            ),
        ),
        figures=(
            Figure(column="trainable_params", value=6_624_904, source=TORCHVISION),
            Figure(column="macs", value=1_498_000_000, unit=1_000_000, source=TORCHVISION),
            # Each: 128 filters and their batch norm, 2,048 by 1,024, the classes.
            Figure(column="trainable_params", value=13_004_888, source=LAYERS, options=HEADS),
            Figure(column="total_params", value=6_632_184, source=SLIM, options={"gamma": "no"}),
        ),
    ),
)
