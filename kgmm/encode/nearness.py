"""Cosines of many facts or terms with one text: guessed for all in microseconds each, by the text model for the best few.

A text is guessed to have, in MiniLM, the vector M·m: m the mean of its tokens' input vectors, weighted by smooth inverse
frequency (Arora et al., ICLR 2017), M a matrix that ``benchmarks/fit_nearness.py`` fits. So its cosine with a question's vector
q is the weighted mean of one number a token, (Mᵀq)·e. Who is read by the model depends on these guesses alone, never on
which vectors happen to be kept: a question asked again has the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from kgmm.encode.cache import fact_keys
from kgmm.encode.text import Encoder, text_encoder
from kgmm.encode.vectors import fact_vectors, query_vector, term_vectors
from kgmm.language.names import label
from kgmm.language.phrase import phrase

if TYPE_CHECKING:
    from kgmm.encode.bert import BertEncoder
    from kgmm.store import LocalStore

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

WEIGHTS = Path(__file__).parents[1] / "weights" / "nearness" / "model.safetensors"
READ = 256  #: facts, or terms, that the text model reads for one question
NEAREST = 50  #: terms that it reads where only the nearest count
MAX_TERMS_KEPT = 500_000  #: terms whose tokens are kept between questions to a store's version
#: the tokens before it in BERT's vocabulary are no words; from here on they come by falling frequency
FIRST_WORD = 1996
RARE = 1e-3  #: the parameter a of smooth inverse frequency


class Tokens:
    """MiniLM's tokens: which a text has, their input vectors, and their weights."""

    def __init__(self) -> None:
        model = cast("BertEncoder", text_encoder("minilm"))
        self.tokenizer = model.tokenizer
        self.vectors: NDArray[np.float32] = model.network.matrix("embeddings.word_embeddings").numpy()
        rank = np.maximum(np.arange(len(self.vectors)) - FIRST_WORD, 0) + 1
        frequency = 1 / (rank * (np.log(len(rank)) + 0.5772))  # Zipf's law
        self.weights: NDArray[np.float32] = (RARE / (RARE + frequency)).astype(np.float32)

    def of(self, texts: list[str]) -> list[NDArray[np.int64]]:
        """Return each text's token ids."""
        coded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [np.array(one.ids, np.int64) for one in coded]

    def means(self, texts: list[str]) -> NDArray[np.float32]:
        """Return the weighted means of the texts' token vectors, shape (len(texts), dim)."""
        rows = [(self.weights[ids], self.vectors[ids]) for ids in self.of(texts)]
        return np.stack([w @ v / max(float(w.sum()), 1e-9) for w, v in rows])


class Guesses:
    """Guessed cosines of texts with one text, whose MiniLM vector is *asked*, (dim,)."""

    def __init__(self, tokens: Tokens, asked: NDArray[np.float32], known: dict[int, NDArray[np.int64]]) -> None:
        self.tokens, self.known = tokens, known
        self.asked = _map() @ asked

    def sums(self, ids: Ids, texts: Callable[[Ids], Iterable[str]]) -> tuple[Floats, Floats]:
        """Return, a text, the weighted sum of its tokens' numbers and the sum of their weights, shape (n,) each.

        *ids* are distinct and name the texts in ``known``; *texts* spells those that are not there yet.
        """
        new = np.array([i for i in ids.tolist() if i not in self.known], np.int64)
        if len(new):
            if len(self.known) + len(new) > MAX_TERMS_KEPT:
                self.known.clear()
                new = ids
            self.known.update(zip(new.tolist(), self.tokens.of(list(texts(new))), strict=True))
        parts = [self.known[i] for i in ids.tolist()]
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        said, at = np.unique(np.concatenate([*parts, np.empty(0, np.int64)]), return_inverse=True)
        weights = self.tokens.weights[said].astype(np.float64)
        values = weights * (self.tokens.vectors[said] @ self.asked)
        return tuple(np.bincount(owner, per[at], len(parts)) for per in (values, weights))  # type: ignore[return-value]


_tokens = cache(Tokens)


@cache
def _map() -> NDArray[np.float32]:
    return load_file(WEIGHTS)["map"].astype(np.float32)


def guessed_vectors(texts: list[str]) -> NDArray[np.float32]:
    """Return the vectors that texts are guessed to have, (n, 384) of unit length: microseconds each, no text model runs.

    Example:
        >>> dog, puppy, car = guessed_vectors(["dog", "puppy", "car"])
        >>> bool(dog @ puppy > dog @ car)
        True
    """
    if not texts:
        return np.empty((0, _map().shape[0]), np.float32)
    guessed = _tokens().means(texts) @ _map()
    return np.asarray(guessed / np.maximum(np.linalg.norm(guessed, axis=1, keepdims=True), 1e-9), np.float32)


def _guesses(store: LocalStore, text: str, what: str) -> Guesses:
    asked = query_vector(text_encoder("minilm"), text)
    return Guesses(_tokens(), asked, store.derived(("tokens", what), dict))


def guessed_terms(store: LocalStore, ids: Ids, text: str) -> Floats:
    """Return the guessed cosines of distinct terms' labels with a text, (n,)."""
    values, weights = _guesses(store, text, "terms").sums(ids, lambda new: map(label, store.terms.names(new)))
    return values / np.maximum(weights, 1e-9)


def guessed_facts(store: LocalStore, subject: Ids, predicate: Ids, object: Ids, text: str) -> Floats:
    """Return the guessed cosines of facts' phrases with a text, (n,); the columns, (n,) each, are term ids."""
    ends, at = np.unique(np.concatenate([subject, object]), return_inverse=True)
    kinds, which = np.unique(predicate, return_inverse=True)
    of_ends = _guesses(store, text, "terms").sums(ends, lambda new: map(label, store.terms.names(new)))
    relations = _guesses(store, text, "relations").sums(kinds, lambda new: _said(store.terms.names(new)))
    n = len(subject)
    value, weight = (e[at[:n]] + e[at[n:]] + r[which] for e, r in zip(of_ends, relations, strict=True))
    return np.asarray(value / np.maximum(weight, 1e-9))


def _said(relations: list[str]) -> list[str]:
    return [phrase("", relation, "").strip() for relation in relations]


def term_cosines(
    store: LocalStore, ids: Ids, text: str, encoder: Encoder, order: Floats | None = None, read: int = READ
) -> Floats:
    """Return the cosines of distinct terms' labels with a text, (n,).

    The encoder reads the *read* terms of the largest *order*, (n,), those guessed nearest if None; the others' cosines are
    guessed.

    >>> import tempfile, kgmm
    >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
    >>> _ = kb.add([("dog", "IsA", "animal")])
    >>> ids = kb.terms.ids(["/c/en/dog", "/c/en/animal"])
    >>> dog, animal = term_cosines(kb, ids, "puppy", text_encoder())
    >>> bool(dog > animal)
    True
    """
    guess = guessed_terms(store, ids, text) if len(ids) > read else np.zeros(len(ids))
    order = guess if order is None else order
    return _cosines(
        lambda best: term_vectors(store, ids[best], encoder), query_vector(encoder, text), guess, order, read
    )


def fact_cosines(
    store: LocalStore, columns: tuple[Ids, Ids, Ids], text: str, encoder: Encoder, prior: Floats, read: int = READ
) -> Floats:
    """Return the cosines of facts' phrases with a text, (n,).

    The encoder reads the *read* facts of the largest sum of guessed cosine and *prior*, (n,); the others' are guessed.
    *columns* are the facts' subjects, predicates and objects, (n,) each, as term ids; facts may come again.
    """
    keys, first, back = np.unique(fact_keys(*columns), return_index=True, return_inverse=True)
    best = np.full(len(keys), -np.inf)
    np.maximum.at(best, back, prior)
    s, p, o = (column[first] for column in columns)
    guess = guessed_facts(store, s, p, o, text) if len(keys) > read else np.zeros(len(keys))

    return _cosines(
        lambda rows: fact_vectors(store, (s[rows], p[rows], o[rows]), encoder),
        query_vector(encoder, text),
        guess,
        guess + best,
        read,
    )[back]


def _cosines(
    vectors: Callable[[Ids], NDArray[np.float32]], asked: NDArray[np.float32], guess: Floats, order: Floats, read: int
) -> Floats:
    """Read the best, and bring the guesses for the others to the scale of what was read."""
    best = np.sort(np.argsort(-order, kind="stable")[:read])
    known = (vectors(best) @ asked).astype(np.float64)
    if len(best) == len(guess):
        return known
    slope, shift = np.polyfit(guess[best], known, 1) if np.ptp(guess[best]) > 0 else (1.0, 0.0)
    cosine = np.asarray(slope * guess + shift)
    cosine[best] = known
    return cosine
