"""Corpora: JSON Lines, a JSON list or CSV of records with a text and, if given, title, id, source and date."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from xxhash import xxh3_64_hexdigest

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document
from kgmm.errors import BadInput

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")

_TEXT = ("text", "contents", "content", "body", "passage", "context")  #: what the field with the text may be called
_ID = ("id", "_id", "docid", "doc_id")
_MORE = ("title", "source", "date")
LONGEST_FIELD = 1 << 26  #: characters of a CSV's field


def read(data: bytes, source: str) -> list[Document]:
    """Return a document a record.

    Raises:
        BadInput: if a record is none, with its line.
    """
    text = text_of(data, source)
    if source.lower().endswith((".csv", ".tsv")):
        return documents(_rows(text, source), source)
    if text.lstrip()[:1] == "[":
        return documents(_listed(text, source), source)
    return documents(_lines(text, source), source)


def documents(records: Iterable[tuple[int | None, Any]], source: str) -> list[Document]:
    """Return the documents of records, each with its line or number for errors.

    Those without an id are called by what they say, so that the same record is the same document wherever it stands.
    """
    found: dict[str, Document] = {}
    for line, record in records:
        document = _document(record, source, line)
        before = found.setdefault(document.id, document)
        if before != document:
            raise BadInput(source, f"two different records have the id {document.id!r}", line=line)
    return list(found.values())


def _document(record: Any, source: str, line: int | None) -> Document:
    if not isinstance(record, Mapping):
        raise BadInput(source, f"a record is a mapping with a text, not {type(record).__name__}", line=line)
    named = {str(key).lower(): value for key, value in record.items() if value is not None}
    text = next((named[name] for name in _TEXT if name in named), None)
    if not isinstance(text, str):
        raise BadInput(source, "a record needs a field 'text' that is text" + _found(named), line=line)
    title, given, date = (_said(named.get(name, ""), name, source, line) for name in _MORE)
    called = next((_said(named[name], name, source, line) for name in _ID if name in named), "")
    for part in (text, title, given, date, called):
        if "\0" in part or not _is_text(part):
            raise BadInput(source, "a record's text holds zero bytes or halves of characters", line=line)
    called = called or "record-" + xxh3_64_hexdigest("\0".join((title, text, given, date)).encode())
    return Document(called, text, title=title, source=given or source, date=date, whole=True)


def _found(named: Mapping[str, Any]) -> str:
    return f"; its fields: {', '.join(list(named)[:8])}" if named else ""


def _said(value: Any, name: str, source: str, line: int | None) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadInput(source, f"a record's {name} is text or a number, not {type(value).__name__}", line=line)
    return str(value)


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _lines(text: str, source: str) -> Iterable[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadInput(source, f"not a line of JSON: {getattr(error, 'msg', error)}", line=number) from error


def _listed(text: str, source: str) -> Iterable[tuple[None, Any]]:
    try:
        listed = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(source, f"not JSON: {error.msg}", line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(source, f"not JSON: {error}") from error
    return ((None, record) for record in listed)


def _rows(text: str, source: str) -> Iterable[tuple[int, Any]]:
    comma = "\t" if source.lower().endswith(".tsv") else ","
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=comma, strict=True)
        for row in rows:
            if None in row or None in row.values():
                raise BadInput(
                    source, f"not {len(rows.fieldnames or ())} columns as in the heading", line=rows.line_num
                )
            yield rows.line_num, row
    except csv.Error as error:
        raise BadInput(source, f"not CSV: {error}", line=rows.line_num + 1) from error
    finally:
        csv.field_size_limit(before)
