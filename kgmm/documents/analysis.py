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

from kgmm.documents import spans
from kgmm.documents.mentions import mentions
from kgmm.documents.roots import FUNCTION, relation, root

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
    name: Keys  #: (P, 3) keys of its own names, 0 for none
    name_first: Keys  #: (P, 3) their first words
    name_length: NDArray[np.uint8]  #: (P, 3) their words
    rule: NDArray[np.int64]  #: (P + 1,) where its mentions begin
    rule_key: Keys  #: (M,)
    rule_at: Words  #: (M,) at which of its tokens
    rule_length: NDArray[np.uint8]  #: (M,) their words

    def __len__(self) -> int:
        return len(self.start) - 1

    def take(self, rows: NDArray[np.int64]) -> Texts:
        """Return some passages, in this order, with the vocabulary that they need."""
        start, at = _gathered(self.start, rows)
        rule, of = _gathered(self.rule, rows)
        token, kept = self.token[at], np.zeros(len(self.word), np.bool_)
        kept[token] = True
        places = (np.cumsum(kept) - 1).astype(np.int32)
        made: dict[str, Any] = {n: getattr(self, n)[kept] for n in ("word", "term", "cue", "kind")}
        made |= {n: getattr(self, n)[rows] for n in ("opens", "name", "name_first", "name_length")}
        made |= {n: getattr(self, n)[of] for n in ("rule_key", "rule_at", "rule_length")}
        return Texts(start=start, token=places[token], how=self.how[at], rule=rule, **made)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


def _gathered(start: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return new starts and where to take the items of some rows from."""
    counts = (start[1:] - start[:-1])[rows]
    new = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=new[1:])
    return new, np.arange(new[-1]) + np.repeat(start[:-1][rows] - new[:-1], counts)


def joined(parts: Sequence[Texts]) -> Texts:
    """Return the passages of several, one after another, with one vocabulary."""
    if len(parts) == 1:
        return parts[0]
    words, first = np.unique(np.concatenate([part.word for part in parts]), return_index=True)
    known = {n: np.concatenate([getattr(p, n) for p in parts])[first] for n in ("term", "cue", "kind")}
    token = np.concatenate([np.searchsorted(words, p.word).astype(np.int32)[p.token] for p in parts])
    rest = {n: np.concatenate([getattr(p, n) for p in parts]) for n in _PLAIN}
    starts = {n: _stacked([getattr(p, n) for p in parts]) for n in ("start", "rule")}
    arrays: dict[str, Any] = {"word": words, "token": token, **known, **starts, **rest}
    return Texts(**arrays)


_PLAIN = ("opens", "how", "name", "name_first", "name_length", "rule_key", "rule_at", "rule_length")


def _stacked(starts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    counts = np.concatenate([np.diff(start) for start in starts])
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def word_kind(word: str) -> int:
    """Return what a word is: STOP, DIGITS, COMMON."""
    return (STOP if word in FUNCTION else 0) | (DIGITS if word.isdigit() else 0) | (COMMON if spans.common(word) else 0)


class Analyzer:
    """Takes passages one by one and returns them as :class:`Texts`."""

    def __init__(self) -> None:
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
        for m in mentions(text):
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
        return Texts(
            keys[order],
            np.array([word_key(root(w)) for w in words], np.uint64)[order],
            np.array([word_key(relation(w)) for w in words], np.uint64)[order],
            np.array(kinds, np.uint8)[order],
            np.array(self._opens, np.bool_),
            start,
            places[token],
            np.concatenate([*self._how, np.empty(0, np.uint8)]),
            np.ascontiguousarray(own[:, :, 0]),
            np.ascontiguousarray(own[:, :, 1]),
            own[:, :, 2].astype(np.uint8),
            np.array(self._rules, np.int64),
            np.array(self._keys, np.uint64),
            np.array(self._at, np.int32),
            np.array(self._length, np.uint8),
        )


def _name(name: str) -> tuple[int, int, int]:
    words = name.split(" ")
    if not name or len(words) > LONGEST or all(word in FUNCTION for word in words):
        return 0, 0, 0
    return name_key(name), word_key(words[0]), len(words)


def analyzed(rows: Iterable[tuple[str, str, int]]) -> Texts:
    """Return passages, each with its text, title and place in its document, as arrays."""
    taken = Analyzer()
    for text, title, part in rows:
        taken.add(text, title, part == 0)
    return taken.texts()
