"""Passages that are like a passage, a document or a text, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import scoring
from kgmm.documents.analysis import STOP
from kgmm.documents.index import current
from kgmm.documents.kept import Kept
from kgmm.documents.passage import Passage
from kgmm.documents.question import asked
from kgmm.documents.retrieve import Names, Tuning, best, by_words
from kgmm.documents.vectors import checksum
from kgmm.errors import BadInput
from kgmm.language.words import whole_characters

if TYPE_CHECKING:
    from kgmm.documents.index import Index
    from kgmm.store import LocalStore

WORDS = 40  #: of a passage, the rarest, that others are looked for by
REASONS = 5  #: that are told, names first


@dataclass(frozen=True)
class Near:
    """A passage that is like another."""

    document: str
    part: int
    title: str
    text: str
    score: float  #: cosine of the vectors; without vectors BM25, of what the passage itself would score
    reasons: tuple[str, ...]  #: names and rare words that both have


def near(store: LocalStore, what: Passage | str, count: int = 10) -> list[Near]:
    """Return the passages most like a passage, a document's or a text, best first, without its own.

    Vectors are compared where the store has them (a document's as the mean of its passages'), else words by BM25.

    Args:
        store: whose documents.
        what: a passage that was found, the id of a document, or a text.
        count: at most so many.

    Raises:
        BadInput: if the text is empty, or the passage is not in the store.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> texts = ["Otto was a grey cat of Rome.", "A grey cat slept in Rome.", "It rained all day."]
        >>> _ = kb.read([{"id": str(at), "text": text} for at, text in enumerate(texts)])
        >>> [(found.document, found.reasons) for found in near(kb, "0")]
        [('1', ('Rome', 'cat', 'grey'))]
    """
    kept = Kept(store.places.documents)
    if not len(kept) or count < 1:
        return []
    index = current(store, kept)
    if isinstance(what, str):
        whole_characters(what)
        own = _of(index, what, None)
        if not len(own) and not what.strip():
            raise BadInput("text", "nothing to compare with: the text is empty")
    else:
        own = _of(index, what.document, what.part)
        if not len(own):
            raise BadInput("passage", f"{what.document!r}, part {what.part}, is not in the store")
    if index.vectors is not None and index.encoder == checksum():
        scores = _by_vectors(index, own, what)
    else:
        scores = _by_bm25(index, own, what)
    scores[own] = 0.0
    names = Names(index)
    mine = _entities(index, own, what)
    words = _terms(index, own, what)
    made = []
    for p in best(scores, count).tolist():
        row = index.rows.slice(p, 1).to_pylist()[0]
        reasons = _reasons(index, names, p, mine, words)
        told = (row["document"], row["part"], row["title"], row["text"])
        made.append(Near(*told, round(float(scores[p]), 4), reasons))
    return made


def _of(index: Index, document: str, part: int | None) -> NDArray[np.int64]:
    """Return the passages of a document, or the one at a place in it; the rows are in the order of documents' ids."""
    ids, low, high = index.rows["document"], 0, len(index)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ids[middle].as_py().encode() < document.encode() else (low, middle)
    first = low
    while low < len(index) and ids[low].as_py() == document:
        low += 1
    rows = np.arange(first, low)
    return rows if part is None else rows[part : part + 1] if part >= 0 else rows[:0]


def _by_vectors(index: Index, own: NDArray[np.int64], what: Passage | str) -> NDArray[np.float64]:
    from kgmm.documents.vectors import cosines, whole

    assert index.vectors is not None
    if not len(own):
        return cosines(index.vectors, str(what))
    wide = index.vectors[own].astype(np.float32)
    mean = (wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1.0)).mean(axis=0)
    found: NDArray[np.float64] = scoring.cosines(index.vectors, whole(mean))
    return found


def _terms(index: Index, own: NDArray[np.int64], what: Passage | str) -> NDArray[np.int64]:
    """Return the rarest terms of passages, or those of a text, the rarest first."""
    links, texts = index.links, index.texts
    if not len(own):
        terms = asked(index, str(what)).terms
    else:
        tokens = np.concatenate([texts.token[texts.start[p] : texts.start[p + 1]] for p in own.tolist()])
        terms = np.unique(links.term_of[tokens[(texts.kind[tokens] & STOP) == 0]]).astype(np.int64)
    return terms[np.lexsort((terms, _had(index, terms)))][:WORDS]


def _had(index: Index, terms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many passages have each term, about: as often as its words are listed."""
    listed = np.diff(index.links.posting)
    return np.array([listed[_words(index, t)].sum() for t in terms.tolist()], np.int64)


def _words(index: Index, term: int) -> NDArray[np.int32]:
    return index.links.form[index.links.forms[term] : index.links.forms[term + 1]]


def _by_bm25(index: Index, own: NDArray[np.int64], what: Passage | str) -> NDArray[np.float64]:
    if not len(own):
        return by_words(index, asked(index, str(what)), Tuning())
    tuning, links = Tuning(), index.links
    scores = np.zeros(len(index))
    groups = [_words(index, term) for term in _terms(index, own, what).tolist()]
    every = np.concatenate([*groups, np.empty(0, np.int32)])
    of = (links.posting, links.passage, links.often, links.length, tuning.k1, tuning.b, scores)
    scoring.bm25(np.cumsum([0, *map(len, groups)]), every, np.ones(len(groups)), *of)
    return scores / max(float(scores[own].max()), 1e-9)


def _entities(index: Index, own: NDArray[np.int64], what: Passage | str) -> set[int]:
    if not len(own):
        return {entity for entity, _, _ in asked(index, str(what)).entities}
    links = index.links
    return {int(e) for p in own.tolist() for e in links.edge_entity[links.edge[p] : links.edge[p + 1]]}


def _reasons(index: Index, names: Names, passage: int, mine: set[int], terms: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the names, then the rarest words, that a passage shares, as it writes them."""
    told = {said: None for entity, said in names.named(passage) if entity in mine}
    parts = {part.lower() for said in told for part in said.split()}
    shared = index.links.term_of[index.texts.token[index.texts.start[passage] : index.texts.start[passage + 1]]]
    said = names.spelled(passage)
    for term in terms.tolist():
        for at in np.flatnonzero(shared == term)[:1].tolist():
            if said[at].lower() not in parts:
                told[said[at]] = None
    return tuple(told)[:REASONS]
