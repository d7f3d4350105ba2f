"""Naming colours: pixels to the basic colour terms, nearest in CIELAB, where distance is what the eye sees."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

#: Typical sRGB values of the eleven basic colour terms (Berlin and Kay 1969); several where a term is wide.
PROTOTYPES: dict[str, tuple[str, ...]] = {
    "black": ("0a0a0a", "232323", "1a1e28"),
    "white": ("ffffff", "eeeeec", "dcdcda"),
    "gray": ("a8a8a8", "808080", "5a5a5a", "8c96a0"),
    "red": ("d21f26", "a01420", "e8463c"),
    "orange": ("f28c28", "e66a1e", "ffb060"),
    "yellow": ("fadc32", "f5e98c", "d2b41e"),
    "green": ("2f8f3a", "7fb347", "3c5a28", "a8d08d", "1e6e5a"),
    "blue": ("2846b4", "5a8cdc", "141e5a", "8cc0eb", "2f5f8a"),
    "purple": ("6e2882", "9664b4", "461e50"),
    "pink": ("f5a0be", "e65a96", "f8c8d2"),
    "brown": ("6e411e", "8c5a32", "503220", "a87848", "b48c64", "3c2819"),
}

ORANGE = 0.15  #: Share of bright orange pixels from which the brown ones are taken for the same in the shade.


def rgb_to_lab(rgb: NDArray[np.generic]) -> NDArray[np.float32]:
    """Convert sRGB values in 0..255, shape (..., 3), to CIELAB under D65 (CIE 15:2004).

    >>> rgb_to_lab(np.array([[255, 255, 255]])).round()[0].tolist()[0]
    100.0
    """
    c = np.asarray(rgb, np.float32) / 255
    xyz = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lab = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
    return lab.astype(np.float32)


_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)
_WHITE = np.array([0.95047, 1.0, 1.08883], np.float32)


@cache
def _prototypes() -> tuple[list[str], NDArray[np.float32]]:
    names = [name for name, values in PROTOTYPES.items() for _ in values]
    values = [list(bytes.fromhex(v)) for group in PROTOTYPES.values() for v in group]
    return names, rgb_to_lab(np.array(values))


def colour_names(pixels: NDArray[np.uint8], background: NDArray[np.uint8] | None = None) -> tuple[str, ...]:
    """Name the at most two colours that mark an object of sRGB *pixels* (n, 3), the more telling first.

    A colour that is as common in the *background* (m, 3) does not mark the object, such as the floor's under a
    motorcycle, unless it covers most of it.

    >>> colour_names(np.array([[200, 30, 30], [210, 20, 25], [20, 20, 20]], np.uint8))
    ('red', 'black')
    """
    if not len(pixels):
        return ()
    inside = _shares(pixels)
    if inside.get("orange", 0) >= ORANGE:  # brown is orange in the shade, and beside bright orange looks it
        inside["orange"] += inside.pop("brown", 0.0)
    outside = _shares(background) if background is not None and len(background) else {}
    if not outside:
        return _best({name: share for name, share in inside.items() if share >= 0.33})
    contrast = {name: share / (share + outside[name]) for name, share in inside.items() if share >= 0.15}
    telling = {name: inside[name] * c for name, c in contrast.items() if c >= 0.6}
    return _best(telling or {name: share for name, share in inside.items() if share >= 0.5})


def _best(weights: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(weights, key=lambda name: -weights[name])[:2])


def _shares(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return the part of the pixels that each colour term covers."""
    names, prototypes = _prototypes()
    nearest = ((rgb_to_lab(pixels)[:, None, :] - prototypes[None]) ** 2).sum(-1).argmin(1)
    counts = np.bincount(nearest, minlength=len(names)) / len(pixels)
    shares: dict[str, float] = {}
    for name, share in zip(names, counts, strict=True):
        shares[name] = shares.get(name, 0.0) + float(share)
    return shares
