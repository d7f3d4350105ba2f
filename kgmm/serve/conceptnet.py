"""The ConceptNet 5 web API over a store, answer for answer, so that programs written for it need another host only.

Looked-up nodes, assertions and relations, ``/query``, ``/related``, ``/relatedness`` and ``/uri`` return the JSON-LD of
ConceptNet 5.8 (https://github.com/commonsense/conceptnet5/wiki/API). Relatedness is the cosine of this library's text
encoder, since ConceptNet's own vectors are not in its dump; surface texts are given where the store's facts carry them.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import term_vectors
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.language import names
from kgmm.retrieve.ground import common_concepts
from kgmm.serve.limits import Json
from kgmm.store import Fact, is_general

CONTEXT = ["http://api.conceptnet.io/ld/conceptnet5.7/context.ld.json"]
VERSION = "5.8.1"
KEYS = ("start", "end", "node", "other", "rel", "source", "uri")
#: facts looked at for one answer, and terms a sense-less concept stands for
SCANNED, SENSES = 200_000, 200
#: seconds one answer may look for edges
SECONDS = 3.0
_ASSERTION = re.compile(r"^/a/\[(/r/.+?)/,(/.+?)/,(/.+?)/\]$")


class NotThere(KgmmError):
    """What was asked for is not in the store, or asked for in a way that has no answer; has an HTTP status."""

    def __init__(self, status: int, details: str, about: Json | None = None) -> None:
        self.status: int = status
        self.details: str = details
        self.about: Json = about or {}
        super().__init__(details)

    def body(self) -> Json:
        """Return the answer ConceptNet gives."""
        return success({**self.about, "error": {"status": self.status, "details": self.details}})


def success(answer: Json) -> Json:
    """Return an answer with ConceptNet's context and version."""
    return {"@context": CONTEXT, **answer, "version": VERSION}


def node(uri: str) -> Json:
    """Return a term as linked data: ``@id``, label, language, the term without its sense.

    Example:
        >>> node("/c/en/ice_cream/n")["term"], node("/c/en/ice_cream/n")["sense_label"]
        ('/c/en/ice_cream', 'n')
    """
    found: Json = {"@id": uri, "@type": "Node", "label": names.label(uri)}
    pieces = uri.split("/")
    if names.is_literal(uri):
        return found
    if uri.startswith("/c/"):
        sense = {"sense_label": pieces[4]} if len(pieces) > 4 else {}
        return {**found, "language": pieces[2], "term": "/".join(pieces[:4]), **sense}
    site = {"site": pieces[2], "site_available": True} if uri.startswith(("http://", "https://")) else {}
    return {**found, **site, "term": uri}


def relation(predicate: str) -> Json:
    """Return a relation as linked data."""
    uri = predicate if predicate.startswith(("http://", "https://")) else f"/r/{predicate}"
    return {"@id": uri, "@type": "Relation", "label": names.label(predicate)}


def assertion(fact: Fact) -> str:
    """Return the URI of a fact.

    Example:
        >>> assertion(Fact("dog", "IsA", "animal"))
        '/a/[/r/IsA/,/c/en/dog/,/c/en/animal/]'
    """
    return f"/a/[{relation(fact.predicate)['@id']}/,{fact.subject}/,{fact.object}/]"


def edge(fact: Fact) -> Json:
    """Return a fact as an edge of the web API."""
    contributor = fact.source or f"/s/resource/{fact.graph}"
    return {
        "@id": assertion(fact),
        "@type": "Edge",
        "dataset": _dataset(fact),
        "end": node(fact.object),
        "license": "cc:by-sa/4.0" if fact.source.startswith("/d/") else "unknown",
        "rel": relation(fact.predicate),
        "sources": [{"@id": f"/and/[{contributor}/]", "@type": "Source", "contributor": contributor}],
        "start": node(fact.subject),
        "surfaceText": None,
        "weight": fact.weight,
    }


def _dataset(fact: Fact) -> str:
    return fact.source if fact.source.startswith("/d/") else f"/d/kgmm/{fact.graph}"


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    offset: int = 0
    limit: int = 20

    def view(self, url: str, pairs: list[tuple[str, str]], more: bool) -> Json:
        """Return the links to the first, the previous and the next page."""

        def at(offset: int) -> str:
            shown = "&".join(f"{k}={v}" for k, v in [*pairs, ("offset", offset), ("limit", self.limit)])
            return f"{url}?{shown}"

        view = {"@id": at(self.offset), "@type": "PartialCollectionView"}
        view |= {"firstPage": at(0), "paginatedProperty": "edges"}
        if self.offset:
            view["previousPage"] = at(max(0, self.offset - self.limit))
        if more:
            view["nextPage"] = at(self.offset + self.limit)
            view["comment"] = "There are more results. Follow the 'nextPage' link for more."
        return view


def lookup(kb: KnowledgeStore, uri: str, page: Page) -> Json:
    """Return the edges around a node, of a relation, of a data set, or one assertion.

    Raises:
        NotThere: if the store has no such thing.
    """
    if uri.startswith("/a/"):
        found = next(_matching(kb, {"uri": uri}), None)
        if found is None:
            raise NotThere(404, f"{uri!r} is not an assertion in ConceptNet.", {"@id": uri})
        return success(edge(found))
    key = "rel" if uri.startswith("/r/") else "source" if uri.startswith("/d/") else "node"
    edges, more = _page(kb, {key: uri}, page)
    answer: Json = {"@id": uri, "edges": edges}
    if more or page.offset:
        answer["view"] = page.view(uri, [], more)
    if not edges and not page.offset:
        raise NotThere(404, f"{uri!r} is not a node in ConceptNet.", answer)
    return success(answer)


def query(kb: KnowledgeStore, criteria: dict[str, str], page: Page) -> Json:
    """Return the edges that meet all criteria, heaviest first.

    Args:
        criteria: of ``start``, ``end``, ``node``, ``other``, ``rel``, ``source``, ``uri``; a term stands for its senses,
            a language (``/c/en``) for its terms.
    """
    edges, more = _page(kb, criteria, page)
    pairs = sorted(criteria.items())
    asked = "&".join(f"{k}={v}" for k, v in pairs)
    answer: Json = {"@id": f"/query?{asked}" if pairs else "/query", "edges": edges}
    if more or page.offset:
        answer["view"] = page.view("/query", pairs, more)
    return success(answer)


def _page(kb: KnowledgeStore, criteria: dict[str, str], page: Page) -> tuple[list[Json], bool]:
    """Return the edges on a page, and whether there are more."""
    found = list(islice(_matching(kb, criteria), page.offset, page.offset + page.limit + 1))
    return [edge(fact) for fact in found[: page.limit]], len(found) > page.limit


def _matching(kb: KnowledgeStore, criteria: dict[str, str]) -> Iterator[Fact]:
    """Yield the facts that meet all criteria, heaviest first, each statement once."""
    criteria = {k: v.rstrip("/") or "/" for k, v in criteria.items() if v}
    if "uri" in criteria:
        match = _ASSERTION.match(criteria.pop("uri"))
        if match is None:
            return
        criteria |= dict(zip(("rel", "start", "end"), match.groups(), strict=True))
    lists = _narrowest(kb, criteria)
    weights = np.concatenate([np.asarray(facts.ids.weight) for facts in lists]) if lists else np.empty(0)
    ends = np.cumsum([len(facts) for facts in lists])
    told: set[tuple[str, str, str]] = set()
    order = np.argsort(-weights, kind="stable")
    end = time.monotonic() + SECONDS
    for row in order[_fitting(kb, lists, criteria)[order]][:SCANNED].tolist():
        if time.monotonic() > end:
            raise NotThere(400, f"More than {SECONDS:g} s of looking: name a start, an end or a node.")
        which = int(np.searchsorted(ends, row, "right"))
        fact = lists[which][row - int(ends[which - 1] if which else 0)]
        key = (fact.subject, fact.predicate, fact.object)
        if key not in told and is_general(fact.graph) and _meets(fact, criteria):
            told.add(key)
            yield fact


def _narrowest(kb: KnowledgeStore, criteria: dict[str, str]) -> list[Any]:
    """Return look-ups that together hold every match: by the criterion that leaves fewest facts."""
    rel = names.relation(criteria["rel"]) if "rel" in criteria else None
    options: list[list[Any]] = []
    for key in ("start", "end", "node", "other"):
        uri = criteria.get(key, "")
        if not uri or (uri.count("/") < 3 and uri.startswith("/c/")):
            continue
        terms = senses(kb, uri)
        starts = [kb.find(t, rel, None) for t in terms] if key != "end" else []
        finish = [kb.find(None, rel, t) for t in terms] if key != "start" else []
        options.append([f for f in (*starts, *finish) if len(f)])
    if not options:
        options = [[kb.find(None, rel, None)]]
    return min(options, key=lambda found: sum(map(len, found)))


def senses(kb: KnowledgeStore, uri: str) -> list[str]:
    """Return a term and, if it names no sense, those of its senses that the store has."""
    if not uri.startswith("/c/"):
        return [uri]
    deeper = kb.search(names.label(uri), SENSES, uri.split("/")[2])
    return [uri, *(t for t in deeper if t.startswith(uri + "/"))]


def _fits(term: str, wanted: str) -> bool:
    return term == wanted or term.startswith(wanted.rstrip("/") + "/")


def _fitting(kb: KnowledgeStore, lists: list[Any], criteria: dict[str, str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which rows of some look-ups have ends that can meet the criteria; each term is read once."""
    columns, none = [facts.ids for facts in lists], np.empty(0, np.int64)
    subjects = np.concatenate([none, *(np.asarray(column.subject) for column in columns)])
    objects = np.concatenate([none, *(np.asarray(column.object) for column in columns)])
    kept = np.ones(len(subjects), np.bool_)
    wanted = {key: criteria[key] for key in ("start", "end", "node", "other") if key in criteria}
    if not wanted or not len(kept):
        return kept
    ids, where = np.unique(np.concatenate([subjects, objects]), return_inverse=True)
    terms = kb.terms.names(ids)
    for key, uri in wanted.items():
        fit = np.fromiter((_fits(term, uri) for term in terms), np.bool_, len(terms))[where]
        start, end = fit[: len(kept)], fit[len(kept) :]
        kept &= start if key == "start" else end if key == "end" else start | end
    return kept


def _meets(fact: Fact, criteria: dict[str, str]) -> bool:
    s, o, fits = fact.subject, fact.object, _fits
    own = {"start": s, "end": o, "source": _dataset(fact)}
    if any(key in criteria and not fits(term, criteria[key]) for key, term in own.items()):
        return False
    if "rel" in criteria and names.relation(criteria["rel"]) != fact.predicate:
        return False
    a, b = criteria.get("node"), criteria.get("other")
    if a and b:
        return (fits(s, a) and fits(o, b)) or (fits(o, a) and fits(s, b))
    one = a or b
    return one is None or fits(s, one) or fits(o, one)


def related(kb: KnowledgeStore, uri: str, prefix: str | None, limit: int) -> Json:
    """Return the terms nearest in meaning to a term, or to a weighted list (``/list/en/dog,cat@0.5``).

    Raises:
        NotThere: if the address is neither.
    """
    wanted = _terms(uri)
    encoder = _encoder()
    labels = [names.label(t) for t, _ in wanted]
    query_vector = (np.array([w for _, w in wanted], np.float32)[:, None] * encoder.encode(labels)).sum(0)
    ids = _around(kb, [t for t, _ in wanted])
    terms = kb.terms.names(ids)
    keep = [i for i, t in enumerate(terms) if t.startswith("/c/") and (not prefix or _fits(t, prefix.rstrip("/")))]
    if not keep:
        return success({"@id": uri, "related": []})
    scores = term_vectors(kb, ids[keep], encoder) @ (query_vector / max(float(np.linalg.norm(query_vector)), 1e-9))
    order = np.argsort(-scores, kind="stable")[:limit]
    near = [{"@id": terms[keep[i]], "weight": round(float(scores[i]), 3)} for i in order]
    return success({"@id": uri, "related": near})


def _terms(uri: str) -> list[tuple[str, float]]:
    if uri.startswith("/c/") and uri.count("/") >= 3:
        return [(uri, 1.0)]
    pieces = uri.split("/", 3)
    if len(pieces) == 4 and pieces[1] == "list":
        split = [p.partition("@") for p in pieces[3].split(",") if p]
        terms = [term if "/" in term else f"/c/{pieces[2]}/{term}" for term, _, _ in split]
        try:
            weights = [float(weight or 1) for _, _, weight in split]
        except ValueError:
            weights = []
        if weights and np.isfinite(weights).all():
            return list(zip(terms, weights, strict=True))
        raise NotThere(400, f"Couldn't parse this term list: {uri!r}", {"@id": uri})
    raise NotThere(404, f"{uri!r} is not something that I can find related terms to.", {"@id": uri})


def _around(kb: KnowledgeStore, terms: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the ids of terms worth comparing: two steps around, and the concepts with the most facts."""
    seeds = [i for t in terms if (i := kb.terms.id(t)) is not None]
    near = kb.neighborhood_ids(np.array(seeds, np.int64), hops=2, limit=500)
    common, _ = common_concepts(kb, _encoder())
    return np.unique(np.concatenate([np.asarray(x, np.int64) for x in (near.subject, near.object, common, seeds)]))


def relatedness(a: str | None, b: str | None) -> Json:
    """Return the cosine between two terms' vectors; NotThere if one is missing."""
    if not a or not b:
        raise NotThere(400, "Arguments should be called node1 and node2.")
    vectors = _encoder().encode([names.label(a), names.label(b)])
    return success({"@id": f"/relatedness?node1={a}&node2={b}", "value": round(float(vectors[0] @ vectors[1]), 3)})


def standardized(language: str | None, text: str | None) -> Json:
    """Return the URI of a text; NotThere if text or language is missing."""
    if not language or not text or not text.replace("_", " ").strip():
        raise NotThere(400, "You should include the 'text' and 'language' parameters.")
    return success({"@id": names.concept(text.replace("_", " "), language)})


def _encoder() -> Encoder:
    return text_encoder("minilm")
