"""Which end of which facts a question asks for: "what causes rain" for what is before ``Causes rain``, "who uses a hammer" for persons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kgmm.language.relations import RELATIONS
from kgmm.language.words import lemma, plain
from kgmm.reason.question.data import Constraint, Noun, Question
from kgmm.reason.question.vocabulary import DETERMINER

_WHAT_IS = re.compile(rf"^(?:what|who) (?:is|are|was|were) (?P<article>{DETERMINER} )?(?P<n>[\w' -]+)$")
_KIND_OF = re.compile(
    r"^(?:name|tell me|what is|what are|which are|list|give me) (?:an? |some |the )?(?:kind|type|sort|example|instance)s? of (?P<n>.+)$"
    r"|^(?:name|list|tell me|give me) (?:an?|some|a few|two|three|four|five|\d+) (?P<m>[\w ]+)$|^what are some (?P<o>[\w ]+)$"
)
_ONE = r"(?:you|we|they|i|one|someone|people)"
_PERSON = "person"
#: (pattern, relations, whether what is named is their subject, what the answer is a kind of); ``n`` is named, or done: ``v``, ``p``
_PLAIN = tuple(
    (re.compile(pattern), tuple(relations.split()), subject, kind)
    for pattern, relations, subject, kind in (
        (r"^who (?:works?|studies|lives?|is|are|can be found) (?:in|at|on) (?P<n>.+)$", "AtLocation", False, _PERSON),
        (r"^who (?:uses?|owns?|has|have|carries|carry|holds?|wears?|needs?) (?P<n>.+)$", "HasA", False, _PERSON),
        (
            rf"^what (?:do|can|could|would|should) {_ONE} (?P<v>\w+) (?P<p>on|in|with|from|at|under|through)$",
            "UsedFor",
            False,
            "",
        ),
        (rf"^what (?:do|would|does|can) {_ONE} (?:need|use|have|want) (?P<n>.+) for$", "UsedFor", True, ""),
    )
)


@dataclass(frozen=True)
class Asked:
    """The other end of facts is asked for: by these relations, of what is named, which is their subject or their object."""

    given: str
    relations: tuple[str, ...]
    subject: bool
    turned: tuple[str, ...] = ()  #: relations that say the same from the other end
    kind: str = ""  #: what the answer has to be a kind of


def asked(question: Question) -> list[Asked]:
    """Return what a question asks facts for, the likeliest reading first; none if it is not of this kind.

    Example:
        >>> from kgmm.reason.question.grammar import parse
        >>> asked(parse("What causes rain?"))[0]
        Asked(given='rain', relations=('Causes', 'CapableOf', 'UsedFor', 'CreatedBy'), subject=False, turned=(), kind='')
        >>> asked(parse("What is wood made of?"))[0]
        Asked(given='wood', relations=('MadeOf',), subject=True, turned=(), kind='')
    """
    q, noun, text = question, question.noun, plain(question.text)
    if q.either_or or q.due is not None:
        return []
    whole = [] if q.denies else list(_plainly(text))
    who = q.demand is not None and q.demand.kind == _PERSON and text.startswith("who ")
    if whole or q.constraint is not None or (q.demand is not None and not who):
        return whole
    if kind_of := _KIND_OF.match(text):
        whole = [Asked(next(filter(None, kind_of.groups())), ("IsA", "InstanceOf"), subject=False)]
    elif q.kind == "other_end" and noun is not None and q.predicate != "doing" and not noun.known and not noun.scene:
        whole = _of_noun(noun.text, q.relations, q.predicate != "inverse")
    elif q.kind == "select" and noun is not None and not noun.position and not noun.attributes:
        return _selected(q, noun, text, who)
    return [] if q.denies else whole


def _selected(q: Question, noun: Noun, text: str, who: bool) -> list[Asked]:
    """Return the readings of a question for what fits a description: what is there, what does it, what it is."""
    if noun.scene:
        place = noun.scene[0][1]
        within = noun.generic and not noun.known and [p for p, _ in noun.scene] in (["inside"], ["on"]) and not q.denies
        return [Asked(place.text, ("AtLocation",), False, _turned(("AtLocation",)))] if within else []
    kind = _PERSON if who else "" if noun.generic else noun.head
    readings = [_stating(noun.known[0], kind)] if len(noun.known) == 1 and noun.known[0].relations else []
    if q.denies:
        return [one for one in readings if noun.known[0].negated]
    if not noun.known:
        readings += _acting(noun.head, who)
    if what_is := _WHAT_IS.match(text):
        kinds = Asked(what_is["n"], ("IsA", "InstanceOf", "DefinedAs"), subject=True)
        readings = [kinds, *readings] if what_is["article"] and not who else [*readings, kinds]
    return readings


def _plainly(text: str) -> Iterator[Asked]:
    """Yield what a question asks that a pattern reads whole: "what do you sit on" is what is used for sitting."""
    for pattern, relations, subject, kind in _PLAIN:
        if m := pattern.match(text):
            said = m.groupdict()
            if "v" not in said:
                yield Asked(said["n"], relations, subject, kind=kind)
                continue
            yield Asked(f"{said['v']} {said['p']}", relations, subject)
            if said["p"] != "from":  # one drinks water, from a cup
                yield Asked(said["v"], relations, subject)


def _stating(condition: Constraint, kind: str) -> Asked:
    """Return the subject of what a condition states, or of what denies it."""
    by = tuple(r for r in condition.relations if r != "IsA" or "HasProperty" not in condition.relations)
    if condition.negated:
        return Asked(condition.phrase, tuple(f"Not{r}" for r in by if f"Not{r}" in RELATIONS), False, kind=kind)
    (reading,) = _of_noun(condition.phrase, by, subject=False)
    return replace(reading, kind=kind)


def _acting(head: str, who: bool) -> Iterator[Asked]:
    """Yield where a kind may end and what it does may begin: "animal | lays eggs", "who | teaches students"."""
    words = head.split()
    for at in range(0 if who else 1, min(len(words), 3)):
        if lemma(words[at]) != words[at] or who:
            kind = _PERSON if who and not at else " ".join(words[:at])
            yield Asked(" ".join(words[at:]), ("CapableOf", "UsedFor"), False, kind=kind)


def _of_noun(text: str, relations: tuple[str, ...], subject: bool) -> list[Asked]:
    if (
        subject and relations[:1] == ("HasPrerequisite",) and "UsedFor" in relations
    ):  # what cutting needs is used for it
        return [Asked(text, relations[:1], subject=True), Asked(text, ("UsedFor",), subject=False)]
    if subject and relations == ("CreatedBy",):  # what makes noise, and what makes bread
        made = Asked(f"make {text}", ("CapableOf", "UsedFor"), subject=False)
        return [Asked(text, relations, subject=True), made, Asked(text, ("Causes",), subject=False)]
    turned = _turned(relations[:1])
    named = tuple(r for r in relations if r in turned)  # "parts of" is HasA and, from the other end, PartOf
    return [Asked(text, tuple(r for r in relations if r not in turned), subject, named or turned)]


def _turned(relations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for r in relations if r in RELATIONS for t in RELATIONS[r].turned))


def forms(words: str) -> list[str]:
    """Return how facts may write what is asked, without articles.

    Example:
        >>> forms("cut the paper")[:4]
        ['cut the paper', 'cuting the paper', 'cutting the paper', 'cut paper']
    """
    bare = re.sub(rf"^{DETERMINER}\s+", "", words.strip())
    if not bare:
        return []
    verb, *rest = bare.split()
    base = lemma(verb)
    done = [base, f"{base}ing", f"{base.removesuffix('e')}ing", f"{base}{base[-1]}ing"]  # what is no word is no concept
    after = dict.fromkeys(
        (tuple(rest), tuple(w for w in rest if not re.fullmatch(DETERMINER, w)), (*rest[:-1], *map(lemma, rest[-1:])))
    )
    return list(dict.fromkeys(" ".join((first, *others)) for others in after for first in (verb, *done)))
