"""Perceptual hashes of logos: which pictures look the same after scaling, compression and small shifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: pixels a side of the reduced picture, and coefficients a side of its spectrum that are kept
SIDE, KEPT = 32, 8
#: a colour coefficient counts from here on, so that grey pictures have no noise in their bits
COLOURED = 24.0


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """Return 256 bits as 64 hex digits: signs of the low cosine coefficients of lightness and both colours.

    The pixels are RGB, of shape (h, w, 3). Lightness gives 16 x 8 coefficients, the opponent colours red-green and
    blue-yellow 8 x 8 each, so that two logos of one drawing in different colours stay apart.
    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010 (lightness part).

    Example:
        >>> ramp = np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 3))
        >>> distance(perceptual_hash(ramp), perceptual_hash(ramp[::2, ::2])) < 20
        True
    """
    from scipy.fft import dctn

    small = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    light = small @ np.array([0.299, 0.587, 0.114], np.float32)
    bits = []
    for plane, rows in ((light - 128, 2 * KEPT), (red - green, KEPT), (blue - (red + green) / 2, KEPT)):
        spectrum = dctn(plane, norm="ortho")[:rows, :KEPT].ravel()
        bits.append(spectrum > (np.median(spectrum) if rows > KEPT else COLOURED))
    return np.packbits(np.concatenate(bits)).tobytes().hex()


def distance(a: str, b: str) -> int:
    """Return in how many bits two hashes differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()
