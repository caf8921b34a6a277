"""EfficientNet-Lite: figures of tensorflow/tpu."""

from mobilekit.core.model import Architecture, Figure

README = "tensorflow/tpu models/official/efficientnet/lite, README"
TIMM = "timm results-imagenet.csv, without the moving statistics"
MORE = "it counts more than convolutions and dense layers: 3 to 6 % in all five Lites"

ROWS = (
    Architecture(
        name="efficientnet_lite0",
        builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite0",
        title="EfficientNet-Lite0",
        family="efficientnet_lite",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=4_652_008,
        total_params=4_694_024,
        macs=385_187_552,
        top1=75.1,
        paper="Tan, Le 2019, arXiv:1905.11946",
        source="Table 1 (layers of B0), scaled as in tensorflow/tpu's efficientnet_lite_builder.py;"
        " its README (75.1 %); counts recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=4_700_000, unit=100_000, source=README),
            Figure(column="trainable_params", value=4_650_000, unit=10_000, source=TIMM),
            Figure(column="macs", value=407_000_000, unit=1_000_000, source=README, differs=MORE),
        ),
    ),
    Architecture(
        name="efficientnet_lite1",
        builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite1",
        title="EfficientNet-Lite1",
        family="efficientnet_lite",
        input_size=(240, 240),
        min_input_size=32,
        has_alpha=True,
        trainable_params=5_416_680,
        total_params=5_470_344,
        macs=600_185_232,
        top1=76.7,
        paper="Tan, Le 2019, arXiv:1905.11946",
        source="Table 1 (layers of B0), scaled as in tensorflow/tpu's efficientnet_lite_builder.py;"
        " its README (76.7 %); counts recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=5_400_000, unit=100_000, source=README),
            Figure(column="trainable_params", value=5_420_000, unit=10_000, source=TIMM),
            Figure(column="macs", value=631_000_000, unit=1_000_000, source=README, differs=MORE),
        ),
    ),
    Architecture(
        name="efficientnet_lite2",
        builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite2",
        title="EfficientNet-Lite2",
        family="efficientnet_lite",
        input_size=(260, 260),
        min_input_size=32,
        has_alpha=True,
        trainable_params=6_092_072,
        total_params=6_150_168,
        macs=859_736_272,
        top1=77.6,
        paper="Tan, Le 2019, arXiv:1905.11946",
        source="Table 1 (layers of B0), scaled as in tensorflow/tpu's efficientnet_lite_builder.py;"
        " its README (77.6 %); counts recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=6_100_000, unit=100_000, source=README),
            Figure(column="trainable_params", value=6_090_000, unit=10_000, source=TIMM),
            Figure(column="macs", value=899_000_000, unit=1_000_000, source=README, differs=MORE),
        ),
    ),
    Architecture(
        name="efficientnet_lite3",
        builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite3",
        title="EfficientNet-Lite3",
        family="efficientnet_lite",
        input_size=(280, 280),
        min_input_size=32,
        has_alpha=True,
        trainable_params=8_197_096,
        total_params=8_273_768,
        macs=1_383_321_872,
        top1=79.8,
        paper="Tan, Le 2019, arXiv:1905.11946",
        source="Table 1 (layers of B0), scaled as in tensorflow/tpu's efficientnet_lite_builder.py;"
        " its README (79.8 %); counts recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=8_200_000, unit=100_000, source=README),
            Figure(column="trainable_params", value=8_200_000, unit=10_000, source=TIMM),
            Figure(
                column="macs", value=1_440_000_000, unit=10_000_000, source=README, differs=MORE
            ),
        ),
    ),
    Architecture(
        name="efficientnet_lite4",
        builder="mobilekit.architectures.efficientnet_lite:efficientnet_lite4",
        title="EfficientNet-Lite4",
        family="efficientnet_lite",
        input_size=(300, 300),
        min_input_size=32,
        has_alpha=True,
        trainable_params=13_006_568,
        total_params=13_118_936,
        macs=2_553_034_336,
        top1=81.5,
        paper="Tan, Le 2019, arXiv:1905.11946",
        source="Table 1 (layers of B0), scaled as in tensorflow/tpu's efficientnet_lite_builder.py;"
        " its README (81.5 %); counts recomputed from the layers",
        figures=(
            Figure(column="trainable_params", value=13_000_000, unit=1_000_000, source=README),
            Figure(column="trainable_params", value=13_010_000, unit=10_000, source=TIMM),
            Figure(
                column="macs", value=2_640_000_000, unit=10_000_000, source=README, differs=MORE
            ),
        ),
    ),
)
