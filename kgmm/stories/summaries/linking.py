"""Terms of a summary linked to the knowledge: which concept, and what a store says of it."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from kgmm.language.phrase import phrase
from kgmm.retrieve.ground import ground_name
from kgmm.store import is_general

if TYPE_CHECKING:
    from kgmm.store import LocalStore

#: what tells most about a thing comes first
_ORDER = ("InstanceOf", "IsA", "PartOf", "AtLocation", "UsedFor", "CapableOf", "Causes", "HasProperty")
_SAYS_LITTLE = ("HasInstance", "RelatedTo")


def linked_facts(
    term: str, store: LocalStore, limit: int, spoken: Container[str]
) -> tuple[str | None, tuple[str, ...]]:
    """Return a term's concept in *store* and up to *limit* facts about it, said in English; None without facts.

    Facts of scene and story graphs are left out: they say where a term occurs, not what it means. A term of several
    words is taken for its last one only if that is itself among the *spoken* terms: "rail strike" is a strike, "Port
    Amber" no amber.
    """
    link = ground_name(store, term)
    if link is None or (link.rule == "head" and term.split()[-1] not in spoken):
        return None, ()
    known = [
        fact
        for fact in store.find(link.concept, None, None, limit=200)
        if is_general(fact.graph) and fact.object != link.concept and fact.predicate not in _SAYS_LITTLE
    ]
    known.sort(key=lambda f: (_ORDER.index(f.predicate) if f.predicate in _ORDER else len(_ORDER), -f.weight))
    facts = tuple(dict.fromkeys(phrase(f.subject, f.predicate, f.object) for f in known))[:limit]
    return (link.concept if facts else None), facts
