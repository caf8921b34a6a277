"""MobileNet v1: figures of arXiv:1704.04861 and of slim."""

from mobilekit.architectures.rows.printed import printed
from mobilekit.core.model import Architecture, BuilderOption

PAPER = "arXiv:1704.04861, Table"
SLIM = "tensorflow/models slim, mobilenet_v1.md"
OURS = "recomputed from the layers"
FULL, SHALLOW = {"convolution": "full"}, {"depth": "shallow"}
CUT = "its last digit is cut off, not rounded"
WRONG = "slim's table is wrong; the paper's figures follow from the layers"
NO_GAMMA = "it counts the statistics of batch norm, but no gamma:"

# Width, then multiply-accumulates at the four resolutions: all, and slim's millions.
SIZES = (224, 192, 160, 128)
MACS = (
    (1.0, "568,740,352", "418,121,728", "290,675,200", "186,400,768"),
    (0.75, "325,400,448", "239,273,472", "166,396,800", "106,770,432"),
    (0.5, "149,497,088", "109,970,432", "76,524,800", "49,160,192"),
    (0.25, "41,030,272", "30,212,608", "21,059,200", "13,570,048"),
)
SLIM_MACS = (
    (1.0, ("569M", ""), ("418M", ""), ("291M", ""), ("186M", "")),
    (0.75, ("317M", WRONG), ("233M", WRONG), ("162M", WRONG), ("104M", WRONG)),
    (0.5, ("150M", "149.497 million, rounded up"), ("110M", ""), ("77M", ""), ("49M", "")),
    (0.25, ("41M", ""), ("34M", WRONG), ("21M", ""), ("14M", "")),
)
# Width, parameters of Table 6, trainable, all, and slim's.
PARAMS = (
    (1.0, "4.2M", "4,231,976", "4,253,864", "4.24M", f"{NO_GAMMA} 4,242,920"),
    (0.75, "2.6M", "2,585,560", "2,601,976", "2.59M", f"{NO_GAMMA} 2,593,768"),
    (0.5, "1.3M", "1,331,592", "1,342,536", "1.34M", ""),
    (0.25, "0.5M", "470,072", "475,544", "0.47M", f"{NO_GAMMA} 472,808"),
)
TRAINABLE, TOTAL = "trainable_params", "total_params"

FIGURES = (
    *(
        printed("macs", macs, OURS, alpha=alpha, input_size=size)
        for alpha, *row in MACS
        for size, macs in zip(SIZES, row, strict=True)
    ),
    *(
        printed("macs", macs, SLIM, alpha=alpha, input_size=size, differs=differs)
        for alpha, *cells in SLIM_MACS
        for size, (macs, differs) in zip(SIZES, cells, strict=True)
    ),
    *(
        figure
        for alpha, paper, trainable, total, slim, differs in PARAMS
        for figure in (
            printed(TRAINABLE, paper, f"{PAPER} 6", alpha=alpha),
            printed(TRAINABLE, trainable, OURS, alpha=alpha),
            printed(TOTAL, total, OURS, alpha=alpha),
            printed(TOTAL, slim, SLIM, alpha=alpha, differs=differs),
        )
    ),
    printed(
        "macs",
        "4866M",
        f"{PAPER} 4",
        options=FULL,
        differs="1 million below the layers, as if without the dense one",
    ),
    printed("macs", "4,867,293,184", OURS, options=FULL),
    printed(TRAINABLE, "29.3M", f"{PAPER} 4", options=FULL),
    printed(TRAINABLE, "29,294,088", OURS, options=FULL),
    printed(TOTAL, "29,306,056", OURS, options=FULL),
    printed("macs", "307M", f"{PAPER} 5", options=SHALLOW),
    printed("macs", "307,323,392", OURS, options=SHALLOW),
    printed(TRAINABLE, "2.9M", f"{PAPER} 5", options=SHALLOW),
    printed(TRAINABLE, "2,887,976", OURS, options=SHALLOW),
    printed(TOTAL, "2,899,624", OURS, options=SHALLOW),
    *(
        printed("macs", macs, f"{PAPER} 6", alpha=alpha)
        for alpha, macs in ((1.0, "569M"), (0.75, "325M"), (0.5, "149M"), (0.25, "41M"))
    ),
    printed("macs", "418M", f"{PAPER} 7", input_size=192),
    printed("macs", "290M", f"{PAPER} 7", input_size=160, differs=CUT),
    printed("macs", "186M", f"{PAPER} 7", input_size=128),
    printed("macs", "76M", f"{PAPER} 9", alpha=0.5, input_size=160, differs=CUT),
    printed(
        TRAINABLE,
        "1.32M",
        f"{PAPER} 9",
        alpha=0.5,
        differs="it leaves batch norm out: 1,320,648",
    ),
)

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
        source="Table 1 (layers; its last block has stride 2, the released model and the output"
        " sizes 1), Tables 4 to 9 (70.6 %, 569M, 4.2M); counts recomputed from the layers",
        options=(
            BuilderOption(
                name="convolution",
                values=("separable", "full"),
                does='full: one dense 3x3 convolution a block, the "Conv MobileNet" of Table 4',
            ),
            BuilderOption(
                name="depth",
                values=("full", "shallow"),
                does="shallow: without the five blocks of 14x14x512, as in Table 5",
            ),
        ),
        figures=FIGURES,
    ),
)
