"""Inception V3: figures of arXiv:1512.00567, of slim, Keras, torchvision and timm."""

from mobilekit.architectures.rows.bn_inception import POOL_PADDING
from mobilekit.core.model import Architecture, BuilderOption, Figure

LAYERS = "recomputed from the layers"
KERAS = "keras.applications"
TORCHVISION = "torchvision Inception_V3_Weights.IMAGENET1K_V1"
TIMM = "timm's tables, whose weights have gammas"
SLIM = "slim's inception_v3_test, 21,802,784 without the classes, and 2,049,000 for these"
HEAD = {"auxiliary": "yes"}
GAMMAS = {"gamma": "yes"}
FACTORED = {"factorize": "3x3"}
WHOLE = {"factorize": "5x5"}
SQUARE = {"square": "square"}

ROWS = (
    Architecture(
        name="inception_v3",
        builder="mobilekit.architectures.inception_v3:inception_v3",
        title="Inception V3",
        family="inception_v3",
        input_size=(299, 299),
        min_input_size=75,
        trainable_params=23_817_352,
        total_params=23_851_784,
        macs=5_713_216_096,
        top1=78.0,
        paper="Szegedy et al. 2015, arXiv:1512.00567",
        source="slim's inception_v3.py, which Keras and all published weights follow (layers;"
        " 78.0 %, Keras 77.9 %; 78.8 % in table 3 without the images whose labels are in doubt)."
        " Its first modules have one 5x5 and one pair of 3x3, where figure 5 of the paper has a 3x3"
        " and a pair: so factorize=released is what happens without asking. Counts recomputed from"
        " the layers",
        options=(
            BuilderOption(
                name="auxiliary",
                values=("no", "yes"),
                does="the classifier that training adds to the loss, as a second output; inference"
                " drops it",
            ),
            BuilderOption(
                name="factorize",
                values=("released", "3x3", "5x5"),
                does="the larger kernels of the first modules: one 5x5 and one pair of 3x3 as all"
                " published weights have them, pairs of 3x3 alone, or 5x5 alone",
            ),
            BuilderOption(
                name="between",
                values=("relu", "linear"),
                does="the activation between the two factors of a larger kernel; the paper found"
                " ReLU better (77.2 against 76.2 %)",
            ),
            BuilderOption(
                name="square",
                values=("asymmetric", "square"),
                does="1x7 and 7x1, or 7x7 in their place",
            ),
            POOL_PADDING,
            BuilderOption(
                name="gamma",
                values=("no", "yes"),
                does="the factor of batch norm, which torchvision and timm have, and slim and Keras"
                " leave out",
            ),
        ),
        figures=(
            Figure(column="total_params", value=23_851_784, source=f"{KERAS}, {SLIM}"),
            Figure(column="trainable_params", value=23_817_352, source=KERAS),
            Figure(column="macs", value=5_713_000_000, unit=1_000_000, source=TORCHVISION),
            Figure(
                column="trainable_params",
                value=27_161_264,
                source=TORCHVISION,
                options=HEAD | GAMMAS,
            ),
            Figure(column="trainable_params", value=27_143_152, source=LAYERS, options=HEAD),
            Figure(column="total_params", value=27_179_376, source=LAYERS, options=HEAD),
            Figure(column="macs", value=5_718_899_296, source=LAYERS, options=HEAD),
            Figure(column="trainable_params", value=23_834_568, source=LAYERS, options=GAMMAS),
            Figure(
                column="trainable_params",
                value=23_830_000,
                unit=10_000,
                source=TIMM,
                options=GAMMAS,
            ),
            Figure(
                column="macs",
                value=5_730_000_000,
                unit=10_000_000,
                source=TIMM,
                differs="counts more than convolutions and dense layers",
            ),
            Figure(
                column="macs",
                value=4_800_000_000,
                unit=100_000_000,
                source="table 3 of the paper",
                differs="the released network is larger than the one that the paper counted",
            ),
            Figure(
                column="trainable_params",
                value=23_626_728,
                source="table 3 of arXiv:1610.02357",
                differs="no count of the released network, with or without moving statistics",
            ),
            # Each of three modules: 9 * 64 * (48 + 64) for 25 * 48 * 64 weights, 64 betas more.
            Figure(column="trainable_params", value=23_780_680, source=LAYERS, options=FACTORED),
            Figure(column="macs", value=5_668_057_696, source=LAYERS, options=FACTORED),
            # Each: 25 * 64 * 96 for 9 * 96 * (64 + 96) weights, 96 betas less.
            Figure(column="trainable_params", value=23_863_144, source=LAYERS, options=WHOLE),
            Figure(column="macs", value=5_769_664_096, source=LAYERS, options=WHOLE),
            # Four modules of c channels: 16,128 * c + 21 * c * c more, 3 * c betas less; and 35 *
            # 192 * 192 in the reduction; all at 17x17.
            Figure(column="trainable_params", value=37_620_808, source=LAYERS, options=SQUARE),
            Figure(column="macs", value=9_703_025_248, source=LAYERS, options=SQUARE),
        ),
    ),
)
