"""Inception-v4 and the Inception-ResNets: counts from the figures, residuals, their scales."""

import pytest

from tests.paper_notation import cost_of

pytestmark = pytest.mark.needs_tensorflow

STEM = ["3x3/2 32", "3x3V 32", "3x3 64"]
INCEPTION_V4 = [
    *STEM,
    ["max", "3x3/2 96"],
    ["1x1 64, 3x3V 96", "1x1 64, 7x1 64, 1x7 64, 3x3V 96"],
    ["3x3/2 192", "max"],
    *[["avg, 1x1 96", "1x1 96", "1x1 64, 3x3 96", "1x1 64, 3x3 96, 3x3 96"]] * 4,
    ["max", "3x3/2 384", "1x1 192, 3x3 224, 3x3/2 256"],
    *[
        [
            "avg, 1x1 128",
            "1x1 384",
            "1x1 192, 1x7 224, 7x1 256",
            "1x1 192, 1x7 192, 7x1 224, 1x7 224, 7x1 256",
        ]
    ]
    * 7,
    ["max", "1x1 192, 3x3/2 192", "1x1 256, 1x7 256, 7x1 320, 3x3/2 320"],
    *[
        [
            "avg, 1x1 256",
            "1x1 256",
            "1x1 384, 1x3 256 | 3x1 256",
            "1x1 384, 1x3 448, 3x1 512, 3x1 256 | 1x3 256",
        ]
    ]
    * 3,
]
REDUCTION_B = "1x1 256, 3x3/2 384"
INCEPTION_RESNET_V1 = [
    *STEM,
    "max",
    *["1x1 80", "3x3V 192", "3x3/2 256"],
    *[("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 32, 3x3 32")] * 5,
    ["max", "3x3/2 384", "1x1 192, 3x3 192, 3x3/2 256"],
    *[("1x1 128", "1x1 128, 1x7 128, 7x1 128")] * 10,
    ["max", REDUCTION_B, "1x1 256, 3x3/2 256", "1x1 256, 3x3 256, 3x3/2 256"],
    *[("1x1 192", "1x1 192, 1x3 192, 3x1 192")] * 5,
]
INCEPTION_RESNET_V2 = [
    *STEM,
    *["max", "1x1 80", "3x3V 192", "max"],
    ["1x1 96", "1x1 48, 5x5 64", "1x1 64, 3x3 96, 3x3 96", "avg, 1x1 64"],
    *[("1x1 32", "1x1 32, 3x3 32", "1x1 32, 3x3 48, 3x3 64")] * 10,
    ["max", "3x3/2 384", "1x1 256, 3x3 256, 3x3/2 384"],
    *[("1x1 192", "1x1 128, 1x7 160, 7x1 192")] * 20,
    ["max", REDUCTION_B, "1x1 256, 3x3/2 288", "1x1 256, 3x3 288, 3x3/2 320"],
    *[("1x1 192", "1x1 192, 1x3 224, 3x1 256")] * 10,
    "1x1 1536",
]
NETWORKS = {
    "inception_v4": INCEPTION_V4,
    "inception_resnet_v1": INCEPTION_RESNET_V1,
    "inception_resnet_v2": INCEPTION_RESNET_V2,
}
if __name__ == "__main__":
    for name, net in NETWORKS.items():
        c = cost_of(net, size=299, classes=1000)
        print(name, c.trainable(), c.total(), c.macs, c.trainable(gamma=True), c.total(gamma=True))
