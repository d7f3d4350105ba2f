"""Patterns: what rows, pictures with captions, and facts have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from kgmm.patterns.association import rules as rules
    from kgmm.patterns.candidates import accept as accept
    from kgmm.patterns.candidates import candidates as candidates
    from kgmm.patterns.candidates import conclude as conclude
    from kgmm.patterns.candidates import reject as reject
    from kgmm.patterns.graph_rules import graph_rules as graph_rules
    from kgmm.patterns.itemsets import itemsets as itemsets
    from kgmm.patterns.scenes import conclude_near as conclude_near
    from kgmm.patterns.scenes import shown as shown
    from kgmm.patterns.scenes import together as together
    from kgmm.patterns.transactions import Transactions as Transactions
    from kgmm.patterns.visual import VisualPattern as VisualPattern
    from kgmm.patterns.visual import mine_pictures as mine_pictures

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "association": ["rules"],
        "candidates": ["accept", "candidates", "conclude", "reject"],
        "graph_rules": ["graph_rules"],
        "itemsets": ["itemsets"],
        "scenes": ["conclude_near", "shown", "together"],
        "transactions": ["Transactions"],
        "visual": ["VisualPattern", "mine_pictures"],
    },
)
