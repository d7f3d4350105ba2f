"""What a phrase after "is a" says: kind, nationality, year; and where the phrase ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgmm.documents.facts.words import AGENT, NATIONALITY, NO_AGENT, NO_KIND, WORKS

#: what ends a phrase that names a kind
_STOP = re.compile(
    r"[,;:.()\"“”\uf500]|(?<!\w)[-–—](?!\w)"
    r"|(?<![\w-])(?:of|in|from|by|who|whose|whom|which|that|where|when|with|for|on|at|to|as|than|known|based|starring|born|but|or|about|is|was"
    r"|set|between|since|during|until|under|near|within|along|such|like|into|over|through|because|after|before|so|not|also|both|active)(?![\w-])"
    r"|\b[\w-]*(?:ed|ing|ten|own|ung|ilt|made)\b(?= (?:by|in|at|for|from|on|to|as|with|during|and)\b)"
)
_ADVERB = re.compile(
    r"^(?:former|retired|late|famous|prominent|leading|notable|well-known|noted|influential|\d{4}|early|contemporary|modern) "
)
_WEAK = re.compile(
    r"\b(?:only|just|such|good|great|better|best|first|second|third|more|most|little|same|very|major|key|main|new|big|true|real|perfect"
    r"|member|own|kind|type|sort|form|single-handed)\b"
)


def phrase_end(text: str) -> int:
    """Return where the phrase ends that names a kind.

    >>> text = "Swedish novelist and painter from Lund."
    >>> text[:phrase_end(text)]
    'Swedish novelist and painter '
    """
    m = _STOP.search(text)
    return m.start() if m else len(text)


def listed(text: str) -> int:
    """Return where a list of kinds ends that goes on after a comma: ``singer, songwriter and actor``."""
    end = phrase_end(text)
    while end < len(text) and text[end] == ",":
        gap = re.match(r", (?:and )?", text[end:])
        if not gap:
            break
        low = end + gap.end()
        high = low + phrase_end(text[low:])
        piece = text[low:high].strip()
        if not all(agent(p) for p in [text[:end].split(",")[-1], *re.split(r" and ", piece)]):
            break
        end = high
    return end


def agent(phrase: str) -> bool:
    """Tell whether a phrase names a kind of person, by its last word."""
    words = phrase.split()
    return bool(words) and words[-1].islower() and AGENT.fullmatch(words[-1]) is not None and words[-1] not in NO_AGENT


def work(phrase: str) -> bool:
    """Tell whether a phrase names a kind of film, book or song."""
    words = phrase.split()
    return bool(words) and words[-1].lower() in WORKS


def described(phrase: str) -> Iterator[tuple[str, str]]:
    """Yield what a phrase says: kinds, a nationality, the year of a work.

    >>> list(described("1954 Italian drama film")), list(described("British chemist and politician"))
    ([('ReleasedOn', '1954'), ('Nationality', 'italian'), ('IsA', 'drama film')], [('Nationality', 'british'), ('IsA', 'chemist'), ('IsA', 'politician')])
    >>> list(described("good friend"))
    []
    """
    rest = " ".join(phrase.split()).strip(" -–—")
    year = ""
    if m := re.match(r"(\d{4}) (?!season)", rest):
        year, rest = m[1], rest[m.end() :]
    while m := _ADVERB.match(rest):
        if m[0].strip() == "former":
            return
        rest = rest[m.end() :]
    nation = ""
    if m := NATIONALITY.match(rest):
        nation, rest = m[0], rest[m.end() :].strip()
        if m := NATIONALITY.match(rest):
            nation, rest = f"{nation} {m[0]}", rest[m.end() :].strip()
        if m := re.match(r"and (.*)", rest):
            second = NATIONALITY.match(m[1])
            if second is None:
                return
            nation, rest = "", m[1][second.end() :].strip()
    while m := _ADVERB.match(rest):
        rest = rest[m.end() :]
    pieces = [p for p in re.split(r", and |, | and ", rest) if p]
    if len(pieces) > 1 and not all(agent(p) and not p[:1].isupper() for p in pieces):
        pieces = [rest]
    kinds = [p for p in pieces if _kind(p)]
    if not kinds or len(kinds) < len(pieces):
        return
    if year and work(rest):
        yield "ReleasedOn", year
    if nation:
        yield "Nationality", nation.lower()
    for piece in kinds:
        yield "IsA", piece


def _kind(phrase: str) -> bool:
    words = phrase.split()
    if not words or len(words) > 5 or _WEAK.search(phrase):
        return False
    head = words[-1].lower()
    if head in NO_KIND or not words[-1][0].isalpha() or words[-1][0].isupper():
        return False
    return not re.search(r"[\d%$£€'’]", phrase) and len(head) > 2
