"""Assertions: who said a fact, from what, when it held, how surely, and on what it rests."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xxhash import xxh3_128_hexdigest

from kgmm.errors import BadInput
from kgmm.store.facts import DEFAULT_GRAPH, Fact
from kgmm.store.times import Span, Valid, span

FOR, AGAINST = 1, -1
_POLARITIES: dict[Any, int] = {FOR: FOR, AGAINST: AGAINST, "for": FOR, "against": AGAINST, "+": FOR, "-": AGAINST}
Key = tuple[str, str, str, str]  #: subject, predicate, object and graph of a fact


@dataclass(frozen=True, slots=True)
class Assertion:
    """One reference of a fact; a fact may have many, and holds while one that speaks for it is not withdrawn.

    Two assertions that say the same are one. The fact's ``source`` is the assertion's document, its weight what this one
    gives it. A fact that was added with none of this has one bare assertion, of nobody, that holds always.

    Raises:
        BadInput: if a value cannot be used.

    Example:
        >>> Assertion(Fact("bonn", "CapitalOf", "germany"), contributor="me", valid=("1949", "1990")).valid
        ('1949', '1990')
    """

    fact: Fact
    contributor: str = ""
    polarity: int = FOR  #: 1 for the fact, -1 against it
    confidence: float | None = None  #: from 0 to 1
    valid: Valid = None  #: from and to, both inclusive; None: always
    method: str = ""  #: told, loaded, mined, completed … ; empty for a bare one
    licence: str = ""
    text: str = ""  #: the words it came from
    rests_on: tuple[Key, ...] = ()  #: facts it was derived from: without one of them it does not hold
    withdrawn: bool = False
    again: int = 0  #: how often the same was withdrawn and said anew

    def __post_init__(self) -> None:
        where = f"{self.fact.subject} {self.fact.predicate} {self.fact.object}"
        for name in ("contributor", "method", "licence", "text"):
            value = getattr(self, name)
            if value is None:
                object.__setattr__(self, name, "")
            elif not isinstance(value, str):
                raise BadInput(name, f"{value!r} is no text ({where})")
            elif reason := unwritable(value):
                raise BadInput(name, f"{reason} ({where})")
        if isinstance(self.polarity, bool) or self.polarity not in _POLARITIES:
            raise BadInput("polarity", f"{self.polarity!r} is neither 1 (for) nor -1 (against)")
        object.__setattr__(self, "polarity", _POLARITIES[self.polarity])
        object.__setattr__(self, "confidence", checked_confidence(self.confidence))
        if not self.method and (self.contributor or self.polarity == AGAINST or self.licence or self.rests_on):
            object.__setattr__(self, "method", "told")
        if not self.method and (self.confidence is not None or self.valid is not None):
            object.__setattr__(self, "method", "told")
        held = span(self.valid)
        object.__setattr__(self, "valid", None if held.start is held.end is None else (held.start, held.end))
        object.__setattr__(self, "rests_on", keys_of(self.rests_on))

    @property
    def source(self) -> str:
        """The document it came from: the fact's source."""
        return self.fact.source

    @property
    def span(self) -> Span:
        """When it held, in seconds too."""
        return span(self.valid)

    @property
    def key(self) -> Key:
        """The fact it is about: subject, predicate, object and graph."""
        return key_of(self.fact)

    @property
    def bare(self) -> bool:
        """Whether nothing is known of it but that the fact was added."""
        return not self.method

    @property
    def id(self) -> str:
        """A checksum of what it says; the same in every store."""
        f = self.fact
        bounds = self.valid if isinstance(self.valid, tuple) else ("", "")
        parts = (f.graph, f.subject, f.predicate, f.object, repr(f.weight), f.source, self.contributor)
        sure = "" if self.confidence is None else repr(self.confidence)
        more = (str(self.polarity), sure, *(str(b or "") for b in bounds), self.method, self.licence)
        rests = json.dumps(self.rests_on, ensure_ascii=False) if self.rests_on else ""
        return xxh3_128_hexdigest("\x1f".join((*parts, *more, rests, str(self.again), self.text)).encode())


def key_of(fact: Fact) -> Key:
    """Return what makes a fact that fact."""
    return fact.subject, fact.predicate, fact.object, fact.graph


def stated(parts: Any) -> Fact:
    """Return the fact that (subject, predicate, object[, graph]) names; BadInput if it is none."""
    if isinstance(parts, (Fact, Assertion)):
        return parts if isinstance(parts, Fact) else parts.fact
    if not isinstance(parts, (tuple, list)) or len(parts) not in (3, 4):
        raise BadInput("fact", f"{parts!r} is neither a Fact nor (subject, predicate, object[, graph])")
    subject, predicate, target, *graph = parts
    return Fact(subject, predicate, target, graph=graph[0] if graph else DEFAULT_GRAPH)


def unwritable(text: str) -> str:
    """Return why a text cannot be kept, or an empty string."""
    if "\x1e" in text or "\x1f" in text or "\x00" in text:
        return f"{text[:40]!r} holds a control character"
    return "" if text.encode(errors="replace").decode() == text else f"{text[:40]!r} holds half a character"


def checked_confidence(value: Any) -> float | None:
    """Return a confidence as a number from 0 to 1, or None; BadInput if it is neither."""
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not 0.0 <= (found := float(value)) <= 1.0 or math.isnan(found):
            raise ValueError
    except (TypeError, ValueError):
        raise BadInput("confidence", f"{value!r} is not from 0 to 1") from None
    return found


def keys_of(facts: Iterable[Any] | Fact | None) -> tuple[Key, ...]:
    """Return the keys of the facts an assertion rests on, each once and in order.

    Raises:
        BadInput: if one is no fact.
    """
    if facts is None:
        return ()
    if isinstance(facts, Fact) or (isinstance(facts, tuple) and facts and isinstance(facts[0], str)):
        facts = [facts]
    found = []
    for fact in facts:
        if isinstance(fact, Fact):
            found.append(key_of(fact))
        elif isinstance(fact, Assertion):
            found.append(fact.key)
        elif isinstance(fact, Sequence) and not isinstance(fact, str) and len(fact) in (3, 4):
            found.append(key_of(stated(fact)))
        else:
            raise BadInput("rests_on", f"{fact!r} is neither a Fact nor (subject, predicate, object[, graph])")
    return tuple(sorted(set(found)))
