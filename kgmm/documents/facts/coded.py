"""A sentence with each name and date as one letter, so that patterns speak of names and dates and not of their spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kgmm.documents import spans
from kgmm.language.words import STOP

NAME, DATE = "[\ue000-\uefff]", "[\uf000-\uf4ff]"  #: in patterns: a letter that stands for a name, for a date
QUOTE = "\uf500"  #: what somebody is quoted with
_FIRST = {"name": 0xE000, "date": 0xF000}
_MOST = {"name": 0x1000, "date": 0x500}
#: within a run of capitalized words: between two names rather than inside of one
_APART = re.compile(r" (?:and|in|on|to|with|for|without|upon|at) ")
_TITLED = re.compile(
    r"(?:Vice[ -])?(?:President|King|Queen|Emperor|Empress|Count|Countess|Prime Minister|Governor|Mayor|Member|Chairman"
    r"|Chancellor|Secretary|Captain|CEO|Director|Head|Bishop|Archbishop) of (?:the )?"
)
_NUMBERED = re.compile(r",? \d+(?:st|nd|rd|th) ")


@dataclass(frozen=True)
class Coded:
    """A sentence as patterns read it; what a part of it says is looked up in the text itself."""

    text: str  #: the sentence
    code: str  #: with a letter for each name and date
    at: tuple[tuple[int, int], ...]  #: of each letter of the code: where it stands in the sentence
    named: dict[str, str]  #: the letters of names and dates: names as written, dates in ISO form

    def said(self, start: int, end: int) -> str:
        """Return what a part of the code says, as the sentence writes it."""
        if start >= end:
            return ""
        return " ".join(self.text[self.at[start][0] : self.at[end - 1][1]].split())

    def without(self, low: int, high: int) -> Coded:
        """Return the sentence without a part of its code."""
        return Coded(self.text, self.code[:low] + self.code[high:], self.at[:low] + self.at[high:], self.named)


def coded(text: str, subject: str = "", taken: Sequence[tuple[int, int]] = ()) -> Coded:
    """Code a sentence; what stands at *taken* means the subject.

    >>> made = coded("Otto Brandt died in Vienna on 9 June 1977.")
    >>> [made.named[letter] for letter in made.code if letter in made.named]
    ['Otto Brandt', 'Vienna', '1977-06-09']
    """
    marked: list[tuple[int, int, str, str]] = [(a, b, "name", subject) for a, b in taken]
    marked += [(a, b, "date", iso) for a, b, _, iso in spans.dates(text) if _free(a, b, marked)]
    for m in spans._QUOTED.finditer(text):
        group = next(n for n in range(1, 6) if m[n] is not None)
        said = m[group].strip(" ,.;:")
        if not _free(m.start(), m.end(), marked) or not said:
            continue
        kind = "name" if _title(said) and m[group].strip()[-1] not in ",.!?" else QUOTE
        marked.append((m.start(), m.end(), kind, said))
    for a, b, _, _ in spans.capitalized(text):
        marked += [(c, d, "name", text[c:d]) for c, d in _parted(text, a, b) if _free(c, d, marked)]
    marked = _joined(text, sorted(marked))
    code: list[str] = []
    at: list[tuple[int, int]] = []
    named: dict[str, str] = {}
    counts = {"name": 0, "date": 0}
    place = 0
    for start, end, kind, said in [*marked, (len(text), len(text), "", "")]:
        for n in range(place, start):
            if text[n].isspace() and code and code[-1] == " ":
                continue
            code.append(" " if text[n].isspace() else text[n])
            at.append((n, n + 1))
        if kind == QUOTE:
            code.append(QUOTE)
            at.append((start, end))
        elif kind:
            letter = chr(_FIRST[kind] + counts[kind] % _MOST[kind])
            counts[kind] += 1
            named[letter] = " ".join(said.split())
            code.append(letter)
            at.append((start, end))
        place = end
    return Coded(text, "".join(code), tuple(at), named)


def _free(start: int, end: int, marked: Sequence[tuple[int, int, str, str]]) -> bool:
    return all(end <= a or b <= start for a, b, *_ in marked)


def _title(said: str) -> bool:
    """Tell whether quoted words are what something is called: all that carry content begin with capitals."""
    own = [w for w in re.findall(r"[^\W\d_][^\s]*", said) if w.lower() not in STOP]
    return bool(own) and sum(w[0].isupper() for w in own) == len(own) and said[0] == said[0].upper()


def _parted(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Part a run of capitalized words that joins two names, or says what somebody is of something."""
    found = []
    for gap in [*_APART.finditer(text, start, end), None]:
        high = gap.start() if gap else end
        if m := _TITLED.match(text, start, high):
            start = m.end()
        if start < high:
            found.append((start, high))
        start = gap.end() if gap else end
    return found


def _joined(text: str, marked: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """Join a name and its number: ``William, 1st Earl of Northampton``."""
    made: list[tuple[int, int, str, str]] = []
    for span in marked:
        if made and made[-1][2] == span[2] == "name" and _NUMBERED.fullmatch(text, made[-1][1], span[0]):
            start, said = made[-1][0], made[-1][3]
            made[-1] = start, span[1], "name", said + text[made[-1][1] : span[1]]
        else:
            made.append(span)
    return made
