"""One table of places: the words that state where one thing is beside another, and what follows for the other."""

from typing import NamedTuple

from kgmm.language.words import lemma


class Place(NamedTuple):
    """What the engine knows of a relation between two things of a scene."""

    words: tuple[str, ...] = ()  #: the words that state it in a question, and with underscores in a scene
    inverse: str = ""  #: how the other thing then is to the one: a table that a cup is on is under it
    symmetric: bool = False  #: whether the other thing is so to the one as well
    stored: tuple[str, ...] = ()  #: names of data sets that are stored under ours


PLACES: dict[str, Place] = {
    "on": Place(("on", "on top of", "atop", "upon", "onto"), inverse="under"),
    "inside": Place(("in", "inside", "inside of", "within", "into"), inverse="contains"),
    "in_front_of": Place(("in front of",), inverse="behind", stored=("front",)),
    "behind": Place(("behind",), inverse="in_front_of"),
    "next_to": Place(
        ("next to", "close to", "at the side of", "on the side of", "beside", "besides", "near", "by", "adjacent to"),
        symmetric=True,
    ),
    "below": Place(("below", "under", "underneath", "beneath"), inverse="above"),
    "above": Place(("above", "over"), inverse="below"),
    "left_of": Place(
        ("left of", "left from", "to the left of", "on the left of"),
        inverse="right_of",
        stored=("left", "to_the_left_of"),
    ),
    "right_of": Place(
        ("right of", "to the right of", "on the right of"), inverse="left_of", stored=("right", "to_the_right_of")
    ),
    "around": Place(("around",)),
    "against": Place(("against",)),
    "at": Place(("at",)),
    "attached_to": Place(("attached to",)),
    "with": Place(("with",)),
    "hold": Place(inverse="held_by"),
    "wear": Place(inverse="worn_by"),
    "touch": Place(symmetric=True),
}

#: words of a question → the scene relation they state
PREPOSITIONS = {words: name for name, place in PLACES.items() for words in place.words}
#: scene relation → how the other thing is to the one
INVERSE = {name: place.inverse for name, place in PLACES.items() if place.inverse}
INVERSE |= {inverse: name for name, inverse in INVERSE.items()}
SYMMETRIC = frozenset(name for name, place in PLACES.items() if place.symmetric)
#: what is worth saying when asked where something is, best first
TELLING = tuple("on inside held_by worn_by in_front_of behind next_to below above left_of right_of".split())
#: names of data sets → the scene relation they are stored as
STORED = {name: ours for ours, place in PLACES.items() for name in place.stored}

_ALIKE = {words.replace(" ", "_"): name for words, name in PREPOSITIONS.items()}
#: what a posture is in or on, where a scene's predicate names both: ``lying_on``
_UNDER_POSTURE = ("on", "in", "inside", "under", "behind", "above")


def canonical(predicate: str) -> str:
    """Return the word that stands for a scene predicate: ``sitting_on`` → ``on``, ``wearing`` → ``wear``.

    >>> canonical("lying on"), canonical("holding"), canonical("near")
    ('on', 'hold', 'next_to')
    """
    plain = predicate.strip().lower().replace(" ", "_")
    if plain in _ALIKE:
        return _ALIKE[plain]
    parts = plain.split("_")
    if len(parts) == 2 and parts[0].endswith("ing") and parts[1] in _UNDER_POSTURE:
        return _ALIKE[parts[1]]
    return lemma(plain) if len(parts) == 1 else plain


def states(stated: str, wanted: str, turned: bool = False) -> bool:
    """Tell whether *stated*, *turned* if it leads from the other thing, says that a thing is in a wanted relation to it.

    >>> states("wear", "worn_by", turned=True), states("on", "below", turned=True), states("near", "next_to", turned=True)
    (True, True, True)
    """
    stated = canonical(stated)
    if not turned:
        return stated == wanted
    inverse = INVERSE.get(stated, "")
    return wanted in (inverse, _ALIKE.get(inverse)) or (stated == wanted and wanted in SYMMETRIC)
