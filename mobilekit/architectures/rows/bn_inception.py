"""BN-Inception, Inception v2: figures of arXiv:1502.03167, of slim and Caffe's port."""

from mobilekit.core.model import Architecture, BuilderOption, Figure

BUILDERS = "mobilekit.architectures.bn_inception"
PAPER = "Ioffe, Szegedy 2015, arXiv:1502.03167"
LAYERS = "recomputed from the layers"
CADENE = "Cadene's pretrained-models.pytorch, of Caffe's port"
SLIM = "slim's inception_v2_test, 10,173,112 without the classes, and 1,025,000 for these"
FULL = {"stem": "full"}
SEPARABLE = {"stem": "separable"}
CAFFE = {"bias": "yes", "gamma": "yes"}
POOL_PADDING = BuilderOption(
    name="pool_padding",
    values=("ignored", "counted"),
    does="average pools divide by the pixels within the image, as TensorFlow's; or by the whole"
    " window, as Caffe's and PyTorch's, which needs no correction, but wants retraining",
)
BIAS = BuilderOption(
    name="bias",
    values=("no", "yes"),
    does="gives convolutions a bias, which batch norm takes away again, as Caffe's port does",
)
STEM = "one 7x7 convolution, or eight filters a colour and a 1x1 convolution without batch norm"
GAMMA = "the factor of batch norm, which slim leaves out"

ROWS = (
    Architecture(
        name="bn_inception",
        builder=f"{BUILDERS}:bn_inception",
        title="BN-Inception",
        family="bn_inception",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=11_285_224,
        total_params=11_305_256,
        macs=2_032_600_064,
        top1=74.8,
        paper=PAPER,
        source="Figure 5 of the paper (layers; 4c and 4d end in 608 channels with its 128 pool"
        " projections, where it prints 576), as Caffe's port and Cadene's have it; section 4.2.3"
        " (74.8 %, BN-x30); the port gives convolutions a bias too (bias=yes: 11,295,240), which"
        " section 3.2 of the paper leaves out; counts recomputed from the layers",
        options=(
            BuilderOption(name="stem", values=("full", "separable"), does=STEM),
            POOL_PADDING,
            BIAS,
            BuilderOption(name="gamma", values=("yes", "no"), does=GAMMA),
        ),
        figures=(
            Figure(
                column="trainable_params", value=11_295_240, source=CADENE, options={"bias": "yes"}
            ),
            Figure(column="total_params", value=11_315_272, source=LAYERS, options={"bias": "yes"}),
            Figure(
                column="trainable_params", value=11_275_208, source=LAYERS, options={"gamma": "no"}
            ),
            Figure(
                column="trainable_params",
                value=13_600_000,
                unit=100_000,
                source="section 4.2 of the paper",
                differs="2.3M above the layers that the paper lists; nobody could reproduce it",
            ),
            Figure(
                column="macs",
                value=2_000_000_000,
                unit=100_000_000,
                source="table 3 of arXiv:1512.00567",
            ),
            # 9,408 weights and 128 of batch norm less, 1,176 + 1,536 and 64 biases more.
            Figure(column="trainable_params", value=11_278_464, source=LAYERS, options=SEPARABLE),
            Figure(column="macs", value=1_948_605_440, source=LAYERS, options=SEPARABLE),
            Figure(
                column="trainable_params",
                value=11_285_224,
                source=LAYERS,
                options={"pool_padding": "counted"},
            ),
        ),
    ),
    Architecture(
        name="inception_v2",
        builder=f"{BUILDERS}:inception_v2",
        title="Inception v2 (slim)",
        family="bn_inception",
        input_size=(224, 224),
        min_input_size=32,
        trainable_params=11_178_336,
        total_params=11_198_112,
        macs=1_934_857_216,
        top1=73.9,
        paper=PAPER,
        source="slim's inception_v2.py (layers: as the paper's figure 5, but 96 pool projections"
        " in 4d and 4e, which are its 4c and 4d; a separable first convolution with a bias and no"
        " batch norm), its README (73.9 %) and test (10,173,112 without the classes)",
        options=(
            BuilderOption(name="stem", values=("separable", "full"), does=STEM),
            POOL_PADDING,
            BIAS,
            BuilderOption(name="gamma", values=("no", "yes"), does=GAMMA),
        ),
        figures=(
            Figure(column="total_params", value=11_198_112, source=SLIM),
            Figure(column="macs", value=1_934_857_216, source=LAYERS),
            Figure(column="trainable_params", value=11_185_032, source=LAYERS, options=FULL),
            Figure(column="total_params", value=11_204_936, source=LAYERS, options=FULL),
            Figure(column="macs", value=2_018_851_840, source=LAYERS, options=FULL),
            Figure(
                column="trainable_params", value=11_204_936, source=LAYERS, options=FULL | CAFFE
            ),
        ),
    ),
)
