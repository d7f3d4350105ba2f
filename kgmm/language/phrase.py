"""Facts as English phrases, for people and for sentence encoders."""

import re
from functools import lru_cache

from kgmm.language.names import label
from kgmm.language.relations import RELATIONS
from kgmm.language.words import lemmas

Triple = tuple[str, str, str]  #: (subject, predicate, object), as a store's terms or as words
_ARTICLES = frozenset("a an the some your you someone something its their his her this that these those my one".split())


def phrase(subject: str, predicate: str, object: str) -> str:
    """Say a fact in English.

    >>> phrase("/c/en/knife", "UsedFor", "/c/en/cutting"), phrase("/s/a/o1", "left_of", "/s/a/o2")
    ('knife is used for cutting', 'o1 left of o2')
    """
    return sentence(spoken(subject), predicate, spoken(object))


def sentence(subject: str, predicate: str, object: str) -> str:
    """Say a fact whose ends are words already.

    >>> sentence("the cup", "MadeOf", "glass"), sentence("Ada", "http://example.org/worksAt", "a bank")
    ('the cup is made of glass', 'Ada works at a bank')
    """
    relation = RELATIONS.get(predicate)
    if relation is not None and relation.sentence:
        return relation.sentence.format(s=subject, o=object)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label(predicate)).replace("_", " ").lower()
    return f"{subject} {words} {object}"


def spoken(term: str) -> str:
    """Return a term as said: a concept's words, a literal's text, the last part of a scene node."""
    return term.rsplit("/", 1)[-1] if term.startswith(("/s/", "/t/")) else label(term)


def sense(triple: Triple) -> Triple:
    """Return the form under which two triples state the same: ends as lemmas without articles.

    >>> sense(("drum", "UsedFor", "playing in an orchestra"))
    ('drum', 'UsedFor', 'play in orchestra')
    """
    subject, predicate, object = triple
    return _bare_lemmas(subject), predicate, _bare_lemmas(object)


@lru_cache(1 << 18)
def _bare_lemmas(concept: str) -> str:
    words = label(concept)
    return " ".join(w for w in lemmas(words) if w not in _ARTICLES) or words
