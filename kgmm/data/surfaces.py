"""Facts read from their surfaces, ``[[Lipstick]] is for [[coloring the lips]]``: the words around two marked ends.

The layout of FVQA's facts (Wang et al., TPAMI 2018), which come from DBpedia, ConceptNet and WebChild.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.store import Fact

_END = re.compile(r"\[\[(.*?)\]\](?!\])", re.DOTALL)
_DETERMINER = re.compile(
    r"^(?:an?|the|some|your|you|someone|something|its|their|his|her|this|that|these|those|my)\s+", re.IGNORECASE
)
_PREPOSITION = re.compile(r"^(?:in|on|at|near|inside|atop|under|around|close to|by)\s+(?=\w)", re.IGNORECASE)

#: words before, between and after the ends (pattern) → relation, and whether the second end is the subject;
#: the first pattern that matches counts
_RULES: tuple[tuple[re.Pattern[str], str, bool], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), relation, swapped)
    for pattern, relation, swapped in (
        (r"something (?:that )?(?:you )?(?:might )?(?:may )?(?:can )?find.*\|.*\bis\b", "AtLocation", True),
        (r"^(?:\*?in|at)\|.*you can", "UsedFor", False),
        (r"(?:likely|able|going) to (?:find|see)\|", "AtLocation", False),
        (r"somewhere\|can be is", "AtLocation", False),
        (r"kinds? of\|:", "IsA", True),
        (r"^the (?:class|order|family|phylum|genus|kingdom|species|type|category) of\|is", "IsA", False),
        (r"activity\|can do is", "CapableOf", False),
        (r"when you want to\|.*use", "UsedFor", True),
        (r"(?:can|people|could) use\|to", "UsedFor", False),
        (r"often found together", "LocatedNear", False),
        (r"\brelated to\b", "RelatedTo", False),
        (r"belongs? to the category|sub-?class of|(?:kind|type|sort|form|species) of", "IsA", False),
        (r"instance of", "InstanceOf", False),
        (r"\b(?:not|n't|never|cannot)\b.*\b(?:want|like)", "NotDesires", False),
        (r"\b(?:cannot|can't|can not)\b", "NotCapableOf", False),
        (r"\b(?:is|are) (?:not|n't)\b|\b(?:isn't|aren't)\b", "NotHasProperty", False),
        (r"\bthan\b", "", False),
        (r"\bparts? of\b", "PartOf", False),
        (r"\bmade (?:of|from|with|out of)\b|consists? of", "MadeOf", False),
        (r"\b(?:created|made|produced|invented) by\b", "CreatedBy", False),
        (
            r"\bus(?:ed|e|eful|ually used)\b.*\b(?:to|for|as|in|by)\b|\b(?:is|are) (?:\w+ )?for$|\bfor\b",
            "UsedFor",
            False,
        ),
        (r"\b(?:wants?|desires?|likes?|loves?|needs?|enjoys?)\b", "Desires", False),
        (r"\bcauses?\b|leads? to|results? in", "Causes", False),
        (r"\bsymbols? of\b|\bsymboli[sz]es?\b", "SymbolOf", False),
        (r"\b(?:another (?:name|word) for|same as|also (?:known|called)|means)\b", "Synonym", False),
        (r"\bopposite\b", "Antonym", False),
        (r"\b(?:is|are) (?:\w+ )?like$|similar to", "SimilarTo", False),
        (
            r"\b(?:is|are|be|found|located|live|lives|grow|grows) (?:\w+ )?(?:in|at|on|near|inside|under)\b",
            "AtLocation",
            False,
        ),
        (r"\b(?:ha(?:s|ve)|contains?|owns?|with)\b", "HasA", False),
        (r"\bcapable of\b", "CapableOf", False),
        (r"\b(?:can|may|could|should|must|might) be\b", "ReceivesAction", False),
        (r"\b(?:can|may|could|will|must|might|should|would)\b", "CapableOf", False),
        (r"\b(?:is|are|was|were) an?$", "IsA", False),
        (r"\b(?:is|are|was|were|be)\b", "?", False),
        (r"^\W*\|(?:\w+ly|often|sometimes|always|never|also|do|does|to)?$", "CapableOf", False),
    )
)
_HEDGE = re.compile(
    r"^(?:(?:is|are|was|were|much|more often|usually|generally|typically|often|always|sometimes|so|far|a|lot|bit"
    r"|considerably|largely|slightly|even|still|also|considered|intrinsically)\s+)+"
)


@dataclass(frozen=True, slots=True)
class FvqaFact:
    """A supporting fact: its ends in lower case without determiner, and a relation of ConceptNet where words match.

    A relation ConceptNet lacks is named by its words in snake case (``faster_than``).
    """

    id: str
    surface: str
    subject: str
    relation: str
    object: str
    source: str

    def statement(self, graph: str = "facts") -> Fact:
        """Return the fact as a store holds it: nouns in the singular, the fact's id as source.

        Example:
            >>> fact = parse_surface("[[Sports cars]] have [[wheels]]", "f1").statement()
            >>> fact.subject, fact.predicate, fact.object, fact.source
            ('/c/en/sports_car', 'HasA', '/c/en/wheel', 'f1')
        """
        subject, object = (names.concept(singular(end)) for end in (self.subject, self.object))
        return Fact(subject, self.relation, object, 1.0, graph, self.id)


def parse_surface(surface: str, fact_id: str = "", source: str = "") -> FvqaFact:
    """Read a fact from its surface.

    Raises:
        BadInput: if the surface does not mark two ends.

    Example:
        >>> fact = parse_surface("*Something you find [[on the desk]] is [[a computer]]")
        >>> fact.subject, fact.relation, fact.object
        ('computer', 'AtLocation', 'desk')
    """
    ends = _END.findall(surface)
    if len(ends) != 2:
        raise BadInput(fact_id or "fact", f"expected two ends in [[ ]], found {len(ends)}: {surface!r}")
    before, between, after = (part.strip(" .*") for part in re.split(_END.pattern, surface, flags=re.DOTALL)[::2])
    words = f"{before}|{between}" + (f"|{after}" if after else "")
    first, second = (end.strip(" .,\t\n") for end in ends)
    relation, swapped = _relation(words, between, first, second)
    if swapped:
        first, second = second, first
    return FvqaFact(fact_id, surface, _bare(first), relation, _bare(second, relation == "AtLocation"), source)


def _relation(words: str, between: str, first: str, second: str) -> tuple[str, bool]:
    for pattern, relation, swapped in _RULES:
        if not pattern.search(words):
            continue
        if relation == "?":
            return ("IsA" if re.match(r"an? |one of", second, re.IGNORECASE) else "HasProperty"), False
        if relation:
            return relation, swapped
        break
    bare = _HEDGE.sub("", between.lower())
    return "_".join(re.findall(r"\w+", bare)) or "RelatedTo", False


def _bare(end: str, place: bool = False) -> str:
    """Drop determiners, and a place's preposition; keep an end that is nothing else."""
    text = " ".join(end.lower().replace("_", " ").split())
    if place:
        text = _PREPOSITION.sub("", text)
    return _DETERMINER.sub("", text) or text


def singular(phrase: str) -> str:
    """Put a noun phrase's last word into the singular by its ending.

    Example:
        >>> singular("living rooms"), singular("knives"), singular("people"), singular("bus")
        ('living room', 'knife', 'person', 'bus')
    """
    head, _, word = phrase.rpartition(" ")
    return f"{head} {_singular(word)}".strip()


#: plural → singular where the ending does not tell
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "men:man women:woman children:child people:person feet:foot teeth:tooth geese:goose mice:mouse "
        "knives:knife leaves:leaf wolves:wolf shelves:shelf loaves:loaf wives:wife lives:life calves:calf "
        "halves:half series:series species:species glasses:glasses clothes:clothes pants:pants news:news "
        "movies:movie cookies:cookie shoes:shoe canoes:canoe toes:toe always:always"
    ).split()
)


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, new in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("oes", "o")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + new
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and len(word) > 3:
        return word[:-1]
    return word
