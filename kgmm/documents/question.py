"""What a question gives to retrieve passages by: words with their weights, entities that it names, and cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import spans
from kgmm.documents.analysis import COMMON, DIGITS, LONGEST, STOP, mixed, name_key, word_key, word_kind
from kgmm.documents.roots import relation, root

if TYPE_CHECKING:
    from kgmm.documents.index import Index


@dataclass
class Asked:
    """A question as the index sees it."""

    terms: NDArray[np.int64]  #: of its words, each once
    weights: NDArray[np.float64]  #: how often it has them
    exact: NDArray[np.int64]  #: its words as it has them, each once
    exact_weights: NDArray[np.float64]
    words: list[str]  #: the words that these terms are of
    #: entities that it names: number, how it writes them, and whether they are own names of passages
    entities: list[tuple[int, str, bool]] = field(default_factory=list)
    cues: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))  #: (V,) words that say what is asked
    relations: frozenset[int] = frozenset()  #: what these words say, as the numbers of relations


def asked(index: Index, text: str, also: Mapping[str, Sequence[str]] | None = None) -> Asked:
    """Read a question: its names are the longest ones that some passage has or names, the other words are cues.

    Args:
        index: of the passages.
        text: the question.
        also: other names of what a name means, by their keys; those are asked for as well.
    """
    found = spans.words(text)
    plain = text.islower()
    entities: list[tuple[int, str, bool]] = []
    rest: list[str] = []
    at = 0
    while at < len(found):
        entity, length, own = _longest(index, text, found[at : at + LONGEST], plain)
        if length:
            start, end = found[at][0], found[at + length - 1][1]
            entities.append((entity, text[start:end], own))
            for other in (also or {}).get(spans.key(text[start:end]), ()):
                place = _at(index.texts.entity, name_key(other))
                if place >= 0 and place != entity:
                    entities.append((place, text[start:end], bool(index.links.back_own[place])))
            at += length
        else:
            rest.append(found[at][2])
            at += 1
    counted: dict[int, tuple[float, str]] = {}
    exactly: dict[int, float] = {}
    for _, _, word in found:
        if word_kind(word) & STOP:
            continue
        place = _at(index.texts.word, word_key(word))
        if place >= 0:
            exactly[place] = exactly.get(place, 0.0) + 1.0
        term = _at(index.links.term, word_key(root(word)))
        if term >= 0:
            counted[term] = counted.get(term, (0.0, word))[0] + 1.0, word
    terms = np.array(sorted(counted), np.int64)
    weights = np.array([counted[t][0] for t in terms.tolist()])
    exact = np.array(sorted(exactly), np.int64)
    exact_weights = np.array([exactly[p] for p in exact.tolist()])
    relations = {word_key(relation(w)) for w in rest if not word_kind(w) & STOP}
    cues = np.zeros(len(index.texts.word), np.bool_)
    for key in relations:
        cues[index.words_of_cue(key)] = True
    words = [counted[t][1] for t in terms.tolist()]
    return Asked(terms, weights, exact, exact_weights, words, entities, cues, frozenset(relations))


def _at(keys: NDArray[np.uint64], key: int) -> int:
    place = int(np.searchsorted(keys, np.uint64(key)))
    return place if place < len(keys) and int(keys[place]) == key else -1


def _longest(index: Index, text: str, words: list[tuple[int, int, str]], plain: bool) -> tuple[int, int, bool]:
    """Return the longest name that begins with these words, how long it is, and whether it is some passage's own."""
    key = 0
    best = (-1, 0, False)
    upper = content = rare = 0
    for length, (start, _, word) in enumerate(words, 1):
        if length > 1 and any(c in ".?!;" for c in text[words[length - 2][1] : start].strip(" .")):
            break
        key = mixed(key, word_key(word))
        kind = word_kind(word)
        if not kind & (STOP | DIGITS):
            content += 1
            upper += text[start].isupper()
            rare += not kind & COMMON
        if not content and not kind & DIGITS:
            continue
        entity = _at(index.texts.entity, key or 1)
        if entity < 0:
            continue
        own = bool(index.links.back_own[entity])
        if length == 1:
            good = bool(upper) or (own and plain) or (own and not kind & (COMMON | DIGITS))
        else:
            good = plain or 2 * upper > content or (own and rare > 0)
        if good:
            best = (entity, length, own)
    return best
