"""The ImageNet weights that keras.applications publishes: files, preprocessing, accuracies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mobilekit.core.errors import UsageError
from mobilekit.core.model import ModelSpec
from mobilekit.core.preprocessing import ChannelOrder, Preprocessing
from mobilekit.core.registry import Registry
from mobilekit.weights import KERAS, Layout, WeightSource
from mobilekit.weights.keras_applications import Application

# keras.applications.imagenet_utils.preprocess_input has three modes; no row needs "torch".
TF = Preprocessing(
    input_size=(224, 224), resize_shorter=256, mean=(127.5,) * 3, std=(127.5,) * 3
)  # fmt: skip
CAFFE = Preprocessing(
    input_size=(224, 224),
    resize_shorter=256,
    mean=(103.939, 116.779, 123.68),
    channel_order=ChannelOrder.BGR,
)
TF_299 = replace(TF, input_size=(299, 299), resize_shorter=342)  # a crop of seven eighths

KERAS_IO = "keras.io/api/applications"
SLIM = "tensorflow/models slim, whose weights these are"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One row of `PUBLISHED`.

    Attributes:
        name: The function in keras.applications, and " minimalistic" where it is asked to be.
        file: Name of the file with `{alpha}` and `{size}` in it.
        preprocessing: What its accuracy was measured with; Keras says nothing of the crop.
        top1: Published top-1 accuracy of alpha 1 at the largest size, percent.
        source: Where that stands.
        alphas: The widths that have a file, and how its name spells them.
        sizes: Sizes of square inputs that have a file of their own; other inputs get the last's.
    """

    name: str
    file: str
    top1: float
    preprocessing: Preprocessing = TF
    source: str = KERAS_IO
    alphas: Mapping[float, str] = field(default_factory=lambda: {1.0: "1.0"})
    sizes: tuple[int, ...] = (224,)

    def size_for(self, spec: ModelSpec) -> int:
        """The input size whose weights `spec` gets, pixels."""
        height, width = spec.input_size
        return height if height == width and height in self.sizes else self.sizes[-1]

    def file_for(self, spec: ModelSpec) -> str:
        """Name of the file whose weights `spec` gets.

        Raises:
            UsageError: If there is none of that width.
        """
        if spec.alpha not in self.alphas:
            raise UsageError(
                f"Keras publishes no weights of {spec.architecture} with alpha {spec.alpha:g}; it"
                f" has {', '.join(f'{alpha:g}' for alpha in self.alphas)}."
            )
        return self.file.format(alpha=self.alphas[spec.alpha], size=self.size_for(spec))


def _kernels(name: str) -> str:
    return f"{name}_weights_tf_dim_ordering_tf_kernels.h5"


def _spelled(*alphas: float) -> Mapping[float, str]:
    return {alpha: f"{alpha}" for alpha in alphas}


PUBLISHED: Registry[Published] = Registry(
    "published weights of keras.applications",
    [
        Published(name="VGG16", file=_kernels("vgg16"), preprocessing=CAFFE, top1=71.3),
        Published(name="VGG19", file=_kernels("vgg19"), preprocessing=CAFFE, top1=71.3),
        Published(name="ResNet50", file=_kernels("resnet50"), preprocessing=CAFFE, top1=74.9),
        Published(name="ResNet101", file=_kernels("resnet101"), preprocessing=CAFFE, top1=76.4),
        Published(name="ResNet152", file=_kernels("resnet152"), preprocessing=CAFFE, top1=76.6),
        Published(
            name="InceptionV3",
            file=_kernels("inception_v3"),
            preprocessing=TF_299,
            top1=77.9,
            sizes=(299,),
        ),
        Published(
            name="InceptionResNetV2",
            file=_kernels("inception_resnet_v2"),
            preprocessing=TF_299,
            top1=80.3,
            sizes=(299,),
        ),
        Published(
            name="Xception",
            file=_kernels("xception"),
            preprocessing=TF_299,
            top1=79.0,
            sizes=(299,),
        ),
        Published(
            name="MobileNet",
            file="mobilenet_{alpha}_{size}_tf.h5",
            top1=70.4,
            alphas={0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"},
            sizes=(128, 160, 192, 224),
        ),
        Published(
            name="MobileNetV2",
            file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}.h5",
            top1=71.3,
            alphas=_spelled(0.35, 0.5, 0.75, 1.0, 1.3, 1.4),
            sizes=(96, 128, 160, 192, 224),
        ),
        Published(
            name="MobileNetV3Large",
            file="weights_mobilenet_v3_large_{size}_{alpha}_float.h5",
            top1=75.6,
            source=SLIM,
            alphas=_spelled(0.75, 1.0),
        ),
        Published(
            name="MobileNetV3Small",
            file="weights_mobilenet_v3_small_{size}_{alpha}_float.h5",
            top1=68.1,
            source=SLIM,
            alphas=_spelled(0.75, 1.0),
        ),
        Published(
            name="MobileNetV3Large minimalistic",
            file="weights_mobilenet_v3_large_minimalistic_{size}_{alpha}_float.h5",
            top1=72.3,
            source=SLIM,
        ),
        Published(
            name="MobileNetV3Small minimalistic",
            file="weights_mobilenet_v3_small_minimalistic_{size}_{alpha}_float.h5",
            top1=61.9,
            source=SLIM,
        ),
    ],
)


def published_of(row: Application) -> Published:
    """The weights that Keras publishes for an application."""
    minimalistic = " minimalistic" if row.arguments.get("minimalistic") else ""
    return PUBLISHED[row.function + minimalistic]


def keras_source(row: Application) -> WeightSource:
    """An application's own weights as a source of weights."""
    published = published_of(row)
    return WeightSource(
        name=f"{KERAS}/{row.name}",
        file=published.file,
        flavour=row.flavour,
        names=row.names,
        preprocessing=published.preprocessing,
        top1=published.top1,
        source=f"keras.applications.{row.function}, Apache-2.0; top-1 of {published.source}",
        options=row.options,
        layout=Layout.KERAS,
    )
