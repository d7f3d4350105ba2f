"""Pictures from files, bytes, Pillow images or arrays to upright 8-bit RGB, refusing what is too large."""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from kgmm.errors import BadInput
from kgmm.files import file_at

ImageLike: TypeAlias = str | Path | bytes | Image.Image | NDArray[Any]

MAX_PIXELS = 64_000_000  #: Pixels of the largest picture that is decoded; 64 million cover today's cameras.
MAX_BYTES = 256_000_000  #: Bytes of the largest picture file that is opened.
#: Formats that are decoded; others Pillow knows (EPS starts an interpreter) are not for strangers' files.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
#: How files of these formats are named.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")
#: What Pillow's decoders raise on damaged data.
_DAMAGE = (
    *(OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, LookupError, TypeError, OverflowError),
    *(MemoryError, AttributeError, RuntimeError, ArithmeticError),
)


def names_picture(name: str | Path) -> bool:
    """Tell whether a name ends as those of pictures do.

    >>> names_picture("kitchen.JPG"), names_picture("kitchen.json")
    (True, False)
    """
    return Path(name).suffix.lower() in SUFFIXES


@dataclass(frozen=True)
class Picture:
    """A decoded picture: ``pixels`` (h, w, 3) uint8, perhaps reduced, and its full size as seen upright."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    path: str | None = None

    @property
    def name(self) -> str:
        """The file's name without its ending; ``image`` if it is no file."""
        return Path(self.path).stem if self.path else "image"

    @property
    def scale(self) -> float:
        """Full-size pixels in one pixel of ``pixels``."""
        return self.width / int(self.pixels.shape[1])


def read_image(image: ImageLike, *, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> Picture:
    """Decode a picture: first frame, EXIF rotation applied, alpha laid over white, 16 bits brought to 8.

    Args:
        image: a file (PNG, JPEG, WebP, GIF, BMP, TIFF, PPM), its bytes, a Pillow image, or an array of shape
            (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), of type bool, uint8, uint16, or float in [0, 1].
        max_pixels: larger pictures are refused before they are decoded.
        max_side: if given, pictures are reduced to at most this many pixels a side, which decodes JPEG faster.

    Raises:
        BadInput: if the file is no picture, damaged, cut short or too large.

    Example:
        >>> read_image(np.zeros((20, 30), np.uint8)).pixels.shape
        (20, 30, 3)
    """
    if isinstance(image, np.ndarray):
        return _reduced(_from_array(image, max_pixels), max_side)
    if isinstance(image, Image.Image):
        return _decoded(image, "image", None, max_pixels, max_side)
    if isinstance(image, bytes | bytearray):
        return _opened(io.BytesIO(image), "bytes", None, max_pixels, max_side)
    if not isinstance(image, str | Path):
        raise BadInput(type(image).__name__, "not a picture: give a file, bytes, a Pillow image or an array")
    path = file_at(image, "picture file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise BadInput(path, f"too large: {size} bytes, at most {MAX_BYTES} are read")
    with path.open("rb") as stream:
        return _opened(stream, str(path), str(path), max_pixels, max_side)


def _opened(stream: Any, name: str, path: str | None, max_pixels: int, max_side: int | None) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError:
        raise BadInput(name, "not a picture that can be read (PNG, JPEG, WebP, GIF, BMP, TIFF, PPM)") from None
    except Image.DecompressionBombError:
        raise BadInput(name, f"too large: at most {max_pixels} pixels are decoded") from None
    except _DAMAGE as error:
        raise BadInput(name, f"damaged picture: {_one_line(error)}") from error
    with picture:
        return _decoded(picture, name, path, max_pixels, max_side)


def _decoded(picture: Image.Image, name: str, path: str | None, max_pixels: int, max_side: int | None) -> Picture:
    width, height = picture.size
    if width * height > max_pixels:
        raise BadInput(name, f"too large: {width} x {height} pixels, at most {max_pixels} are decoded")
    if width * height == 0:
        raise BadInput(name, "a picture without pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            if max_side is not None and picture.format in ("JPEG", "MPO"):
                picture.draft("RGB", (min(max_side, width), min(max_side, height)))
            pixels = _rgb(ImageOps.exif_transpose(picture), picture)
    except _DAMAGE as error:
        raise BadInput(name, f"damaged or cut short: {_one_line(error)}") from error
    return _reduced(Picture(pixels, *((height, width) if turned else (width, height)), path), max_side)


def _rgb(picture: Image.Image, file: Any) -> NDArray[np.uint8]:
    """Return the pixels of a picture, which was read from *file* and turned upright."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        if picture.mode == "I" and file.format == "TIFF" and file.tag_v2.get(339, 1) in (1, (1,)):  # without sign
            values = values.view(np.uint32)
        grey = _eight_bits(values, 65535 if file.format == "PPM" else None)  # Pillow brings deep PGM to 16 bits
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))
    return np.asarray(picture.convert("RGB"))


def _eight_bits(values: NDArray[Any], white: float | None = None) -> NDArray[np.uint8]:
    """Bring numbers to 8 bits.

    White is the top of 16-bit numbers without sign, whatever their byte order; other types are often filled in part
    only, so that it is the top of the least depth (1, 8, 16, 24, 31 or 32 bits) that holds them all.
    """
    if values.dtype == np.uint8:
        return values
    kind = values.dtype.kind
    if kind == "u" and values.dtype.itemsize == 2:
        white = 65535
    if white is None:
        most = float(values[np.isfinite(values)].max(initial=0))
        depths = (1 if kind in "bf" else 255, 255, 65535, 2**24 - 1, 2**31 - 1, 2**32 - 1)
        slack = 1.1 if kind == "f" else 1.0  # resampled numbers overshoot
        white = next((top for top in depths if most <= slack * top), most)
    return (np.nan_to_num(values.astype(np.float32)) * (255 / white)).clip(0, 255).round().astype(np.uint8)


def _from_array(array: NDArray[Any], max_pixels: int) -> Picture:
    shape = array.shape
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)) or array.size == 0:
        raise BadInput("array", f"a picture has shape (h, w), (h, w, 3) or (h, w, 4), not {shape}")
    if array.dtype.kind not in "bufi":
        raise BadInput("array", f"a picture has numbers, not {array.dtype}")
    if shape[0] * shape[1] > max_pixels:
        raise BadInput("array", f"too large: {shape[1]} x {shape[0]} pixels, at most {max_pixels}")
    pixels = _eight_bits(array).reshape(shape[0], shape[1], -1)
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:].astype(np.float32) / 255
        pixels = (pixels[:, :, :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return Picture(pixels, shape[1], shape[0])


def _reduced(picture: Picture, max_side: int | None) -> Picture:
    height, width = picture.pixels.shape[:2]
    if max_side is None or max(height, width) <= max_side:
        return picture
    factor = max_side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = Image.fromarray(picture.pixels).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return Picture(np.asarray(small), picture.width, picture.height, picture.path)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
