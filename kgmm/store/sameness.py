"""Two names for one thing: what speaks for it, accepted or undone by whoever looks at it; nothing is merged by itself."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kgmm import bundled
from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import changes
from kgmm.store.assertion import Assertion
from kgmm.store.facts import Fact, node
from kgmm.store.handle import Handle

SAME = "http://www.w3.org/2002/07/owl#sameAs"
METHOD = "accepted"  #: how an accepted proposal was come by
MOST = 200  #: facts of a concept that are compared
OFTEN = 200  #: concepts with one spelling that are too many to be one thing
VECTORS, NEAR, BLOCK = 20_000, 0.85, 1024  #: concepts that are asked for vectors, least cosine, rows compared at once
FEW, TOGETHER = 20, 3  #: concepts with one end of a fact that tell something, and how many such ends two must share


class Encoder(Protocol):
    """What makes vectors of texts, such as :func:`kgmm.encode.text_encoder`."""

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return a vector a text, all of length 1."""


@dataclass(frozen=True)
class Same:
    """Two concepts that may be one, how sure that is (0 to 1), and what speaks for and against it, in words.

    ``parts`` says what each kind of evidence adds to the score, or takes: ``letters``, ``lemmas``, ``wordnet``, ``vectors``,
    ``neighbours``, ``functional``. They sum up to it.
    """

    a: str
    b: str
    score: float
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()


def proposals(store: Handle, least: float = 0.5, limit: int = 100, encoder: Encoder | None = None) -> list[Same]:
    """Propose concepts that may be the same thing, the likeliest first.

    Concepts of one language are compared that are called alike, or are in the same facts. The score is a sum: 0.6 for the same
    letters, but for case and marks; or else 0.5 for the same lemmas, or for being synonyms in the bundled WordNet (which
    the store does not call so itself); or else, with an *encoder*, 0.6 times the cosine of their labels from 0.85 on; and
    up to 0.4 more for the share of facts, by relation and other end, that both are in. That share alone counts up to 0.6, where
    it is four fifths of three facts or more. Different values of a functional relation take half of it. Those
    that are accepted, or said not to be the same, are not proposed again.

    Args:
        store: where to look.
        least: the least score.
        limit: most proposals.
        encoder: what makes vectors of labels, asked for at most 20,000 concepts; it takes about 14 ms a label.

    Raises:
        BadInput: if *least* or *limit* cannot be, or there are too many concepts for the encoder.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("t-shirt", "IsA", "garment"), ("t shirt", "IsA", "garment")])
        >>> found = kb.proposals()[0]
        >>> found.a, found.b, found.score, found.evidence
        ('/c/en/t-shirt', '/c/en/t_shirt', 1.0, ('same letters', 'both IsA /c/en/garment'))
        >>> found.parts
        (('letters', 0.6), ('neighbours', 0.4))
    """
    if not 0 <= least <= 1 or limit < 0:
        raise BadInput("proposals", f"least must be from 0 to 1 and limit not negative, they are {least}, {limit}")
    decided, terms = _decided(store), store.terms
    named = _concepts(store)
    found: dict[tuple[int, int], Same] = {}
    for (a, b), (kind, adds, why) in _candidates(store, named, encoder).items():
        pair = terms.name(a), terms.name(b)
        if pair not in decided and pair[::-1] not in decided:
            found[a, b] = _compared(store, a, b, kind, adds, why)
    likely = [same for same in found.values() if same.score >= least and same.score > 0]
    return sorted(likely, key=lambda same: (-same.score, same.a, same.b))[:limit]


def _concepts(store: Handle) -> dict[int, tuple[str, str]]:
    """Return the language and label of each concept of a fact; senses of a word are told apart on purpose."""
    rows, terms = store.opened.snapshot.all(), store.terms
    found = {}
    for term in np.union1d(rows.subject, rows.object).tolist():
        name = terms.name(term)
        parts = name.split("/")
        if name.startswith("/c/") and len(parts) == 4:
            found[term] = (parts[2], names.label(name))
    return found


Reason = tuple[str, float, str]  #: kind of evidence, what it adds, in words


def _candidates(
    store: Handle, named: dict[int, tuple[str, str]], encoder: Encoder | None
) -> dict[tuple[int, int], Reason]:
    """Return pairs of concepts that are called alike or are in the same facts, and the strongest reason of each."""
    found: dict[tuple[int, int], Reason] = {}
    letters: dict[tuple[str, str], list[int]] = defaultdict(list)
    lemmas: dict[tuple[str, str], list[int]] = defaultdict(list)
    for term, (language, label) in named.items():
        letters[language, "".join(filter(str.isalnum, label.casefold()))].append(term)
        if language == "en":
            lemmas[language, _lemmas(label)].append(term)
    for groups, reason in ((letters, ("letters", 0.6, "same letters")), (lemmas, ("lemmas", 0.5, "same lemmas"))):
        for (_, key), group in groups.items():
            if key and 1 < len(group) <= OFTEN:
                for pair in combinations(sorted(group), 2):
                    found.setdefault(pair, reason)
    for pair in _synonyms(store, named):
        found.setdefault(pair, ("wordnet", 0.5, "synonyms in WordNet"))
    for pair, cosine in _alike(named, encoder) if encoder is not None else ():
        found.setdefault(pair, ("vectors", round(0.6 * cosine, 4), f"labels of cosine {cosine:.2f}"))
    for pair in _together(store, named):
        found.setdefault(pair, ("", 0.0, ""))
    return found


def _synonyms(store: Handle, named: dict[int, tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """Yield pairs that the bundled WordNet calls synonyms and the store does not."""
    english = {label.replace(" ", "_"): term for term, (language, label) in named.items() if language == "en"}
    known = store.terms.id("Synonym")
    for a, b in _wordnet():
        if a in english and b in english:
            one, two = sorted((english[a], english[b]))
            said = known is not None and any(
                len(store.opened.find_ids(s, known, o, None).subject) for s, o in ((one, two), (two, one))
            )
            if one != two and not said:
                yield one, two


@cache
def _wordnet() -> tuple[tuple[str, str], ...]:
    """Return the pairs of words that are in one synset of the bundled WordNet; none where it is not there."""
    path = bundled.folder("knowledge") / "wordnet.tsv.gz"
    if not path.is_file():
        return ()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = (line.split("\t") for line in file if "\tSynonym\t" in line)
        return tuple((row[0].removeprefix("/c/en/"), row[2].removeprefix("/c/en/")) for row in rows)


def _alike(named: dict[int, tuple[str, str]], encoder: Encoder) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield pairs of one language whose labels have vectors that lie near each other, and their cosine."""
    if len(named) > VECTORS:
        raise BadInput("encoder", f"it is asked for {VECTORS:,} concepts at most, there are {len(named):,}")
    terms = sorted(named)
    if not terms:
        return
    vectors = np.asarray(encoder.encode([named[term][1] for term in terms]), np.float32)
    for start in range(0, len(terms), BLOCK):
        cosines = vectors[start : start + BLOCK] @ vectors.T
        for i, j in zip(*np.nonzero(cosines >= NEAR), strict=True):
            a, b = terms[start + int(i)], terms[int(j)]
            if a < b and named[a][0] == named[b][0]:
                yield (a, b), min(float(cosines[i, j]), 1.0)


def _together(store: Handle, named: dict[int, tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """Yield pairs of one language that share enough ends of facts that few others have."""
    rows = store.opened.snapshot.all()
    shared: Counter[tuple[int, int]] = Counter()
    for mine, others in ((rows.subject, rows.object), (rows.object, rows.subject)):
        order = np.lexsort((mine, others, rows.predicate))
        key = np.stack([rows.predicate[order], others[order]])
        cuts = np.flatnonzero(np.any(key[:, 1:] != key[:, :-1], axis=0)) + 1 if len(order) else np.empty(0, np.int64)
        sizes = np.diff([0, *cuts.tolist(), len(order)])
        starts = np.concatenate([[0], cuts]).astype(np.int64)
        for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            if size <= FEW:
                group = {term for term in mine[order[start : start + size]].tolist() if term in named}
                shared.update(combinations(sorted(group), 2))
    for (a, b), count in shared.items():
        if count >= TOGETHER and named[a][0] == named[b][0]:
            yield a, b


def _lemmas(label: str) -> str:
    from kgmm.language.words import lemma

    return " ".join(lemma(word) for word in label.casefold().replace("-", " ").split())


def _decided(store: Handle) -> set[tuple[str, str]]:
    """Return the pairs about which it is said that they are the same, or that they are not."""
    from kgmm.store.assertions.looking import everything

    number = store.terms.id(SAME)
    if number is None:
        return set()
    if not store.opened.state.said:
        rows = store.opened.find_ids(None, number, None, None)
        pairs = zip(store.terms.names(rows.subject), store.terms.names(rows.object), strict=True)
        return set(pairs)
    said = everything(store)
    live = said.filter((said["predicate"] == SAME) & (said["role"].fill_null("") != "withdrawn"))
    return set(live.select("subject", "object").iter_rows())


def _around(store: Handle, term: int) -> set[tuple[bool, int, int]]:
    """Return a concept's facts as it is in them: whether as subject, the relation, the other end."""
    subjects, objects = (store.opened.find_ids(*ends) for ends in ((term, None, None, None), (None, None, term, None)))
    found = {(True, p, o) for p, o in zip(subjects.predicate[:MOST].tolist(), subjects.object.tolist(), strict=False)}
    return found | {
        (False, p, s) for p, s in zip(objects.predicate[:MOST].tolist(), objects.subject.tolist(), strict=False)
    }


def _compared(store: Handle, a: int, b: int, kind: str, adds: float, why: str) -> Same:
    from kgmm.store.index.sight import functional

    terms = store.terms
    ours, theirs = _around(store, a), _around(store, b)
    shared = sorted(ours & theirs)
    share = len(shared) / max(len(ours | theirs), 1)
    parts = [(kind, adds)] if kind else []
    if kind or (share >= 0.8 and len(shared) >= TOGETHER):
        parts += [("neighbours", round((0.4 if kind else 0.6) * share, 4))] if shared else []
    evidence, against = [why] if why else [], []
    for forth, p, other in shared[:3]:
        said = (terms.name(p), terms.name(other))
        evidence.append(f"both {said[0]} {said[1]}" if forth else f"{said[1]} {said[0]} both")
    for p in functional(store.opened):
        values = [{other for forth, q, other in facts if forth and q == p} for facts in (ours, theirs)]
        if values[0] and values[1] and not values[0] & values[1]:
            one, two = (terms.name(min(found)) for found in values)
            against.append(f"{terms.name(p)} {one}, not {two}")
    score = sum(adds for _, adds in parts)
    if against:
        parts.append(("functional", round(-score / 2, 4)))
    score = round(sum(adds for _, adds in parts), 4)
    return Same(terms.name(a), terms.name(b), score, tuple(evidence), tuple(against), tuple(parts))


def accept(store: Handle, a: str | Same, b: str | None = None, *, contributor: str = "", same: bool = True) -> int:
    """Say that two concepts are the same thing, or with ``same=False`` that they are not; return 1 if that is new.

    It is an assertion like any other, of the method ``accepted``: ``kb.remove(a, SAME, b)`` or withdrawing its
    contributor undoes exactly that. The facts of both stay as they are.

    Raises:
        BadInput: if one is no concept, or both are one.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("t-shirt", "IsA", "garment"), ("t shirt", "IsA", "garment")])
        >>> kb.accept(kb.proposals()[0]), kb.proposals()
        (1, [])
    """
    first, second = (a.a, a.b) if isinstance(a, Same) else (a, b)
    if not isinstance(first, str) or not isinstance(second, str):
        raise BadInput("accept", "say which two concepts, or give a proposal")
    try:
        one, two = node(first), node(second)
    except ValueError as error:
        raise BadInput("accept", str(error)) from None
    if one == two:
        raise BadInput("accept", f"{first!r} and {second!r} are one concept already")
    said = Assertion(Fact(one, SAME, two, graph="schema"), contributor, 1 if same else -1, method=METHOD)
    return changes.add(store, said)
