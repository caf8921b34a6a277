"""Published weights of GoogLeNet, BN-Inception and Inception V3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilekit.architectures.flavour import PYTORCH, Flavour, Padding
from mobilekit.core.preprocessing import ChannelOrder, Preprocessing
from mobilekit.weights.source import TORCHVISION, WeightSource

NAMES = "mobilekit.weights.torchvision_inception"
# Ported from TensorFlow: its epsilon, its pixels of -1..1 (`transform_input`), PyTorch's borders.
PORTED = Flavour(padding=Padding.SYMMETRIC, epsilon=1e-3)
PIXELS = replace(TORCHVISION, mean=(127.5,) * 3, std=(127.5,) * 3)
HEADS = {"auxiliary": "yes"}


def googlenets() -> Iterator[WeightSource]:
    """The weights of torchvision, with and without the auxiliary classifiers."""
    plain = WeightSource(
        name="torchvision/googlenet_torchvision",
        file="googlenet-1378be20.pth",
        flavour=PORTED,
        names=f"{NAMES}:googlenet",
        preprocessing=PIXELS,
        top1=69.778,
        source="torchvision GoogLeNet_Weights.IMAGENET1K_V1, BSD-3-Clause; the file's auxiliary"
        " classifiers were never trained",
        unused=("aux1.", "aux2."),
    )
    yield from (plain, _with_heads(plain))


def inception_v3s() -> Iterator[WeightSource]:
    """The weights of torchvision, with and without the auxiliary classifier."""
    plain = WeightSource(
        name="torchvision/inception_v3",
        file="inception_v3_google-0cc3c7bd.pth",
        flavour=PORTED,
        names=f"{NAMES}:inception_v3",
        preprocessing=replace(PIXELS, input_size=(299, 299), resize_shorter=342),
        top1=77.294,
        source="torchvision Inception_V3_Weights.IMAGENET1K_V1, BSD-3-Clause",
        options={"gamma": "yes", "pool_padding": "counted"},
        unused=("AuxLogits.",),
    )
    yield from (plain, _with_heads(plain))


def bn_inception() -> WeightSource:
    """Cadene's, of a port of the paper's network to Caffe."""
    return WeightSource(
        name="cadene/bn_inception",
        file="bn_inception-52deb4733.pth",
        flavour=PYTORCH,
        names="mobilekit.weights.cadene:bn_inception",
        preprocessing=Preprocessing(
            input_size=(224, 224),
            resize_shorter=256,
            mean=(104.0, 117.0, 128.0),
            std=(1.0, 1.0, 1.0),
            channel_order=ChannelOrder.BGR,
        ),
        top1=73.522,
        source="Cadene's pretrained-models.pytorch bninception, BSD-3-Clause; top-1 of its README",
        options={"bias": "yes", "pool_padding": "counted"},
    )


def _with_heads(plain: WeightSource) -> WeightSource:
    """The same file in a network with the classifiers of training."""
    kind, _, architecture = plain.name.partition("/")
    return replace(
        plain,
        name=f"{kind}_aux/{architecture}",
        names=f"{plain.names}_auxiliary",
        options={**plain.options, **HEADS},
        unused=(),
    )
