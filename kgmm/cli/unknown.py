"""What a store does not know of what a command asks it for, and what it knows that is spelled like it."""

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
            stored = names.relation(str(text)) if kind == "relation" else str(text)
            if text not in ANY and store.terms.id(stored) is None:
                lowered = {one.lower(): one for one in reversed(list(there))}
                near = difflib.get_close_matches(str(text).lower(), list(lowered), 5, 0.6)
                return UnknownConcept(str(text), [lowered[one] for one in near], kind=kind)
    return None
