"""What happens to pixels before the network, as data."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass


class ChannelOrder(enum.StrEnum):
    """The order of the colour planes that the network was trained on."""

    RGB = "rgb"
    BGR = "bgr"


class Resampling(enum.StrEnum):
    """How an image is made smaller; all three widen their support, that is, they antialias."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"


RAW_MEAN = (0.0, 0.0, 0.0)  # pixels as they are
RAW_STD = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """From a picture file to one float input: shorter side resized, centre cropped, normalized.

    A pixel value p of 0..255 in channel c becomes `(p - mean[c]) / std[c]`.
    Calibration, evaluation, metadata and generated app code all use the same object.

    Attributes:
        input_size: Height and width of the network's input, pixels.
        resize_shorter: Length of the image's shorter side before the crop, pixels.
        resampling: The filter of that resize.
        mean: Subtracted from each channel, in pixel values (0..255).
        std: Divides each channel, in pixel values.
        channel_order: The order of `mean`, `std` and the network's input.
    """

    input_size: tuple[int, int]
    resize_shorter: int
    resampling: Resampling = Resampling.BILINEAR
    mean: tuple[float, float, float] = RAW_MEAN
    std: tuple[float, float, float] = RAW_STD
    channel_order: ChannelOrder = ChannelOrder.RGB

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (*self.mean, *self.std))):
            raise ValueError(f"mean {self.mean} and std {self.std} must be finite")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above zero in every channel, not {self.std}")
        if self.resize_shorter < max(self.input_size) or min(self.input_size) < 1:
            raise ValueError(
                f"a crop of {self.input_size} does not fit an image resized to"
                f" {self.resize_shorter} pixels on its shorter side"
            )

    @property
    def value_range(self) -> tuple[float, float]:
        """The smallest and largest value any pixel can become, over all channels.

        The input's int8 scale follows from this, not from calibration: photographs seldom
        hold both a black and a white pixel in every channel, a user's camera does.
        """
        channels = list(zip(self.mean, self.std, strict=True))
        low = min((0 - mean) / std for mean, std in channels)
        high = max((255 - mean) / std for mean, std in channels)
        return low, high
