"""One table of relations: how each is said, which words of a question ask by it, and what follows from it."""

import re
from typing import NamedTuple


class Relation(NamedTuple):
    """What the engine knows of a relation beyond its name."""

    sentence: str = ""  #: its sentence, {s} and {o} its ends; without one, the words of its name are said
    cue: str = ""  #: regular expression: words of a question that ask by it
    broad: bool = False  #: "is" and "can" ask by it where no word asks by a more telling one
    denies: tuple[str, ...] = ()  #: relations that it denies
    #: relations that say the same from their other end: found in a kitchen, for a kitchen has it
    turned: tuple[str, ...] = ()
    upward: bool = False  #: whether it leads from a thing to its kind, or from a kind to a coarser one
    inherited: bool = True  #: whether a kind hands it down to what is of this kind
    place: bool = False  #: whether its object is where its subject is
    strict: bool = False  #: whether nothing else answers a question by it: "who built it" wants a maker or nothing
    knowledge: bool = True  #: whether it says something of its subject, rather than where else to read of it
    conceptnet: bool = True  #: whether ConceptNet has it: version 5.7, or ConceptNet-100K


RELATIONS: dict[str, Relation] = {
    "IsA": Relation(
        "{s} is a kind of {o}",
        r"categor|\bkind|\btype|\bsort|\bclass|belong|form of|species|subclass|\b(?:which|what) \w+ ",
        broad=True,
        upward=True,
    ),
    "InstanceOf": Relation("{s} is a {o}", upward=True, inherited=False),
    "UsedFor": Relation("{s} is used for {o}", r"\bus(?:e|ed|ing|es|age|eful)\b|\bfor what\b|purpose"),
    "CapableOf": Relation("{s} can {o}", r"\bcapable\b|\bcan\b|\bable\b|\bcould\b|\bdoes\b|\bdo\b", broad=True),
    "AtLocation": Relation(
        "you are likely to find {s} in {o}",
        r"\bfound\b|\bfind\b|\bwhere\b|\bplace\b|locat|\blive|appear|occur",
        turned=("HasA", "Contains"),
        place=True,
    ),
    "LocatedNear": Relation("{s} is found near {o}", place=True),
    "OriginatesFrom": Relation(place=True, conceptnet=False),
    "HasA": Relation("{s} has {o}", r"\bha(?:s|ve|ving)\b|contain|\bwith\b|\bown", turned=("PartOf", "AtLocation")),
    "PartOf": Relation("{s} is part of {o}", r"\bpart\b", turned=("HasA",)),
    "MadeOf": Relation("{s} is made of {o}", r"\bmade\b|material", strict=True),
    "HasProperty": Relation("{s} is {o}", r"\b(?:is|are)\b|propert|colou?r|shape", broad=True),
    "ReceivesAction": Relation("{s} can be {o}", r"\bcan be\b|\bcould be\b"),
    "Causes": Relation("{s} causes {o}", r"\bcause|\blead to\b|\bmake", strict=True),
    "CausesDesire": Relation("{s} makes you want {o}"),
    "Desires": Relation("{s} wants {o}", r"\bwant|\blike|desire|\bneed"),
    "CreatedBy": Relation("{s} is created by {o}", r"\b(?:create|invent|produce|made by)", strict=True),
    "HasPrerequisite": Relation("{s} requires {o}", strict=True),
    "HasSubevent": Relation("{s} involves {o}"),
    "HasFirstSubevent": Relation("{s} begins with {o}"),
    "HasLastSubevent": Relation("{s} ends with {o}"),
    "MotivatedByGoal": Relation("you would {s} because you want {o}"),
    "DefinedAs": Relation("{s} is defined as {o}", inherited=False),
    "SymbolOf": Relation("{s} is a symbol of {o}", strict=True),
    "RelatedTo": Relation("{s} is related to {o}", r"relat|associat|connect", turned=("RelatedTo",), inherited=False),
    "Synonym": Relation("{s} means {o}", turned=("Synonym",), inherited=False),
    "Antonym": Relation("{s} is the opposite of {o}", inherited=False, strict=True),
    "SimilarTo": Relation("{s} is like {o}", inherited=False),
    "HasInstance": Relation("{o} is a {s}", inherited=False),
    "MemberOf": Relation("{s} is a member of {o}", inherited=False, conceptnet=False),
    "Depicts": Relation("{s} shows {o}", inherited=False, conceptnet=False),
    "NotDepicts": Relation("{s} does not show {o}", inherited=False, conceptnet=False, denies=("Depicts",)),
    "Contains": Relation("{s} contains {o}", conceptnet=False),
    "NotCapableOf": Relation("{s} cannot {o}", denies=("CapableOf", "UsedFor")),
    "NotHasProperty": Relation("{s} is not {o}", denies=("HasProperty",)),
    "NotDesires": Relation("{s} does not want {o}", denies=("Desires",)),
    "NotHasA": Relation("{s} does not have {o}", denies=("HasA",)),
    "NotIsA": Relation("{s} is not a {o}", denies=("IsA",)),
    "NotMadeOf": Relation(denies=("MadeOf",)),
    "NotUsedFor": Relation(denies=("UsedFor",), conceptnet=False),
    "NotAtLocation": Relation(denies=("AtLocation",), conceptnet=False),
    "ExternalURL": Relation(inherited=False, knowledge=False),
    **dict.fromkeys("FormOf DerivedFrom EtymologicallyRelatedTo HasContext".split(), Relation(inherited=False)),
    **dict.fromkeys("EtymologicallyDerivedFrom DesireOf DistinctFrom Entails HasPainCharacter".split(), Relation()),
    **dict.fromkeys("HasPainIntensity InheritsFrom LocationOfAction MannerOf ObstructedBy".split(), Relation()),
}

DENIES = {name: r.denies for name, r in RELATIONS.items() if r.denies}  #: relation → what it denies
UPWARD = tuple(name for name, r in RELATIONS.items() if r.upward)
NOT_INHERITED = frozenset(name for name, r in RELATIONS.items() if not r.inherited)
#: relations that only lead out of the store
LINKS = frozenset(name for name, r in RELATIONS.items() if not r.knowledge)
LOCATIVE = tuple(name for name, r in RELATIONS.items() if r.place)  #: relations that say where something is
#: relations whose questions are answered by them or not at all
STRICT = frozenset(name for name, r in RELATIONS.items() if r.strict)
#: relations whose questions a cue tells, with the pattern of their cues
CUES = {name: re.compile(r.cue) for name, r in RELATIONS.items() if r.cue}
CONCEPTNET_RELATIONS = frozenset(name for name, r in RELATIONS.items() if r.conceptnet)  #: the relations of ConceptNet
_BROAD = frozenset(name for name, r in RELATIONS.items() if r.broad)


def phrased(table: str) -> list[tuple[str, str]]:
    """Return the (pattern, relations) of each line of a table of phrases, "relations: pattern", in the table's order."""
    rows = (line.strip().split(": ", 1) for line in table.strip().splitlines())
    return [(pattern, relations) for relations, pattern in rows]


def cued(text: str) -> set[str]:
    """Return the relations that a sentence's words ask by.

    >>> sorted(cued("What is a spoon made of?"))
    ['HasProperty', 'IsA', 'MadeOf']
    """
    lower = text.lower()
    return {relation for relation, pattern in CUES.items() if pattern.search(lower)}


def most_telling(relations: set[str]) -> set[str]:
    """Return relations without those that "is" and "can" ask by, unless there are no others.

    >>> most_telling({"HasProperty", "MadeOf"}), most_telling({"HasProperty"})
    ({'MadeOf'}, {'HasProperty'})
    """
    return relations - _BROAD or relations


def says_turned(stated: str, asked: set[str]) -> bool:
    """Tell whether a fact says what one of some relations asks, with its ends exchanged.

    >>> says_turned("HasA", {"PartOf"}), says_turned("HasA", {"UsedFor"})
    (True, False)
    """
    return any(stated in RELATIONS[relation].turned for relation in asked if relation in RELATIONS)
