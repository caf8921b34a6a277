"""Picture files as inputs of a network.

The geometry is torchvision's on Pillow images (`Resize`, `CenterCrop`), since the published weights
were judged with it: other roundings move the crop by a pixel, other filters do not antialias, and
both cost accuracy that would then be blamed on the conversion.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import StorageError, UsageError
from mobilekit.core.preprocessing import ChannelOrder, Preprocessing, Resampling
from mobilekit.core.storage import read_text, storage_errors

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

# Pillow tries no other decoder, whatever a file contains: the one for EPS would start Ghostscript.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

FILTERS = {
    Resampling.BILINEAR: Image.Resampling.BILINEAR,
    Resampling.BICUBIC: Image.Resampling.BICUBIC,
    Resampling.NEAREST: Image.Resampling.NEAREST,
}

# Above this Pillow suspects a decompression bomb: a quarter of a GiB, at three bytes a pixel.
MAX_PIXELS = (1 << 30) // 4 // 3


class BrokenImageError(UsageError):
    """A picture file that cannot be turned into pixels.

    Attributes:
        name: The file's name.
        problem: What is wrong with it, without a full stop.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"{self.name} {self.problem}."


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """The pictures of one folder, in the order of their names.

    Attributes:
        folder: Where they lie.
        paths: The picture files; at least one.
    """

    folder: Path
    paths: tuple[Path, ...]

    @cached_property
    def sha256(self) -> str:
        """Digest of names and bytes, in order; read once, since a set is not to change in a run.

        Raises:
            StorageError: If one of the files cannot be read.
        """
        return digest([(path.name, sha256_file(path)) for path in self.paths])

    def spread(self, most: int) -> ImageSet:
        """At most `most` of them, evenly over the whole."""
        count = min(len(self.paths), most)
        chosen = tuple(self.paths[i * len(self.paths) // count] for i in range(count))
        return ImageSet(folder=self.folder, paths=chosen)

    def every(self, step: int, first: int) -> ImageSet:
        """Every `step`-th of them from `first` on: what different `first` give has none in common.

        Raises:
            UsageError: If there are none.
        """
        chosen = self.paths[first::step]
        if not chosen:
            raise UsageError(
                f"{self.folder} holds {len(self.paths)} pictures, too few to split into {step}"
                " parts; add some."
            )
        return ImageSet(folder=self.folder, paths=chosen)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One picture of a set: either pixels or a problem, so that none can be left out unseen.

    Attributes:
        name: The file's name.
        pixels: float32, shaped (1, height, width, 3), preprocessed; None if the file is broken.
        problem: Why there are no pixels, without a full stop; None if there are.
    """

    name: str
    pixels: np.ndarray | None = None
    problem: str | None = None

    def __post_init__(self) -> None:
        if (self.pixels is None) == (self.problem is None):
            raise ValueError("a loaded picture has either pixels or a problem")


def image_set(folder: Path, *, count: int | None = None) -> ImageSet:
    """Finds the pictures of a folder by their suffixes; hidden files and subfolders are left out.

    Args:
        folder: Where to look.
        count: How many to take, the first by name; None takes all.

    Raises:
        UsageError: If the folder is missing, empty or none, or holds too few pictures.
        StorageError: If the folder cannot be read.
    """
    if not folder.exists():
        raise UsageError(
            f"The folder {folder} does not exist; `make data` brings the demo's pictures to"
            " build/data."
        )
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; pictures are read from one.")
    with storage_errors(folder, "read"):
        entries = list(folder.iterdir())
        files = [path for path in entries if path.is_file()]
    if not entries:
        raise UsageError(f"The folder {folder} is empty; put pictures into it.")
    pictures = sorted(path for path in files if _is_picture(path.name))
    if not pictures:
        raise UsageError(
            f"The folder {folder} holds {len(files)} files, but none is a picture: what is read is"
            f" {', '.join(SUFFIXES)}, not in subfolders."
        )
    if count is not None and not 1 <= count <= len(pictures):
        raise UsageError(
            f"The folder {folder} holds {len(pictures)} pictures, but {count} are asked for;"
            " change the count, or add pictures."
        )
    return ImageSet(folder=folder, paths=tuple(pictures[:count]))


def _is_picture(name: str) -> bool:
    if name.startswith(".") or not name.lower().endswith(SUFFIXES):
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"The picture {name!r} has a name that is not UTF-8, so no result could name it;"
            " rename it."
        ) from None
    return True


def read_inputs(
    images: ImageSet, preprocessing: Preprocessing, *, skip: int = 0
) -> Iterator[Loaded]:
    """Reads every picture of a set in order, one at a time, the broken ones with their problem.

    Args:
        images: The set.
        preprocessing: What becomes of each.
        skip: How many at its beginning are left out, because they were read before.

    Raises:
        UsageError: At the end, if not one of them could be read.
    """
    first_broken, readable = "", skip
    for path in images.paths[skip:]:
        try:
            pixels = preprocess(load_image(path), preprocessing)[np.newaxis]
        except BrokenImageError as error:
            first_broken = first_broken or str(error)
            yield Loaded(name=path.name, problem=error.problem)
        else:
            readable += 1
            yield Loaded(name=path.name, pixels=pixels)
    if not readable:
        raise UsageError(
            f"Not one of the {len(images.paths)} pictures in {images.folder} can be read;"
            f" the first: {first_broken}"
        )


def load_image(path: Path) -> Image.Image:
    """Reads a picture (of several frames or pages, the first) as 8-bit RGB, upright.

    Raises:
        BrokenImageError: If it is truncated, foreign, too large, or has no defined white.
    """
    try:
        with warnings.catch_warnings():
            # What else Pillow warns of is metadata, which no pixel depends on.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                image.load()
                upright = ImageOps.exif_transpose(image)
            return _as_rgb(upright, path.name)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BrokenImageError(path.name, f"has more than {MAX_PIXELS:,} pixels") from error
    except BrokenImageError:
        raise
    # Decoders meet bad bytes with whatever exception comes up: OSError, SyntaxError, struct.error…
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BrokenImageError(path.name, f"cannot be decoded ({reason})") from error


def _as_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_16_bits(image, name)
    if image.mode == "F":
        raise BrokenImageError(name, "has floating-point pixels, whose white nobody defines")
    if image.has_transparency_data:
        # What is stored under a transparent pixel is arbitrary, often black. White is what a page
        # shows behind it.
        colour = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, colour).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image, name: str) -> Image.Image:
    """Scales 0..65535 to 0..255; Pillow's own conversion would clip at 255."""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise BrokenImageError(name, "has 32-bit pixels, whose white nobody defines")
    grey = (values * 255 + 32767) // 65535
    transparent = image.info.get("transparency")  # a PNG may name one grey, in 16 bits
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def preprocess(image: Image.Image, preprocessing: Preprocessing) -> np.ndarray:
    """Turns an RGB image into a network's input, float32, shaped (height, width, 3).

    Raises:
        BrokenImageError: If the image is so thin that its resized long side is enormous.
    """
    width, height = resized(image.size, preprocessing.resize_shorter)
    if width * height > MAX_PIXELS:
        raise BrokenImageError(
            "The image",
            f"is too thin ({image.width} x {image.height}) to be resized to"
            f" {preprocessing.resize_shorter} pixels on its shorter side",
        )
    # Pillow's filters widen when they make an image smaller: they antialias.
    scaled = image.resize((width, height), FILTERS[preprocessing.resampling], reducing_gap=None)
    crop = scaled.crop(centre_box((width, height), preprocessing.input_size))
    pixels = np.asarray(crop, np.float32)
    if preprocessing.channel_order is ChannelOrder.BGR:
        pixels = pixels[:, :, ::-1]
    mean, std = (np.array(each, np.float32) for each in (preprocessing.mean, preprocessing.std))
    return np.ascontiguousarray((pixels - mean) / std)


def resized(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """Width and height after torchvision's `Resize(shorter)`: the long side is cut, not rounded."""
    width, height = size
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def centre_box(size: tuple[int, int], crop: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of torchvision's `CenterCrop`.

    Args:
        size: Width and height of the image, as Pillow orders them.
        crop: Height and width, as networks order them.
    """
    (width, height), (crop_height, crop_width) = size, crop
    # Halves go to the even neighbour, as Python's round has it and torchvision with it.
    top, left = round((height - crop_height) / 2), round((width - crop_width) / 2)
    return left, top, left + crop_width, top + crop_height


def read_labels(path: Path, images: ImageSet) -> dict[str, int]:
    """Reads the class of every picture of `images`: lines of "<file name> <class index>".

    Blank lines and lines that start with # are comments; labels of other pictures are left out.

    Raises:
        UsageError: If a line is no label, a picture has none or two that differ, or there is no
            such file.
    """
    try:
        text = read_text(path).removeprefix("\ufeff")  # some editors begin UTF-8 with it
    except StorageError as error:
        raise UsageError(f"The labels {error}") from error
    labels: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, label = _label(line, f"{path}, line {number}")
        if labels.setdefault(name, label) != label:
            raise UsageError(f"{path}, line {number}: {name} is labelled {labels[name]} above.")
    missing = [image.name for image in images.paths if image.name not in labels]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise UsageError(
            f"{path} labels not all pictures of {images.folder}: {len(missing)} of"
            f" {len(images.paths)} are missing ({', '.join(missing[:3])}{more})."
        )
    return {image.name: labels[image.name] for image in images.paths}


def _label(line: str, where: str) -> tuple[str, int]:
    # Names may have spaces in them, a class index has none.
    name, *rest = line.strip().rsplit(maxsplit=1)
    index = rest[0] if rest else ""
    if not (index.isascii() and index.isdecimal() and len(index) <= 9):
        raise UsageError(
            f"{where}: {line.strip()[:100]!r} is no label; a line is a file name and, after a"
            " space, the index of its class, a whole number from 0."
        )
    return name, int(index)
