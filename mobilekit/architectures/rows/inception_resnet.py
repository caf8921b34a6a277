"""Inception-v4, Inception-ResNets: figures of arXiv:1602.07261, of slim, Keras and timm."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

PAPER = "Szegedy et al. 2016, arXiv:1602.07261"
LAYERS = "recomputed from the layers"
KERAS = "keras.applications"
TIMM = "timm's tables, whose weights have gammas"
MORE = "counts more than convolutions and dense layers"
GAMMAS = {"gamma": "yes"}
GAMMA = BuilderOption(
    name="gamma",
    values=("no", "yes"),
    does="gives batch norm a factor, as PyTorch's ports have it; slim and Keras leave it out, since"
    " the convolution behind it can have it",
)
POOL_PADDING = BuilderOption(
    name="pool_padding",
    values=("ignored", "counted"),
    does="average pools divide by the pixels within the image, or by the whole window, which needs"
    " no correction, but wants retraining",
)
SCALING = BuilderOption(
    name="scaling",
    values=("yes", "no"),
    does="multiplies residuals by 0.1 to 0.2 before they are added, which training needs where"
    " there are many filters",
)

ROWS = (
    Architecture(
        name="inception_v4",
        builder="mobilekit.architectures.inception_v4:inception_v4",
        title="Inception-v4",
        family="inception_v4",
        input_size=(299, 299),
        min_input_size=75,
        trainable_params=42_648_232,
        total_params=42_711_400,
        macs=12_253_974_624,
        top1=80.2,
        paper=PAPER,
        source="Figures 3 to 9 and table 1 (layers), table 2 (80.0 % without the images whose"
        " labels are in doubt); slim's README (80.2 %), whose code says which of 1x7 and 7x1 comes"
        " first; counts recomputed from the layers",
        options=(GAMMA, POOL_PADDING),
        figures=(
            Figure(column="trainable_params", value=42_648_232, source=LAYERS),
            Figure(column="macs", value=12_253_974_624, source=LAYERS),
            Figure(
                column="trainable_params",
                value=42_680_000,
                unit=10_000,
                source=TIMM,
                options=GAMMAS,
            ),
            Figure(column="macs", value=12_280_000_000, unit=10_000_000, source=TIMM, differs=MORE),
        ),
    ),
    Architecture(
        name="inception_resnet_v1",
        builder="mobilekit.architectures.inception_resnet:inception_resnet_v1",
        title="Inception-ResNet-v1",
        family="inception_resnet",
        input_size=(299, 299),
        min_input_size=75,
        trainable_params=22_742_808,
        total_params=22_769_848,
        macs=6_206_361_696,
        top1=78.7,
        paper=PAPER,
        source="Figures 7, 10 to 15 and table 1 (layers: 5, 10 and 5 residuals; FaceNet's code adds"
        " a sixth of the last kind, which the paper does not have), table 2 (78.7 % without the"
        " images whose labels are in doubt); batch norm where slim has it, so none behind the"
        " linear convolutions; scales are slim's (0.17, 0.10, 0.20), the paper says 0.1 to 0.3;"
        " counts recomputed from the layers",
        options=(SCALING, GAMMA),
        figures=(
            Figure(column="trainable_params", value=22_742_808, source=LAYERS),
            Figure(
                column="trainable_params",
                value=22_742_808,
                source=LAYERS,
                options={"scaling": "no"},
            ),
            Figure(column="trainable_params", value=22_756_328, source=LAYERS, options=GAMMAS),
            Figure(column="macs", value=6_206_361_696, source=LAYERS),
        ),
    ),
    Architecture(
        name="inception_resnet_v2",
        builder="mobilekit.architectures.inception_resnet:inception_resnet_v2",
        title="Inception-ResNet-v2",
        family="inception_resnet",
        input_size=(299, 299),
        min_input_size=75,
        trainable_params=55_813_192,
        total_params=55_873_736,
        macs=13_155_794_016,
        top1=80.4,
        paper=PAPER,
        source="slim's code, which Keras and all published weights follow (80.4 %; 80.3 % by Keras;"
        " 80.1 % in table 2 without the images whose labels are in doubt). The paper's figures 15"
        " to 19 are another network: the stem of Inception-v4 with 384 channels, no module before"
        " the residuals, 5, 10 and 5 of them, no convolution behind the last; their 1154 and 2048"
        " linear filters are not the channels that their reductions make (1152 and 2144), so it"
        " cannot be built as it is printed",
        options=(SCALING, GAMMA, POOL_PADDING),
        figures=(
            Figure(column="trainable_params", value=55_813_192, source=KERAS),
            Figure(column="total_params", value=55_873_736, source=KERAS),
            Figure(column="macs", value=13_155_794_016, source=KERAS),
            Figure(
                column="trainable_params",
                value=55_813_192,
                source=LAYERS,
                options={"scaling": "no"},
            ),
            Figure(
                column="trainable_params",
                value=55_840_000,
                unit=10_000,
                source=TIMM,
                options=GAMMAS,
            ),
            Figure(column="macs", value=13_180_000_000, unit=10_000_000, source=TIMM, differs=MORE),
        ),
    ),
)
