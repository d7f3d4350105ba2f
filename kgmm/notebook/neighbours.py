"""What an explorer shows: the strongest facts around a concept, counted by relation, as plain data."""

from collections import Counter
from collections.abc import Container
from typing import Any

import numpy as np

from kgmm.errors import UnknownConcept
from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.store import Fact, LocalStore
from kgmm.trace import key

SHOWN = 60  #: characters of a label that are drawn


def resolve(kb: LocalStore, text: str) -> str:
    """Return the store's concept for a word, path or IRI; UnknownConcept lists near spellings if there is none."""
    found = kb.concept(text) if text.strip() else None
    if found is None:
        raise UnknownConcept(text[:200], [names.label(c) for c in kb.near(text[:200])] if text.strip() else [])
    return found


def around(
    kb: LocalStore,
    concept: str,
    relation: str | None = None,
    outgoing: bool | None = None,
    limit: int = 30,
    but: Container[tuple[str, str, str]] = (),
) -> list[Fact]:
    """Return the strongest facts, *but* for some, with a concept as subject (*outgoing*), object, or either (None)."""
    ways = [kb.find(concept, relation)] if outgoing is not False else []
    ways += [kb.find(None, relation, concept)] if outgoing is not True else []
    weights = [np.asarray(found.ids.weight) for found in ways]
    way = np.repeat(np.arange(len(ways)), [len(w) for w in weights])
    row = np.concatenate([np.arange(len(w)) for w in weights])
    chosen: dict[tuple[str, str, str], Fact] = {}
    for at in np.argsort(-np.concatenate(weights), kind="stable"):  # only what is shown is decoded
        fact = ways[way[at]][int(row[at])]
        if key(fact) not in but:
            chosen.setdefault(key(fact), fact)
        if len(chosen) >= limit:
            break
    return list(chosen.values())


def relations(kb: LocalStore, concept: str) -> list[dict[str, Any]]:
    """Return the relations of a concept's facts with their direction and number, most facts first."""
    counted: Counter[tuple[str, bool]] = Counter()
    term = kb.terms.id(concept)
    for outgoing, found in ((True, kb.find_ids(subject=term)), (False, kb.find_ids(object=term))):
        ids, counts = np.unique(np.asarray(found.predicate), return_counts=True)
        for name, count in zip(kb.terms.names(ids), counts.tolist(), strict=True):
            counted[name, outgoing] += count
    return [
        {"relation": name, "label": names.label(name)[:SHOWN], "outgoing": outgoing, "count": count}
        for (name, outgoing), count in counted.most_common()
    ]


def node(kb: LocalStore, term: str) -> dict[str, Any]:
    """Return a node for drawing: id, label, kind, and how many facts it has in the store."""
    kind = "literal" if names.is_literal(term) else "scene" if term.startswith("/s/") else "concept"
    label = names.label(term)
    label = label if len(label) <= SHOWN else label[:SHOWN] + "…"
    return {"id": term, "label": label, "kind": kind, "facts": kb.count(term) + kb.count(None, None, term)}


def edge(fact: Fact) -> dict[str, Any]:
    """Return an edge for drawing."""
    said = phrase(fact.subject, fact.predicate, fact.object)
    return {
        "id": "\x1f".join(key(fact)),
        "source": fact.subject,
        "target": fact.object,
        "label": names.label(fact.predicate)[:SHOWN],
        "relation": fact.predicate,
        "said": said if len(said) <= 3 * SHOWN else said[: 3 * SHOWN] + "…",
        "weight": fact.weight,
    }
