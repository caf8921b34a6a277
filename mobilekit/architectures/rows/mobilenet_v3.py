"""MobileNetV3: figures of slim, torchvision and timm."""

from mobilekit.architectures.rows.printed import printed
from mobilekit.core.model import Architecture, BuilderOption

SLIM = "tensorflow/models slim, mobilenet README"
OURS = "recomputed from the layers"
TRAINABLE, TOTAL = "trainable_params", "total_params"
MINIMALISTIC = {"minimalistic": "yes"}
NO_SQUEEZE = {"squeeze_excite": "no"}
EARLY = "slim keeps figures of the first preprint, whose layers were others"
OPTIONS = (
    BuilderOption(
        name="minimalistic",
        values=("no", "yes"),
        does="yes: slim's network of 3x3 kernels and ReLU, without squeeze-and-excitation",
    ),
    BuilderOption(
        name="activation",
        values=("hard_swish", "relu"),
        does="relu: ReLU for hard-swish, another network that has to be trained",
    ),
    BuilderOption(
        name="squeeze_excite",
        values=("yes", "no"),
        does="no: without squeeze-and-excitation, another network that has to be trained",
    ),
)

LARGE = (
    printed("macs", "217M", SLIM),
    printed(TRAINABLE, "5.4M", SLIM, differs="the layers have 5.48 million, in every port"),
    printed("macs", "217M", "torchvision"),
    printed(TRAINABLE, "5,483,032", "torchvision"),
    printed("macs", "155M", SLIM, alpha=0.75),
    printed("macs", "154,560,624", OURS, alpha=0.75),
    printed(TRAINABLE, "4.0M", SLIM, alpha=0.75),
    printed(TRAINABLE, "3.99M", "timm", alpha=0.75),
    printed(TRAINABLE, "3,993,528", OURS, alpha=0.75),
    printed(TOTAL, "4,012,616", OURS, alpha=0.75),
    printed("macs", "209M", SLIM, options=MINIMALISTIC),
    printed(TRAINABLE, "3.9M", SLIM, options=MINIMALISTIC),
    printed(TRAINABLE, "3.92M", "timm", options=MINIMALISTIC),
    # Two dense layers with biases for 72, 120, 120, 480, 672, 672, 960 and 960 channels, of a
    # quarter of those in multiples of 8.
    printed(TRAINABLE, "3,970,752", f"{OURS} less 1,512,280", options=NO_SQUEEZE),
)
SMALL = (
    printed("macs", "66M", SLIM, differs=EARLY),
    printed(TRAINABLE, "2.9M", SLIM, differs=EARLY),
    printed("macs", "57M", "torchvision"),
    printed(TRAINABLE, "2,542,856", "torchvision"),
    printed("macs", "44M", SLIM, alpha=0.75, differs=EARLY),
    printed("macs", "43,399,344", OURS, alpha=0.75),
    printed(TRAINABLE, "2.4M", SLIM, alpha=0.75, differs=EARLY),
    printed(TRAINABLE, "2.04M", "timm", alpha=0.75),
    printed(TRAINABLE, "2,041,872", OURS, alpha=0.75),
    printed(TOTAL, "2,051,552", OURS, alpha=0.75),
    printed(TRAINABLE, "1.59M", "timm", alpha=0.5),
    printed("macs", "65M", SLIM, options=MINIMALISTIC, differs=EARLY),
    printed(TRAINABLE, "2.0M", SLIM, options=MINIMALISTIC),
    printed(TRAINABLE, "2.04M", "timm", options=MINIMALISTIC),
    printed(TRAINABLE, "2,081,216", f"{OURS} less 461,640", options=NO_SQUEEZE),
)

ROWS = (
    Architecture(
        name="mobilenet_v3_large",
        builder="mobilekit.architectures.mobilenet_v3:mobilenet_v3_large",
        title="MobileNetV3-Large",
        family="mobilenet_v3",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=5_483_032,
        total_params=5_507_432,
        macs=216_589_760,
        top1=75.2,
        paper="Howard et al. 2019, arXiv:1905.02244",
        source="Table 1 (layers), slim's README (75.2 %, 217M; its 5.4M is below the layers);"
        " torchvision prints 5,483,032 trainable; counts recomputed from the layers",
        options=OPTIONS,
        figures=LARGE,
    ),
    Architecture(
        name="mobilenet_v3_small",
        builder="mobilekit.architectures.mobilenet_v3:mobilenet_v3_small",
        title="MobileNetV3-Small",
        family="mobilenet_v3",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=2_542_856,
        total_params=2_554_968,
        macs=56_510_400,
        top1=67.5,
        paper="Howard et al. 2019, arXiv:1905.02244",
        source="Table 2 (layers), slim's README (67.5 %; its 66M and 2.9M are of the first"
        " preprint); torchvision prints 2,542,856 trainable; counts recomputed from the layers",
        options=OPTIONS,
        figures=SMALL,
    ),
)
