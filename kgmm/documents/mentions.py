"""Whom and what a text names: titles and labels that are known, and by rule names, quotations, abbreviations, dates, numbers.

No model and no training: the same text has the same mentions, whatever was read before it.

Example:
    >>> known = Gazetteer(["Boso the Elder", "Lothair II (king)"])
    >>> text = "Teutberga, daughter of Boso the Elder, was queen of Lotharingia until 875."
    >>> for m in mentions(text, known):
    ...     print(m.kind, m.text, "→", m.key)
    name Teutberga → teutberga
    title Boso the Elder → boso the elder
    name Lotharingia → lotharingia
    date 875 → 0875
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kgmm.documents import spans
from kgmm.documents.spans import Span, key
from kgmm.language.words import STOP


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of a text that names something."""

    start: int  #: in characters of the text
    end: int
    text: str
    #: ``title`` (of a document), ``label`` (of the store's), ``name``, ``quoted``, ``short``, ``date`` or ``number``
    kind: str
    key: str  #: what all mentions of the same thing share; of an abbreviation its long form's, of a date its ISO form


class Gazetteer:
    """Names that are known: titles of documents, with and without the parenthesis at their end, and a store's labels.

    A title counts where a text writes it with capitals (or has none at all), a label however it is written.

    Args:
        titles: of documents.
        labels: words of the store's concepts, as people write them.
    """

    def __init__(self, titles: Iterable[str] = (), labels: Iterable[str] = ()) -> None:
        self._names: dict[str, list[tuple[tuple[str, ...], str, str]]] = {}
        seen: set[tuple[str, ...]] = set()
        for kind, names in (("title", titles), ("label", labels)):
            for name in names:
                for form in dict.fromkeys((name, spans.bare(name))):
                    parts = tuple(word for _, _, word in spans.words(form))
                    own = parts[1:] if len(parts) > 1 and parts[0] in ("the", "a", "an") else parts
                    if own and own not in seen and not all(word in STOP for word in own):
                        seen.add(own)
                        self._names.setdefault(own[0], []).append((own, key(name), kind))
        for ways in self._names.values():
            ways.sort(key=lambda way: -len(way[0]))

    def __len__(self) -> int:
        return sum(map(len, self._names.values()))

    def find(self, text: str) -> list[Span]:
        """Return where known names stand, the longest at each place, none across another."""
        words = spans.words(text)
        plain = text.islower()
        found: list[Span] = []
        at = 0
        while at < len(words):
            for parts, name, kind in self._names.get(words[at][2], ()):
                end = at + len(parts)
                if tuple(word for _, _, word in words[at:end]) != parts:
                    continue
                if kind == "title" and not plain and not _capitals(text, words[at:end]):
                    continue
                found.append((words[at][0], words[end - 1][1], kind, name))
                at = end - 1
                break
            at += 1
        return found


def mentions(text: str, known: Gazetteer | None = None, tagged: Iterable[Span] = ()) -> list[Mention]:
    """Return what a text names, in its order; no two mentions share a character.

    Known names count before what rules find, unless they are a single word within a longer capitalized name; quotations
    before capitalized runs, dates before numbers. An abbreviation that the text explains has its long form's key.

    Args:
        text: any.
        known: names to look for beside the rules.
        tagged: names that a tagger found; they count where nothing else is.
    """
    dated = list(spans.dates(text))
    capital = [span for span in spans.capitalized(text) if not _over(span, dated)]
    quoted = list(spans.quotations(text))
    shorts = spans.abbreviations(text)
    listed = known.find(text) if known is not None else []
    listed = [s for s in listed if " " in text[s[0] : s[1]] or not _within(s, capital)]
    chosen: list[Span] = []
    for group in (listed, dated, quoted, capital, tagged, spans.numbers(text)):
        chosen += [span for span in group if not _over(span, chosen)]
    found = []
    for start, end, kind, name in sorted(chosen):
        said = text[start:end]
        if said in shorts and kind in ("name", "label"):
            long = shorts[said]
            kind, name = "short", key(text[slice(*long)])
        found.append(Mention(start, end, said, kind, name))
    return found


def _over(span: Span, others: list[Span]) -> bool:
    return any(span[0] < other[1] and other[0] < span[1] for other in others)


def _within(span: Span, others: list[Span]) -> bool:
    """Tell whether a span is a proper part of another."""
    return any(
        other[0] <= span[0] and span[1] <= other[1] and other[:2] != span[:2] and other[3].count(" ")
        for other in others
    )


def _capitals(text: str, words: list[tuple[int, int, str]]) -> bool:
    """Tell whether a name is written with capitals: its first word and most of those that carry content."""
    own = [start for start, _, word in words if word not in STOP and not word[0].isdigit()]
    upper = sum(text[start].isupper() for start in own)
    return upper * 2 > len(own) if own else True
