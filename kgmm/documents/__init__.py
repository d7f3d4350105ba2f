"""Documents: text of many kinds as passages kept beside a store's facts, and the passages that bear on a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from kgmm.documents.passage import Document as Document
    from kgmm.documents.passage import Passage as Passage
    from kgmm.documents.taking import ReadReport as ReadReport
    from kgmm.documents.taking import read as read

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"passage": ["Document", "Passage"], "taking": ["ReadReport", "read"]}
)
