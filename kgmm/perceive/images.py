"""Reading pictures; lives in :mod:`kgmm.images`, since encoders read pictures too."""

from __future__ import annotations

from kgmm.images import MAX_PIXELS, Picture, read_image

__all__ = ["MAX_PIXELS", "Picture", "read_image"]
