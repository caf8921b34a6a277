"""MobileNet v1: figures of arXiv:1704.04861 and of slim."""

from mobilekit.core.model import Architecture, Figure

TABLES = "arXiv:1704.04861, Tables 6 and 7"

ROWS = (
    Architecture(
        name="mobilenet_v1",
        builder="mobilekit.architectures.mobilenet_v1:mobilenet_v1",
        title="MobileNet v1",
        family="mobilenet_v1",
        input_size=(224, 224),
        min_input_size=32,
        has_alpha=True,
        trainable_params=4_231_976,
        total_params=4_253_864,
        macs=568_740_352,
        top1=70.6,
        paper="Howard et al. 2017, arXiv:1704.04861",
        source="Table 1 (layers), Table 4 (70.6 %, 569M, 4.2M); counts recomputed from the layers",
        figures=(
            Figure(column="macs", value=569_000_000, unit=1_000_000, source=TABLES),
            Figure(column="trainable_params", value=4_200_000, unit=100_000, source=TABLES),
            Figure(column="macs", value=325_000_000, unit=1_000_000, source=TABLES, alpha=0.75),
            Figure(
                column="macs",
                value=317_000_000,
                unit=1_000_000,
                source="tensorflow/models slim, mobilenet_v1.md",
                differs="slim's table is wrong; the paper's 325M follows from the layers",
                alpha=0.75,
            ),
            Figure(column="macs", value=76_524_800, source="recomputed", alpha=0.5, input_size=160),
            Figure(
                column="macs", value=13_570_048, source="recomputed", alpha=0.25, input_size=128
            ),
            Figure(column="total_params", value=475_544, source="recomputed", alpha=0.25),
        ),
    ),
)
