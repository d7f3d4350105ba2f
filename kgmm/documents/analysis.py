"""What the index needs of each passage by itself: its words, its own names, and what it names; nothing depends on other passages.

So a passage is analyzed once, and what is known of it goes along when others come and go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from kgmm.documents import kernels, spans
from kgmm.documents.mentions import mentions
from kgmm.documents.roots import FUNCTION, relation, root
from kgmm.documents.tagging import Tagger

Words = NDArray[np.int32]
Keys = NDArray[np.uint64]

LINKED = frozenset(
    {"title", "label", "name", "quoted", "short"}
)  #: kinds of mentions that lead from passage to passage
NAMES = 3  #: a passage's own names: its title without parenthesis, its whole title, what its text begins with
LONGEST = 15  #: words of a name
STOP, DIGITS, COMMON = 1, 2, 4  #: what a word is: without content, a number, one of the language's
CAPITAL, BEGINS, TITLE = 1, 2, 4  #: how it stands in a passage: with a capital, first in its sentence, in the title
_MASK = (1 << 64) - 1


def mixed(key: int, word: int) -> int:
    """Return the key of a name with one more word; :func:`kgmm.documents.kernels.mix` is the same in machine code."""
    key = ((key ^ word) + 0x9E3779B97F4A7C15) & _MASK
    key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & _MASK
    return key ^ (key >> 31)


@lru_cache(1 << 17)
def word_key(word: str) -> int:
    """Return a folded word's number, the same everywhere."""
    return xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


@lru_cache(1 << 17)
def name_key(name: str) -> int:
    """Return the number of a name's key (:func:`kgmm.documents.spans.key`), never 0, which stands for none."""
    key = 0
    for word in name.split(" "):
        key = mixed(key, word_key(word))
    return key or 1


@dataclass
class Texts:
    """Passages as arrays: words by number, where each passage's begin, its names and mentions."""

    word: Keys  #: (V,) the vocabulary: the words' numbers, ascending
    term: Keys  #: (V,) of their roots
    cue: Keys  #: (V,) of the relations that they name
    kind: NDArray[np.uint8]  #: (V,) STOP, DIGITS
    opens: NDArray[np.bool_]  #: (P,) whether it is the first of its document
    start: NDArray[np.int64]  #: (P + 1,) where a passage's tokens begin
    token: Words  #: (N,) places in the vocabulary
    how: NDArray[np.uint8]  #: (N,) CAPITAL, BEGINS, TITLE
    entity: Keys  #: (E,) keys of all names of passages and in them, ascending
    own: Words  #: (P, 3) the entities that its own names are, -1 for none
    own_first: Words  #: (P, 3) their first words, by place in the vocabulary, -1 for none
    own_length: NDArray[np.uint8]  #: (P, 3) their words
    rule: NDArray[np.int64]  #: (P + 1,) where its mentions begin
    rule_entity: Words  #: (M,)
    rule_at: Words  #: (M,) at which of its tokens
    rule_length: NDArray[np.uint8]  #: (M,) their words

    def __len__(self) -> int:
        return len(self.start) - 1

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


VOCABULARY = ("word", "term", "cue", "kind")
_OF_WORDS, _OF_ENTITIES = ("token", "own_first"), ("own", "rule_entity")
_PLAIN = ("opens", "how", "own_length", "rule_at", "rule_length")


def starts_of(start: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the items of some rows begin, one row after another, and where the last one's end."""
    new = np.zeros(len(rows) + 1, np.int64)
    np.cumsum((start[1:] - start[:-1])[rows], out=new[1:])
    return new


def followed(before: Texts, new: Texts, rows: NDArray[np.int64]) -> tuple[Texts, Words, Words]:
    """Return some passages of two, in this order, with the vocabulary that they need, and where that of the first went.

    Args:
        before: passages.
        new: others, whose rows come after the first's.
        rows: (P,) which to take.

    Returns:
        The passages; the new places of the first's words and of its entities, -1 where they are gone.
    """
    both = (before, new)
    raw = {n: [getattr(p, n) for p in both] for n in ("token", "own_first", "own", "rule_entity")}
    for names, size in ((_OF_WORDS, len(before.word)), (_OF_ENTITIES, len(before.entity))):
        for n in names:
            raw[n][1] = np.where(raw[n][1] >= 0, raw[n][1] + np.int32(size), np.int32(-1))
    made: dict[str, Any] = {"opens": np.concatenate([before.opens, new.opens])[rows]}
    for start, items in (("start", ("token", "how")), ("rule", ("rule_entity", "rule_at", "rule_length"))):
        stacked = _stacked([getattr(p, start) for p in both])
        made[start] = starts_of(stacked, rows)
        for n in items:
            every = np.concatenate(raw.get(n) or [getattr(p, n) for p in both])
            made[n] = kernels.gathered(stacked, every, rows, made[start])
    for n in ("own", "own_first", "own_length"):
        made[n] = np.concatenate(raw.get(n) or [getattr(p, n) for p in both])[rows]
    moved = []
    for names, own, more in ((_OF_WORDS, "word", VOCABULARY[1:]), (_OF_ENTITIES, "entity", ())):
        split = len(getattr(before, own))
        used = np.zeros(split + len(getattr(new, own)) + 1, np.bool_)  # the last is what -1 finds
        for n in names:
            used[made[n]] = True
        parts = used[:split], used[split:-1]
        keys = [getattr(p, own)[u] for p, u in zip(both, parts, strict=True)]
        made[own] = _merged(keys)
        # a name may be an entity of the first's passages that only a new one brings along again
        place = np.concatenate([*(_places(getattr(p, own), made[own]) for p in both), np.array([-1], np.int32)])
        for n in more:
            made[n] = np.empty(len(made[own]), getattr(before, n).dtype)
            for p, u, at in zip(both, parts, (place[:split], place[split:-1]), strict=True):
                made[n][at[u]] = getattr(p, n)[u]
        for n in names:
            made[n] = place[made[n]]
        moved.append(place[:split])
    return Texts(**made), moved[0], moved[1]


def joined(parts: Sequence[Texts]) -> Texts:
    """Return the passages of several, one after another, with one vocabulary."""
    if len(parts) == 1:
        return parts[0]
    words, first = np.unique(np.concatenate([part.word for part in parts]), return_index=True)
    entities = _merged([part.entity for part in parts])
    made: dict[str, Any] = {"word": words, "entity": entities}
    made |= {n: np.concatenate([getattr(p, n) for p in parts])[first] for n in VOCABULARY[1:]}
    made |= {n: np.concatenate([getattr(p, n) for p in parts]) for n in _PLAIN}
    made |= {n: _stacked([getattr(p, n) for p in parts]) for n in ("start", "rule")}
    for names, keys, own in ((_OF_WORDS, words, "word"), (_OF_ENTITIES, entities, "entity")):
        places = [np.append(np.searchsorted(keys, getattr(p, own)), -1).astype(np.int32) for p in parts]
        made |= {n: np.concatenate([at[getattr(p, n)] for at, p in zip(places, parts, strict=True)]) for n in names}
    return Texts(**made)


def _places(keys: Keys, among: Keys) -> Words:
    """Return where ascending keys are among others that ascend, -1 where they are not."""
    at = np.searchsorted(among, keys).astype(np.int32)
    at[np.append(among, ~keys[-1:])[at] != keys] = -1
    return at


def _merged(parts: list[Keys]) -> Keys:
    """Return the keys of several ascending arrays, each once, ascending; a short second one is put into the first."""
    if len(parts) > 2 or len(parts[1]) * 16 > len(parts[0]):
        return np.unique(np.concatenate(parts))
    at = np.searchsorted(parts[0], parts[1])
    new = np.append(parts[0], np.uint64(0))[at] != parts[1]
    new |= at == len(parts[0])
    return np.insert(parts[0], at[new], parts[1][new])


def _stacked(starts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    counts = np.concatenate([np.diff(start) for start in starts])
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def word_kind(word: str) -> int:
    """Return what a word is: STOP, DIGITS, COMMON."""
    return (STOP if word in FUNCTION else 0) | (DIGITS if word.isdigit() else 0) | (COMMON if spans.common(word) else 0)


class Analyzer:
    """Takes passages one by one and returns them as :class:`Texts`."""

    def __init__(self, tagger: Tagger | None = None) -> None:
        self._tagger = tagger
        self._words: dict[str, int] = {}
        self._token: list[NDArray[np.int32]] = []
        self._how: list[NDArray[np.uint8]] = []
        self._names: list[list[str]] = []
        self._keys: list[int] = []
        self._at: list[int] = []
        self._length: list[int] = []
        self._rules: list[int] = [0]
        self._opens: list[bool] = []

    def add(self, text: str, title: str, first: bool) -> None:
        """Take a passage; *first* says that its document begins with it."""
        numbers = self._words
        token: list[int] = [numbers.setdefault(word, len(numbers)) for _, _, word in spans.words(title)]
        how: list[int] = [CAPITAL | TITLE] * len(token)
        offset, begins, last = len(token), BEGINS, 0
        starts: list[int] = []
        words: list[str] = []
        for start, end, word in spans.words(text):
            words.append(word)
            if start - last > 1 and any(c in ".!?\n" for c in text[last:start]):
                begins = BEGINS
            token.append(numbers.setdefault(word, len(numbers)))
            how.append((CAPITAL if text[start].isupper() else 0) | begins)
            starts.append(start)
            begins, last = 0, end
        head = ""
        for m in mentions(text, tagged=self._tagger(text) if self._tagger else ()):
            if m.kind in LINKED and m.key.count(" ") < LONGEST:
                at = bisect_left(starts, m.start)
                if first and not title and not head and words[:at] in ([], ["the"], ["a"], ["an"]):
                    head = m.key
                self._keys.append(name_key(m.key))
                self._at.append(offset + at)
                self._length.append(min(m.key.count(" ") + 1, LONGEST))
        self._rules.append(len(self._keys))
        self._opens.append(first)
        self._token.append(np.array(token, np.int32))
        self._how.append(np.array(how, np.uint8))
        whole = " ".join(w for _, _, w in spans.words(title))
        if whole:
            self._names.append([spans.key(title), whole, ""])
        else:
            about, short = spans.lead(text) if first else ("", "")
            self._names.append([about or head, short, ""])

    def texts(self) -> Texts:
        """Return what was taken."""
        words = list(self._words)
        keys = np.array([word_key(w) for w in words], np.uint64)
        order = np.argsort(keys)
        places = np.empty(len(words), np.int32)
        places[order] = np.arange(len(words), dtype=np.int32)
        token = np.concatenate([*self._token, np.empty(0, np.int32)])
        kinds = [word_kind(w) for w in words]
        start = np.cumsum([0, *map(len, self._token)], dtype=np.int64)
        names = [[_name(name) for name in own] for own in self._names]
        own = np.array(names, np.uint64).reshape(len(names), NAMES, 3)
        rules = np.array(self._keys, np.uint64)
        named = own[:, :, 2] > 0
        entity = np.unique(np.concatenate([own[:, :, 0][named], rules]))
        vocabulary = keys[order]
        return Texts(
            word=vocabulary,
            term=np.array([word_key(root(w)) for w in words], np.uint64)[order],
            cue=np.array([word_key(relation(w)) for w in words], np.uint64)[order],
            kind=np.array(kinds, np.uint8)[order],
            opens=np.array(self._opens, np.bool_),
            start=start,
            token=places[token],
            how=np.concatenate([*self._how, np.empty(0, np.uint8)]),
            entity=entity,
            own=np.where(named, np.searchsorted(entity, own[:, :, 0]), -1).astype(np.int32),
            own_first=np.where(named, np.searchsorted(vocabulary, own[:, :, 1]), -1).astype(np.int32),
            own_length=own[:, :, 2].astype(np.uint8),
            rule=np.array(self._rules, np.int64),
            rule_entity=np.searchsorted(entity, rules).astype(np.int32),
            rule_at=np.array(self._at, np.int32),
            rule_length=np.array(self._length, np.uint8),
        )


def _name(name: str) -> tuple[int, int, int]:
    words = name.split(" ")
    if not name or len(words) > LONGEST or all(word in FUNCTION for word in words):
        return 0, 0, 0
    return name_key(name), word_key(words[0]), len(words)


def analyzed(rows: Iterable[tuple[str, str, int]], tagger: Tagger | None = None) -> Texts:
    """Return passages, each with its text, title and place in its document, as arrays; a tagger's names beside the rules'."""
    taken = Analyzer(tagger)
    for text, title, part in rows:
        taken.add(text, title, part == 0)
    return taken.texts()
