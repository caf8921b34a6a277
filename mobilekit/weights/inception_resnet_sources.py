"""Published weights of Inception-v4, of Inception-ResNet-v2, of Xception."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilekit.architectures.flavour import TENSORFLOW
from mobilekit.weights.source import TIMM, WeightSource

NAMES = "mobilekit.weights.timm_inception"
# timm's crops: 0.875 of the image, or 0.8975; pixels of -1..1, as the networks were trained with.
PIXELS = replace(
    TIMM, input_size=(299, 299), resize_shorter=342, mean=(127.5,) * 3, std=(127.5,) * 3
)
CLOSER = replace(PIXELS, resize_shorter=333)
HUB = "as the hub's model.safetensors, with 1000 classes; the older .pth has one more, background"


def timm_inceptions() -> Iterator[WeightSource]:
    """Google's and Keras' own weights, ported; all borders and epsilons are still TensorFlow's."""
    for name, preprocessing, top1 in (
        ("inception_v4", PIXELS, 80.144),
        ("inception_resnet_v2", CLOSER, 80.434),
    ):
        yield WeightSource(
            name=f"timm/{name}",
            file=f"{name}.tf_in1k.safetensors",
            flavour=TENSORFLOW,
            names=f"{NAMES}:{name}_names",
            preprocessing=preprocessing,
            top1=top1,
            source=f"timm {name}.tf_in1k, Apache-2.0: slim's checkpoint, {HUB}",
            options={"gamma": "yes"},
        )
    yield WeightSource(
        name="timm/xception",
        file="xception-43020ad28.pth",
        flavour=TENSORFLOW,
        names=f"{NAMES}:xception_names",
        preprocessing=CLOSER,
        top1=79.0,
        source="timm legacy_xception.tf_in1k, Apache-2.0: the weights of Keras (79.0 %), which are"
        " built here as there; timm's own network has PyTorch's borders and epsilon (79.058 %)",
    )
