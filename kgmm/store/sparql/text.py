"""A query's text: what it may not hold, whether it looks at annotations, and what a query may be refused for."""

import re

from kgmm.errors import BadInput, StoreError

#: what may hide a keyword: IRIs, strings, comments
_OPAQUE = re.compile(
    r'<[^<>"{}|^`\\\s]*>|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\n\r]|\\.)*"|\'(?:[^\'\\\n\r]|\\.)*\'|#[^\n\r]*',
    re.DOTALL,
)
ANSWER = 10  #: an answer may have this part of a query's memory: it is read, decoded and written anew
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_SERVICE = re.compile(r"(?<![?$:@\w.-])SERVICE(?![\w:.-])", re.IGNORECASE)
_FROM = re.compile(r"(?<![?$:@\w.-])FROM(?![\w:.-])", re.IGNORECASE)
_ANNOTATED = re.compile(
    r"\{\||<<|~|:(?:weight|source|reifies)\b|kgmm:(?:contributor|polarity|confidence|valid(?:From|To)|begins|ends|method|licence|text|restsOn)\b|\b(?:TRIPLE|isTRIPLE)\s*\("
)
_ANNOTATION_IRI = re.compile(
    r"urn:kgmm:(?:weight|source|contributor|polarity|confidence|validFrom|validTo|begins|ends|method|licence|text|restsOn"
    r"|fact/|assertion/)|#reifies>"
)


class BadQuery(BadInput):
    """A query that cannot be parsed, or asks for what a store refuses."""


class QueryTimeout(StoreError):
    """A query took longer than it may."""


class QueryFailed(StoreError):
    """A query could not be evaluated."""


class QueryTooLarge(StoreError):
    """A query took more memory than it may."""


class QueryCancelled(StoreError):
    """A query was ended by whoever asked."""

    def __init__(self) -> None:
        super().__init__("the query was cancelled")


def late(timeout: float) -> QueryTimeout:
    """Return the error of a query that took longer than *timeout* seconds."""
    return QueryTimeout(f"the query took longer than {timeout:g} s; narrow it, or raise timeout=")


def large(memory: int) -> QueryTooLarge:
    """Return the error of a query that would take more than *memory* bytes."""
    return QueryTooLarge(f"the query would take more than {memory:,} bytes of memory; narrow it")


def long_answer(memory: int) -> QueryTooLarge:
    """Return the error of an answer that is longer than a query with *memory* bytes may give."""
    return QueryTooLarge(f"the answer has more than {memory // ANSWER:,} bytes; narrow the query")


def check(query: str) -> str:
    """Return a query with its code points unescaped; BadQuery if it holds SERVICE, which a store may not run."""
    text = _ESCAPE.sub(_code_point, query)
    found = _SERVICE.search(bare(text))
    if found:
        raise BadQuery("query", "SERVICE is refused: a store asks no other server; load its data instead")
    return text


def _code_point(match: re.Match[str]) -> str:
    value = int(match[1] or match[2], 16)
    if value > 0x10FFFF or 0xD800 <= value < 0xE000:
        raise BadQuery("query", f"{match[0]} is no character")
    # a quote or backslash written so must not end a string it stands in
    return match[0] if chr(value) in "\"'\\" else chr(value)


def bare(query: str) -> str:
    """Return a query without what may hide a keyword: IRIs, strings, comments."""
    return _OPAQUE.sub(lambda m: " <> " if m[0][0] == "<" else " ", query)


def needs_annotations(query: str) -> bool:
    """Tell whether a query looks at weights, sources or other annotations."""
    return bool(_ANNOTATED.search(bare(query)) or _ANNOTATION_IRI.search(query))


def chooses_graphs(bare: str) -> bool:
    """Tell whether a query, given without its strings and IRIs, says FROM."""
    return bool(_FROM.search(bare))
