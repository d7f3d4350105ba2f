"""What a store does not know of what a command asks it for, and what it knows that is spelled like it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from kgmm.errors import UnknownConcept
from kgmm.language import names
from kgmm.store import LocalStore
from kgmm.store.facts import ANY, Term, node


def unknown(
    store: LocalStore, nodes: Iterable[Term] = (), relations: Iterable[Term] = (), graphs: Iterable[Term] = ()
) -> UnknownConcept | None:
    """Return the first of some terms that no fact has had, with what is spelled like it; None if facts had all."""
    for text in nodes:
        if text not in ANY and store.terms.id(node(str(text))) is None:
            return UnknownConcept(str(text), store.near(str(text)))
    for kind, asked, there in (("relation", relations, store.relations()), ("graph", graphs, store.graphs())):
        for text in asked:
            if (
                text not in ANY
                and store.terms.id(names.relation(str(text)) if kind == "relation" else str(text)) is None
            ):
                return UnknownConcept(str(text), _spelled_like(str(text), there), kind=kind)
    return None


def _spelled_like(text: str, there: Iterable[str]) -> list[str]:
    lowered = {one.lower(): one for one in reversed(list(there))}
    return [lowered[one] for one in difflib.get_close_matches(text.lower(), list(lowered), 5, 0.6)]
