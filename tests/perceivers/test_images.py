"""Reading pictures: every kind comes out upright 8-bit RGB, and bad ones give one clear line, fast."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kgmm.errors import BadInput
from kgmm.scene.images import MAX_PIXELS, read_image


def gradient(width: int = 40, height: int = 20) -> np.ndarray:
    """A picture that is red at the left, blue at the bottom, so that a turn shows."""
    x, y = np.meshgrid(np.linspace(255, 0, width), np.linspace(0, 255, height))
    return np.stack([x, np.full_like(x, 30), y], -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "gif"])
def test_formats_decode_to_the_same_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"
    options = {"jpg": {"quality": 98}, "webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(gradient()).save(path, **options)
    picture = read_image(path)
    assert picture.pixels.shape == (20, 40, 3) and picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height, picture.path) == (40, 20, str(path))
    tolerance = 40 if suffix in ("gif", "jpg") else 0
    assert np.abs(picture.pixels.astype(int) - gradient()).max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("max_side", [None, 16])
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int, max_side: int | None) -> None:
    """A picture stored turned by each of the eight ways comes out as it was taken."""
    transpose = Image.Transpose
    stored = {
        1: None,
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }[orientation]
    upright = Image.fromarray(gradient(80, 40))
    turned = upright if stored is None else upright.transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned.save(tmp_path / "t.jpg", exif=exif, quality=98)
    picture = read_image(tmp_path / "t.jpg", max_side=max_side)
    assert (picture.width, picture.height) == (80, 40)
    small = np.asarray(upright.resize(picture.pixels.shape[1::-1]))
    assert np.abs(picture.pixels.astype(int) - small).mean() < 12


def test_grey_palette_and_deep_pictures_become_rgb(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 40).astype(np.uint16)[None].repeat(20, 0)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    deep = read_image(tmp_path / "deep.png").pixels
    np.testing.assert_allclose(deep[0, :, 0], np.linspace(0, 255, 40), atol=1)
    dark = (ramp // 300).astype(np.uint16)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    assert read_image(tmp_path / "dark.png").pixels.max() <= 1, "a dark 16-bit picture stays dark"
    for mode in ("L", "P", "1", "CMYK", "YCbCr", "LAB"):
        assert read_image(
            Image.fromarray(gradient()).convert("RGB").convert(mode) if mode != "LAB" else Image.new("RGB", (40, 20))
        ).pixels.shape == (20, 40, 3)


@pytest.mark.parametrize("kind", ["<i4", "<u4", ">i4", ">u4"])
def test_32_bit_pictures_keep_their_grey_levels(tmp_path: Path, kind: str) -> None:
    top = np.iinfo(kind).max
    ramp = (np.arange(256) * (top / 255)).astype(kind)[None].repeat(8, 0)
    seen = [read_image(ramp), read_image(ramp[:, :, None].repeat(3, 2))]
    if kind != ">u4":  # Pillow reads no such TIFF
        seen.append(read_image(tiff(tmp_path / "deep.tif", ramp)))
    for picture in seen:
        np.testing.assert_allclose(picture.pixels[0, :, 0], np.arange(256), atol=1)


@pytest.mark.parametrize("order", "<>")
def test_a_dark_16_bit_picture_stays_dark_whatever_its_byte_order(tmp_path: Path, order: str) -> None:
    dark = np.arange(200).astype(f"{order}u2")[None].repeat(8, 0)
    for picture in (read_image(dark), read_image(tiff(tmp_path / "dark.tif", dark))):
        assert picture.pixels.max() == 1
    (tmp_path / "dark.pgm").write_bytes(b"P5 200 8 65535\n" + dark.astype(">u2").tobytes())
    assert read_image(tmp_path / "dark.pgm").pixels.max() == 1


def tiff(path: Path, grey: np.ndarray) -> Path:
    """Write grey values as an uncompressed TIFF of their own type and byte order."""
    order = grey.dtype.str[0]
    signed = 2 if grey.dtype.kind == "i" else 1
    tags = {256: grey.shape[1], 257: grey.shape[0], 258: 8 * grey.itemsize, 259: 1, 262: 1, 273: 8, 277: 1}
    tags |= {278: grey.shape[0], 279: grey.nbytes, 339: signed}
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + grey.nbytes)
    rows = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    path.write_bytes(head + grey.tobytes() + struct.pack(f"{order}H", len(tags)) + rows + bytes(4))
    return path


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_is_laid_over_white(mode: str) -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert read_image(clear.convert(mode) if mode != "PA" else clear.convert("LA")).pixels.min() == 255


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]
    for suffix in ("gif", "webp", "png"):
        path = tmp_path / f"moving.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        red, _, blue = read_image(path).pixels[8, 8]
        assert red > 240 and blue < 15


@pytest.mark.parametrize(
    "array",
    [
        gradient(),
        gradient() / 255.0,
        gradient()[:, :, 0],
        gradient()[:, :, :1],
        np.dstack([gradient(), np.full((20, 40), 255, np.uint8)]),
        gradient().astype(np.uint16) * 257,
        gradient()[:, :, 0] > 100,
    ],
)
def test_arrays_are_pictures(array: np.ndarray) -> None:
    pixels = read_image(array).pixels
    assert pixels.shape == (20, 40, 3)
    if array.ndim == 3 and array.shape[2] >= 3:
        assert np.abs(pixels.astype(int) - gradient()).max() <= 1


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((2, 2, 2)), np.zeros((0, 5)), np.array([["a"]])])
def test_arrays_that_are_no_pictures_are_refused(array: np.ndarray) -> None:
    with pytest.raises(BadInput, match="a picture has"):
        read_image(array)


def png_header(width: int, height: int, animated: bool = False) -> bytes:
    """A PNG that promises a size and holds almost nothing: what a decompression bomb looks like."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"acTL", struct.pack(">II", 1000, 0)) if animated else b""
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000))


@pytest.mark.parametrize("side", [10_001, 30_000, 2_000_000_000])
@pytest.mark.parametrize("animated", [False, True])
def test_a_bomb_is_refused_in_under_a_second(tmp_path: Path, side: int, animated: bool) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side, animated))
    start = time.perf_counter()
    with pytest.raises(BadInput, match="too large") as refused:
        read_image(path)
    assert time.perf_counter() - start < 1
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_an_animated_hundred_megapixel_gif_is_refused_in_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gif"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 10_000, 10_001, 0, 0, 0) + b"\x2c" + b"\0" * 5_000_000)
    start = time.perf_counter()
    with pytest.raises(BadInput):
        read_image(path)
    assert time.perf_counter() - start < 1


def test_the_limit_counts_pixels() -> None:
    picture = np.zeros((10, 10), np.uint8)
    assert read_image(picture, max_pixels=100).width == 10
    with pytest.raises(BadInput, match="too large"):
        read_image(picture, max_pixels=99)
    assert MAX_PIXELS < 100_000_000


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif"])
def test_cut_files_give_one_clear_line(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInput) as refused:
        read_image(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_other_files_are_named(tmp_path: Path) -> None:
    for name, data in (("empty.png", b""), ("text.jpg", b"hello"), ("code.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadInput, match="not a picture"):
            read_image(tmp_path / name)
    with pytest.raises(BadInput, match="no such picture"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(BadInput, match="no such picture"):
        read_image(tmp_path)
    with pytest.raises(BadInput, match="not a picture"):
        read_image(42)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_mutated_files_never_crash(kind: str, data: st.DataObject) -> None:
    stream = io.BytesIO()
    Image.fromarray(gradient()).save(stream, kind)
    raw = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = read_image(bytes(raw))
    except BadInput as refused:
        assert "\n" not in str(refused)
    else:
        assert picture.pixels.ndim == 3 and picture.pixels.shape[2] == 3
