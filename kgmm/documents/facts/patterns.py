"""Patterns that are sure: what one sentence states, as (subject, relation, object).

Each looks at the sentence with a letter for every name and date (:mod:`kgmm.documents.facts.coded`). What is denied, asked,
quoted, reported or only possible is no statement and yields nothing; sentences that hold a word for that are left out
whole, which costs recall and no precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgmm.documents.facts.coded import DATE, NAME, Coded
from kgmm.documents.facts.kinds import agent, described, listed, work
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

Triple = tuple[str, str, str]

N, D = NAME, DATE
#: a name that something is stated of begins a sentence or clause
_PRE = r"(?:^|(?<=[,;:] )|(?<=^Before )|(?<=^After )|(?<=^When )|(?<=^While )|(?<=^Unlike ))(?:The |the )?"
#: after a name that is an object as a whole
_END = (
    r"(?= ?$|[.,;:)]| (?:and|but|in|on|at|as|by|for|from|with|who|which|that|where|until|since|during|after|before|when|while|is|was|are"
    r"|were|has|had|to|under|based|starring|made|he|she|it)\b)"
)
_NAMES = rf"(?:the )?{N}(?:, (?:the )?{N})*(?:,? and (?:the )?{N})?{_END}"
_PLACE = rf"(?:the )?(?:(?:north|south|east|west|central|northern|southern|eastern|western|north-?eastern|north-?western|south-?eastern|south-?western) )?{N}(?:, {N}(?=[.,;:)]| and | on | in |$))*{_END}"
_BE = r"(?:is|was|became|has been|had been|was elected|was crowned|was appointed|served as|was named)"

_ASIDE = re.compile(
    r", (?:but )?not [^,.;]*(?=[.,;]|$),?|,? (?:also |better |commonly |or |usually |often )*(?:known|called|credited)(?: simply)?(?: as)? [^,.;]*,(?= (?:is|was) )"
)
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)")
_BORN = re.compile(
    rf"{_PRE}(?:{N}['’]s (?:son|daughter|sister|brother|wife|husband|father|mother) )?(?P<s>{N}),?(?: who)?(?: was| were)? born(?P<rest> .*|$)"
)
_DIED = re.compile(rf"{_PRE}(?P<s>{N}),?(?:.{{0,60}}?,)?(?: who)? died(?P<rest> .*)")
_AT_FIRST = re.compile(
    rf"^Born (?:(?:in|at) (?P<p>{_PLACE}),?(?: (?:in|on) (?P<d>{D}),?)?|(?:in|on) (?P<e>{D}),?) (?P<s>{N}) "
)
_WHEN_WHERE = re.compile(
    rf",?(?: (?:on|in) (?P<d>{D})| (?:in|at) (?P<p>{_PLACE})|(?P<skip> (?:suddenly|peacefully|there|of [a-z ]{{2,30}}?(?= in | on | at |$))))"
)
_DEFINES = re.compile(rf"^(?:The |the )?(?P<s>{N}(?:,? and {N})?),? (?:is|was|are|were) (?P<a>an? )?")
_COMMON = re.compile(r"^(?:(?P<det>An?) )?(?P<s>[A-Za-z][a-z-]+(?: [a-z-]+)?) (?P<be>is|are) (?P<a>an? )?")
_APPOSED = re.compile(rf"(?:^|(?<=^Unlike )|(?<=^The ))(?P<s>{N}), an? (?P<np>[^,;.]+?)(?:, (?!and|or)|\.$)")
_NATIONAL = re.compile(rf"\b[Tt]he (?P<n>{N}) (?P<k>[a-z]+(?: [a-z]+)?) (?P<s>{N})(?= [a-z]|,)")
_TAIL = re.compile(
    rf",? ?(?:(?:and|which|that) )?(?:(?:was|is|were) )?(?P<v>{'|'.join(MADE)})(?: and (?P<w>{'|'.join(MADE)}))?"
    rf"(?: (?:in|on) (?P<d>{D}))?(?: in {N})? by (?P<o>{_NAMES})(?: (?:in|on) (?P<e>{D}))?"
)
_STARS = re.compile(rf",? ?(?:and )?(?:starring|stars|starred)(?P<too> and directed by)? (?P<o>{_NAMES})")
_BY = re.compile(rf" ?by (?:the )?(?:[a-z]+ )?(?P<o>{_NAMES})")
_WHEN = re.compile(rf",? ?(?:(?:and|was|is) )*(?P<v>{'|'.join(DATED)})(?: in {N})? (?:in|on) (?P<d>{D})(?! by)")
_ACTIVE = re.compile(
    rf"{_PRE}(?P<s>{N}) (?P<v>{'|'.join(ACTIVE)}) (?:(?P<k>the (?:\w+ )?(?:film|novel|book|song|play|opera|album|poem|symphony|movie|company)) )?"
    rf"(?P<o>(?:The |the )?{N}|the [a-z]+(?=[ .]))(?P<after>{_END})(?: (?:in|on) (?P<d>{D}))?"
)
_ROLE = re.compile(
    rf"{_PRE}(?P<s>{N}),?(?: who)?(?: {_BE}|(?<=,))(?: the| an?)?(?: [a-z]+ed)? (?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}){_END}"
)
_ROLE_TOO = re.compile(
    rf"(?P<s>^{N}),? (?:is|was) [^,;.]*? (?:and|who (?:is|was|became|served as|has been)) (?:the )?(?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}){_END}"
)
_CAPITAL = re.compile(rf"^[Tt]he (?P<r>(?i:{ROLE})) of (?:the )?(?P<o>{N}) (?:is|was) (?P<s>{N}){_END}")
_FOUNDER = re.compile(
    rf"{_PRE}(?P<s>{N}),?(?: (?:is|was))?,?(?: the| an?)? (?:founder|co-founder) of (?:the )?(?P<o>{N}){_END}"
)
_CHILD = re.compile(
    rf"{_PRE}(?P<s>{N}),?(?: (?:is|was)(?: [^,;.]{{0,60}}? and)?)?(?: the| an?)? {KIN_ADJECTIVE}(?:son|daughter|child) of (?P<o>{_NAMES})"
)
_CHILDREN = re.compile(
    rf"^(?P<s>{N}(?:, {N})*,? and {N}) (?:are|were) (?:the )?(?:children|sons|daughters) of (?P<o>{_NAMES})"
)
_PARENT = re.compile(rf"{_PRE}(?P<s>{N}),?(?: (?:is|was))?(?: the)? (?:father|mother) of (?P<o>{_NAMES})")
_SPOUSE = re.compile(
    rf"{_PRE}(?P<s>{N}),?(?: (?:is|was))?(?: the)? {KIN_ADJECTIVE}(?:wife|husband|spouse) of (?:the )?(?P<o>{N}){_END}"
)
#: what may stand between a name that a sentence defines and its kin: nothing that names other kin
_STILL = r"(?:(?!\b(?:wife|husband|mother|father|brother|sister|son|daughter|widow|married|child|uncle|nephew|cousin|grandson|granddaughter)\b)[^;.])*?"
_CHILD_TOO = re.compile(
    rf"^(?P<s>{N}),? (?:is|was) an? {_STILL}(?:,| and) (?:the )?{KIN_ADJECTIVE}(?:son|daughter) of (?P<o>{_NAMES})"
)
_SPOUSE_TOO = re.compile(
    rf"^(?P<s>{N}),? (?:is|was) (?:an? {_STILL}(?:,| and) )?(?:the )?{KIN_ADJECTIVE}(?:wife|husband) of (?:(?:the )?(?:{N} )?(?:(?!of|and|to|by|who)[a-z]+ ){{1,3}})?(?P<o>{N}){_END}"
)
_MARRIED = re.compile(
    rf"{_PRE}(?P<s>{N}),?(?:[^,;.]{{0,60}},)?(?: (?:is|was|has been))? married (?:to )?(?:the (?:[a-z]+ ){{1,2}})?(?P<o>{N}){_END}"
)
_KIN = re.compile(
    rf"{_PRE}(?P<s>{N})(?:['’]s)? {KIN_ADJECTIVE}(?P<k>mother|father|wife|husband|son|daughter)(?:, | (?:is|was) )(?P<o>{N})(?P<x>{_END})"
)
_IN = re.compile(rf"{_PRE}(?P<s>{N}),?(?: which)? (?:is|are|lies)(?: (?:located|situated|based))? in (?P<o>{_PLACE})")
_TOWN = re.compile(
    rf"^[Tt]he (?:[a-z]+ )?(?:{'|'.join(sorted(PLACES))}) of (?P<s>{N}) (?:is|lies)(?: (?:located|situated))? in (?P<o>{_PLACE})"
)
_PART = re.compile(rf"{_PRE}(?P<s>{N}) (?:is|are) (?:a )?part of (?:the )?(?P<o>{N}){_END}")
_MEMBER = re.compile(
    rf"{_PRE}(?P<s>{N}),? (?:(?:is|was|has been|became)|(?:is|was) [^,;.]*? and) a (?:founding )?member of (?:the )?(?P<o>{N}){_END}"
)
_NO_THING = frozenset(
    "it this that there nothing everything something she he they one what who which here all these those you we i everyone nobody each"
    " most many some such another both his her their its my our your life love time people anything someone".split()
)
_UNSURE_LIFE = re.compile(
    r"\?|\b(?:c|ca|circa|or|baptis\w+|baptiz\w+|before|after|between|about|around|fl|reign\w*|ruled|r|active|term|office)\b\.?"
)
_LIFE = re.compile(
    rf"(?:^|[;,] ?)(?:born (?:{N}, )?|b\. ?)?(?:in )?(?P<b>{D})(?:,? (?:in )?(?P<bp>{N}(?:, {N})*))?\s*[-–—]+\s*(?:died |d\. ?)?(?P<d>{D})(?:,? (?:in )?(?P<dp>{N}(?:, {N})*))?\s*$"
)
_BORN_IN = re.compile(
    rf"\bborn(?: on| in)?,? (?P<b>{D})(?:,? (?:in |at |from )?(?P<p>{N}(?:, {N})*))?\s*(?:$|[;)])|\bborn (?:in )?(?P<q>{N}(?:, {N})*),? (?P<c>{D})$"
)
_DIED_ON = re.compile(rf"(?:^|[;,] ?)(?:died|d\.) (?:on |in )?(?P<d>{D})$")


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
    kinds = list(_defined(plain))
    yield from kinds
    known = person or any(r == "IsA" and agent(o) for _, r, o in kinds)
    film = any(r == "IsA" and work(o) for _, r, o in kinds)
    if inner is not None:
        yield from _lived(sentence, inner, known, film)
    for rule in (_born, _died, _made, _active, _roles, _kin, _located):
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


def _named(sentence: Coded, letters: str) -> list[str]:
    return [sentence.named[c] for c in letters if c in sentence.named]


def _place(sentence: Coded, letters: str) -> str:
    """Return a place as it is written: ``southern Estonia``, ``Porto, Portugal``."""
    return "".join(sentence.named.get(c, c) for c in letters).removeprefix("the ").strip(" ,")


def _lived(sentence: Coded, inner: tuple[str, str], person: bool, film: bool) -> Iterator[Triple]:
    letter, said = inner[0], inner[1].strip()
    name = sentence.named[letter]
    if film and (m := re.fullmatch(D, said)):
        yield name, "ReleasedOn", sentence.named[m[0]]
    if _UNSURE_LIFE.search(said):
        return
    if m := _LIFE.search(said):
        born, died = sentence.named[m["b"]], sentence.named[m["d"]]
        if not (person or len(born) > 7 or len(died) > 7) or film or born[:4] >= died[:4]:
            return
        yield name, "BornOn", born
        yield name, "DiedOn", died
        for group, relation in (("bp", "BornIn"), ("dp", "DiedIn")):
            if m[group]:
                yield name, relation, _place(sentence, m[group])
    elif m := _BORN_IN.search(said):
        yield name, "BornOn", sentence.named[m["b"] or m["c"]]
        if place := m["p"] or m["q"]:
            yield name, "BornIn", _place(sentence, place)
    elif m := _DIED_ON.search(said):
        yield name, "DiedOn", sentence.named[m["d"]]


def _defined(sentence: Coded) -> Iterator[Triple]:
    code = sentence.code
    if m := _DEFINES.match(code):
        names = _named(sentence, m["s"])
        rest = sentence.said(m.end(), len(code))
        plural = re.search(r" (?:are|were) $", code[: m.end()]) is not None
        if (m["a"] or plural) and names and not NEGATION.match(rest):
            phrase = rest[: listed(rest)]
            for relation, said in described(_singular(phrase) if plural and not m["a"] else phrase):
                for name in names:
                    yield name, relation, said
                    if relation == "IsA" and said.split()[-1] in PLACES and len(names) == 1:
                        yield from _lies(sentence, name, m.end(), len(phrase.rstrip()))
    elif m := _COMMON.match(code):
        noun = m["s"]
        singular = m["be"] == "is"
        if not (_NO_THING & set(noun.lower().split())) and (m["a"] or not singular) and _noun(noun):
            rest = sentence.said(m.end(), len(code))
            if rest.startswith(("kind of ", "type of ", "sort of ")):
                rest = rest[8:].removeprefix("a ").removeprefix("an ")
            if NEGATION.match(rest):
                return
            phrase = rest[: listed(rest)]
            for relation, said in described(phrase if singular else _singular(phrase)):
                if relation == "IsA":
                    yield noun if singular else _singular(noun), relation, said
    if m := _APPOSED.match(code):
        phrase = sentence.said(m.start("np"), m.end("np"))
        for relation, said in described(phrase[: listed(phrase)]):
            yield sentence.named[m["s"]], relation, said
            if relation == "IsA" and said.split()[-1] in PLACES:
                yield from _lies(
                    sentence, sentence.named[m["s"]], m.start("np"), len(phrase[: listed(phrase)].rstrip())
                )
        by = _BY.search(code, m.start("np"), m.end("np") + 1)
        if by and any(r == "IsA" and work(o) for r, o in described(phrase[: listed(phrase)])):
            yield from ((sentence.named[m["s"]], "WrittenBy", o) for o in _named(sentence, by["o"]))
    for m in _NATIONAL.finditer(code):
        if NATIONALITY.fullmatch(sentence.named[m["n"]]) and agent(m["k"]) and " " in sentence.named[m["s"]]:
            yield sentence.named[m["s"]], "Nationality", sentence.named[m["n"]].lower()
            yield sentence.named[m["s"]], "IsA", m["k"]


def _lies(sentence: Coded, name: str, start: int, letters: int) -> Iterator[Triple]:
    """Yield where a place lies, if that follows the phrase that says its kind."""
    begin = sentence.at[start][0] + letters
    at = next((n for n, (low, _) in enumerate(sentence.at) if low >= begin), len(sentence.code))
    if m := re.compile(rf" ?in (?P<p>{_PLACE})").match(sentence.code, at):
        yield name, "LocatedIn", _place(sentence, m["p"])


def _noun(said: str) -> bool:
    import simplemma

    words = said.lower().split()
    return all(simplemma.is_known(w, "en") for w in words) and not words[-1].endswith(("ing", "ly", "ed"))


def _singular(phrase: str) -> str:
    import simplemma

    *first, last = phrase.split() or [""]
    return " ".join([*first, simplemma.lemmatize(last, "en") if last else ""]).strip()


def _life(sentence: Coded, m: re.Match[str], born: bool) -> Iterator[tuple[int, Triple]]:
    name, rest, at = sentence.named[m["s"]], m["rest"], 0
    seen: set[str] = set()
    while (w := _WHEN_WHERE.match(rest, at)) is not None:
        for group, relation in (("d", "On"), ("p", "In")):
            if w[group] and relation not in seen:
                seen.add(relation)
                said = sentence.named[w["d"]] if group == "d" else _place(sentence, w["p"])
                yield m.start("rest"), (name, ("Born" if born else "Died") + relation, said)
        at = w.end()


def _born(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    for m in _BORN.finditer(sentence.code):
        yield from _life(sentence, m, True)
    if first := _AT_FIRST.match(sentence.code):
        name = sentence.named[first["s"]]
        if first["p"]:
            yield first.end(), (name, "BornIn", _place(sentence, first["p"]))
        if date := first["d"] or first["e"]:
            yield first.end(), (name, "BornOn", sentence.named[date])


def _died(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    for m in _DIED.finditer(sentence.code):
        yield from _life(sentence, m, False)


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
        if film and (by := _BY.match(code, at)):
            song = any(o.split()[-1] in ("song", "single", "album") for r, o in kinds if r == "IsA")
            relation = (
                "PerformedBy" if song else "WrittenBy" if not any("film" in o for _, o in kinds) else "DirectedBy"
            )
            for other in _named(sentence, by["o"]):
                yield by.end(), (name, relation, other)
            at = by.end()
    while at < len(code):
        if t := _TAIL.match(code, at):
            for verb in filter(None, (t["v"], t["w"])):
                for other in _named(sentence, t["o"]):
                    yield t.start("o"), (name, MADE[verb], other)
                if (date := t["d"] or t["e"]) and verb in DATED:
                    yield t.start("o"), (name, DATED[verb], sentence.named[date])
        elif t := _STARS.match(code, at):
            for other in _named(sentence, t["o"]):
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
            for one in _named(sentence, m["s"]):
                for other in _named(sentence, m["o"]):
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
            yield m.start("o"), (sentence.named[m["s"]], "LocatedIn", _place(sentence, m["o"]))
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
                yield subject, relation[:4] + "In", _place(sentence, v[2])
    elif relation in ("IsA", "Nationality"):
        said = sentence.text.split(":", 1)[-1].strip()
        if relation == "Nationality" and NATIONALITY.fullmatch(said):
            yield subject, relation, said.lower()
        elif relation == "IsA":
            yield from ((subject, r, o) for r, o in described(said.lower()))
    elif re.fullmatch(rf"{N}(?:(?:,| and|,  and) {N})*", value):
        names = [_place(sentence, value)] if relation in ("BornIn", "DiedIn", "LocatedIn") else _named(sentence, value)
        yield from ((subject, relation, name) for name in names)
