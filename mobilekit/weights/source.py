"""What is said of one published file of weights."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mobilekit.architectures.flavour import Flavour
from mobilekit.core.preprocessing import Preprocessing, Resampling


class Layout(enum.StrEnum):
    """In which order a framework stores the axes of its tensors."""

    PYTORCH = "pytorch"
    KERAS = "keras"


@dataclass(frozen=True, kw_only=True)
class Width:
    """The published file of one width.

    Attributes:
        file: Its name.
        preprocessing: What the published accuracy was measured with.
        top1: Published top-1 accuracy of exactly these weights, percent; None where none is.
    """

    file: str
    preprocessing: Preprocessing
    top1: float | None


@dataclass(frozen=True, kw_only=True)
class WeightSource:
    """One row of `WEIGHT_SOURCES`: one published file for one architecture.

    Attributes:
        name: "<source>/<architecture>"; a plan writes the source, the spec adds the rest.
        file: Name of the file; `make data` puts it into the data folder's `weights`.
        flavour: Conventions that the network has to be built with.
        names: "module:function" that maps its names onto layers and variables.
        preprocessing: What the published accuracy was measured with.
        top1: Published top-1 accuracy of exactly these weights, percent; None where none is.
        source: Where the file and its figures are from, and its licence.
        options: Options that the network has to be built with; all others are as they are
            without being asked for.
        layout: Of its tensors.
        others: What else there is of other widths, by alpha; `file`, `preprocessing` and `top1`
            are of alpha 1.
        unused: How names of tensors begin that the file has and the network does without.
    """

    name: str
    file: str
    flavour: Flavour
    names: str
    preprocessing: Preprocessing
    top1: float | None
    source: str
    options: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = Layout.PYTORCH
    others: Mapping[float, Width] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @property
    def widths(self) -> dict[float, Width]:
        """Everything that it has, by alpha."""
        first = Width(file=self.file, preprocessing=self.preprocessing, top1=self.top1)
        return {1.0: first, **self.others}


# torchvision normalizes pixels of 0..1; here pixels are 0..255.
TORCHVISION = Preprocessing(
    input_size=(224, 224),
    resize_shorter=256,
    resampling=Resampling.BILINEAR,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)

# timm's own networks: the same, resized bicubically.
TIMM = replace(TORCHVISION, resampling=Resampling.BICUBIC)
