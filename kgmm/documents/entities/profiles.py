"""What one document says of the names in it: which of them mean one, and what tells its subject from others of that name.

Nothing depends on other documents, so that a profile is made once for a text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from kgmm.documents import spans
from kgmm.documents.entities.words import (
    ADDRESS,
    ALIAS,
    ARTS,
    AT_BEFORE,
    BEFORE,
    COMPANY,
    KNOWN,
    MAKER_BEFORE,
    NO_PERSON,
    PERSON_BEFORE,
    PLACE_BEFORE,
)
from kgmm.documents.facts.kinds import agent, described, listed, work
from kgmm.documents.facts.words import NATIONALITY, PLACES
from kgmm.documents.parting import sentences
from kgmm.language.words import STOP

_PARENTHESIS = re.compile(r"\(([^()]*)\)\s*$")
_LIFE = re.compile(r"[^()]{1,150}?\(([^()]*\d{3,4}[^()]*)\)")
_IS = re.compile(r"\b(?:is|was|are|were) (?:an?|the) ")
_ROMAN = re.compile(r"[ivxlc]+")
#: ``john iv``, ``emperor taizong``: of which country is not said
_REIGNS = re.compile(
    r"\S+ [ivxlc]+|(?:(?:emperor|empress|king|queen|prince|princess|sultan|caliph|shah|pope|saint|st|duke|lord|lady|count|countess) ){1,2}\S+(?: [ivxlc]+)?"
)
_AT = re.compile(r"\b(?:in|at|near|from) $")
_WITHIN = re.compile(r",? ?(?:[,(]) ?([A-Z][\w.]+(?: [A-Z][\w.]+){0,2})(?=[,.;)\n]| and )")
#: a name goes on: ``Kim Ki-duk``, ``Warner Bros. Records``, ``The Big Broadcast of 1936``
_CUT = re.compile(r"[-'’](?!s\b)[^\W\d_]|- [a-z]|(?<=Bros)\. [A-Z]|(?<=Inc)\. [A-Z]| of \d")
_NTH = re.compile(r"\b\d+(?:st|nd|rd|th) $")  #: before a name it is a title that several had
#: a role, which many have had
_ROLE = re.compile(
    r"(?:\w+ )?(?:prince|princess|duke|duchess|earl|count|countess|king|queen|lord|lady|baron|baroness|marquis|marquess|viscount|bishop|archbishop"
    r"|emperor|empress|sultan|president|mayor|governor|member|minister|secretary|master|abbess|abbot|house|board|order|archduke|archduchess) (?:of|in) .*"
    r"|(?:baron|viscount|marquess|marquis) .*"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why two names of a document mean one, and the sentence that tells it (characters of the document)."""

    kind: str
    start: int
    end: int


@dataclass(slots=True)
class Unit:
    """One thing that a document names, by all the names it has there."""

    said: dict[str, tuple[int, int]]  #: the names as written, each with the first sentence that has it
    keys: set[str]  #: what they share with others' names: their keys, and those of plainer forms
    main: str  #: the key of the fullest one
    person: bool = False
    place: bool = False  #: spoken of as where something is or goes
    lies: bool = False  #: as where something is
    quoted: bool = False  #: written in quotation marks as a whole
    within: str = ""  #: key of what it lies in, where that follows: ``Birmingham, Alabama``
    role: bool = False  #: spoken of as a maker of films, books, music
    why: dict[tuple[str, str], Evidence] = field(default_factory=dict)  #: what tells that two of the names are of one
    weak: set[str] = field(default_factory=set)  #: keys that are single words of a person's name, or abbreviations
    subject: bool = False  #: the document is about it
    vague: set[str] = field(default_factory=set)  #: keys that others of a family or other kings have as well


@dataclass(slots=True)
class Profile:
    """The things that a document names, and what it says of its subject."""

    document: str
    title: str
    units: list[Unit]
    mark: str = ""  #: the parenthesis of its title
    born: str = ""
    died: str = ""
    kind: str = ""  #: ``person``, ``work``, ``place`` or what else it says its subject is
    arts: bool = False  #: whether it speaks of films, books, music
    years: tuple[str, ...] = ()  #: that its first sentence names

    @property
    def around(self) -> set[str]:
        """Keys of all that it names."""
        return {key for unit in self.units for key in unit.keys}


def plainer(said: str, key: str) -> Iterator[tuple[str, str]]:
    """Yield keys of plainer forms of a name, and what has been left out.

    >>> list(plainer("President Barack Obama", "president barack obama")), list(plainer("IBM Corp.", "ibm corp"))
    ([('barack obama', 'address')], [('ibm', 'company')])
    >>> list(plainer("U.S.", "u s")), list(plainer("us", "us")), list(plainer("Sir Alf", "sir alf"))
    ([('united states', 'known')], [], [])
    """
    words = key.split()
    if key in KNOWN and (said.isupper() or key.count(" ") > 1):
        yield KNOWN[key], "known"
    cut = 2 if tuple(words[:2]) in BEFORE else 1 if words[0] in ADDRESS else 0
    while cut < len(words) and words[cut] in ADDRESS:
        cut += 1
    if cut and len(words) - cut > 1 and not {*words} & PLACES and not _ROMAN.fullmatch(words[-1]):
        yield " ".join(words[cut:]), "address"
    if len(words) > 1 and words[-1] in COMPANY:
        yield " ".join(words[:-1]), "company"


def profile(document: str, title: str, text: str) -> Profile:
    """Return what a document says of the names in it.

    Example:
        >>> text = "Barack Hussein Obama (born August 4, 1961) is a politician. Obama met the World Health Organization (WHO)."
        >>> made = profile("1", "Barack Obama", text)
        >>> [sorted(unit.said) for unit in made.units], made.born, made.kind
        ([['Barack Hussein Obama', 'Barack Obama', 'Obama'], ['WHO', 'World Health Organization']], '1961', 'person')
    """
    about = Profile(document, title, [])
    if title.endswith("(disambiguation)") or re.match(r"[^.\n]{0,80} (?:may|can) refer to\b", text):
        return about
    parts = list(sentences(text)) or [(0, len(text))]
    starts = [start for start, _ in parts]
    units: dict[str, Unit] = {}
    dated = list(spans.dates(text))
    whole = [(m.start(), m.end()) for m in spans._QUOTED.finditer(text)]
    whole += (
        [
            m.span()
            for m in re.finditer(r"\W{0,3}".join(re.escape(w) for w in re.findall(r"\w+", spans.bare(title))), text)
        ]
        if len(title.split()) > 2
        else []
    )
    for start, end, _, key in spans.capitalized(text):
        said = " ".join(text[start:end].split())
        if any(start < high and low < end for low, high, *_ in dated) or NATIONALITY.fullmatch(said) or len(key) < 2:
            continue
        if (
            _ROLE.fullmatch(key)
            or _CUT.match(text, end)
            or (key.split()[-1] in spans._STARTERS and not said.isupper())
            or _NTH.search(text, max(start - 8, 0), start)
        ):
            continue
        around = [(low, high) for low, high in whole if low <= start and end <= high]
        if any(len(text[low:high].strip(" \"“”'‘’«»„,.;")) > end - start for low, high in around):
            continue  # a part of a title
        place = parts[max(bisect_right(starts, start) - 1, 0)]
        unit = units.setdefault(key, Unit({}, {key}, key, vague={key} if _REIGNS.fullmatch(key) else set()))
        unit.said.setdefault(said, place)
        before = text[max(start - 40, 0) : start]
        last = before.rsplit(None, 1)[-1:] or [""]
        unit.quoted = unit.quoted or any(text[low] in '"“‘«„' for low, _ in around)
        if not unit.within and _AT.search(before) and (m := _WITHIN.match(text, end)):
            unit.within = spans.key(m[1])
        unit.role = unit.role or bool(MAKER_BEFORE.search(before))
        unit.person = unit.person or bool(PERSON_BEFORE.search(before)) or (agent(last[0]) and before.endswith(" "))
        unit.place = unit.place or bool(PLACE_BEFORE.search(before))
        unit.lies = unit.lies or bool(AT_BEFORE.search(before))
    first = parts[0]
    about.arts = ARTS.search(text) is not None
    about.years = tuple(iso[:4] for start, _, _, iso in dated if start < first[1])
    _subject(about, text, first, units)
    for short, (start, end) in sorted(spans.abbreviations(text).items()):
        long = spans.key(text[start:end])
        if not text[start].isupper() or not _initials(short, text[start:end]):
            continue
        own = units.setdefault(long, Unit({text[start:end]: first}, {long}, long))
        held = units.get(spans.key(short))
        if held is not None and held is not own:
            at = parts[max(bisect_right(starts, start) - 1, 0)]
            _join(units, own, held, Evidence("introduced", *at), held.main)
    for _, unit in sorted(units.items()):
        for said in sorted(unit.said):
            for plain, kind in plainer(said, spans.key(said)):
                other = units.get(plain)
                if other is not None and other is not unit:
                    _join(units, other, unit, Evidence(kind, *unit.said[said]))
                unit.keys.add(plain)
                unit.person = unit.person or kind == "address"
    _by_last_word(units)
    about.units = sorted({id(unit): unit for unit in units.values()}.values(), key=lambda u: (not u.subject, u.main))
    return about


def _subject(about: Profile, text: str, first: tuple[int, int], units: dict[str, Unit]) -> None:
    """Say what a document is about: its title, what its first sentence begins with, and what that says it is also called."""
    bare = spans.bare(about.title)
    mark = _PARENTHESIS.search(about.title)
    about.mark = mark[1] if mark else ""
    lead = text[: spans.lead_end(text)].strip(" \"“”'")
    if not bare and not (lead and lead[0].isupper() and " and " not in lead):
        return
    if not bare:
        lead = re.sub(r"^(?:The|An?) ", "", lead)
    name = bare or lead
    key = spans.key(name)
    if not key:
        return
    if not lead and key not in units:
        return  # a headline
    own = units.setdefault(key, Unit({}, {key}, key))
    own.subject = True
    own.said.setdefault(name, first)
    own.said = {name: own.said[name], **own.said}
    alike = {w for _, _, w in spans.words(name)} & {w for _, _, w in spans.words(lead)} - {"the", "a", "of", "and"}
    begun = bool(lead) and (spans.key(lead) == key or bool(alike))
    if begun and lead[0].isupper() and not re.search(r"[,;:]|\bof\b", lead) and len(lead.split()) < 8:
        other = units.setdefault(spans.key(lead), Unit({lead: first}, {spans.key(lead)}, spans.key(lead)))
        if other is not own and " or " not in lead:
            _join(units, own, other, Evidence("title", *first), "" if " " in lead or " " not in name else other.main)
            if re.search(r",| of ", name) and key.startswith(spans.key(lead)):
                own.vague.add(spans.key(lead))
    if begun and (m := _LIFE.match(text)):
        years = [iso[:4] for *_, iso in spans.dates(m[1])]
        if years and "born" in m[1] and "die" not in m[1] and len(set(years)) == 1:
            about.born = years[0]
        elif len(years) == 2 and years[0] < years[1] and re.search(r"[-–—]", m[1]):
            about.born, about.died = years
        elif len(years) == 1 and re.search(r"\b(?:d|died)\b", m[1]):
            about.died = years[0]
    if m2 := _IS.search(text, 0, 400):
        rest = text[m2.end() : m2.end() + 200]
        kinds = [o for r, o in described(rest[: listed(rest)]) if r == "IsA"]
        about.kind = next((_kind(kind) for kind in kinds), "")
    own.person = own.person or about.kind == "person" or bool(about.born or about.died)
    if begun:
        for start, end, _, alias in spans.capitalized(text[slice(*first)][:300]):
            before = text[first[0] : first[0] + start]
            named = units.get(alias)
            if named is not None and named is not own and ALIAS.search(before) and not named.subject:
                said = text[first[0] + start : first[0] + end]
                if re.search(r"\bor\s*[\"“”'‘]?\s*$", before) and ("(" in before or before.count(" ") > 8):
                    continue
                if re.search(r"\bborn\s*$", before) and not (own.person and _begin_alike(key, alias)):
                    continue
                if " " not in alias and re.search(r"\b(?:n[ée]e?|born)\s*$", before):
                    units.pop(alias)  # a family's name
                    continue
                if about.kind != "work" and (len(alias) > 3 or said.isupper()):
                    _join(units, own, named, Evidence("called", *first), "" if " " in said else alias)


def _initials(short: str, long: str) -> bool:
    """Tell whether an abbreviation has the first letters of a long form's words, those of small words or not."""
    letters = "".join(c.lower() for c in short if c.isalnum())
    words = [word for _, _, word in spans.words(long)]
    own = [word for word in words if word not in STOP]
    return letters in ("".join(w[0] for w in words), "".join(w[0] for w in own))


def _begin_alike(one: str, other: str) -> bool:
    return bool({w[:3] for w in one.split()} & {w[:3] for w in other.split()})


def _kind(said: str) -> str:
    last = said.split()[-1]
    return "person" if agent(said) else "work" if work(said) else "place" if last in PLACES else ""


def _join(units: dict[str, Unit], one: Unit, other: Unit, why: Evidence, weak: str = "") -> None:
    """Take two of a document's things for one."""
    pair = (next(iter(one.said)), next(iter(other.said)))
    for said, place in other.said.items():
        one.said.setdefault(said, place)
    one.keys |= other.keys
    one.why.update(other.why)
    one.why[pair] = why
    one.vague |= other.vague
    one.weak |= other.weak | ({weak} if weak else set())
    one.person, one.place, one.role = one.person or other.person, one.place or other.place, one.role or other.role
    one.lies = one.lies or other.lies
    one.subject = one.subject or other.subject
    for key, unit in list(units.items()):
        if unit is other:
            units[key] = one


def _by_last_word(units: dict[str, Unit]) -> None:
    """Join a single word to the one person of the document whose last name it is."""
    ends: dict[str, list[Unit]] = {}
    parts: dict[str, set[int]] = {}
    for key, unit in sorted(units.items()):
        words = key.split()
        for word in set(words) if len(words) > 1 else ():
            parts.setdefault(word, set()).add(id(unit))
        full = unit.person and 1 < len(words) < 5 and words[0] not in NO_PERSON and not {*words} & {"of", "the", "and"}
        if full and unit not in ends.setdefault(words[-1], []):
            ends[words[-1]].append(unit)
    for word, found in sorted(ends.items()):
        for form in (word, f"mr {word}", f"mrs {word}", f"ms {word}", f"president {word}"):
            alone = units.get(form)
            if alone is None or len(found) != 1 or alone is found[0] or alone.place or len(word) < 3:
                continue
            if spans.common(word) and not (found[0].subject or found[0].role):
                continue
            if parts[word] <= {id(found[0]), id(alone)}:
                _join(units, found[0], alone, Evidence("last name", *next(iter(alone.said.values()))), word)
                found[0].weak.add(form)
