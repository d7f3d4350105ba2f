"""Questions in English → what is asked for, of which objects, by which relation; a grammar, no training."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from kgmm.language.words import lemma

#: Scene relations by the words that state them, longest first when matched.
PREPOSITIONS: dict[str, str] = {
    "to the left of": "left_of",
    "on the left of": "left_of",
    "left of": "left_of",
    "left from": "left_of",
    "to the right of": "right_of",
    "on the right of": "right_of",
    "right of": "right_of",
    "on top of": "on",
    "in front of": "in_front_of",
    "next to": "next_to",
    "close to": "next_to",
    "at the side of": "next_to",
    "on the side of": "next_to",
    "beside": "next_to",
    "besides": "next_to",
    "near": "next_to",
    "by": "next_to",
    "adjacent to": "next_to",
    "inside of": "inside",
    "inside": "inside",
    "in": "inside",
    "within": "inside",
    "into": "inside",
    "on": "on",
    "upon": "on",
    "onto": "on",
    "atop": "on",
    "above": "above",
    "over": "above",
    "below": "below",
    "under": "below",
    "underneath": "below",
    "beneath": "below",
    "behind": "behind",
    "around": "around",
    "against": "against",
    "at": "at",
    "attached to": "attached_to",
    "with": "with",
}
#: Verbs that people use for what someone does with a seen object.
SCENE_VERBS = frozenset(
    [
        "hold",
        "wear",
        "carry",
        "ride",
        "touch",
        "eat",
        "drink",
        "watch",
        "look",
        "face",
        "use",
        "pull",
        "push",
        "cover",
        "hang",
        "stand",
        "sit",
        "lie",
        "rest",
        "lean",
        "contain",
        "support",
        "surround",
        "decorate",
        "hug",
        "grip",
        "show",
        "play",
    ]
)
GENERIC = frozenset(
    [
        "object",
        "thing",
        "item",
        "stuff",
        "something",
        "anything",
        "entity",
        "one",
        "ones",
        "part",
        "what",
        "everything",
        "kind",
        "type",
        "sort",
    ]
)
COLOURS = frozenset(
    [
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "violet",
        "pink",
        "brown",
        "black",
        "white",
        "grey",
        "gray",
        "silver",
        "gold",
        "golden",
        "beige",
        "tan",
        "turquoise",
        "cyan",
        "maroon",
        "navy",
        "cream",
    ]
)
_COLOUR = r"colou?rs?"

#: (pattern over the verb phrase, relations it states); the group ``x`` is the constraint.
RELATION_PHRASES: list[tuple[re.Pattern[str], tuple[str, ...]]] = [
    (re.compile(pattern), tuple(relations.split()))
    for pattern, relations in (
        (
            r"^(?:(?:is|are|be|was|were|get|gets) )?(?:\w+ly )?(?:made|built|composed|consist\w*|constructed) (?:up )?(?:out )?(?:of|from|with) (?P<x>.+)",
            "MadeOf",
        ),
        (
            r"^(?:(?:is|are|be|can be|could be|may be) )?(?:\w+ly |often |also )?(?:used|useful|good|meant|intended|designed|employed|needed) (?:for|to|in|as|when|by|while|during) (?P<x>.+)",
            "UsedFor CapableOf ReceivesAction",
        ),
        (
            r"^(?:do |would |could |can |might )?(?:you|we|people|someone|one) (?:can |could |would )?use (?:for|to|in|when) (?P<x>.+)",
            "UsedFor",
        ),
        (
            r"^(?:(?:can|could|would|will|might) )?help(?:s)? (?:you |us |people |someone )?(?:to )?(?P<x>.+)",
            "UsedFor CapableOf",
        ),
        (
            r"^(?:(?:is|are|was|were|be|being) )?(?:capable of|able to|known (?:for|to)) (?P<x>.+)",
            "CapableOf UsedFor HasProperty",
        ),
        (
            r"^(?:can|could|may|might|is|are|would)?(?: be| you| we)? ?(?:\w+ly |often )?(?:found|find|located|seen|kept|stored|placed|live|lives|living) (?:in|at|on|near|inside|under|around|within|by) (?P<x>.+)",
            "AtLocation LocatedNear",
        ),
        (
            r"^(?:live|lives|belong|belongs|grow|grows|occur|occurs) (?:in|at|on|inside|under|near) (?P<x>.+)",
            "AtLocation",
        ),
        (r"^(?:is|are) (?:a |an )?(?:part|parts|component|piece) of (?P<x>.+)", "PartOf AtLocation"),
        (r"^(?:has|have|having|with|contains?|owns?|own) (?P<x>.+)", "HasA HasProperty PartOf"),
        (
            r"^(?:wants?|desires?|likes?|loves?|needs?|enjoys?|wish(?:es)?|prefers?)(?: to)? (?P<x>.+)",
            "Desires CapableOf",
        ),
        (
            r"^(?:(?:is|are) )?(?:belongs?|belonging) to (?:the )?(?:category|class|family|group|genus|order|kind)?(?: of)? ?(?P<x>.+)",
            "IsA",
        ),
        (
            r"^(?:is|are) (?:a |an )?(?:kinds?|types?|sorts?|forms?|species|subclass|instance|example|member)s? of (?P<x>.+)",
            "IsA",
        ),
        (r"^(?:(?:is|are) )?(?:related|associated|connected|linked) (?:to|with) (?P<x>.+)", "RelatedTo"),
        (r"^(?:causes?|leads? to|results? in|makes?) (?P<x>.+)", "Causes CapableOf UsedFor CreatedBy"),
        (r"^(?:is|are) (?:created|produced|made|painted|written|laid) by (?P<x>.+)", "CreatedBy"),
        (
            r"^(?:is|are) (?:a )?symbols? (?:of|for) (?P<x>.+)|^(?:symboli[sz]es?|represents?|stands? for) (?P<y>.+)",
            "SymbolOf",
        ),
        (
            r"^(?:can|could|may|might|would|will|do|does) be (?P<x>\w+(?:ed|en|t|own|ten|ught|ck|ng|de|lt|ad|ead)\b.*)",
            "ReceivesAction UsedFor CapableOf HasProperty",
        ),
        (
            r"^(?:can|could|may|might|would|will|does|do|often|sometimes|usually) (?P<x>.+)",
            "CapableOf UsedFor HasProperty",
        ),
        (r"^(?:is|are|was|were) (?:an? )(?P<x>.+)", "IsA HasProperty"),
        (r"^(?:is|are|was|were) (?P<x>.+)", "HasProperty IsA ReceivesAction"),
    )
]


@dataclass(frozen=True)
class Constraint:
    """A condition by knowledge: the relation that should hold (any, if empty) and its other end in words."""

    relations: tuple[str, ...]
    phrase: str
    negated: bool = False


@dataclass
class Noun:
    """A description of objects: kind, attributes, place among others, what is known of them."""

    head: str = ""
    attributes: list[str] = field(default_factory=list)
    scene: list[tuple[str, Noun]] = field(default_factory=list)
    known: list[Constraint] = field(default_factory=list)
    position: str = ""
    text: str = ""
    negated: bool = False

    @property
    def generic(self) -> bool:
        """Tell whether the head names no kind (``object``, ``thing``)."""
        return not self.head or all(lemma(w) in GENERIC for w in self.head.split())


@dataclass
class Question:
    """What is asked: ``kind`` and its arguments."""

    #: select, other_end, count, exists, test, attribute, where, between, related, compare, describe or open
    kind: str
    text: str
    noun: Noun | None = None
    other: Noun | None = None
    relations: tuple[str, ...] = ()
    constraint: Constraint | None = None
    attribute: str = ""
    predicate: str = ""
    negated: bool = False
    #: whether the answer is expected to be something seen (True), not seen (False) or either (None)
    asks_seen: bool | None = None

    def summary(self) -> dict[str, Any]:
        """Return the parse as JSON-ready data for the trace."""

        def noun(n: Noun | None) -> Any:
            if n is None:
                return None
            known = [[list(c.relations), c.phrase, c.negated] for c in n.known]
            parts = {
                "head": n.head,
                "attributes": n.attributes,
                "position": n.position,
                "known": known,
                "scene": [[p, noun(o)] for p, o in n.scene],
            }
            return {k: v for k, v in parts.items() if v}

        data = {
            "kind": self.kind,
            "noun": noun(self.noun),
            "other": noun(self.other),
            "relations": list(self.relations),
            "constraint": self.constraint and [list(self.constraint.relations), self.constraint.phrase],
            "attribute": self.attribute,
            "predicate": self.predicate,
            "negated": self.negated,
        }
        return {k: v for k, v in data.items() if v}
