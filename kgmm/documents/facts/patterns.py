"""Patterns that are sure: what one sentence states, as (subject, relation, object).

Each looks at the sentence with a letter for every name and date (:mod:`kgmm.documents.facts.coded`). What is denied, asked,
quoted, reported or only possible is no statement and yields nothing; sentences that hold a word for that are left out
whole, which costs recall and no precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgmm.documents.facts.coded import Coded
from kgmm.documents.facts.defining import BY, defined
from kgmm.documents.facts.kinds import agent, described, listed, work
from kgmm.documents.facts.lives import born, died, lived
from kgmm.documents.facts.pieces import END, NAMES, PLACE, PRE, D, N, Triple, named, place_of
from kgmm.documents.facts.words import (
    ACTIVE,
    DATED,
    INFOBOX,
    KIN_ADJECTIVE,
    MADE,
    NATIONALITY,
    NEGATION,
    PLACES,
    ROLE,
    UNSURE,
)

_BE = r"(?:is|was|became|has been|had been|was elected|was crowned|was appointed|served as|was named)"

_ASIDE = re.compile(
    r", (?:but )?not [^,.;]*(?=[.,;]|$),?|,? (?:also |better |commonly |or |usually |often )*(?:known|called|credited)(?: simply)?(?: as)? [^,.;]*,(?= (?:is|was) )"
)
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)")
_TAIL = re.compile(
    rf",? ?(?:(?:and|which|that) )?(?:(?:was|is|were) )?(?P<v>{'|'.join(MADE)})(?: and (?P<w>{'|'.join(MADE)}))?"
    rf"(?: (?:in|on) (?P<d>{D}))?(?: in {N})? by (?P<o>{NAMES})(?: (?:in|on) (?P<e>{D}))?"
)
_STARS = re.compile(rf",? ?(?:and )?(?:starring|stars|starred)(?P<too> and directed by)? (?P<o>{NAMES})")
_WHEN = re.compile(rf",? ?(?:(?:and|was|is) )*(?P<v>{'|'.join(DATED)})(?: in {N})? (?:in|on) (?P<d>{D})(?! by)")
_ACTIVE = re.compile(
    rf"{PRE}(?P<s>{N}) (?P<v>{'|'.join(ACTIVE)}) (?:(?P<k>the (?:\w+ )?(?:film|novel|book|song|play|opera|album|poem|symphony|movie|company)) )?"
    rf"(?P<o>(?:The |the )?{N}|the [a-z]+(?=[ .]))(?P<after>{END})(?: (?:in|on) (?P<d>{D}))?"
)
_ROLE = re.compile(
    rf"{PRE}(?P<s>{N}),?(?: who)?(?: {_BE}|(?<=,))(?: the| an?)?(?: [a-z]+ed)? (?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}){END}"
)
_ROLE_TOO = re.compile(
    rf"(?P<s>^{N}),? (?:is|was) [^,;.]*? (?:and|who (?:is|was|became|served as|has been)) (?:the )?(?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}){END}"
)
_CAPITAL = re.compile(rf"^[Tt]he (?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}) (?:is|was) (?P<s>{N}){END}")
_FOUNDER = re.compile(
    rf"{PRE}(?P<s>{N}),?(?: (?:is|was))?,?(?: the| an?)? (?:founder|co-founder) of (?:the )?(?P<o>{N}){END}"
)
_CHILD = re.compile(
    rf"{PRE}(?P<s>{N}),?(?: (?:is|was)(?: [^,;.]{{0,60}}? and)?)?(?: the| an?)? {KIN_ADJECTIVE}(?:son|daughter|child) of (?P<o>{NAMES})"
)
_CHILDREN = re.compile(
    rf"^(?P<s>{N}(?:, {N})*,? and {N}) (?:are|were) (?:the )?(?:children|sons|daughters) of (?P<o>{NAMES})"
)
_PARENT = re.compile(rf"{PRE}(?P<s>{N}),?(?: (?:is|was))?(?: the)? (?:father|mother) of (?P<o>{NAMES})")
_SPOUSE = re.compile(
    rf"{PRE}(?P<s>{N}),?(?: (?:is|was))?(?: the)? {KIN_ADJECTIVE}(?:wife|husband|spouse) of (?:the )?(?P<o>{N}){END}"
)
#: what may stand between a name that a sentence defines and its kin: nothing that names other kin
_STILL = r"(?:(?!\b(?:wife|husband|mother|father|brother|sister|son|daughter|widow|married|child|uncle|nephew|cousin|grandson|granddaughter)\b)[^;.])*?"
_CHILD_TOO = re.compile(
    rf"^(?P<s>{N}),? (?:is|was) an? {_STILL}(?:,| and) (?:the )?{KIN_ADJECTIVE}(?:son|daughter) of (?P<o>{NAMES})"
)
_SPOUSE_TOO = re.compile(
    rf"^(?P<s>{N}),? (?:is|was) (?:an? {_STILL}(?:,| and) )?(?:the )?{KIN_ADJECTIVE}(?:wife|husband) of (?:(?:the )?(?:{N} )?(?:(?!of|and|to|by|who)[a-z]+ ){{1,3}})?(?P<o>{N}){END}"
)
_MARRIED = re.compile(
    rf"{PRE}(?P<s>{N}),?(?:[^,;.]{{0,60}},)?(?: (?:is|was|has been))? married (?:to )?(?:the (?:[a-z]+ ){{1,2}})?(?P<o>{N}){END}"
)
_KIN = re.compile(
    rf"{PRE}(?P<s>{N})(?:['’]s)? {KIN_ADJECTIVE}(?P<k>mother|father|wife|husband|son|daughter)(?:, | (?:is|was) )(?P<o>{N})(?P<x>{END})"
)
_IN = re.compile(rf"{PRE}(?P<s>{N}),?(?: which)? (?:is|are|lies)(?: (?:located|situated|based))? in (?P<o>{PLACE})")
_TOWN = re.compile(
    rf"^[Tt]he (?:[a-z]+ )?(?:{'|'.join(sorted(PLACES))}) of (?P<s>{N}) (?:is|lies)(?: (?:located|situated))? in (?P<o>{PLACE})"
)
_PART = re.compile(rf"{PRE}(?P<s>{N}) (?:is|are) (?:a )?part of (?:the )?(?P<o>{N}){END}")
_MEMBER = re.compile(
    rf"{PRE}(?P<s>{N}),? (?:(?:is|was|has been|became)|(?:is|was) [^,;.]*? and) a (?:founding )?member of (?:the )?(?P<o>{N}){END}"
)


def facts_of(sentence: Coded, person: bool = False) -> Iterator[Triple]:
    """Yield what a sentence states.

    Args:
        sentence: coded.
        person: whether its first name is known to be a person's.

    Example:
        >>> from kgmm.documents.facts.coded import coded
        >>> list(facts_of(coded("Margaret, daughter of Sten the Old, was queen of Norway.")))
        [('Margaret', 'ChildOf', 'Sten the Old')]
        >>> list(facts_of(coded("Margaret was not the daughter of Sten the Old.")))
        []
    """
    text = sentence.text.strip()
    if text.endswith("?") or UNSURE.search(sentence.code):
        return
    found = list(dict.fromkeys(_all(sentence, person)))
    yield from (t for t in found if t[0].lower() != t[2].lower())


def _all(sentence: Coded, person: bool) -> Iterator[Triple]:
    yield from infobox(sentence)
    inner, plain = _parted(sentence)
    plain = _aside(plain)
    kinds = list(defined(plain))
    yield from kinds
    known = person or any(r == "IsA" and agent(o) for _, r, o in kinds)
    film = any(r == "IsA" and work(o) for _, r, o in kinds)
    if inner is not None:
        yield from lived(sentence, inner, known, film)
    for rule in (born, died, _made, _active, _roles, _kin, _located):
        for place, triple in rule(plain):
            if not NEGATION.search(plain.code[:place]):
                yield triple


def _parted(sentence: Coded) -> tuple[tuple[str, str] | None, Coded]:
    """Return the first name with the parenthesis after it, and the sentence without any parenthesis."""
    first = re.match(rf"^(?:The )?({N})\s?\(([^()]*(?:\([^()]*\)[^()]*)*)\)", sentence.code)
    inner = (first[1], first[2]) if first else None
    plain = sentence
    while m := _PARENTHESIS.search(plain.code):
        plain = plain.without(m.start(), m.end())
    return inner, plain


def _aside(sentence: Coded) -> Coded:
    """Leave out ``, not Porto,`` and ``, known as N,``."""
    while m := _ASIDE.search(sentence.code):
        sentence = sentence.without(m.start(), m.end())
    return sentence


def _made(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    """Yield makers and dates of what the sentence begins with, one after another as long as nothing else stands between."""
    code = sentence.code
    m = re.match(
        rf"^(?:The |the )?(?P<s>{N}|(?:[Tt]he )[a-z]+(?= (?:was|is) invented)),?(?P<be> (?:is|was) (?P<a>an? )?| )?",
        code,
    )
    if m is None:
        return
    name = sentence.named.get(m["s"], m["s"][4:])
    at, film = m.end(), False
    if m["a"]:
        rest = sentence.said(at, len(code))
        phrase = rest[: listed(rest)]
        kinds = list(described(phrase))
        if not kinds:
            return
        film = any(r == "IsA" and work(o) for r, o in kinds)
        begin = sentence.at[at][0] + len(phrase.rstrip())
        at = next((n for n, (low, _) in enumerate(sentence.at) if low >= begin), len(code))
        if film and (by := BY.match(code, at)):
            song = any(o.split()[-1] in ("song", "single", "album") for r, o in kinds if r == "IsA")
            relation = (
                "PerformedBy" if song else "WrittenBy" if not any("film" in o for _, o in kinds) else "DirectedBy"
            )
            for other in named(sentence, by["o"]):
                yield by.end(), (name, relation, other)
            at = by.end()
    while at < len(code):
        if t := _TAIL.match(code, at):
            for verb in filter(None, (t["v"], t["w"])):
                for other in named(sentence, t["o"]):
                    yield t.start("o"), (name, MADE[verb], other)
                if (date := t["d"] or t["e"]) and verb in DATED:
                    yield t.start("o"), (name, DATED[verb], sentence.named[date])
        elif t := _STARS.match(code, at):
            for other in named(sentence, t["o"]):
                yield t.start("o"), (name, "Stars", other)
                if t["too"]:
                    yield t.start("o"), (name, "DirectedBy", other)
        elif t := _WHEN.match(code, at):
            yield t.end(), (name, DATED[t["v"]], sentence.named[t["d"]])
        else:
            return
        at = t.end()


def _active(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    for m in _ACTIVE.finditer(sentence.code):
        thing = m["o"].removeprefix("The ").removeprefix("the ")
        if thing not in sentence.named and m["v"] != "invented":
            continue
        if m["v"] in ("wrote", "directed") and not (
            m["k"] or m["o"][0] == "T" or m["v"] == "directed" or _quoted(sentence, m)
        ):
            continue
        name, made = sentence.named[m["s"]], sentence.named.get(thing, thing)
        yield m.end(), (made, ACTIVE[m["v"]], name)
        if m["d"] and ACTIVE[m["v"]] == "FoundedBy":
            yield m.end(), (made, "FoundedOn", sentence.named[m["d"]])


def _quoted(sentence: Coded, m: re.Match[str]) -> bool:
    return sentence.text[sentence.at[m.end("o") - 1][0]] in '"“‘«„'


def _relation(role: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[ -]", role)) + "Of"


def _roles(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    for rule in (_ROLE, _ROLE_TOO, _CAPITAL):
        for m in rule.finditer(sentence.code):
            yield m.end(), (sentence.named[m["s"]], _relation(m["r"]), sentence.named[m["o"]])
    for m in _FOUNDER.finditer(sentence.code):
        yield m.end(), (sentence.named[m["o"]], "FoundedBy", sentence.named[m["s"]])
    for m in _MEMBER.finditer(sentence.code):
        yield m.end(), (sentence.named[m["s"]], "MemberOf", sentence.named[m["o"]])


def _kin(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    code = sentence.code
    for rule in (_CHILD, _CHILD_TOO, _CHILDREN, _PARENT):
        for m in rule.finditer(code):
            for one in named(sentence, m["s"]):
                for other in named(sentence, m["o"]):
                    yield m.start("o"), (other, "ChildOf", one) if rule is _PARENT else (one, "ChildOf", other)
    for rule in (_SPOUSE, _SPOUSE_TOO, _MARRIED):
        for m in rule.finditer(code):
            yield m.end(), (sentence.named[m["s"]], "MarriedTo", sentence.named[m["o"]])
    for m in _KIN.finditer(code):
        one, other = sentence.named[m["s"]], sentence.named[m["o"]]
        if m["k"] in ("wife", "husband"):
            yield m.end(), (one, "MarriedTo", other)
        else:
            yield m.end(), (one, "ChildOf", other) if m["k"] in ("mother", "father") else (other, "ChildOf", one)


def _located(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    for rule in (_IN, _TOWN):
        for m in rule.finditer(sentence.code):
            yield m.start("o"), (sentence.named[m["s"]], "LocatedIn", place_of(sentence, m["o"]))
    for m in _PART.finditer(sentence.code):
        yield m.end(), (sentence.named[m["s"]], "PartOf", sentence.named[m["o"]])


def infobox(sentence: Coded) -> Iterator[Triple]:
    """Yield what a line ``Born: 12 May 1900, Leeds`` says of the document's subject; the first letter named ``""`` is it."""
    m = re.fullmatch(r"[-*•|]*\s*([A-Za-z][A-Za-z ]{2,20}?)\s*[:|=]\s*(.+?)\s*\|?", sentence.code)
    key = m[1].lower() if m else " ".join(sentence.text.split(":")[0].lower().split())
    relation = INFOBOX.get(key)
    subject = sentence.named.get("\0", "")
    if relation is None or not subject:
        return
    colon = sentence.code.find(":")
    value = sentence.code[colon + 1 :].strip() if colon >= 0 else (m[2] if m else "")
    if relation in ("BornOn", "DiedOn", "FoundedOn", "ReleasedOn"):
        v = re.fullmatch(rf"({D})(?:(?:, | in )({N}(?:, {N})*))?", value)
        if v:
            yield subject, relation, sentence.named[v[1]]
            if v[2] and relation in ("BornOn", "DiedOn"):
                yield subject, relation[:4] + "In", place_of(sentence, v[2])
    elif relation in ("IsA", "Nationality"):
        said = sentence.text.split(":", 1)[-1].strip()
        if relation == "Nationality" and NATIONALITY.fullmatch(said):
            yield subject, relation, said.lower()
        elif relation == "IsA":
            yield from ((subject, r, o) for r, o in described(said.lower()))
    elif re.fullmatch(rf"{N}(?:(?:,| and|,  and) {N})*", value):
        names = [place_of(sentence, value)] if relation in ("BornIn", "DiedIn", "LocatedIn") else named(sentence, value)
        yield from ((subject, relation, name) for name in names)
