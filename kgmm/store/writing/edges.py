"""Facts with all that is said of them as rows of text: JSON lines and KGTK's edges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO

from kgmm.language.names import is_literal
from kgmm.store.assertion import Assertion
from kgmm.store.facts import DEFAULT_GRAPH
from kgmm.store.formats import kgtk as reading
from kgmm.store.formats._table import as_graph
from kgmm.store.formats.jsonl import FIELDS
from kgmm.store.rdf.terms import full_iri, literal
from kgmm.store.table.said import table_of
from kgmm.store.writing.part import Part

_COLUMNS = (
    *("id", "node1", "label", "node2", "rank", "weight", "source", "graph"),
    *("contributor", "confidence", "method", "licence", "sentence", "rests_on"),
)
KGTK_HEAD = ("\t".join(_COLUMNS) + "\n").encode()
_ENTITY = "http://www.wikidata.org/entity/"
_DIRECT = "http://www.wikidata.org/prop/direct/"
_PLACE = re.compile(r'"Point\(([^ ()]+) ([^ ()]+)\)"\^\^<.*wktLiteral>')
_DATE = re.compile(r'"([+-]?\d{4,})(-\d\d)?(-\d\d)?(T[\d:.]+Z?)?"\^\^<.*>')
_WHOLE = "-00-00T00:00:00Z"


def jsonl(part: Part, file: IO[bytes]) -> None:
    """Write a JSON object an assertion, without what says nothing; a fact of which nothing is said is one too."""
    for assertions in part.assertions():
        file.writelines(_object(said).encode() for said in assertions)


def _object(said: Assertion) -> str:
    f = said.fact
    row: dict[str, object] = {"subject": f.subject, "predicate": f.predicate, "object": f.object}
    row |= {"weight": f.weight} if f.weight != 1.0 else {}
    row |= {"graph": f.graph} if f.graph != DEFAULT_GRAPH else {}
    bounds = said.valid if isinstance(said.valid, tuple) else (None, None)
    told = {name: getattr(said, name) for name in FIELDS if name not in ("from", "to", "polarity", "rests_on")}
    row |= {name: value for name, value in told.items() if value not in ("", None)}
    row |= {name: bound for name, bound in zip(("from", "to"), bounds, strict=True) if bound is not None}
    row |= {"polarity": "against"} if said.polarity < 0 else {}
    row |= {"rests_on": said.rests_on} if said.rests_on else {}
    return json.dumps(row, ensure_ascii=False) + "\n"


def kgtk(part: Part, file: IO[bytes]) -> None:
    """Write KGTK's edges (Ilievski et al., ISWC 2020): an edge an assertion, what it says of time as qualifiers of its id."""
    number = 0
    for assertions in part.assertions():
        lines: list[str] = []
        rests = table_of(assertions)["rests_on"].to_pylist()
        for said, resting in zip(assertions, rests, strict=True):
            number += 1
            lines += _edges(f"a{number}", said, resting)
        file.write("".join(lines).encode())


def _edges(name: str, said: Assertion, rests_on: str | None) -> Iterator[str]:
    f = said.fact
    about = {
        "id": name,
        "node1": _subject(f.subject),
        "label": _label(f.predicate),
        "node2": _node(f.object),
        "rank": "deprecated" if said.polarity < 0 else "",
        "weight": "" if f.weight == 1.0 else repr(f.weight),
        "source": _string(said.source),
        "graph": "" if f.graph == DEFAULT_GRAPH else _string(_graph(f.graph)),
        "contributor": _string(said.contributor),
        "confidence": "" if said.confidence is None else repr(said.confidence),
        "method": _string(said.method),
        "licence": _string(said.licence),
        "sentence": _string(said.text),
        "rests_on": _string(rests_on or ""),
    }
    yield "\t".join(about[column] for column in _COLUMNS) + "\n"
    bounds = said.valid if isinstance(said.valid, tuple) else (None, None)
    for number, (kind, bound) in enumerate(zip(("P580", "P582"), bounds, strict=True), 1):
        if bound is not None:
            cells = [f"{name}-{number}", name, kind, _moment(str(bound)), *[""] * (len(_COLUMNS) - 4)]
            yield "\t".join(cells) + "\n"


def _moment(text: str) -> str:
    """Return a bound of valid time as KGTK's date with its precision.

    >>> _moment("1949"), _moment("1949-05-23T10Z")
    ('^1949-00-00T00:00:00Z/9', '^1949-05-23T10:00:00Z/12')
    """
    if "T" not in text:
        fine = 9 + (text[1:] if text[:1] in "+-" else text).count("-")
        return f"^{text}{_WHOLE[3 * (fine - 9) :]}/{fine}"
    fine = 12 + text.count(":")
    return f"^{text.removesuffix('Z')}{':00' * (14 - fine)}Z/{fine}"


def _string(text: str) -> str:
    """Return a text as a KGTK string; an empty one as an empty cell."""
    if not text:
        return ""
    return f'"{_escaped(text, chr(34))}"'


def _escaped(text: str, quote: str) -> str:
    escapes = {"\\": "\\\\", quote: f"\\{quote}", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    return re.sub(rf"[\\{quote}\t\n\r]", lambda m: escapes[m[0]], text)


@lru_cache(1 << 16)
def _node(term: str) -> str:
    """Return a subject or object as a cell that a load reads back; ValueError if there is none."""
    return _spelled(term, _spellings(term), _read)


@lru_cache(1 << 16)
def _subject(term: str) -> str:
    return _spelled(term, _spellings(term), reading.node)


@lru_cache(1 << 12)
def _label(term: str) -> str:
    ways = [term.removeprefix(_DIRECT)] if term.startswith(_DIRECT) else []
    return _spelled(term, iter([*ways, term, full_iri(term, True)]), reading.relation)


@lru_cache(1 << 12)
def _graph(term: str) -> str:
    return _spelled(term, iter([term, full_iri(term)]), as_graph)


def _read(cell: str) -> str:
    one = reading.values(cell)
    return reading.node(one[0]) if len(one) == 1 else ""


def _spelled(term: str, ways: Iterator[str], read: Callable[[str], str]) -> str:
    for cell in ways:
        try:
            if cell and cell.strip() == cell and not re.search(r"[\t\n\r\0]", cell) and read(cell) == term:
                return cell
        except ValueError:
            continue
    raise ValueError(f"{term[:80]!r} is no cell of KGTK; nquads and jsonl hold it")


def _spellings(term: str) -> Iterator[str]:
    """Yield how KGTK may write a term, the most usual first."""
    if not is_literal(term):
        if term.startswith(_ENTITY):
            yield term.removeprefix(_ENTITY)
        yield from (term, term.replace("|", "\\|"), full_iri(term))
        return
    value = literal(term)
    text = value.value
    if value.language is not None and value.direction is None:
        yield f"'{_escaped(text, chr(39))}'@{value.language}"
    yield from (_string(text) or '""', text, text.capitalize())
    if place := _PLACE.fullmatch(term):
        yield f"@{place[2]}/{place[1]}"
    if date := _DATE.fullmatch(term):
        year, month, day, clock = (part or "" for part in date.groups())
        yield f"^{year}{month or '-00'}{day or '-00'}{clock or 'T00:00:00Z'}/{9 + bool(month) + bool(day) + 3 * bool(clock)}"
    yield term
