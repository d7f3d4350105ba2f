"""Completion: what is likely true and not written down, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from kgmm.complete.completing import Completion as Completion
    from kgmm.complete.completing import complete as complete
    from kgmm.complete.completing import keep as keep
    from kgmm.complete.models import Embedding as Embedding
    from kgmm.complete.triples import Triples as Triples

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"completing": ["Completion", "complete", "keep"], "models": ["Embedding"], "triples": ["Triples"]},
)
