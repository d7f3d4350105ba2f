"""Cutting a document's text into passages: at headings and paragraphs, else between sentences, else between words."""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from kgmm.documents.passage import Document

PASSAGE_WORDS = 150  #: of a passage of a file, about
RECORD_WORDS = 1200  #: up to so many a record stays one passage

#: what counts as a word; longer ones (pictures written as letters, text without spaces) count as several
_WORD = re.compile(r"\S{1,100}")
_LETTERS = 100
_LONG = 20_000  #: letters of what is counted word by word, so that none of it is held twice
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n\s*")
#: after a sentence: its end, what closes it, space before what begins another one
_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\s\W_a-z])")
#: what ends no sentence, though a full stop does
_SHORT = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|cf|e\.g|i\.e|etc|approx|Inc|Ltd|Co|Gen|Col|Rev)\.)$")
_NUMBERED = re.compile(r"\b(?:No|Nos|Fig|p|pp|Vol|c|ca)\.$")  # and these where a number follows


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text begin and end; paragraphs end sentences.

    >>> [("Dr. Bell came. He left."[a:b]) for a, b in sentences("Dr. Bell came. He left.")]
    ['Dr. Bell came.', 'He left.']
    """
    found: list[tuple[int, int]] = []
    for low, high in _pieces(text, 0, len(text), _PARAGRAPH):
        start = low
        for gap in _SENTENCE.finditer(text, low, high):
            before = text[max(start, gap.start() - 8) : gap.start()]
            if not _SHORT.search(before) and not (text[gap.end()].isdigit() and _NUMBERED.search(before)):
                found.append((start, _end(text, start, gap.end())))
                start = gap.end()
        if (end := _end(text, start, high)) > start:
            found.append((start, end))
    return found


def parts(document: Document) -> list[tuple[int, int]]:
    """Return where the passages of a document begin and end, in characters of its text.

    A record of up to 1,200 words is one passage, its text unchanged. Longer ones and files are cut into passages of
    about 150 words at the ends of paragraphs, of sentences where those are longer, and of words where those are.

    >>> text = "One two three. " * 100
    >>> [len(text[a:b].split()) for a, b in parts(Document("a", text))]
    [150, 150]
    """
    text = document.text
    if document.whole and _at_most(text, RECORD_WORDS):
        return [(0, len(text))]
    edges = [0, *document.breaks, len(text)]
    found: list[tuple[int, int]] = []
    for low, high in pairwise(edges):
        found += _filled(text, [piece for piece in _small(text, low, high) if text[slice(*piece)].strip()])
    return found


def _at_most(text: str, words: int) -> bool:
    return all(number < words for number, _ in enumerate(_WORD.finditer(text)))


def _words(text: str, low: int, high: int) -> int:
    """Return how many words there are, of a long text only whether more than a passage holds."""
    if high - low <= _LONG:
        words = text[low:high].split()
        if max(map(len, words), default=0) <= _LETTERS:
            return len(words)
    return sum(1 for _ in islice(_WORD.finditer(text, low, high), PASSAGE_WORDS + 1))


def _small(text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield pieces of at most a passage's words: paragraphs, their sentences, or runs of words."""
    for start, end in _pieces(text, low, high, _PARAGRAPH):
        if _words(text, start, end) <= PASSAGE_WORDS:
            yield start, end
            continue
        for first, last in sentences(text[start:end]):
            words = _WORD.finditer(text, first + start, last + start)
            while run := list(islice(words, PASSAGE_WORDS)):
                yield run[0].start(), run[-1].end()


def _filled(text: str, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join neighbouring pieces into passages as long as they hold no more than a passage's words."""
    found: list[tuple[int, int]] = []
    held = 0
    for start, end in pieces:
        words = _words(text, start, end)
        if found and held + words <= PASSAGE_WORDS:
            found[-1] = found[-1][0], _end(text, found[-1][0], end)
            held += words
        else:
            found.append((start, _end(text, start, end)))
            held = words
    return found


def _pieces(text: str, low: int, high: int, gap: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = low
    for between in gap.finditer(text, low, high):
        if between.start() > start:
            yield start, between.start()
        start = between.end()
    if start < high:
        yield start, high


def _end(text: str, start: int, end: int) -> int:
    """Return *end* without the space before it."""
    while end > start and text[end - 1].isspace():
        end -= 1
    return end
