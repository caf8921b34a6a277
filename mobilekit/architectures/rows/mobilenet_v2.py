"""MobileNetV2: figures of arXiv:1801.04381, slim, torchvision, timm and arXiv:2404.10518."""

from mobilekit.architectures.rows.printed import printed
from mobilekit.core.model import Architecture

PAPER = "arXiv:1801.04381, Table 4"
SLIM = "tensorflow/models slim, mobilenet README"
V4 = "arXiv:2404.10518, Table 6"  # networks that it trains again
OURS = "recomputed from the layers"
TRAINABLE, TOTAL = "trainable_params", "total_params"
CUT = "its last digit is cut off, not rounded"
NO_NORM = "it leaves batch norm out:"

# Width, resolution and slim's millions of multiply-accumulates: all of its checkpoints.
SLIM_MACS = (
    (1.4, 224, "582M", ""),
    (1.3, 224, "509M", ""),
    (1.0, 224, "300M", CUT),
    (1.0, 192, "221M", ""),
    (1.0, 160, "154M", ""),
    (1.0, 128, "99M", ""),
    (1.0, 96, "56M", ""),
    (0.75, 224, "209M", ""),
    (0.75, 192, "153M", CUT),
    (0.75, 160, "107M", ""),
    (0.75, 128, "69M", ""),
    (0.75, 96, "39M", ""),
    (0.5, 224, "97M", ""),
    (0.5, 192, "71M", CUT),
    (0.5, 160, "50M", ""),
    (0.5, 128, "32M", CUT),
    (0.5, 96, "18M", CUT),
    (0.35, 224, "59M", ""),
    (0.35, 192, "43M", CUT),
    (0.35, 160, "30M", CUT),
    (0.35, 128, "20M", ""),
    (0.35, 96, "11M", CUT),
)
# Width, parameters: trainable, all, slim's, those without batch norm.
PARAMS = (
    (1.4, "6,108,776", "6,156,712", "6.06M", "6,060,840"),
    (1.3, "5,386,792", "5,431,048", "5.34M", "5,342,536"),
    (1.0, "3,504,872", "3,538,984", "3.47M", "3,470,760"),
    (0.75, "2,636,424", "2,663,064", "2.61M", "2,609,784"),
    (0.5, "1,968,680", "1,987,224", "1.95M", "1,950,136"),
    (0.35, "1,677,128", "1,691,208", "1.66M", "1,663,048"),
)
V4_RETRAINED = (
    (0.5, "0.1G", "2.0M", ""),
    (1.0, "0.3G", "3.5M", ""),
    (1.5, "0.7G", "6.8M", f"{NO_NORM} 6,806,776"),
    (2.0, "1.1G", "11.2M", f"{NO_NORM} 11,189,864"),
)

FIGURES = (
    printed("macs", "300M", PAPER, differs=CUT),
    printed(TRAINABLE, "3.4M", PAPER, differs=f"{NO_NORM} 3,470,760, and {CUT}"),
    printed(TRAINABLE, "3,504,872", "torchvision"),
    printed("macs", "301M", "torchvision"),
    printed(TOTAL, "3,538,984", "keras.io"),
    *(
        printed("macs", macs, SLIM, alpha=alpha, input_size=size, differs=differs)
        for alpha, size, macs, differs in SLIM_MACS
    ),
    *(
        figure
        for alpha, trainable, total, slim, without in PARAMS
        for figure in (
            printed(TRAINABLE, trainable, OURS, alpha=alpha),
            printed(TOTAL, total, OURS, alpha=alpha),
            printed(TRAINABLE, slim, SLIM, alpha=alpha, differs=f"{NO_NORM} {without}"),
        )
    ),
    printed(TRAINABLE, "6.11M", "timm", alpha=1.4),
    printed(TRAINABLE, "1.97M", "timm", alpha=0.5),
    *(
        figure
        for alpha, macs, params, differs in V4_RETRAINED
        for figure in (
            printed("macs", macs, V4, alpha=alpha),
            printed(TRAINABLE, params, V4, alpha=alpha, differs=differs),
        )
    ),
)

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
        " torchvision prints 3,504,872 trainable, slim all but batch norm",
        figures=FIGURES,
    ),
)
