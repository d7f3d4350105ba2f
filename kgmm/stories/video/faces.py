"""Faces in keyframes, to tell close-ups from other shots."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kgmm.errors import MissingExtra
from kgmm.stories.video.decoding import Pixels

#: height of a face in a close-up, as a share of the picture's
CLOSE = 0.3


@cache
def _cascade() -> Any:
    """Return scikit-image's detector with the frontal faces it ships (local binary patterns)."""
    try:
        from skimage import data
        from skimage.feature import Cascade
    except ImportError as error:
        raise MissingExtra("scikit-image", "video") from error
    return Cascade(data.lbp_frontal_face_cascade_filename())


def faces(pixels: Pixels, least: float = 0.15) -> list[tuple[int, int, int, int]]:
    """Return the boxes (x, y, width, height) of frontal faces at least *least* of the picture high.

    Args:
        pixels: shape (h, w, 3), RGB.
        least: share of the picture's height.
    """
    height, width = pixels.shape[:2]
    smallest = max(24, int(least * height))
    largest = min(height, width)
    if smallest >= largest:
        return []
    found = _cascade().detect_multi_scale(
        img=np.ascontiguousarray(pixels),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(smallest, smallest),
        max_size=(largest, largest),
    )
    return [(int(f["c"]), int(f["r"]), int(f["width"]), int(f["height"])) for f in found]


def is_close_up(pixels: Pixels) -> bool:
    """Tell whether a picture shows a face at least 0.3 of its height."""
    return bool(faces(pixels, CLOSE))
