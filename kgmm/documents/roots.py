"""Words as passages are compared by: function words left out, endings cut off, words for the same relation as one.

``director`` and ``directed`` say the same of a film, as do ``mother`` and ``daughter`` of two people: what ties a name in a
passage to a question is often such a pair.
"""

from __future__ import annotations

from functools import lru_cache

from kgmm.language.words import STOP, lemma

#: words that carry content in documents, though not in questions about a picture
_CONTENT = frozenset(
    "image picture photo photograph object objects thing things use using used able capable found find normally typically"
    " usually often likely shown show".split()
)
FUNCTION = (STOP - _CONTENT) | frozenset(
    "about above after again against also although am among because been before being below between both but cannot did does"
    " doing down during each either else ever few further had having here how however more most much must myself neither nor"
    " now off once only other ought out over own per same since some such than through thus till too toward towards under"
    " until up upon very via while within without yet s t d m ll re ve tell give name please".split()
)

_SUFFIXES = (
    "ization isation ational itional ition fulness ousness iveness tional biliti lessli entli ation alism aliti ousli iviti fulli izer iser"
    " ically ator ness ment ance ence able ible ings ing edly ions ion ors ers ist ism ity ies ied est ful ous ive ize ise ess"
    " ate al ic ed er or ly es en s e y"
).split()

#: words that name the same relation from one end or the other; an entry's first word stands for all
_SAME = (
    "birth born birthplace native hometown",
    "death die dead deceased killed perish decease",
    "parent father mother son daughter child parental paternal maternal offspring",
    "grandparent grandfather grandmother grandson granddaughter grandchild",
    "sibling brother sister twin",
    "spouse wife husband marry marriage married wed consort widow widower",
    "in-law",
    "direct director directed filmmaker",
    "perform performer singer sing sung sang record",
    "compose composer composed score",
    "write writer wrote written author",
    "found founder established establish",
    "nationality citizen citizenship country nation",
    "study studied educate educated graduate attend alumnus university school",
    "work employ employer job career",
    "locate located location situated lie lies lay place",
    "bury buried burial tomb grave",
    "detain imprison jail prison sentenced arrest",
    "award prize honour honor medal",
    "publish publisher published",
    "produce producer produced",
    "play star starring actor actress cast",
)


def root(word: str) -> str:
    """Return what forms of a word share: its lemma without the endings that make nouns of verbs and the like.

    >>> [root(w) for w in ("director", "directed", "composition", "composer", "cities", "treatment", "treated")]
    ['direct', 'direct', 'compos', 'compos', 'city', 'treat', 'treat']
    """
    return _root(word)


@lru_cache(1 << 17)
def _root(word: str) -> str:
    plain = lemma(word) if word.isalpha() else word
    if " " in plain:
        plain = word
    if len(plain) < 5 or not plain.isalpha():
        return plain
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) - len(suffix) >= 4:
            short = plain[: -len(suffix)]
            if len(short) > 4 and short[-1] == short[-2] and short[-1] not in "lsz":
                short = short[:-1]
            return short[:-1] if short[-1] in "ei" and len(short) > 4 else short
    return plain


@lru_cache(1 << 16)
def relation(word: str) -> str:
    """Return the word that stands for a relation in whose words this one is, else its root.

    >>> relation("mother") == relation("daughter"), relation("married") == relation("wife"), relation("tree")
    (True, True, 'tree')
    """
    return _RELATIONS.get(_root(word), _root(word))


_RELATIONS = {_root(word): line.split()[0] for line in _SAME for word in line.split()}
