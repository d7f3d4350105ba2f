"""A query's words: SPARQL's terminals, with where each stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from kgmm.store.sparql.engine.algebra import Unsupported

_NAME = r"[A-Za-z_\u00C0-\u02FF\u0370-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF]"
_REST = _NAME[:-1] + r"0-9\-\u00B7\u0300-\u036F\u203F\u2040]"
_ESC = r"\\[_~.\-!$&'()*+,;=/?#@%]|%[0-9A-Fa-f]{2}"
_PREFIX = rf"(?:{_NAME}(?:(?:{_REST}|\.)*{_REST})?)?"
_LOCAL = rf"(?:(?:{_NAME}|[0-9:]|{_ESC})(?:(?:{_REST}|[.:]|{_ESC})*(?:{_REST}|:|{_ESC}))?)"
_PARTS = {
    "space": r"(?:[\x20\t\r\n]+|\#[^\n\r]*)+",
    "iri": r'<[^<>"{}|^`\\\x00-\x20]*>',
    "long": r'"""(?:"{0,2}(?:[^"\\]|\\.))*"""' + r"|'''(?:'{0,2}(?:[^'\\]|\\.))*'''",
    "string": r'"(?:[^"\\\n\r]|\\.)*"' + r"|'(?:[^'\\\n\r]|\\.)*'",
    "var": rf"[?$](?:{_NAME}|[0-9])(?:{_REST.replace(chr(92) + '-', '', 1)})*",
    "blank": rf"_:(?:{_NAME}|[0-9])(?:(?:{_REST}|\.)*{_REST})?",
    "lang": r"@[A-Za-z]+(?:-[A-Za-z0-9]+)*",
    "double": r"(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)[eE][+-]?[0-9]+",
    "decimal": r"[0-9]*\.[0-9]+",
    "integer": r"[0-9]+",
    "pname": rf"{_PREFIX}:(?:{_LOCAL})?",
    "word": r"[A-Za-z][A-Za-z0-9_]*",
    "mark": r"<<\(|\)>>|<<|>>|\{\||\|\}|~|\^\^|&&|\|\||!=|<=|>=|[{}()\[\].,;=<>!+\-*/|^?]",
}
_BEYOND = re.compile(r"(?:\\u[0-9A-F]{4}|\\U[0-9A-F]{8}|(?<=[0-9A-F]{4})-(?=\\[uU]))+")


@lru_cache(2)
def _token(of_ascii: bool) -> re.Pattern[str]:
    """Return what matches a word; in a text in ASCII a smaller one, which a process's first query waits less for."""
    parts = "|".join(f"(?P<{name}>{part})" for name, part in _PARTS.items())
    return re.compile(_BEYOND.sub("", parts) if of_ascii else parts, re.DOTALL)


class Token(NamedTuple):
    """A word of a query: its kind, its text, whether space stands before it, and where it begins."""

    kind: str
    text: str
    spaced: bool = True
    at: int = 0


def tokens(text: str, check: Callable[[], None]) -> list[Token]:
    """Return the words of a query; Unsupported where none begins.

    *check* is called now and then, and may end it.
    """
    found, at, spaced, word = [], 0, True, _token(text.isascii())
    while at < len(text):
        match = word.match(text, at)
        if match is None:
            error = Unsupported(f"no word of SPARQL: {text[at : at + 20]!r}")
            error.line = line_of(text, at)
            raise error
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match[0], spaced, at))
            if not len(found) & 1023:
                check()
        at = match.end()
        spaced = kind == "space"
    end = Token("end", "", True, len(text))
    return [*found, end, end]  # two, for who looks one word ahead


def line_of(text: str, at: int) -> int:
    """Return the line of a place in a text, the first being 1."""
    return text.count("\n", 0, at) + 1
