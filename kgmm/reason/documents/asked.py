"""What a question asks of documents: an entity, hops from it, and what is wanted at the end; by patterns, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Hop:
    """A relation to follow from a name: forward to the object, or back to the subject."""

    predicate: str
    back: bool = False
    sex: str = ""  #: ``m`` or ``f`` where only a father, a mother will do


@dataclass(frozen=True)
class Wanted:
    """A name and the hops from it; of two names the one whose end comes first or last, if that is asked."""

    names: tuple[str, ...]
    hops: tuple[Hop, ...]
    choose: str = ""  #: ``first`` or ``last`` of two dates, ``same`` for whether both are one
    kind: str = "thing"  #: ``person``, ``date``, ``place``, ``thing``, ``yes``
    asked: str = ""  #: the kind of thing, where it is asked whether the name is one


_FATHER, _MOTHER = Hop("ChildOf", sex="m"), Hop("ChildOf", sex="f")
_SPOUSE = Hop("MarriedTo")
_RELATED: dict[str, tuple[Hop, ...]] = {
    "mother": (_MOTHER,),
    "father": (_FATHER,),
    "child": (Hop("ChildOf", True),),
    "son": (Hop("ChildOf", True),),
    "daughter": (Hop("ChildOf", True),),
    "husband": (_SPOUSE,),
    "wife": (_SPOUSE,),
    "spouse": (_SPOUSE,),
    "paternal grandfather": (_FATHER, _FATHER),
    "paternal grandmother": (_FATHER, _MOTHER),
    "maternal grandfather": (_MOTHER, _FATHER),
    "maternal grandmother": (_MOTHER, _MOTHER),
    "father-in-law": (_SPOUSE, _FATHER),
    "mother-in-law": (_SPOUSE, _MOTHER),
    "director": (Hop("DirectedBy"),),
    "writer": (Hop("WrittenBy"),),
    "author": (Hop("WrittenBy"),),
    "composer": (Hop("ComposedBy"),),
    "performer": (Hop("PerformedBy"),),
    "singer": (Hop("PerformedBy"),),
    "producer": (Hop("ProducedBy"),),
    "founder": (Hop("FoundedBy"),),
    "publisher": (Hop("PublishedBy"),),
    "designer": (Hop("DesignedBy"),),
    "inventor": (Hop("InventedBy"),),
    "capital": (Hop("CapitalOf", True),),
    "king": (Hop("KingOf", True),),
    "queen": (Hop("QueenOf", True),),
    "president": (Hop("PresidentOf", True),),
    "ceo": (Hop("CeoOf", True),),
    "mayor": (Hop("MayorOf", True),),
    "ruler": (Hop("RulerOf", True),),
    "count": (Hop("CountOf", True),),
}
_REL = "|".join(sorted(_RELATED, key=len, reverse=True))
_WORK = r"(?:(?:the )?(?:film|movie|song|novel|book|album|play|series|company|opera|painting) )?"
_VERBS = {
    "directed": "DirectedBy",
    "wrote": "WrittenBy",
    "composed": "ComposedBy",
    "produced": "ProducedBy",
    "founded": "FoundedBy",
    "designed": "DesignedBy",
    "invented": "InventedBy",
    "painted": "PaintedBy",
    "performed": "PerformedBy",
    "published": "PublishedBy",
    "discovered": "DiscoveredBy",
    "created": "CreatedBy",
}
#: question, what is wanted at its end, kind of the answer; ``x`` is what it is asked of
_ENDS: list[tuple[str, str, str]] = [
    (r"when (?:was|were) (?P<x>.+) born", "BornOn", "date"),
    (r"(?:what|which) (?:is|was) (?:the )?(?:date of birth|birth date|birthday) of (?P<x>.+)", "BornOn", "date"),
    (r"(?:in )?(?:what|which) year was (?P<x>.+) born", "BornOn", "date"),
    (r"when did (?P<x>.+) die", "DiedOn", "date"),
    (r"(?:what|which|when) (?:is|was) (?:the )?(?:date of death|death date) of (?P<x>.+)", "DiedOn", "date"),
    (r"where (?:was|were) (?P<x>.+) born", "BornIn", "place"),
    (r"(?:in )?(?:what|which) (?:city|town|place|country) was (?P<x>.+) born(?: in)?", "BornIn", "place"),
    (r"(?:what|where) (?:is|was) (?:the )?(?:place of birth|birth ?place) of (?P<x>.+)", "BornIn", "place"),
    (r"where did (?P<x>.+) die", "DiedIn", "place"),
    (r"(?:what|where) (?:is|was) (?:the )?(?:place of death) of (?P<x>.+)", "DiedIn", "place"),
    (r"(?:what|which) nationality (?:is|was) (?P<x>.+)", "Nationality", "thing"),
    (r"what (?:is|was) (?:the )?nationality of (?P<x>.+)", "Nationality", "thing"),
    (r"what (?:is|was) (?P<x>.+)['’]s nationality", "Nationality", "thing"),
    (r"(?:which|what) country (?:is|was)? ?(?P<x>.+?) (?:is |was )?from", "Nationality", "thing"),
    (r"when was (?P<x>.+) (?:released|published)", "ReleasedOn", "date"),
    (r"(?:in )?(?:what|which) year (?:was|did) (?P<x>.+) (?:released|come out)", "ReleasedOn", "date"),
    (r"when was (?P<x>.+) (?:founded|established)", "FoundedOn", "date"),
    (r"where is (?P<x>.+?)(?: located| situated)?", "LocatedIn", "place"),
    (
        r"(?:in )?(?:what|which) (?:city|country|town) is (?P<x>.+?)(?: located| situated)?(?: in)?",
        "LocatedIn",
        "place",
    ),
    (r"who (?:did (?P<x>.+) marry|(?:was|is) (?P<y>.+) married to)", "MarriedTo", "person"),
    (r"who (?:starred|stars) in (?P<x>.+)", "Stars", "person"),
    (r"what (?:is|was) (?P<x>.+)['’]s (?:occupation|profession)", "IsA", "thing"),
]
_FIRST = re.compile(
    r"(?:who|which (?:film|movie|person|song|work|novel)) (?P<v>was born|was released|came out|died|was founded|was established|has the director who was born"
    r"|has the director born|has the director who died|whose director was born) (?P<c>first|earlier|later|last)(?: out of|,|:)? (?P<a>.+?)(?:,? or | and )(?P<b>.+)",
    re.I,
)
_AGE = re.compile(
    r"(?:who|which (?:film|movie|person)) (?P<v>is|was|has the director who is|whose director is)? ?(?P<c>older|younger)(?: out of|,|:)? (?P<a>.+?)(?:,? or | and )(?P<b>.+)",
    re.I,
)
_SAME = re.compile(
    r"(?:are|is|do|were|was) (?:both )?(?:the )?(?P<d>directors? of )?(?:films? |movies? )?(?P<a>.+?) and (?P<b>.+?),? (?:both )?(?:located in the same country|born in the same place|(?:have |of |from )?the same (?P<n>nationality|country))",
    re.I,
)


def wanted(question: str) -> Wanted | None:
    """Return what a question asks of documents, or None if no pattern reads it.

    >>> wanted("When did Lothair II's mother die?")
    Wanted(names=('Lothair II',), hops=(Hop(predicate='ChildOf', back=False, sex='f'), Hop(predicate='DiedOn', back=False, sex='')), choose='', kind='date', asked='')
    >>> wanted("Who directed The Iron Gate?").hops, wanted("Why is the sky blue?")
    ((Hop(predicate='DirectedBy', back=False, sex=''),), None)
    """
    said = " ".join(question.split()).strip(" ?.!")
    for chosen in (_ordered(said), _compared(said)):
        if chosen is not None:
            return chosen
    for pattern, predicate, kind in _ENDS:
        if m := re.fullmatch(pattern, said, re.I):
            end = Hop(predicate)
            return _of(next(part for part in m.groups() if part), (end,), kind)
    if m := re.fullmatch(rf"who (?P<v>{'|'.join(_VERBS)}) {_WORK}(?P<x>.+)", said, re.I):
        return _of(m["x"], (Hop(_VERBS[m["v"].lower()]),), "person")
    if m := re.fullmatch(
        rf"(?:by whom|who) was {_WORK}(?P<x>.+?) (?P<v>directed|written|composed|founded|designed|painted)(?: by)?",
        said,
        re.I,
    ):
        return _of(m["x"], (Hop({"written": "WrittenBy"}.get(m["v"].lower()) or _VERBS[m["v"].lower()]),), "person")
    if m := re.fullmatch(r"(?:who|what|which) (?:is|was|are|were) (?P<x>.+)", said, re.I):
        found = _of(m["x"], (), "thing")
        return found if found.hops else _of(m["x"], (Hop("IsA"),), "thing")
    if m := re.fullmatch(
        r"(?:is|was) (?P<x>[A-Z\"“].*?),? an? (?P<k>[^,]+)", said.replace("Is ", "is ", 1).replace("Was ", "was ", 1)
    ):
        return Wanted((m["x"].strip(' "“”'),), (Hop("IsA"),), kind="yes", asked=m["k"])
    return None


def _of(phrase: str, after: tuple[Hop, ...], kind: str) -> Wanted:
    """Return a phrase as a name and hops: ``the director of film Empties``, ``Lothair II's mother``."""
    phrase = phrase.strip(' "“”')
    if m := re.fullmatch(rf"(?:the )?(?P<r>{_REL}) of (?P<x>.+)", phrase, re.I):
        return _of(m["x"], (*_RELATED[m["r"].lower()], *after), kind)
    if m := re.fullmatch(rf"(?P<x>.+?)['’]s? (?P<r>{_REL})", phrase, re.I):
        return _of(m["x"], (*_RELATED[m["r"].lower()], *after), kind)
    return Wanted((re.sub(rf"^{_WORK}(?=\S)", "", phrase, flags=re.I).strip(' "“”'),), after, kind=kind)


def _ordered(said: str) -> Wanted | None:
    if m := _FIRST.fullmatch(said):
        verb = m["v"].lower()
        end = "DiedOn" if "died" in verb else "FoundedOn" if "found" in verb or "establ" in verb else "BornOn"
        end = "ReleasedOn" if "released" in verb or "came" in verb else end
        hops = (Hop("DirectedBy"), Hop(end)) if "director" in verb else (Hop(end),)
        return Wanted(
            (m["a"].strip(), m["b"].strip()), hops, "first" if m["c"].lower() in ("first", "earlier") else "last"
        )
    if m := _AGE.fullmatch(said):
        hops = (Hop("DirectedBy"), Hop("BornOn")) if "director" in (m["v"] or "") else (Hop("BornOn"),)
        return Wanted((m["a"].strip(), m["b"].strip()), hops, "first" if m["c"].lower() == "older" else "last")
    return None


def _compared(said: str) -> Wanted | None:
    m = _SAME.fullmatch(said)
    if m is None:
        return None
    end = "LocatedIn" if "located" in said else "BornIn" if "born" in said else "Nationality"
    hops = (Hop("DirectedBy"), Hop(end)) if m["d"] else (Hop(end),)
    return Wanted((m["a"].strip(), m["b"].strip()), hops, "same", "yes")
