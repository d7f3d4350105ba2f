"""Pictures, words and nodes as vectors and hash codes; every part is imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgmm.encode.image import image_encoder as image_encoder
    from kgmm.encode.node_features import features as features
    from kgmm.encode.text import Encoder as Encoder
    from kgmm.encode.text import text_encoder as text_encoder

#: public name -> module that defines it
_PUBLIC = {
    "Encoder": "kgmm.encode.text",
    "text_encoder": "kgmm.encode.text",
    "image_encoder": "kgmm.encode.image",
    "features": "kgmm.encode.node_features",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kgmm.encode' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value  # the function, even where its module bears the same name
    return value
