"""How concepts, relations and literals are named: short forms for people, one canonical form in the store."""

import json
import re
import unicodedata

CONCEPTNET = "http://conceptnet.io"
LOCAL = "urn:kgmm:"
_CONCEPTNET_HOST = re.compile(r"^https?://(?:www\.|api\.)?conceptnet\.io(?=/[cr]/)")
_IRI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$")
#: a well-formed language tag (RFC 5646, 2.1)
_LANGUAGE = (
    "(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    "(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    "(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?|[xX](?:-[A-Za-z0-9]{1,8})+)"
)
_LITERAL = re.compile(
    r'"(?:[^"\\\n\r]++|\\[tbnrf"\'\\]|\\u(?!D[89A-Fa-f])[0-9A-Fa-f]{4}'
    r'|\\U00(?:0(?!0D[89A-Fa-f])[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})*+"'
    rf"(?:(?P<lang>@{_LANGUAGE}(?:--(?:ltr|rtl))?)"
    r'|\^\^<[A-Za-z][A-Za-z0-9+.-]*:(?:[^\x00-\x20<>"{}|^`\\%\[\]\x7f]|%[0-9A-Fa-f]{2})*>)?'
)
_BLANK = re.compile(r"_:\w(?:[\w.·-]*[\w·-])?")
_CONTROL = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
_NAMED_CONTROLS = {"\b": "\\b", "\t": "\\t", "\f": "\\f"}
_STRING = "^^<http://www.w3.org/2001/XMLSchema#string>"
#: Schemes of IRIs without "//"; any other word with a colon is a word.
_SCHEMES = ("urn:", "mailto:", "tag:", "tel:", "doi:", "did:", "geo:", "data:", "info:", "cid:", "news:")
_OWN = ("/s/", "/t/", "/m/", "scene/", "story/")  #: Terms that are ours but not concepts: scenes, stories, their parts.


def concept(text: str, lang: str = "en") -> str:
    """Return the canonical node of a concept written as a word, a ConceptNet path or an IRI.

    Words are normalized as ConceptNet does: NFKC, lower case, spaces to underscores.

    Raises:
        ValueError: if *text* is empty.

    Example:
        >>> concept("Ice cream"), concept("/c/en/dog"), concept("http://conceptnet.io/c/en/dog")
        ('/c/en/ice_cream', '/c/en/dog', '/c/en/dog')
        >>> concept("http://example.org/x")
        'http://example.org/x'
    """
    text = _CONCEPTNET_HOST.sub("", text.strip())
    if text.startswith(("/c/", *_OWN, "_:")) or is_iri(text):
        return text
    words = unicodedata.normalize("NFKC", text).lower().replace("/", " ").replace("_", " ").split()
    if not words:
        raise ValueError("a concept needs at least one letter")
    return f"/c/{lang}/{'_'.join(words)}"


def relation(text: str) -> str:
    """Return the stored form of a relation: bare for ConceptNet's own, the IRI itself for others.

    >>> relation("/r/UsedFor"), relation("UsedFor"), relation("http://example.org/p")
    ('UsedFor', 'UsedFor', 'http://example.org/p')
    """
    if text.isalpha():
        return text
    text = _CONCEPTNET_HOST.sub("", text.strip())
    if text.startswith("/r/"):
        return text[3:].rstrip("/")
    if text.startswith(LOCAL + "r/"):
        return from_iri(text)
    return text


def is_iri(text: str) -> bool:
    """Tell whether *text* is an absolute IRI: with an authority, or of a scheme that has none (``urn:``)."""
    return ("://" in text or text.startswith(_SCHEMES)) and _IRI.match(text) is not None


def is_literal(term: str) -> bool:
    """Tell whether a stored term is a literal in N-Triples form.

    >>> is_literal('"Hund"@de'), is_literal("/c/de/hund")
    (True, False)
    """
    return term.startswith('"') and _LITERAL.fullmatch(term) is not None


def literal(term: str) -> str:
    """Return a literal as RDF writes it: controls escaped, the language in lower case, strings without a type.

    >>> literal('"colour"@en-GB')
    '"colour"@en-gb'
    """
    match = _LITERAL.fullmatch(term)
    if match and match["lang"]:
        term = term[: match.start("lang")] + match["lang"].lower()
    return _CONTROL.sub(lambda m: _NAMED_CONTROLS.get(m[0], f"\\u{ord(m[0]):04X}"), term).removesuffix(_STRING)


def quoted(text: str) -> str:
    r"""Return the literal that holds a text without control characters.

    >>> quoted('say "ah"'), label(quoted("EXIT ONLY"))
    ('"say \\"ah\\""', 'EXIT ONLY')
    """
    return json.dumps(text, ensure_ascii=False)


def unquoted(literal: str) -> str:
    r"""Return the text that :func:`quoted` made a literal of.

    >>> unquoted(quoted('say "ah"'))
    'say "ah"'
    """
    text: str = json.loads(literal)
    return text


def unusable(text: str) -> str:
    """Return why RDF cannot write a term of a new fact, or an empty string.

    >>> unusable("dog"), unusable("_:a b")
    ('', "'_:a b' is no blank node: its label may hold letters, digits, _, - and .")
    """
    if text.startswith('"'):
        wanted = 'write "text", "text"@language or "text"^^<type>, with \\" for a quote'
        return "" if is_literal(text) else f"{text[:40]!r} is no literal: {wanted}"
    if text.startswith("_:"):
        wanted = "its label may hold letters, digits, _, - and ."
        return "" if _BLANK.fullmatch(text) else f"{text[:40]!r} is no blank node: {wanted}"
    if "://" in text and re.match(r"\s*[A-Za-z][A-Za-z0-9+.-]*://", text) and not _CONCEPTNET_HOST.match(text.strip()):
        wanted = 'spaces and <>"{}|\\^` are written as %20 and so on'
        return "" if is_iri(text.strip()) else f"{text[:40]!r} is no IRI: {wanted}"
    return ""


def label(term: str) -> str:
    """Return a term as a person would say it.

    >>> label("/c/en/ice_cream/n/wn/food"), label("UsedFor"), label('"42"')
    ('ice cream', 'UsedFor', '42')
    """
    if term.startswith("/c/"):
        parts = term.split("/")
        return parts[3].replace("_", " ") if len(parts) > 3 else term
    if is_literal(term):
        return term[1 : term.rindex('"')]
    return term.rstrip("/#").rsplit("/", 1)[-1].rsplit("#", 1)[-1] if is_iri(term) else term


def iri(term: str, *, predicate: bool = False) -> str:
    """Return the full IRI of a stored term; inverse of :func:`from_iri`.

    >>> iri("/c/en/dog"), iri("UsedFor", predicate=True), iri("scene/coffee")
    ('http://conceptnet.io/c/en/dog', 'http://conceptnet.io/r/UsedFor', 'urn:kgmm:scene/coffee')
    """
    if term.startswith("/c/"):
        return CONCEPTNET + _escape(term)
    if _IRI.match(term) and (predicate or not term.startswith(LOCAL)):
        return term
    if predicate:
        return f"{CONCEPTNET}/r/{_escape(term)}"
    return LOCAL + _escape(term)


def from_iri(text: str) -> str:
    """Return the stored term of a full IRI.

    >>> from_iri("http://conceptnet.io/c/en/dog"), from_iri("http://conceptnet.io/r/UsedFor")
    ('/c/en/dog', 'UsedFor')
    """
    short = _CONCEPTNET_HOST.sub("", text)
    if short.startswith("/c/"):
        return _unescape(short)
    if short.startswith("/r/"):
        return _unescape(short[3:])
    if text.startswith(LOCAL):
        return _unescape(text[len(LOCAL) :])
    return text


#: what an IRI may not hold (RFC 3987), and the percent sign that escapes it
_BAD = (
    r"[\x00-\x20<>\"{}|\\^`%\[\]\x7f-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e0fff"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 15))
    + r"\U000f0000-\U0010ffff]"
)
#: of several # only the last one may stay
_FORBIDDEN = re.compile(_BAD + "|#(?=.*#)", re.DOTALL)
_BAD_CHARACTER = re.compile(_BAD + "|#")
_BYTE = "%[89AB][0-9A-F]"
_ESCAPED = re.compile(f"%[0-7][0-9A-F]|%[CD][0-9A-F]{_BYTE}|%E[0-9A-F]{_BYTE}{_BYTE}|%F[0-7]{_BYTE}{_BYTE}{_BYTE}")


def _escape(text: str) -> str:
    """Percent-encode what an IRI may not hold."""
    return _FORBIDDEN.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), text)


def _unescape(text: str) -> str:
    """Undo :func:`_escape`, and leave what it does not write."""
    return _ESCAPED.sub(_character, text) if "%" in text else text


def _character(match: re.Match[str]) -> str:
    text = bytes.fromhex(match[0].replace("%", "")).decode(errors="replace")
    return text if _BAD_CHARACTER.fullmatch(text) else match[0]
