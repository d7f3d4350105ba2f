"""KGTK edge files: tab-separated, named columns node1, label, node2, KGTK's own literals.

Ilievski et al., KGTK, ISWC 2020; https://kgtk.readthedocs.io/en/latest/data_model/
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from kgmm.errors import BadInput
from kgmm.language.names import concept, is_iri, is_literal, literal, unusable
from kgmm.progress import silent
from kgmm.store.assertion import checked_confidence, keys_of
from kgmm.store.facts import no_name
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._rows import Rows, rows_of, weight_of
from kgmm.store.formats._stream import blocks, lines
from kgmm.store.formats._table import as_graph, relation_of
from kgmm.store.rdf.text import quoted
from kgmm.store.times import period, span

NAME = "kgtk"
SUFFIXES = (".tsv", ".kgtk")
#: KGTK's names for the three columns, and the aliases its tools accept.
_ALIASES = {
    "node1": ("node1", "from", "subject"),
    "label": ("label", "predicate", "relation", "relationship"),
    "node2": ("node2", "to", "object"),
}
_XSD = "http://www.w3.org/2001/XMLSchema#"
_WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
_ENTITY = re.compile(r"[QLP][1-9]\d*(?:-[A-Za-z]\d+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_QUANTITY = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\[[^\]]*\])?\S*")
_DATE = re.compile(r"\^([+-]?\d{4,})(?:-(\d\d)(?:-(\d\d)(T[\d:.]+Z?)?)?)?(?:/(\d+))?")
_PLACE = re.compile(r"@([+-]?\d+(?:\.\d+)?)/([+-]?\d+(?:\.\d+)?)")
_LANGUAGE = re.compile(r"'(.*)'@([A-Za-z]+(?:-[A-Za-z0-9]+)*)", re.DOTALL)


def sniff(path: Path, head: bytes) -> float:
    """Look for KGTK's column names in the first line."""
    columns = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip().split("\t")
    if {"node1", "node2"} <= set(columns) and any(a in columns for a in _ALIASES["label"]):
        return 1.0
    return 0.0


def read(path: Path, options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    """Yield edges with ``weight``, ``source``, ``sentence``, a wrong line rejected; BadInput without KGTK's columns."""
    stream = lines(path, options.progress)
    first = next(stream, None)
    columns = _columns(path, first.text if first and not first.problem else "")
    heading = first.text if first else ""
    times = _qualified(path, columns) if "id" in columns else {}

    def add(rows: Rows, text: str) -> None:
        if text != heading:
            _add(rows, text.split("\t"), columns, times)

    return rows_of(stream, add, asserting=True)


#: Wikidata's qualifiers of time: since when, until when, when
_TIMES = ("P580", "P582", "P585")
_TIMED = re.compile(rb"\t(?:P580|P582|P585)\t")


def _qualified(path: Path, columns: dict[str, int]) -> dict[str, dict[str, str]]:
    """Return when each statement held that a qualifier tells of, by its id; the file is read once more if one may be there."""
    if not any(_TIMED.search(block.data) for block in blocks(path, silent, 8 << 20) if not isinstance(block, Rejects)):
        return {}
    found: dict[str, dict[str, str]] = {}
    start, kind, end = (columns[name] for name in ("node1", "label", "node2"))
    for line in lines(path):
        fields = line.text.split("\t")
        if len(fields) == columns[""] and fields[kind] in _TIMES and not _ENTITY.fullmatch(fields[start]):
            held = bounds(fields[end])
            if held is not None:
                of = found.setdefault(fields[start], {})
                if fields[kind] != "P582":
                    of["valid_from"] = held[0]
                if fields[kind] != "P580":
                    of["valid_to"] = held[1]
    return found


def bounds(text: str) -> tuple[str, str] | None:
    """Return the first and the last moment of a date, as written by its precision; None if it is none, or too coarse.

    >>> bounds("^1949-05-23T00:00:00Z/10"), bounds("^1850-00-00T00:00:00Z/7")
    (('1949-05', '1949-05'), ('1801', '1900'))
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, time, precision = match.groups()
    fine = int(precision) if precision else 14
    number = int(year)
    if fine < 9:
        size = {8: 10, 7: 100, 6: 1000}.get(fine)
        if size is None or number <= 0:
            return None
        begin = number // 10 * 10 if size == 10 else (number - 1) // size * size + 1
        shown = (begin, begin + size - 1)
        return period(shown[0]).text, period(shown[1]).text
    said = period(number).text
    if fine >= 10 and month not in (None, "00"):
        said += f"-{month}"
        if fine >= 11 and day not in (None, "00"):
            said += f"-{day}"
            if fine > 11 and time is not None:
                said += time.rstrip("Z")[: {12: 3, 13: 6}.get(fine)] + "Z"
    try:
        return period(said).text, period(said).text
    except BadInput:
        return None


def _columns(path: Path, header: str) -> dict[str, int]:
    names = header.strip("\r\n").split("\t")
    found = {n: i for i, n in enumerate(names)}
    for name, aliases in _ALIASES.items():
        place = next((found[a] for a in aliases if a in found), None)
        if place is None:
            raise BadInput(path, f"no column {name!r} in the first line {header[:80]!r}", 1)
        found[name] = place
    return {**found, "": len(names)}


def _add(rows: Rows, fields: list[str], columns: dict[str, int], times: dict[str, dict[str, str]]) -> None:
    if len(fields) != columns[""]:
        raise ValueError(f"expected {columns['']} columns, found {len(fields)}")

    def field(name: str) -> str:
        return fields[columns[name]].strip() if name in columns else ""

    start, kind, end = field("node1"), field("label"), field("node2")
    if not (start and kind and end):
        raise ValueError("node1, label or node2 is empty")
    if kind in _TIMES and start in times:
        return  # said of a statement
    subject = node(start)
    if subject.startswith('"'):
        raise ValueError(f"node1 {start[:40]!r} is a literal")
    weight = weight_of(field("weight")) if field("weight") else 1.0
    source, surface = plain(field("source")), plain(field("sentence")) or None
    said = _said(field, times.get(field("id"), {}))
    graph = as_graph(plain(field("graph"))) or None
    if reason := no_name(graph or ""):
        raise ValueError(reason)
    for one in values(end):
        rows.add(subject, relation(kind), node(one), weight, graph, source, surface, said)


def _said(field: Callable[[str], str], held: dict[str, str]) -> dict[str, object]:
    """Return what a statement's columns and qualifiers say of it."""
    said: dict[str, object] = dict(held)
    if field("rank").endswith("deprecated"):
        said["polarity"] = -1
    said |= {name: text for name in ("contributor", "method", "licence") if (text := plain(field(name)))}
    try:
        span((held.get("valid_from"), held.get("valid_to")))
        if field("confidence"):
            said["confidence"] = checked_confidence(field("confidence"))
        if rests := plain(field("rests_on")):
            said["rests_on"] = json.dumps(keys_of([tuple(key) for key in json.loads(rests)]), ensure_ascii=False)
    except BadInput as error:
        raise ValueError(f"{error.source}: {error.reason}") from None
    except TypeError as error:
        raise ValueError(f"rests_on is no list of facts: {error}") from None
    return said


def values(text: str) -> list[str]:
    """Split a list of values at its bars, but for those in strings or escaped.

    >>> values('Q1|"a|b"|Q2')
    ['Q1', '"a|b"', 'Q2']
    """
    if "|" not in text:
        return [text]
    token = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'(?:@[\w-]+)?|(?:[^|\\]|\\.)+"""
    found = re.findall(token, text) or [text]
    return [one if one[0] in "\"'" else one.replace("\\|", "|") for one in found]


def plain(text: str) -> str:
    """Return what a KGTK string says, without quotes and escapes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return _unescape(text)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)


@lru_cache(maxsize=1 << 12)
def relation(text: str) -> str:
    """Return the stored relation of a KGTK label; ValueError if it is none."""
    if re.fullmatch(r"P\d+", text):
        return f"http://www.wikidata.org/prop/direct/{text}"
    return relation_of(text)


@lru_cache(maxsize=1 << 17)
def node(text: str) -> str:
    """Return the stored term of a KGTK value.

    Raises:
        ValueError: if it starts like a literal and is none.

    Example:
        >>> node("Q42"), node("/c/en/dog"), node("'Hund'@de"), node("^1867-01-01T00:00:00Z/9")
        ('http://www.wikidata.org/entity/Q42', '/c/en/dog', '"Hund"@de', '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>')
    """
    if text.startswith('"'):
        if text.endswith(">") and is_literal(text):
            return literal(text)  # of a type that KGTK has no way to write
        if len(text) < 2 or not text.endswith('"'):
            raise ValueError(f"string {text[:40]!r} does not end")
        return quoted(plain(text))
    if match := _LANGUAGE.fullmatch(text):
        return f"{quoted(_unescape(match[1]))}@{match[2].lower()}"
    if text[0] == "'":
        raise ValueError(f"string {text[:40]!r} does not end, or names no language")
    if text[0] == "^":
        return _date(text)
    if match := _PLACE.fullmatch(text):
        return f'"Point({match[2]} {match[1]})"^^<{_WKT}>'
    if text in ("True", "False"):
        return f'"{text.lower()}"^^<{_XSD}boolean>'
    if _NUMBER.fullmatch(text):
        kind = "integer" if re.fullmatch(r"[+-]?\d+", text) else "double" if "e" in text.lower() else "decimal"
        return f'"{text}"^^<{_XSD}{kind}>'
    if text[0] in "+-0123456789" and _QUANTITY.fullmatch(text):
        return f"{quoted(text)}^^<urn:kgtk:quantity>"
    if _ENTITY.fullmatch(text):
        return f"http://www.wikidata.org/entity/{text}"
    if re.fullmatch(r"[A-Za-z][\w.+-]*:\S+", text):
        return text if is_iri(text) else f"urn:kgtk:{text}"  # a name with a prefix, as CSKG writes wn:dog.n.01
    if reason := unusable(text):
        raise ValueError(reason)
    return concept(text)


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"date {text[:40]!r} is not understood")
    year, month, day, time, precision = match.groups()
    fine = int(precision) if precision else 14
    if fine <= 9 or month in (None, "00"):
        return f'"{year}"^^<{_XSD}gYear>'
    if fine == 10 or day in (None, "00"):
        return f'"{year}-{month}"^^<{_XSD}gYearMonth>'
    if fine == 11 or time is None:
        return f'"{year}-{month}-{day}"^^<{_XSD}date>'
    return f'"{year}-{month}-{day}{time}"^^<{_XSD}dateTime>'
