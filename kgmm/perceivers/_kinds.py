"""Which name of a thing says more: a tabby is a cat, a cat an animal.

By the map of ImageNet's classes, and where that does not know a name by WordNet's nouns (Miller, CACM 1995), both bundled.
"""

import gzip
from functools import cache

from kgmm.bundled import folder
from kgmm.language.words import normal
from kgmm.perceivers._classes import imagenet

STEPS = 12  #: steps up WordNet that are taken at most
#: names of COCO's that neither knows, or knows as something else
ALSO = {"tv": "television", "cell phone": "telephone", "donut": "doughnut", "hair drier": "hand blower"}
_Nouns = dict[str, list[str]]


def is_kind(name: str, kind: str) -> bool:
    """Tell whether what goes by a name is of a kind, and the kind no other word for it.

    >>> is_kind("tabby", "cat"), is_kind("cat", "tabby"), is_kind("cows", "an animal"), is_kind("cat", "person")
    (True, False, True, False)
    >>> is_kind("wine glass", "glass"), is_kind("hot dog", "dog")
    (True, False)
    """
    return normal(kind) in kinds(normal(name))


def is_same(a: str, b: str) -> bool:
    """Tell whether two names mean the same thing.

    >>> is_same("cups", "a cup"), is_same("couch", "sofa"), is_same("tv", "television"), is_same("cup", "saucer")
    (True, True, True, False)
    """
    return normal(a) == normal(b) or normal(b) in _same(normal(a)) or normal(a) in _same(normal(b))


@cache
def kinds(name: str) -> frozenset[str]:
    """Return all kinds above a normal name; empty if none is known."""
    if name in _of_imagenet():
        return _of_imagenet()[name]
    above, _ = _wordnet()
    found: set[str] = set()
    level = {_node(name)} if _node(name) in above else {_node(other) for other in _same(name)}
    for _ in range(STEPS):
        level = {kind for one in level for kind in above.get(one, ())} - found
        found |= level
    if not found and " " in name:  # a name of several words that nobody knows is of the kind that its last word says
        last = name.split()[-1]
        return kinds(last) | {last}
    return frozenset(normal(one.split("/")[3].replace("_", " ")) for one in found) - {name}


@cache
def _same(name: str) -> frozenset[str]:
    """Return other names for what a normal name means first."""
    also = {ALSO[name]} if name in ALSO else set()
    if name in _of_imagenet():
        return frozenset(also)
    return frozenset(also | {normal(one.split("/")[3].replace("_", " ")) for one in _wordnet()[1].get(_node(name), ())})


def _node(name: str) -> str:
    return "/c/en/" + name.replace(" ", "_")


@cache
def _of_imagenet() -> dict[str, frozenset[str]]:
    """Return the kinds of ImageNet's names and kinds; those without are left out: WordNet may know some."""
    return {normal(node.name): frozenset(map(normal, node.kinds)) for node in imagenet().nodes if node.kinds}


@cache
def _wordnet() -> tuple[_Nouns, _Nouns]:
    """Return what lies one step above each noun, and the synonyms of first senses.

    A first sense is a plain noun (``/c/en/cat``); others have a tail (``/c/en/cat/n/wn/person``) and are only come to from below.
    """
    above: _Nouns = {}
    synonyms: _Nouns = {}
    with gzip.open(folder("knowledge") / "wordnet.tsv.gz", "rt", encoding="utf-8") as file:
        for line in file.read().split("\n"):
            a, _, rest = line.partition("\t")
            if rest.startswith("IsA"):
                above.setdefault(a, []).append(rest[4:].split("\t", 1)[0])
            elif rest.startswith("Synonym"):
                b = rest[8:].split("\t", 1)[0]
                if a.count("/") == b.count("/") == 3:
                    synonyms.setdefault(a, []).append(b)
                    synonyms.setdefault(b, []).append(a)
    return above, synonyms
