"""Pictures, words and nodes as vectors; every part is imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from kgmm.encode.image import image_encoder as image_encoder
    from kgmm.encode.text import Encoder as Encoder
    from kgmm.encode.text import text_encoder as text_encoder
    from kgmm.encode.vectors import features as features

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"text": ["Encoder", "text_encoder"], "image": ["image_encoder"], "vectors": ["features"]}
)
