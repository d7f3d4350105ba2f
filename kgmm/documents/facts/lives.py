"""Patterns of lives: when and where somebody was born and died."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgmm.documents.facts.coded import Coded
from kgmm.documents.facts.pieces import PLACE, PRE, D, N, Triple, place_of

_BORN = re.compile(
    rf"{PRE}(?:{N}['’]s (?:son|daughter|sister|brother|wife|husband|father|mother) )?(?P<s>{N}),?(?: who)?(?: was| were)? born(?P<rest> .*|$)"
)
_DIED = re.compile(rf"{PRE}(?P<s>{N}),?(?:.{{0,60}}?,)?(?: who)? died(?P<rest> .*)")
_AT_FIRST = re.compile(
    rf"^Born (?:(?:in|at) (?P<p>{PLACE}),?(?: (?:in|on) (?P<d>{D}),?)?|(?:in|on) (?P<e>{D}),?) (?P<s>{N}) "
)
_WHEN_WHERE = re.compile(
    rf",?(?: (?:on|in) (?P<d>{D})| (?:in|at) (?P<p>{PLACE})|(?P<skip> (?:suddenly|peacefully|there|of [a-z ]{{2,30}}?(?= in | on | at |$))))"
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


def lived(sentence: Coded, inner: tuple[str, str], person: bool, film: bool) -> Iterator[Triple]:
    """Yield what a parenthesis after a name says of a life, or of a film its year."""
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
                yield name, relation, place_of(sentence, m[group])
    elif m := _BORN_IN.search(said):
        yield name, "BornOn", sentence.named[m["b"] or m["c"]]
        if place := m["p"] or m["q"]:
            yield name, "BornIn", place_of(sentence, place)
    elif m := _DIED_ON.search(said):
        yield name, "DiedOn", sentence.named[m["d"]]


def _life(sentence: Coded, m: re.Match[str], born: bool) -> Iterator[tuple[int, Triple]]:
    name, rest, at = sentence.named[m["s"]], m["rest"], 0
    seen: set[str] = set()
    while (w := _WHEN_WHERE.match(rest, at)) is not None:
        for group, relation in (("d", "On"), ("p", "In")):
            if w[group] and relation not in seen:
                seen.add(relation)
                said = sentence.named[w["d"]] if group == "d" else place_of(sentence, w["p"])
                yield m.start("rest"), (name, ("Born" if born else "Died") + relation, said)
        at = w.end()


def born(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    """Yield when and where somebody was born, and where in the code that begins."""
    for m in _BORN.finditer(sentence.code):
        yield from _life(sentence, m, True)
    if first := _AT_FIRST.match(sentence.code):
        name = sentence.named[first["s"]]
        if first["p"]:
            yield first.end(), (name, "BornIn", place_of(sentence, first["p"]))
        if date := first["d"] or first["e"]:
            yield first.end(), (name, "BornOn", sentence.named[date])


def died(sentence: Coded) -> Iterator[tuple[int, Triple]]:
    """Yield when and where somebody died, and where in the code that begins."""
    for m in _DIED.finditer(sentence.code):
        yield from _life(sentence, m, False)
