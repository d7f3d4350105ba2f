"""Explore a knowledge store inside a notebook, without network: expand, follow a relation, filter, walk.

>>> explorer = kgmm.notebook.explore(kb, "knife")                                      # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgmm.errors import needed

if TYPE_CHECKING:
    from kgmm.notebook.explorer import Explorer
    from kgmm.store import LocalStore

__all__ = ["explore"]


def explore(kb: LocalStore, *concepts: str, **more: Any) -> Explorer:
    """Return a widget that starts at some concepts; see :class:`kgmm.notebook.explorer.Explorer`.

    Raises:
        MissingExtra: if anywidget is not installed.
        UnknownConcept: if a concept is not in the store; the message lists near spellings.
    """
    with needed("anywidget", "notebook"):
        from kgmm.notebook.explorer import Explorer
    return Explorer(kb, *concepts, **more)
