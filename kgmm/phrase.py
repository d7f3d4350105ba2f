"""Facts as English phrases, for people and for sentence encoders."""

from __future__ import annotations

import re

from kgmm.names import label

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
