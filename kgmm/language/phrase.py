"""Facts as English phrases, for people and for sentence encoders."""

from __future__ import annotations

import re
from functools import lru_cache

from kgmm.language.names import label
from kgmm.language.words import lemmas

#: (subject, predicate, object), as a store's terms or as words
Triple = tuple[str, str, str]
_ARTICLES = frozenset("a an the some your you someone something its their his her this that these those my one".split())

#: {s} and {o} are the ends' labels
TEMPLATES: dict[str, str] = {
    "IsA": "{s} is a kind of {o}",
    "InstanceOf": "{s} is a {o}",
    "UsedFor": "{s} is used for {o}",
    "CapableOf": "{s} can {o}",
    "AtLocation": "you are likely to find {s} in {o}",
    "LocatedNear": "{s} is found near {o}",
    "HasA": "{s} has {o}",
    "PartOf": "{s} is part of {o}",
    "MadeOf": "{s} is made of {o}",
    "HasProperty": "{s} is {o}",
    "ReceivesAction": "{s} can be {o}",
    "Causes": "{s} causes {o}",
    "CausesDesire": "{s} makes you want {o}",
    "Desires": "{s} wants {o}",
    "NotDesires": "{s} does not want {o}",
    "NotCapableOf": "{s} cannot {o}",
    "NotHasProperty": "{s} is not {o}",
    "NotHasA": "{s} does not have {o}",
    "NotIsA": "{s} is not a {o}",
    "CreatedBy": "{s} is created by {o}",
    "HasPrerequisite": "{s} requires {o}",
    "HasSubevent": "{s} involves {o}",
    "HasFirstSubevent": "{s} begins with {o}",
    "HasLastSubevent": "{s} ends with {o}",
    "MotivatedByGoal": "you would {s} because you want {o}",
    "DefinedAs": "{s} is defined as {o}",
    "SymbolOf": "{s} is a symbol of {o}",
    "RelatedTo": "{s} is related to {o}",
    "Synonym": "{s} means {o}",
    "Antonym": "{s} is the opposite of {o}",
    "SimilarTo": "{s} is like {o}",
    "HasInstance": "{o} is a {s}",
    "MemberOf": "{s} is a member of {o}",
    "Depicts": "{s} shows {o}",
    "Contains": "{s} contains {o}",
}


def phrase(subject: str, predicate: str, object: str) -> str:
    """Say a fact in English.

    Example:
        >>> phrase("/c/en/knife", "UsedFor", "/c/en/cutting"), phrase("/s/a/o1", "left_of", "/s/a/o2")
        ('knife is used for cutting', 'o1 left of o2')
    """
    template = TEMPLATES.get(predicate)
    s, o = spoken(subject), spoken(object)
    if template is None:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label(predicate)).replace("_", " ").lower()
        return f"{s} {words} {o}"
    return template.format(s=s, o=o)


def spoken(term: str) -> str:
    """Return a term as said: a concept's words, a literal's text, the last part of a scene node."""
    return term.rsplit("/", 1)[-1] if term.startswith(("/s/", "/t/")) else label(term)


def sense(triple: Triple) -> Triple:
    """Return the form under which two triples state the same: ends as lemmas without articles.

    Example:
        >>> sense(("drum", "UsedFor", "playing in an orchestra"))
        ('drum', 'UsedFor', 'play in orchestra')
    """
    subject, predicate, object = triple
    return _bare_lemmas(subject), predicate, _bare_lemmas(object)


@lru_cache(1 << 18)
def _bare_lemmas(concept: str) -> str:
    words = label(concept)
    return " ".join(w for w in lemmas(words) if w not in _ARTICLES) or words
