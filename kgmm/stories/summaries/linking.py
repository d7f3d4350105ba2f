"""Terms of a summary linked to the knowledge: which concept, and what a store says of it."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kgmm.language.phrase import phrase
from kgmm.retrieve.ground import ground_name

if TYPE_CHECKING:
    from kgmm.store import Fact, LocalStore
    from kgmm.stories.summaries.summary import RankedTerm

#: what tells most about a thing comes first
_ORDER = ("InstanceOf", "IsA", "PartOf", "AtLocation", "UsedFor", "CapableOf", "Causes", "HasProperty")


def linked_terms(
    terms: Iterable[RankedTerm], store: LocalStore, limit: int = 3, spoken: Container[str] = ()
) -> tuple[RankedTerm, ...]:
    """Return terms with their concept in *store* and up to *limit* facts about it, said in English.

    Facts of scene and story graphs are left out: they say where a term occurs, not what it means. A term of several
    words is taken for its last one only if that is itself among the *spoken* terms: "rail strike" is a strike, "Port
    Amber" no amber.
    """
    found = []
    for term in terms:
        link = ground_name(store, term.term)
        if link is not None and link.rule == "head" and term.term.split()[-1] not in spoken:
            link = None
        facts = [] if link is None else _facts(store, link.concept, limit)
        concept = link.concept if link is not None and facts else None
        found.append(replace(term, concept=concept, facts=tuple(facts)))
    return tuple(found)


def _facts(store: LocalStore, concept: str, limit: int) -> list[str]:
    known: list[Fact] = [
        fact
        for fact in store.find(concept, None, None, limit=200)
        if not fact.graph.startswith(("scene/", "story/"))
        and fact.object != concept
        and fact.predicate not in ("HasInstance", "RelatedTo")
    ]
    known.sort(key=lambda f: (_ORDER.index(f.predicate) if f.predicate in _ORDER else len(_ORDER), -f.weight))
    said: dict[str, None] = {}
    for fact in known:
        said.setdefault(phrase(fact.subject, fact.predicate, fact.object))
    return list(said)[:limit]
