"""MobileNetV2: figures of arXiv:1801.04381, slim and torchvision."""

from mobilekit.core.model import Architecture, Figure

SLIM = "tensorflow/models slim, mobilenet README"

ROWS = (
    Architecture(
        name="mobilenet_v2",
        builder="mobilekit.architectures.mobilenet_v2:mobilenet_v2",
        title="MobileNetV2",
        family="mobilenet_v2",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=3_504_872,
        total_params=3_538_984,
        macs=300_774_272,
        top1=72.0,
        paper="Sandler et al. 2018, arXiv:1801.04381",
        source="Table 2 (layers), Table 4 (72.0 %, 300M, 3.4M); counts recomputed from the layers;"
        " torchvision prints 3,504,872 trainable",
        figures=(
            Figure(column="trainable_params", value=3_504_872, source="torchvision"),
            Figure(column="macs", value=301_000_000, unit=1_000_000, source=SLIM),
            Figure(
                column="trainable_params",
                value=3_470_000,
                unit=10_000,
                source=SLIM,
                differs="slim's 3.47M is below its own trainable weights",
            ),
            Figure(
                column="trainable_params",
                value=1_660_000,
                unit=10_000,
                source=SLIM,
                alpha=0.35,
                differs="slim prints less than its trainable weights",
            ),
            Figure(column="trainable_params", value=6_108_776, source="recomputed", alpha=1.4),
            Figure(column="macs", value=582_000_000, unit=1_000_000, source=SLIM, alpha=1.4),
            Figure(column="macs", value=59_000_000, unit=1_000_000, source=SLIM, alpha=0.35),
            Figure(column="total_params", value=1_691_208, source="recomputed", alpha=0.35),
        ),
    ),
)
