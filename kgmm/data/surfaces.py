"""FVQA's facts (Wang et al., TPAMI 2018) from the words around two ends: ``[[Lipstick]] is for [[coloring lips]]``."""

import re
from dataclasses import dataclass

from kgmm.errors import BadInput
from kgmm.language import names
from kgmm.language.relations import phrased
from kgmm.store import Fact

_END = re.compile(r"\[\[(.*?)\]\](?!\])", re.DOTALL)
_DETERMINER = re.compile(
    r"^(?:an?|the|some|your|you|someone|something|its|their|his|her|this|that|these|those|my)\s+", re.IGNORECASE
)
_PREPOSITION = re.compile(r"^(?:in|on|at|near|inside|atop|under|around|close to|by)\s+(?=\w)", re.IGNORECASE)

#: words before, between and after the ends (pattern) → relation, "turned" where the second end is the subject; the first
#: pattern that matches counts, "?" asks the second end what it says, and "-" is a relation named by its own words
_TABLE = phrased(r"""
    AtLocation turned: something (?:that )?(?:you )?(?:might )?(?:may )?(?:can )?find.*\|.*\bis\b
    UsedFor: ^(?:\*?in|at)\|.*you can
    AtLocation: (?:likely|able|going) to (?:find|see)\|
    AtLocation: somewhere\|can be is
    IsA turned: kinds? of\|:
    IsA: ^the (?:class|order|family|phylum|genus|kingdom|species|type|category) of\|is
    CapableOf: activity\|can do is
    UsedFor turned: when you want to\|.*use
    UsedFor: (?:can|people|could) use\|to
    LocatedNear: often found together
    RelatedTo: \brelated to\b
    IsA: belongs? to the category|sub-?class of|(?:kind|type|sort|form|species) of
    InstanceOf: instance of
    NotDesires: \b(?:not|n't|never|cannot)\b.*\b(?:want|like)
    NotCapableOf: \b(?:cannot|can't|can not)\b
    NotHasProperty: \b(?:is|are) (?:not|n't)\b|\b(?:isn't|aren't)\b
    -: \bthan\b
    PartOf: \bparts? of\b
    MadeOf: \bmade (?:of|from|with|out of)\b|consists? of
    CreatedBy: \b(?:created|made|produced|invented) by\b
    UsedFor: \bus(?:ed|e|eful|ually used)\b.*\b(?:to|for|as|in|by)\b|\b(?:is|are) (?:\w+ )?for$|\bfor\b
    Desires: \b(?:wants?|desires?|likes?|loves?|needs?|enjoys?)\b
    Causes: \bcauses?\b|leads? to|results? in
    SymbolOf: \bsymbols? of\b|\bsymboli[sz]es?\b
    Synonym: \b(?:another (?:name|word) for|same as|also (?:known|called)|means)\b
    Antonym: \bopposite\b
    SimilarTo: \b(?:is|are) (?:\w+ )?like$|similar to
    AtLocation: \b(?:is|are|be|found|located|live|lives|grow|grows) (?:\w+ )?(?:in|at|on|near|inside|under)\b
    HasA: \b(?:ha(?:s|ve)|contains?|owns?|with)\b
    CapableOf: \bcapable of\b
    ReceivesAction: \b(?:can|may|could|should|must|might) be\b
    CapableOf: \b(?:can|may|could|will|must|might|should|would)\b
    IsA: \b(?:is|are|was|were) an?$
    ?: \b(?:is|are|was|were|be)\b
    CapableOf: ^\W*\|(?:\w+ly|often|sometimes|always|never|also|do|does|to)?$
""")
_RULES = [(re.compile(pattern, re.IGNORECASE), relation) for pattern, relation in _TABLE]
_HEDGE = re.compile(
    r"^(?:(?:is|are|was|were|much|more often|usually|generally|typically|often|always|sometimes|so|far|a|lot|bit"
    r"|considerably|largely|slightly|even|still|also|considered|intrinsically)\s+)+"
)


@dataclass(frozen=True, slots=True)
class FvqaFact:
    """A fact: ends in lower case without determiner, and ConceptNet's relation, or its own words (``faster_than``)."""

    id: str
    surface: str
    subject: str
    relation: str
    object: str
    source: str

    def statement(self, graph: str = "facts") -> Fact:
        """Return the fact as a store holds it: nouns in the singular, the fact's id as source.

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
    relation, swapped = _relation(words, between, second)
    if swapped:
        first, second = second, first
    return FvqaFact(fact_id, surface, _bare(first), relation, _bare(second, relation == "AtLocation"), source)


def _relation(words: str, between: str, second: str) -> tuple[str, bool]:
    relation = next((relation for pattern, relation in _RULES if pattern.search(words)), "-")
    if relation == "?":
        return ("IsA" if re.match(r"an? |one of", second, re.IGNORECASE) else "HasProperty"), False
    if relation == "-":
        return "_".join(re.findall(r"\w+", _HEDGE.sub("", between.lower()))) or "RelatedTo", False
    return relation.removesuffix(" turned"), relation.endswith(" turned")


def _bare(end: str, place: bool = False) -> str:
    """Drop determiners, and a place's preposition; keep an end that is nothing else."""
    text = " ".join(end.lower().replace("_", " ").split())
    text = _PREPOSITION.sub("", text) if place else text
    return _DETERMINER.sub("", text) or text


def singular(phrase: str) -> str:
    """Put a noun phrase's last word into the singular by its ending.

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
