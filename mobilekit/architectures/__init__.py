"""The architectures that mobilekit can build: one row each, with the published figures."""

from mobilekit.core.model import Architecture
from mobilekit.core.registry import Registry

ARCHITECTURES: Registry[Architecture] = Registry(
    "architecture",
    [
        Architecture(
            name="mobilenet_v1",
            builder="mobilekit.architectures.mobilenet_v1:mobilenet_v1",
            title="MobileNet v1",
            input_size=(224, 224),
            trainable_params=4_231_976,
            total_params=4_253_864,
            macs=568_740_352,
            top1=70.6,
            paper="Howard et al. 2017, arXiv:1704.04861",
            source="Table 1 (layers), Table 4 (70.6 %, 569M, 4.2M); counts recomputed from the"
            " layers",
        ),
        Architecture(
            name="mobilenet_v2",
            builder="mobilekit.architectures.mobilenet_v2:mobilenet_v2",
            title="MobileNetV2",
            input_size=(224, 224),
            trainable_params=3_504_872,
            total_params=3_538_984,
            macs=300_774_272,
            top1=72.0,
            paper="Sandler et al. 2018, arXiv:1801.04381",
            source="Table 2 (layers), Table 4 (72.0 %, 300M, 3.4M); counts recomputed from the"
            " layers; torchvision prints 3,504,872 trainable",
        ),
        Architecture(
            name="efficientnet_lite0",
            builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite0",
            title="EfficientNet-Lite0",
            input_size=(224, 224),
            trainable_params=4_652_008,
            total_params=4_694_024,
            macs=385_187_552,
            top1=75.1,
            paper="Tan, Le 2019, arXiv:1905.11946",
            source="Table 1 (layers of B0); tensorflow/tpu models/official/efficientnet/lite"
            " README (75.1 %, 4.7M; its 407M is 5 % above the layers); counts recomputed from the"
            " layers",
        ),
    ],
)
