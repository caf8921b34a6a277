"""The networks of keras.applications, and where their weights go in the networks built here.

A tensor's name is "<layer>/<variable>"; layers that Keras named by itself are counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mobilekit.architectures.flavour import KERAS_RESNET, TENSORFLOW, Flavour
from mobilekit.core.registry import Registry
from mobilekit.weights import Variable

BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


@dataclass(frozen=True, kw_only=True)
class Application:
    """One row of `APPLICATIONS`.

    Attributes:
        name: The architecture here whose peer it is.
        function: Its name in keras.applications.
        flavour: What ours has to be built with.
        names: "module:function" of the mapping.
        options: Options that ours has to be built with.
        arguments: What the function takes beside alpha, input shape and classes.
        alphas: Two widths to compare at, where the architecture has them.
    """

    name: str
    function: str
    names: str
    flavour: Flavour = TENSORFLOW
    options: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, object] = field(default_factory=dict)
    alphas: tuple[float, float] = (1.0, 0.5)


NAMES = "mobilekit.weights.keras_applications"

V3 = "mobilekit.weights.keras_mobilenet_v3"
PIXELS = {"include_preprocessing": False}  # as ours take them: of -1..1

APPLICATIONS: Registry[Application] = Registry(
    "network of keras.applications",
    [
        Application(name="mobilenet_v1", function="MobileNet", names=f"{NAMES}:mobilenet_v1"),
        Application(name="mobilenet_v2", function="MobileNetV2", names=f"{NAMES}:mobilenet_v2"),
        Application(
            name="mobilenet_v3_large",
            function="MobileNetV3Large",
            names=f"{V3}:large",
            arguments=PIXELS,
            alphas=(1.0, 0.75),
        ),
        Application(
            name="mobilenet_v3_small",
            function="MobileNetV3Small",
            names=f"{V3}:small",
            arguments=PIXELS,
            alphas=(1.0, 0.75),
        ),
        Application(
            name="inception_resnet_v2",
            function="InceptionResNetV2",
            names="mobilekit.weights.keras_inception_resnet:inception_resnet_v2",
        ),
        Application(
            name="xception",
            function="Xception",
            names="mobilekit.weights.keras_xception:xception",
        ),
        Application(
            name="inception_v3",
            function="InceptionV3",
            names="mobilekit.weights.keras_inception_v3:inception_v3",
        ),
        Application(name="vgg16", function="VGG16", names="mobilekit.weights.keras_vgg:vgg16"),
        Application(name="vgg19", function="VGG19", names="mobilekit.weights.keras_vgg:vgg19"),
        *(
            Application(
                name=f"resnet{depth}",
                function=f"ResNet{depth}",
                flavour=KERAS_RESNET,
                names=f"mobilekit.weights.keras_resnet:resnet{depth}",
            )
            for depth in (50, 101, 152)
        ),
    ],
)

Pairs = Iterator[tuple[str, Variable]]


def conv(theirs: str, ours: str, variable: str = "kernel") -> Pairs:
    """The kernel of a convolution."""
    yield f"{theirs}/{variable}", (ours, "kernel")


def norm(theirs: str, ours: str) -> Pairs:
    """The four variables of a batch norm; ours is `<ours>_bn`."""
    for variable in BATCH_NORM:
        yield f"{theirs}/{variable}", (f"{ours}_bn", variable)


def dense(theirs: str, ours: str = "logits") -> Pairs:
    """Kernel and bias of a dense layer."""
    for variable in ("kernel", "bias"):
        yield f"{theirs}/{variable}", (ours, variable)


def mobilenet_v1() -> dict[str, Variable]:
    """Names of keras.applications.MobileNet, whatever its width."""
    from mobilekit.architectures.mobilenet_v1 import BLOCKS

    pairs = [*conv("conv1", "stem"), *norm("conv1_bn", "stem")]
    for index in range(len(BLOCKS)):
        for theirs, ours in (("dw", "depthwise"), ("pw", "pointwise")):
            pairs += conv(f"conv_{theirs}_{index + 1}", f"block_{index}_{ours}")
            pairs += norm(f"conv_{theirs}_{index + 1}_bn", f"block_{index}_{ours}")
    return dict([*pairs, *dense("conv_preds")])


def mobilenet_v2() -> dict[str, Variable]:
    """Names of keras.applications.MobileNetV2, whatever its width."""
    from mobilekit.architectures.mobilenet_v2 import STAGES

    pairs = [*conv("Conv1", "stem"), *norm("bn_Conv1", "stem")]
    expansions = [t for t, _, repeats, _ in STAGES for _ in range(repeats)]
    for index, expansion in enumerate(expansions):
        theirs = f"block_{index}" if index else "expanded_conv"
        for part in (
            ("expand", "depthwise", "project") if expansion > 1 else ("depthwise", "project")
        ):
            pairs += conv(f"{theirs}_{part}", f"block_{index}_{part}")
            pairs += norm(f"{theirs}_{part}_BN", f"block_{index}_{part}")
    pairs += [*conv("Conv_1", "last"), *norm("Conv_1_bn", "last")]
    return dict([*pairs, *dense("predictions")])
