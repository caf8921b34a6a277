"""The architectures that mobilekit can build: one row each, with the published figures.

The rows of a family stand in a file of their own in `rows`, which imports nothing heavy.
"""

from mobilekit.architectures.rows import (
    alexnet,
    bn_inception,
    efficientnet_lite,
    factorized,
    flattened,
    googlenet,
    inception_resnet,
    inception_v3,
    mnasnet,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
    mobilenet_v4,
    resnet,
    squeezenet,
    vgg,
    xception,
)
from mobilekit.core.model import Architecture
from mobilekit.core.registry import Registry

ARCHITECTURES: Registry[Architecture] = Registry(
    "architecture",
    [
        *alexnet.ROWS,
        *vgg.ROWS,
        *resnet.ROWS,
        *squeezenet.ROWS,
        *flattened.ROWS,
        *factorized.ROWS,
        *googlenet.ROWS,
        *bn_inception.ROWS,
        *inception_v3.ROWS,
        *inception_resnet.ROWS,
        *xception.ROWS,
        *mobilenet_v1.ROWS,
        *mobilenet_v2.ROWS,
        *mobilenet_v3.ROWS,
        *mobilenet_v4.ROWS,
        *efficientnet_lite.ROWS,
        *mnasnet.ROWS,
    ],
)
