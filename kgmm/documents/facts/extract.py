"""The facts of a document: its sentences one by one, with pronouns and short names where they surely mean its subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kgmm.documents import spans
from kgmm.documents.facts.coded import NAME, coded
from kgmm.documents.facts.kinds import agent, work
from kgmm.documents.facts.patterns import facts_of
from kgmm.documents.parting import sentences

_PRONOUN = re.compile(r"(He|She|It|His|Her|Its)\b(?= )")
_GOES_ON = re.compile(r"(?:\b(?:d|b|c|ca|fl|née)\.|\.\.\.)$")  #: what ends no sentence of a life
_LINE = re.compile(r"[^\n]+")
_KEYED = re.compile(r"\s*[-*•|]*\s*[A-Z][A-Za-z ]{2,20}\s*:\s*\S[^\n]{0,80}$")
_THING = re.compile(r"The ([a-z]+)\b")


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact as a text states it, and where: the characters of its sentence."""

    subject: str
    predicate: str
    object: str
    start: int
    end: int


def extract(text: str, title: str = "") -> Iterator[Stated]:
    """Yield the facts that a text states.

    Its subject is its title, else what it begins with ("Otto Brandt was …"). A pronoun that begins a sentence means the
    subject as long as every sentence before it began with the subject; a single word of a person's name does where no
    other name of the text has that word.

    Example:
        >>> text = "Mara Lindqvist (born 4 May 1961) is a Swedish novelist. She was born in Uppsala."
        >>> for fact in extract(text):
        ...     print(fact.subject, fact.predicate, fact.object, text[fact.start : fact.end][-8:])
        Mara Lindqvist Nationality swedish ovelist.
        Mara Lindqvist IsA novelist ovelist.
        Mara Lindqvist BornOn 1961-05-04 ovelist.
        Mara Lindqvist BornIn Uppsala Uppsala.
    """
    lead = text[: spans.lead_end(text)].strip(" \"“”'")
    own = spans.bare(title)
    lead = lead if _name(lead) or (own and spans.key(lead) == spans.key(own)) else ""
    subject = own or (lead if " and " not in lead else "")
    if own and lead and not _alike(own, lead) and not re.search(rf"known (?:\w+ )?as {re.escape(own)}", text[:250]):
        lead = ""
    lead = lead if subject else ""
    shorts = _shorts(text, own, lead)
    kinds: list[str] = []
    chained = bool(subject)
    for start, end in _sentences(text):
        said = text[start:end]
        taken, began = _meant(said, subject, lead if start == 0 else "", own, shorts, kinds, chained)
        sentence = coded(said, subject, taken)
        if subject and _KEYED.fullmatch(said):
            sentence.named["\0"] = subject
        person = any(agent(kind) for kind in kinds)
        for one, predicate, other in facts_of(sentence, person):
            if predicate == "IsA" and one == subject:
                kinds.append(other)
            yield Stated(one, predicate, other, start, end)
        chained = chained and (
            began or not re.match(rf"(?:The )?{NAME}|(?:An?|The|His|Her|Their|They|Its) ", sentence.code)
        )


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield sentences; a line of a key and its value is one of its own."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(text):
        if found and _GOES_ON.search(text, *found[-1]):
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    for start, end in found:
        lines = [(start + m.start(), start + m.end()) for m in _LINE.finditer(text[start:end])]
        if len(lines) > 1 and any(_KEYED.fullmatch(text[a:b]) for a, b in lines):
            yield from lines
        else:
            yield start, end


def _meant(
    said: str, subject: str, lead: str, own: str, shorts: set[str], kinds: list[str], chained: bool
) -> tuple[list[tuple[int, int]], bool]:
    """Return where a sentence means the subject, and whether it begins with it."""
    if not subject:
        return [], False
    skip = len(said) - len(said.lstrip("\"“‘' "))
    if lead and said[skip:].startswith(lead):
        high = skip + len(lead)
        if skip and said[high : high + 1] not in tuple("\"”’'"):  # a quotation goes on
            return [], False
        return [(0 if skip else skip, high + (high < len(said) and said[high] in "\"”’'"))], True
    if (m := _PRONOUN.match(said)) and chained and _fits(m[1], kinds):
        if m[1] in ("He", "She", "It"):
            return [(m.start(), m.end())], True
        return _possessed(said, m), True
    if (m := _THING.match(said)) and chained and any(kind.split()[-1] == m[1] for kind in kinds):
        return [(m.start(), m.end())], True
    for short in sorted({*shorts, own}, key=len, reverse=True):
        if short and re.match(rf"(?:The )?{re.escape(short)}(?!\w|-)(?! [A-Z])", said):
            at = said.index(short)
            return [(at, at + len(short))], True
    return [], False


def _possessed(said: str, m: re.Match[str]) -> list[tuple[int, int]]:
    return [(m.start(), m.end())]


def _fits(pronoun: str, kinds: list[str]) -> bool:
    """Tell whether a pronoun may mean a subject of these kinds."""
    person = any(agent(kind) for kind in kinds)
    thing = any(work(kind) for kind in kinds)
    return not (pronoun in ("It", "Its") and person) and not (pronoun not in ("It", "Its") and thing)


def _name(said: str) -> bool:
    """Tell whether words are a name: capitalized but for the small words that names have within."""
    small = [w for w in said.split() if not w[0].isupper() and not w[0].isdigit()]
    return bool(said) and said[0].isupper() and ";" not in said and all(w.strip(",") in spans._WITHIN for w in small)


def _alike(title: str, lead: str) -> bool:
    """Tell whether what a text begins with is its title or has most of its words."""
    ours, theirs = ({w for _, _, w in spans.words(name)} - {"the", "a", "an", "of"} for name in (title, lead))
    return bool(ours) and len(ours & theirs) * 2 >= min(len(ours), len(theirs)) and bool(ours & theirs)


def _shorts(text: str, title: str, lead: str) -> set[str]:
    """Return single words of the subject's name that no other name of the text has."""
    words = [w for w in re.split(r"[\s,]+", title or lead) if w[:1].isupper() and len(w) > 2 and w.isalpha()]
    if len(words) < 2 or "," in (title or lead):
        return set()
    others = [text[a:b] for a, b, _, _ in spans.capitalized(text)]
    known = {*title.split(), *lead.split()}
    return {
        word
        for word in (words[0], words[-1])
        if not any(word in (parts := other.split()) and not set(parts) <= known for other in others)
    }
