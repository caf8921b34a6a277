"""EfficientNet-Lite: figures of tensorflow/tpu."""

from mobilekit.core.model import Architecture, Figure

README = "tensorflow/tpu models/official/efficientnet/lite, README"

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
        source="Table 1 (layers of B0); tensorflow/tpu models/official/efficientnet/lite README"
        " (75.1 %, 4.7M; its 407M is 5 % above the layers); counts recomputed from the layers",
        figures=(
            Figure(column="total_params", value=4_700_000, unit=100_000, source=README),
            Figure(
                column="macs",
                value=407_000_000,
                unit=1_000_000,
                source=README,
                differs="5 % above convolutions and dense layers: it counts more than those",
            ),
        ),
    ),
)
