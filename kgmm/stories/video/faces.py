"""Faces in keyframes, to tell close-ups from other shots."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kgmm.errors import needed
from kgmm.stories.video.decoding import Pixels

#: height of a face in a close-up, as a share of the picture's
CLOSE = 0.3


@cache
def _cascade() -> Any:
    """Return scikit-image's detector with the frontal faces it ships (local binary patterns)."""
    with needed("scikit-image", "video"):
        from skimage import data
        from skimage.feature import Cascade
    return Cascade(data.lbp_frontal_face_cascade_filename())


def is_close_up(pixels: Pixels) -> bool:
    """Tell whether a picture, shape (h, w, 3), shows a frontal face at least 0.3 of its height."""
    smallest, largest = max(24, int(CLOSE * pixels.shape[0])), min(pixels.shape[:2])
    if smallest >= largest:
        return False
    sizes = {"min_size": (smallest, smallest), "max_size": (largest, largest)}
    picture = np.ascontiguousarray(pixels)
    return bool(_cascade().detect_multi_scale(img=picture, scale_factor=1.2, step_ratio=1, **sizes))
