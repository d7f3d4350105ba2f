"""Facts of documents kept as assertions: who extracted them, from which document and where; they go with their document.

An assertion holds the place of its sentence (``char=120,180``, RFC 5147: characters of the document), never its words, so
that these are nowhere once the document is removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kgmm.documents.facts.extract import extract
from kgmm.documents.kept import Kept
from kgmm.documents.parting import parts
from kgmm.documents.passage import Document
from kgmm.documents.spans import bare
from kgmm.errors import BadInput, StoreCorrupt
from kgmm.files import whole
from kgmm.store.assertion import Assertion, checked_confidence
from kgmm.store.assertions.withdrawing import withdraw
from kgmm.store.changes import add
from kgmm.store.facts import Fact

if TYPE_CHECKING:
    from kgmm.store import LocalStore

GRAPH = "documents"  #: the graph of what documents state
PATTERNS = "extractor:patterns"  #: who says what the patterns found
_FILE = "facts.json"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}
#: ``function(text, about)`` returns what a text states: mappings or tuples with subject, predicate, object, start, end and,
#: if given, confidence; ``about`` has the document's id, title, source and date
Extractor = Callable[[str, Mapping[str, str]], Iterable[Any]]


class Doing:
    """What a store has been told about extraction: whether patterns are on, who else extracted, what is not done yet."""

    def __init__(self, folder: Path) -> None:
        self.path: Path = folder / _FILE
        self.patterns: bool = False
        self.others: list[str] = []
        self.pending: list[str] = []
        try:
            read = json.loads(self.path.read_text(encoding="utf-8"))
            self.patterns = bool(read["patterns"])
            self.others, self.pending = ([str(name) for name in read[key]] for key in ("others", "pending"))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreCorrupt(f"{self.path}: what is known of extraction is damaged: {error}") from error

    def write(self) -> None:
        """Keep it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        said = {"patterns": self.patterns, "others": sorted(set(self.others)), "pending": sorted(set(self.pending))}
        with whole(self.path, durable=True) as draft:
            draft.write_text(json.dumps(said))

    def __bool__(self) -> bool:
        return self.patterns or bool(self.others)


def text_of(document: Document) -> str:
    """Return a document's text as it is kept: its passages where they are, line ends for what lies between."""
    return _laid((start, document.text[start:end]) for start, end in parts(document))


def texts(kept: Kept, wanted: Iterable[str] | None = None) -> Iterator[tuple[dict[str, str], str]]:
    """Yield documents as they are kept, in the order of their ids: what they are called and their text."""
    about: dict[str, str] = {}
    pieces: list[tuple[int, str]] = []
    rows = kept.table(["document", "title", "source", "date", "start", "text"])
    if wanted is not None:
        rows = rows.filter(pc.is_in(rows["document"], pa.array(sorted(set(wanted)), pa.string())))
    for row in rows.to_pylist():
        if about and about["id"] != row["document"]:
            yield about, _laid(pieces)
            pieces = []
        about = {"id": row["document"], **{name: row[name] for name in ("title", "source", "date")}}
        pieces.append((row["start"], row["text"]))
    if about:
        yield about, _laid(pieces)


def _laid(pieces: Iterable[tuple[int, str]]) -> str:
    made: list[str] = []
    length = 0
    for start, text in pieces:
        made += ["\n" * (start - length), text]
        length = start + len(text)
    return "".join(made)


def term(said: str) -> str:
    """Return a name or ISO date as the store writes it.

    >>> term("1961-05-04"), term("Uppsala")
    ('"1961-05-04"^^<http://www.w3.org/2001/XMLSchema#date>', 'Uppsala')
    """
    if said[:4].isdigit() and len(said) in _DATES and said.replace("-", "").isdigit():
        return f'"{said}"^^<{_XSD}{_DATES[len(said)]}>'
    return said


def by_patterns(about: Mapping[str, str], text: str) -> Iterator[Assertion]:
    """Yield what the patterns find in a document; its subject has the parenthesis that its title tells it from others by."""
    title = about["title"]
    own = bare(title)
    for found in extract(text, title):
        one, other = (title if name == own else name for name in (found.subject, found.object))
        try:
            fact = Fact(one, found.predicate, term(other), graph=GRAPH, source=about["id"])
        except BadInput:  # a name of which nothing is left as a concept
            continue
        yield _assertion(fact, PATTERNS, found.start, found.end, None)


def by_function(function: Extractor, about: Mapping[str, str], text: str) -> list[Assertion]:
    """Return what an extractor of somebody's own finds in a document, checked.

    Raises:
        BadInput: if something it returned is no fact, or its place is not within the text.
    """
    where = f"extractor, document {about['id']!r}"
    made = []
    for given in function(text, dict(about)):
        if isinstance(given, Mapping):
            parts_of = [given.get(name) for name in ("subject", "predicate", "object", "start", "end", "confidence")]
        elif isinstance(given, (tuple, list)) and len(given) in (5, 6):
            parts_of = [*given, None][:6]
        else:
            raise BadInput(where, f"{given!r:.80} is neither a mapping nor (subject, predicate, object, start, end)")
        *ends, start, end, sure = parts_of
        if not all(isinstance(part, str) and part.strip() for part in ends):
            raise BadInput(where, f"{given!r:.80}: subject, predicate and object are words")
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            raise BadInput(where, f"{given!r:.80}: start and end are not within its {len(text):,} characters")
        fact = Fact(str(ends[0]), str(ends[1]), str(ends[2]), graph=GRAPH, source=about["id"])
        made.append(_assertion(fact, contributor(function), start, end, checked_confidence(sure)))
    return made


def contributor(function: Extractor) -> str:
    """Return who says what an extractor found."""
    return f"extractor:{getattr(function, '__qualname__', type(function).__name__)}"


def _assertion(fact: Fact, who: str, start: int, end: int, sure: float | None) -> Assertion:
    return Assertion(fact, contributor=who, confidence=sure, method="extracted", text=f"char={start},{end}")


def place(assertion: Assertion) -> tuple[str, int, int] | None:
    """Return the document that states an extracted fact and where; None for other assertions."""
    if assertion.method != "extracted" or not assertion.text.startswith("char="):
        return None
    start, _, end = assertion.text[5:].partition(",")
    return assertion.fact.source, int(start), int(end)


def before(store: LocalStore, gone: Iterable[str], new: Iterable[str]) -> None:
    """Note which documents' facts are out of date from now on, so that a writer that dies in between is made up for."""
    doing = Doing(store.places.documents)
    if doing and (touched := {*gone, *new}):
        doing.pending = sorted({*doing.pending, *touched})
        doing.write()


def follow(store: LocalStore, own: Iterable[Assertion] = (), who: str = "", patterns: bool = False) -> int:
    """Bring facts up to the documents: withdraw those of what changed or went, add those of what is new.

    Args:
        store: whose.
        own: what an extractor of somebody's own found in documents just read.
        who: that extractor.
        patterns: whether patterns read all documents from now on.

    Returns:
        How many facts are new or have something new said of them.
    """
    doing = Doing(store.places.documents)
    if not (doing or patterns or who):
        return 0
    everything = patterns and not doing.patterns
    known = [PATTERNS, *doing.others]
    wanted = list(doing.pending)
    own = list(own)
    doing.patterns |= patterns
    doing.others += [who] if who and who not in doing.others else []
    doing.write()
    if wanted:
        withdraw(store, contributor=known, source=wanted)
    if sources := sorted({one.fact.source for one in own}):
        withdraw(store, contributor=[who], source=sources)
    found = list(own)
    if doing.patterns:
        for about, text in texts(Kept(store.places.documents), None if everything else wanted):
            found += by_patterns(about, text)
    count = add(store, found) if found else 0
    doing.pending = []
    doing.write()
    return count


def checked(document: Document, function: Extractor) -> list[Assertion]:
    """Return what an extractor of somebody's own finds in a document that is not kept yet."""
    about = {name: str(value) for name, value in asdict(document).items() if name in ("id", "title", "source", "date")}
    return by_function(function, about, text_of(document))
