"""Pictures become inputs by torchvision's geometry; a broken one is named, never just left out."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mobilekit.core.digest import digest, sha256_file
from mobilekit.core.errors import UsageError
from mobilekit.core.preprocessing import ChannelOrder, Preprocessing, Resampling
from mobilekit.images import (
    BrokenImageError,
    ImageSet,
    Loaded,
    centre_box,
    image_set,
    load_image,
    preprocess,
    read_inputs,
    read_labels,
    resized,
)

TORCHVISION = Preprocessing(
    input_size=(224, 224),
    resize_shorter=256,
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)
TINY = Preprocessing(input_size=(4, 4), resize_shorter=4)
RED, GREEN, BLUE, WHITE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3, (128,) * 3


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def photo(path: Path, size: tuple[int, int] = (40, 30), colour: tuple[int, ...] = RED) -> Path:
    return save(Image.new("RGB", size, colour), path)


def first_pixel(path: Path) -> tuple[int, ...]:
    image = load_image(path)
    assert image.mode == "RGB"
    pixel = image.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


# Finding


def test_a_set_is_sorted_by_name_and_holds_pictures_only(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "c.tiff", "._a.jpg"):
        photo(tmp_path / name)
    (tmp_path / "labels.txt").write_text("a.jpg 1\n")
    (tmp_path / "folder.jpg").mkdir()
    found = image_set(tmp_path)
    assert [path.name for path in found.paths] == ["a.jpg", "b.PNG", "c.tiff"]
    assert image_set(tmp_path, count=2).paths == found.paths[:2]


def test_the_digest_names_names_and_bytes_in_order(tmp_path: Path) -> None:
    paths = [photo(tmp_path / name) for name in ("a.png", "b.png")]
    assert image_set(tmp_path).sha256 == digest([[p.name, sha256_file(p)] for p in paths])
    before = image_set(tmp_path).sha256
    photo(paths[1], colour=BLUE)
    assert image_set(tmp_path).sha256 != before
    assert image_set(tmp_path, count=1).sha256 != image_set(tmp_path).sha256


def make_file(folder: Path) -> None:
    folder.write_text("a file")


def make_texts(folder: Path) -> None:
    folder.mkdir()
    for name in ("a.txt", "b.txt", "notes"):
        (folder / name).write_text("text")


def make_three(folder: Path) -> None:
    folder.mkdir()
    for name in "abc":
        photo(folder / f"{name}.png")


@pytest.mark.parametrize(
    ("make", "count", "sentence"),
    [
        (lambda folder: None, None, r"pictures does not exist; `make data` brings"),
        (make_file, None, r"pictures is not a folder"),
        (Path.mkdir, None, r"pictures is empty"),
        (make_texts, None, r"holds 3 files, but none is a picture: what is read is \.bmp, "),
        (make_three, 4, r"holds 3 pictures, but 4 are asked for"),
        (make_three, 0, r"holds 3 pictures, but 0 are asked for"),
    ],
)
def test_a_folder_that_cannot_serve_is_refused_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], None], count: int | None, sentence: str
) -> None:
    folder = tmp_path / "pictures"
    make(folder)
    with pytest.raises(UsageError, match=sentence) as caught:
        image_set(folder, count=count)
    assert caught.value.exit_code == 2
    assert str(folder) in str(caught.value)


def test_a_name_that_no_result_could_hold_is_refused(tmp_path: Path) -> None:
    with open(bytes(tmp_path) + b"/a\xff.png", "wb"):
        pass
    with pytest.raises(UsageError, match="is not UTF-8"):
        image_set(tmp_path)


# Decoding

# EXIF orientation: what has to be done to the stored pixels to see them upright.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if suffix == "webp" else {}
    path = save(Image.fromarray(stored), tmp_path / f"a.{suffix}", exif=exif, **lossless)
    np.testing.assert_array_equal(np.asarray(load_image(path)), UPRIGHT[orientation](stored))


def test_a_jpeg_that_was_taken_upright_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (64, 32), RED)
    image.paste(BLUE, (0, 0, 32, 32))  # on the left as stored, above when upright
    upright = np.asarray(load_image(save(image, tmp_path / "a.jpg", exif=exif, quality=95)))
    assert upright.shape == (64, 32, 3)
    assert upright[8, 16, 2] > 240
    assert upright[56, 16, 0] > 240


def with_palette(transparency: int | bytes | None) -> Image.Image:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 255, 0, 255, 0, 0])
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


MODES = {
    "RGB": (lambda: Image.new("RGB", (8, 8), RED), RED),
    "L": (lambda: Image.new("L", (8, 8), 128), GREY),
    "1, white": (lambda: Image.new("1", (8, 8), 1), WHITE),
    "1, black": (lambda: Image.new("1", (8, 8), 0), (0, 0, 0)),
    "LA, opaque": (lambda: Image.new("LA", (8, 8), (128, 255)), GREY),
    "LA, transparent": (lambda: Image.new("LA", (8, 8), (0, 0)), WHITE),
    "RGBA, opaque": (lambda: Image.new("RGBA", (8, 8), (*BLUE, 255)), BLUE),
    "RGBA, transparent": (lambda: Image.new("RGBA", (8, 8), (*BLUE, 0)), WHITE),
    "RGBA, half": (lambda: Image.new("RGBA", (8, 8), (0, 0, 0, 128)), (127, 127, 127)),
    "P": (lambda: with_palette(None), RED),
    "P, transparent": (lambda: with_palette(1), WHITE),
    "P, other transparent": (lambda: with_palette(0), RED),
    "P, half": (lambda: with_palette(bytes([255, 128])), (255, 127, 127)),
    "16 bits, white": (lambda: Image.fromarray(np.full((8, 8), 65535, np.uint16)), WHITE),
    "16 bits, grey": (lambda: Image.fromarray(np.full((8, 8), 32896, np.uint16)), GREY),
    "16 bits, dark": (lambda: Image.fromarray(np.full((8, 8), 256, np.uint16)), (1, 1, 1)),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_png_becomes_rgb(tmp_path: Path, mode: str) -> None:
    make, expected = MODES[mode]
    assert first_pixel(save(make(), tmp_path / "a.png")) == expected


def test_a_transparent_grey_of_16_bits_becomes_white(tmp_path: Path) -> None:
    values = np.array([[1000, 2000]], np.uint16)
    path = save(Image.fromarray(values), tmp_path / "a.png", transparency=1000)
    assert [np.asarray(load_image(path))[0, i].tolist() for i in (0, 1)] == [[255] * 3, [8] * 3]


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "tif", "webp"])
def test_every_suffix_is_decoded(tmp_path: Path, suffix: str) -> None:
    found = first_pixel(photo(tmp_path / f"a.{suffix}", colour=BLUE))
    assert max(abs(a - b) for a, b in zip(found, BLUE, strict=True)) <= 2


def without_adobe_marker(jpeg: bytes) -> bytes:
    start = jpeg.index(b"\xff\xee")
    length = int.from_bytes(jpeg[start + 2 : start + 4], "big")
    assert jpeg[start + 4 : start + 9] == b"Adobe"
    return jpeg[:start] + jpeg[start + 2 + length :]


@pytest.mark.parametrize("kind", ["jpg", "jpg without the marker", "tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, kind: str) -> None:
    # No cyan, full magenta and yellow: red. A JPEG holds this inverted, and says so by a marker of
    # Adobe's; one without the marker is read the same, as nothing writes the other way round.
    suffix = kind[:3]
    path = save(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / f"a.{suffix}")
    if kind.endswith("marker"):
        path.write_bytes(without_adobe_marker(path.read_bytes()))
    red, green, blue = first_pixel(path)
    assert red > 240
    assert max(green, blue) < 15


def test_white_stays_white_from_another_colour_space(tmp_path: Path) -> None:
    path = save(Image.new("LAB", (8, 8), (255, 128, 128)), tmp_path / "a.tif")
    assert min(first_pixel(path)) >= 254


def test_of_many_frames_the_first_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (GREEN, BLUE)]
    for suffix in ("gif", "tif", "webp", "png"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert max(abs(a - b) for a, b in zip(first_pixel(path), GREEN, strict=True)) <= 4


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full((4, 4), 70_000, np.int32), "32-bit pixels"),
        (np.full((4, 4), -1, np.int32), "32-bit pixels"),
        (np.full((4, 4), 0.5, np.float32), "floating-point pixels"),
    ],
)
def test_pixels_without_a_white_are_refused(
    tmp_path: Path, values: np.ndarray, sentence: str
) -> None:
    path = save(Image.fromarray(values), tmp_path / "a.tif")
    with pytest.raises(BrokenImageError, match=sentence):
        load_image(path)


def test_32_bit_integers_within_16_bits_are_scaled(tmp_path: Path) -> None:
    path = save(Image.fromarray(np.full((4, 4), 65535, np.int32)), tmp_path / "a.tif")
    assert first_pixel(path) == WHITE


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = save(Image.new("1", (10_000, 9_000)), tmp_path / "a.png")
    assert path.stat().st_size < 20_000
    with pytest.raises(BrokenImageError, match="has more than 89,478,485 pixels"):
        load_image(path)


def test_a_file_of_another_format_is_not_decoded_whatever_its_name(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "EPS")  # decoding it would start Ghostscript
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(BrokenImageError, match=r"^a\.png cannot be decoded \("):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "gif", "bmp"])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(position=st.integers(0, 1 << 20), value=st.integers(0, 255), cut=st.integers(0, 200))
def test_damaged_bytes_give_a_picture_or_one_sentence(
    tmp_path: Path, suffix: str, position: int, value: int, cut: int
) -> None:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(noise).save(buffer, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix))
    content = bytearray(buffer.getvalue())
    content[position % len(content)] = value
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content[: len(content) - cut])
    problem = ""
    try:
        assert load_image(path).mode == "RGB"
    except BrokenImageError as error:
        problem = str(error)
    assert "\n" not in problem


def test_a_broken_image_error_survives_a_process_boundary() -> None:
    error = BrokenImageError("a.jpg", "cannot be decoded (x)")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "a.jpg cannot be decoded (x)."


# Geometry


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (341, 256)),  # 341.33
        ((480, 640), (256, 341)),
        ((500, 333), (384, 256)),  # 384.38
        ((333, 500), (256, 384)),
        ((512, 512), (256, 256)),
        ((256, 300), (256, 300)),
        ((100, 199), (256, 509)),  # 509.44: made larger
        ((1000, 999), (256, 256)),  # 256.26
        ((3, 5), (256, 426)),  # 426.67: cut, where rounding would give 427
    ],
)
def test_the_resize_is_torchvision_s(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert resized(size, 256) == expected


@pytest.mark.parametrize(
    ("size", "crop", "expected"),
    [
        ((341, 256), (224, 224), (58, 16, 282, 240)),  # left 58.5 goes to the even 58
        ((256, 341), (224, 224), (16, 58, 240, 282)),
        ((384, 256), (224, 224), (80, 16, 304, 240)),
        ((343, 257), (224, 224), (60, 16, 284, 240)),  # left 59.5 to 60, top 16.5 to 16
        ((224, 224), (224, 224), (0, 0, 224, 224)),
        ((300, 256), (192, 224), (38, 32, 262, 224)),  # height 192, width 224
    ],
)
def test_the_crop_is_torchvision_s(
    size: tuple[int, int], crop: tuple[int, int], expected: tuple[int, int, int, int]
) -> None:
    assert centre_box(size, crop) == expected


@given(
    size=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    shorter=st.integers(8, 300),
    crop=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_the_crop_lies_in_the_middle_of_the_resized_image(
    size: tuple[int, int], shorter: int, crop: tuple[int, int]
) -> None:
    crop = (min(crop[0], shorter), min(crop[1], shorter))
    width, height = resized(size, shorter)
    assert min(width, height) == shorter
    # The aspect ratio is kept, but for the part of a pixel that is cut off the long side.
    assert 0 <= shorter * max(size) / min(size) - max(width, height) < 1 + 1e-9
    left, top, right, bottom = centre_box((width, height), crop)
    assert (bottom - top, right - left) == crop
    assert 0 <= left <= right <= width
    assert 0 <= top <= bottom <= height
    assert abs(left - (width - right)) <= 1
    assert abs(top - (height - bottom)) <= 1


@settings(deadline=None, max_examples=40)
@given(
    width=st.integers(5, 60),
    height=st.integers(5, 60),
    resampling=st.sampled_from([Resampling.BILINEAR, Resampling.BICUBIC]),
)
def test_the_pixels_are_those_of_an_antialiasing_filter_written_out(
    width: int, height: int, resampling: Resampling
) -> None:
    pixels = np.random.default_rng(width * 100 + height).integers(0, 256, (height, width, 3))
    wanted = Preprocessing(input_size=(6, 8), resize_shorter=8, resampling=resampling)
    found = preprocess(Image.fromarray(pixels.astype(np.uint8)), wanted)
    new_width, new_height = resized((width, height), 8)
    across = filter_matrix(width, new_width, resampling)
    down = filter_matrix(height, new_height, resampling)
    left, top, right, bottom = centre_box((new_width, new_height), (6, 8))
    # Pillow rounds to 8 bits after each direction, and from some version on does the cheaper first.
    expected = [
        resize_down(resize_across(pixels, across), down),
        resize_across(resize_down(pixels, down), across),
    ]
    assert found.shape == (6, 8, 3)
    assert min(np.abs(found - one[top:bottom, left:right]).max() for one in expected) <= 1


def resize_across(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.clip(np.round(np.einsum("hwc,nw->hnc", pixels, matrix)), 0, 255)


def resize_down(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.clip(np.round(np.einsum("hwc,nh->nwc", pixels, matrix)), 0, 255)


def filter_matrix(old: int, new: int, resampling: Resampling) -> np.ndarray:
    """Weights (new, old) of a triangle or of Keys' cubic (a = -0.5), as wide as the step."""
    scale = old / new
    widen = max(scale, 1.0)
    centres = (np.arange(new)[:, None] + 0.5) * scale
    x = np.abs((np.arange(old)[None] + 0.5 - centres) / widen)
    if resampling is Resampling.BILINEAR:
        weights = np.maximum(0, 1 - x)
    else:
        near = 1.5 * x**3 - 2.5 * x**2 + 1
        far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
        weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    return weights / weights.sum(axis=1, keepdims=True)


def test_pixels_are_normalized_by_channel(tmp_path: Path) -> None:
    image = load_image(photo(tmp_path / "a.png", (300, 400), (255, 128, 0)))
    pixels = preprocess(image, TORCHVISION)
    assert pixels.dtype == np.float32
    assert pixels.shape == (224, 224, 3)
    assert pixels.flags.c_contiguous
    # (255/255 - 0.485) / 0.229 and so on, as torchvision has it.
    expected = [(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (0 - 0.406) / 0.225]
    np.testing.assert_allclose(pixels[0, 0], expected, rtol=1e-5)
    low, high = TORCHVISION.value_range
    assert low <= pixels.min() <= pixels.max() <= high


def test_bgr_turns_the_channels_and_means_them_in_that_order() -> None:
    wanted = Preprocessing(
        input_size=(4, 4),
        resize_shorter=4,
        mean=(1.0, 2.0, 3.0),
        channel_order=ChannelOrder.BGR,
    )
    pixels = preprocess(Image.new("RGB", (4, 4), (10, 20, 30)), wanted)
    assert pixels[0, 0].tolist() == [29.0, 18.0, 7.0]


def test_a_thin_picture_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(BrokenImageError, match=r"is too thin \(1 x 100000\)"):
        preprocess(Image.new("RGB", (1, 100_000)), TORCHVISION)


# Reading a set


def broken_jpeg(path: Path) -> None:
    photo(path, (200, 200))
    path.write_bytes(path.read_bytes()[:400])


def test_one_broken_picture_among_good_ones_is_named(tmp_path: Path) -> None:
    for name in ("a.jpg", "c.jpg"):
        photo(tmp_path / name)
    broken_jpeg(tmp_path / "b.jpg")
    loaded = list(read_inputs(image_set(tmp_path), TINY))
    assert [one.name for one in loaded] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [one.pixels is None for one in loaded] == [False, True, False]
    assert loaded[0].pixels is not None
    assert loaded[0].pixels.shape == (1, 4, 4, 3)
    assert loaded[1].problem is not None
    assert "cannot be decoded" in loaded[1].problem
    assert loaded[0].problem is None


def test_a_picture_that_vanishes_is_named(tmp_path: Path) -> None:
    paths = [photo(tmp_path / name) for name in ("a.png", "b.png")]
    images = image_set(tmp_path)
    paths[1].unlink()
    problem = list(read_inputs(images, TINY))[1].problem
    assert problem is not None
    assert "No such file" in problem


def test_a_set_of_broken_pictures_is_an_error(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        broken_jpeg(tmp_path / name)
    with pytest.raises(UsageError, match=r"Not one of the 2 pictures in .* the first: a\.jpg "):
        list(read_inputs(image_set(tmp_path), TINY))


def test_pictures_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png", (8, 8))
    images = ImageSet(folder=tmp_path, paths=(path,) * 300)
    wanted = Preprocessing(input_size=(128, 128), resize_shorter=128)
    tracemalloc.start()
    read = sum(one.pixels is not None for one in read_inputs(images, wanted))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == 300
    assert peak < 10 * 128 * 128 * 3 * 4  # ten inputs; all of them would be thirty times that


@pytest.mark.parametrize("values", [{}, {"pixels": np.zeros(1), "problem": "x"}])
def test_a_loaded_picture_is_one_or_the_other(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either pixels or a problem"):
        Loaded(name="a.png", **values)  # type: ignore[arg-type]


# Labels


@pytest.fixture
def three(tmp_path: Path) -> ImageSet:
    folder = tmp_path / "three"
    folder.mkdir()
    for name in ("a.png", "b c.png", "d.png"):
        photo(folder / name)
    return image_set(folder)


def labelled(three: ImageSet, text: str) -> dict[str, int]:
    path = three.folder / "labels.txt"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, three)


def test_labels_are_read_by_name(three: ImageSet) -> None:
    text = "\ufeff# name, class\n\nd.png 0\nb c.png\t999\r\n a.png  7 \nelsewhere.png 4\n"
    assert labelled(three, text) == {"a.png": 7, "b c.png": 999, "d.png": 0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a.png 1\nb c.png\nd.png 3\n", r"line 2: 'b c\.png' is no label"),
        ("a.png\n", r"line 1: 'a\.png' is no label"),
        ("# x\n\na.png -1\n", r"line 3: 'a\.png -1' is no label; .* a whole number from 0"),
        ("a.png 1.5\n", "line 1"),
        ("a.png ²\n", "line 1"),
        ("a.png 1234567890123\n", "line 1"),
        ("a.png tench\n", "line 1"),
        ("a.png 1\na.png 2\n", r"line 2: a\.png is labelled 1 above"),
        ("a.png 1\n", r"2 of 3 are missing \(b c\.png, d\.png\)"),
        ("", r"3 of 3 are missing \(a\.png, b c\.png, d\.png\)"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(three: ImageSet, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        labelled(three, text)


def test_of_many_missing_labels_three_are_named(tmp_path: Path) -> None:
    paths = tuple(tmp_path / f"{i:02}.png" for i in range(50))
    (tmp_path / "labels.txt").write_text("07.png 1\n")
    with pytest.raises(UsageError, match=r"49 of 50 .*\(00\.png, 01\.png, 02\.png and 46 more\)"):
        read_labels(tmp_path / "labels.txt", ImageSet(folder=tmp_path, paths=paths))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_labels_that_are_missing_or_no_text_are_refused(
    three: ImageSet, content: bytes | None
) -> None:
    path = three.folder / "labels.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        UsageError, match=r"The labels .*labels\.txt: (cannot be read|is not UTF-8)"
    ):
        read_labels(path, three)
