"""Factorized CNNs: figures of the layers, since the paper's tables of layers are not known."""

from collections.abc import Iterator

from mobilekit.core.model import Architecture, BuilderOption, Figure


def _figures(trainable: int, total: int, macs: int, **options: str) -> Iterator[Figure]:
    columns = {"trainable_params": trainable, "total_params": total, "macs": macs}
    for column, value in columns.items():
        yield Figure(
            column=column, value=value, source="recomputed from the layers", options=options
        )


ROWS = (
    Architecture(
        name="factorized",
        builder="mobilekit.architectures.factorized:factorized",
        title="Factorized CNN",
        family="factorized",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=1_788_136,
        total_params=1_802_728,
        macs=317_536_512,
        top1=None,
        paper="Wang, Liu, Foroosh 2017, ICCVW, arXiv:1608.04337",
        source="The layers are the paper's: one filter a channel beside the channel itself, then a"
        " projection over channels; channels on a torus, each output connected to a window of it;"
        " convolution, projection and deconvolution of every channel. The tables of whole networks"
        " and their top-1 are not known for certain, so that what stands around the layers is"
        " chosen here: stem, first pool, widths and depth of ResNet-18, whose plain net it is with"
        " convolution=full but for pools of 2 in place of strides, batch norm behind convolutions,"
        " 4 cells an axis with windows of 2, bottlenecks of 2x2. The paper's ratios are budgets,"
        " not counts of this network: 42, 7.32, 4.38 and 5.85 times fewer operations than VGG-16,"
        " ResNet-34, -50 and -101, or about 364M, 492M, 868M and 1,299M; its first version says 42,"
        " 4.5 and 6.5 times fewer than VGG, ResNet-50 and -101. Counts recomputed from the layers",
        options=(
            BuilderOption(
                name="convolution",
                values=("single", "bottleneck", "full"),
                does="a single intra-channel convolution before each projection; a spatial"
                " bottleneck around it; or the 3x3 convolution that both replace",
            ),
            BuilderOption(
                name="topology",
                values=("dense", "2d", "3d"),
                does="topological subdivisioning: projections connect all channels, or a quarter"
                " (2d) or an eighth (3d) of them, near to each other on a torus",
            ),
        ),
        figures=(
            *_figures(895_720, 933_352, 177_846_528, topology="2d"),
            *_figures(773_864, 842_216, 154_564_864, topology="3d"),
            *_figures(1_786_536, 1_801_128, 171_510_272, convolution="bottleneck"),
            *_figures(894_120, 931_752, 134_007_296, convolution="bottleneck", topology="2d"),
            *_figures(11_515_688, 11_523_496, 1_794_805_760, convolution="full"),
        ),
    ),
)
