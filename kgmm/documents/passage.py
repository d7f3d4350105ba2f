"""A document as it is read, and a passage as it is found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from xxhash import xxh3_128_hexdigest


@dataclass(frozen=True)
class Document:
    """A text with a name: a file, or a record of a corpus.

    Example:
        >>> Document("report.md", "All is well.", title="Report").digest[:8]
        '22c82201'
    """

    id: str
    text: str
    title: str = ""
    source: str = ""  #: where it comes from: a file, an address
    date: str = ""
    whole: bool = False  #: a record, which stays one passage up to 1,200 words
    #: where its parts begin (characters): headings, pages; a passage never goes across one
    breaks: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()  #: where its second and further pages (chapters of a book) begin (characters)

    @property
    def digest(self) -> str:
        """What tells the document from any other text, title, source or date."""
        told = (
            self.id,
            self.text,
            self.title,
            self.source,
            self.date,
            str(self.whole),
            *map(str, self.breaks),
            *(f"page {at}" for at in self.pages),
        )
        return xxh3_128_hexdigest("\0".join(told).encode())


@dataclass(frozen=True)
class Step:
    """A step of the way to a passage: a word or name of the question, an entity, a fact of the store, a passage; and what led to it."""

    kind: str  #: ``word``, ``entity``, ``fact`` or ``passage``
    name: str
    weight: float  #: the share of the walk that came this way
    #: of a fact: subject, predicate, object and graph, by which ``kb.find`` and ``kb.assertions`` look it up
    fact: tuple[str, str, str, str] | None = None


@dataclass(frozen=True)
class Passage:
    """A passage of a document that bears on a question, with the way that led to it.

    ``str()`` of it tells title, score and way in one line.
    """

    text: str
    title: str
    source: str
    score: float
    path: tuple[Step, ...] = ()  #: from the question to the passage
    document: str = ""
    part: int = 0  #: its place among the document's passages
    start: int = 0  #: where it begins in the document's text (characters)
    date: str = ""
    page: int = 0  #: where it begins: the page, or a book's chapter, from 1; 0 for documents without any
    shot: str = ""  #: of a news story's transcript: the node of the shot in which it is said, and its seconds
    begins: float | None = None
    ends: float | None = None
    #: names of what it speaks of, those most its own first
    entities: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        way = " → ".join(step.name for step in self.path)
        return f"{self.score:.4f}  {self.title or self.document}" + (f"  ({way})" if way else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the passage as JSON-ready data."""
        return asdict(self)
