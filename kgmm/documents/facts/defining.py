"""Patterns of what something is: ``N is a …``, ``N, a …,``, ``the Swedish painter N``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgmm.documents.facts.coded import Coded
from kgmm.documents.facts.kinds import agent, described, listed, work
from kgmm.documents.facts.pieces import NAMES, PLACE, N, Triple, named, place_of
from kgmm.documents.facts.words import NATIONALITY, NEGATION, PLACES

_DEFINES = re.compile(rf"^(?:The |the )?(?P<s>{N}(?:,? and {N})?),? (?:is|was|are|were) (?P<a>an? )?")
_COMMON = re.compile(r"^(?:(?P<det>An?) )?(?P<s>[A-Za-z][a-z-]+(?: [a-z-]+)?) (?P<be>is|are) (?P<a>an? )?")
_APPOSED = re.compile(rf"(?:^|(?<=^Unlike )|(?<=^The ))(?P<s>{N}), an? (?P<np>[^,;.]+?)(?:, (?!and|or)|\.$)")
_NATIONAL = re.compile(rf"\b[Tt]he (?P<n>{N}) (?P<k>[a-z]+(?: [a-z]+)?) (?P<s>{N})(?= [a-z]|,)")
_NO_THING = frozenset(
    "it this that there nothing everything something she he they one what who which here all these those you we i everyone nobody each"
    " most many some such another both his her their its my our your life love time people anything someone".split()
)
BY = re.compile(rf" ?by (?:the )?(?:[a-z]+ )?(?P<o>{NAMES})")


def defined(sentence: Coded) -> Iterator[Triple]:
    """Yield kinds, nationalities and years that a sentence says with *is a* or in apposition, and where a place so defined lies."""
    code = sentence.code
    if m := _DEFINES.match(code):
        names = named(sentence, m["s"])
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
        by = BY.search(code, m.start("np"), m.end("np") + 1)
        if by and any(r == "IsA" and work(o) for r, o in described(phrase[: listed(phrase)])):
            yield from ((sentence.named[m["s"]], "WrittenBy", o) for o in named(sentence, by["o"]))
    for m in _NATIONAL.finditer(code):
        if NATIONALITY.fullmatch(sentence.named[m["n"]]) and agent(m["k"]) and " " in sentence.named[m["s"]]:
            yield sentence.named[m["s"]], "Nationality", sentence.named[m["n"]].lower()
            yield sentence.named[m["s"]], "IsA", m["k"]


def _lies(sentence: Coded, name: str, start: int, letters: int) -> Iterator[Triple]:
    """Yield where a place lies, if that follows the phrase that says its kind."""
    begin = sentence.at[start][0] + letters
    at = next((n for n, (low, _) in enumerate(sentence.at) if low >= begin), len(sentence.code))
    if m := re.compile(rf" ?in (?P<p>{PLACE})").match(sentence.code, at):
        yield name, "LocatedIn", place_of(sentence, m["p"])


def _noun(said: str) -> bool:
    import simplemma

    words = said.lower().split()
    return all(simplemma.is_known(w, "en") for w in words) and not words[-1].endswith(("ing", "ly", "ed"))


def _singular(phrase: str) -> str:
    import simplemma

    *first, last = phrase.split() or [""]
    return " ".join([*first, simplemma.lemmatize(last, "en") if last else ""]).strip()
