"""Xception: figures of arXiv:1610.02357, of Keras and timm."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

PAPER = "Chollet 2016, arXiv:1610.02357"
LAYERS = "recomputed from the layers"
KERAS = "keras.applications"


def _towers(
    segments: str, trainable_params: int, total_params: int, macs: int
) -> tuple[Figure, ...]:
    """What follows from figure 3 at figure 5's widths."""
    counts = {"trainable_params": trainable_params, "total_params": total_params, "macs": macs}
    return tuple(
        Figure(column=column, value=value, source=LAYERS, options={"segments": segments})
        for column, value in counts.items()
    )


ROWS = (
    Architecture(
        name="xception",
        builder="mobilekit.architectures.xception:xception",
        title="Xception",
        family="xception",
        input_size=(299, 299),
        min_input_size=37,
        trainable_params=22_855_952,
        total_params=22_910_480,
        macs=8_357_403_496,
        top1=79.0,
        paper=PAPER,
        source="Figure 5 (layers), table 1 (79.0 %), table 3 (22,855,952); Keras (22,910,480"
        " total); figure 10 compares activations between depthwise and pointwise while they train:"
        " none is best, and no number is printed",
        options=(
            BuilderOption(
                name="between",
                values=("linear", "relu", "elu"),
                does="puts an activation between the depthwise and the pointwise convolution",
            ),
        ),
        figures=(
            Figure(column="trainable_params", value=22_855_952, source="table 3"),
            Figure(column="total_params", value=22_910_480, source=KERAS),
            Figure(column="macs", value=8_357_403_496, source=KERAS),
            Figure(column="macs", value=8_400_000_000, unit=100_000_000, source="timm's tables"),
            Figure(
                column="trainable_params", value=22_860_000, unit=10_000, source="timm's tables"
            ),
            *(
                Figure(
                    column="trainable_params",
                    value=22_855_952,
                    source=LAYERS,
                    options={"between": between},
                )
                for between in ("relu", "elu")
            ),
        ),
    ),
    Architecture(
        name="xception_towers",
        builder="mobilekit.architectures.xception:xception_towers",
        title="Xception of Inception modules",
        family="xception",
        input_size=(299, 299),
        min_input_size=37,
        trainable_params=72_368_648,
        total_params=72_473_240,
        macs=27_786_559_504,
        top1=None,
        paper=PAPER,
        source="Section 1.1 and figures 2 to 4: a 1x1 convolution, then 3x3 convolutions over"
        " segments of its channels that do not overlap, from one (a plain convolution) to one a"
        " channel; section 1.2: a ReLU behind both. The paper fixes the module alone and trained"
        " none of these; open are filters (here the 1x1 and the 3x3 have those of the separable"
        " convolution whose place they take), the network around (here figure 5's), batch norm"
        " (here behind both) and the second ReLU (here in front of the next module, as figure 5's)."
        " Counts recomputed from that",
        options=(
            BuilderOption(
                name="segments",
                values=("4", "1", "2", "8", "extreme"),
                does="how many 3x3 convolutions share the channels of the 1x1; extreme has one a"
                " channel",
            ),
            BuilderOption(
                name="between",
                values=("relu", "linear", "elu"),
                does="the activation between the 1x1 and the 3x3 convolutions",
            ),
        ),
        figures=(
            *_towers("4", 72_368_648, 72_473_240, 27_786_559_504),
            *_towers("1", 221_378_840, 221_483_432, 86_470_598_560),
            *_towers("2", 122_038_712, 122_143_304, 47_347_905_856),
            *_towers("8", 47_533_616, 47_638_208, 18_005_886_328),
            *_towers("extreme", 22_923_872, 23_028_464, 8_383_857_448),
        ),
    ),
)
