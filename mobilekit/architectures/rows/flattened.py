"""Flattened networks: figures of the layers."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

LAYERS = "recomputed from the layers"
FULL = {"convolution": "full"}

ROWS = (
    Architecture(
        name="flattened",
        builder="mobilekit.architectures.flattened:flattened",
        title="Flattened CNN",
        family="flattened",
        input_size=(32, 32),
        min_input_size=8,
        classes=10,
        trainable_params=1_195_658,
        total_params=1_195_658,
        macs=23_038_464,
        top1=None,
        paper="Jin, Dundar, Culurciello 2014, arXiv:1412.5474",
        source="Figure 2 (two levels of lateral, vertical and horizontal filters, a bias each, no"
        " activation between) and the base network (convolutions of 96, 128 and 256 channels, 5x5,"
        " pools of 2, two dense layers), the first convolution as it is. The paper says 8 to 10"
        " times fewer parameters: it is 9.8 and 7.9 times fewer weights in the two convolutions"
        " that are flattened. Not confirmed, and chosen here: 256 units in the hidden layer, as"
        " many as the last convolution has channels, and no dropout. The paper's accuracies on"
        " CIFAR are not known for certain, so none is given; counts recomputed from the layers",
        options=(
            BuilderOption(
                name="convolution",
                values=("flattened", "full"),
                does="one-dimensional filters over channels, columns and rows, or the base"
                " network's 5x5 convolutions",
            ),
        ),
        figures=(
            Figure(column="trainable_params", value=2_185_482, source=LAYERS, options=FULL),
            Figure(column="total_params", value=2_185_482, source=LAYERS, options=FULL),
            Figure(column="macs", value=139_495_936, source=LAYERS, options=FULL),
        ),
    ),
)
