"""What single words of a question ask for, whatever its grammar: a relation, a measure, a name, a place, one of two."""

import re

from kgmm.language.relations import cued
from kgmm.language.words import normal, plain
from kgmm.reason.question.data import Due, Question
from kgmm.reason.question.demands import demanded
from kgmm.reason.question.vocabulary import DETERMINER

#: words that compare, in a question or in the name of a relation
COMPARES = re.compile(r"\b\w+er than\b|\bmore\b|\bless\b|\b\w+er\b")
#: the question wants what is known of a seen thing rather than the thing
ASKS_UNSEEN = re.compile(
    r"^(?:where|why|who|when)\b|what (?:is|are) .*(?:used for|for\?*$|made of)|used for\W*$|(?:found|find|seen?) (?:in|at|on)"
    r" (?:this|the|such)|(?:this|the) (?:place|room|venue|location|scene|action|sport|activity|object|animal|food|vehicle"
    r"|instrument|tool|stuff|thing)\b.*(?:image|here|picture|middle|left|right|photo)|what propert|what can the|does the"
    r"|what (?:is|are) (?:the|this)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(r"\b(?:not|never|no|cannot|without|unable)\b|n['’]t\b", re.IGNORECASE)
_KIND = re.compile(r"^(?:what|which) (?:kind|type|sort|category|place|room|season|job|country)\b")
#: a question that offers two words to choose from
_EITHER = re.compile(r"\b(\w+) or (?:(?:in|on|at|the|an?) )*(?!not\b)(\w+)")
_MEASURE = re.compile(
    r"^how (old|tall|heavy|long|far|fast|expensive|deep|wide|high|much)\b|\b(age|price|cost|weight|height|speed|size|length"
    r"|year|date|temperature) of\b|\b(?:what|which) (year|date|time|temperature|price|age)\b"
)
_IDENTITY = re.compile(
    r"^(whose)\b|^who (owns|took|is|was)\b|\b(?:'s|his|her|its|their) (?:\w+ )?(owner|name|age|price|address|number|birthday"
    r"|email|brand|surname|nickname)\b|\b(owner|(?:phone |telephone |serial )?number|address|birthday|brand|surname|nickname)"
    r" of\b|\b(?:what|which) (country|city|brand|company|person)\b"
)
#: what is named with an article, to the end of its noun phrase
_GIVEN = re.compile(
    rf"\b{DETERMINER} ((?:\w+ ){{0,2}}?\w+)(?=\W*$|[,;?]| (?:is|are|was|were|in|on|at|of|to|for|from|with|and|than|do|does|can|could|that|which|who)\b)"
)
_OWN_NAME = re.compile(r"\bname of (?:the|this|that|his|her) ([\w' ]+?)\W*$")
#: "the name of the animal" asks for its kind
_KINDS = frozenset("animal object thing flower plant vehicle food fruit bird".split())
#: relations that state a measure or identity, where they have another name
_STATED_BY = {
    "old": ("age", "old"),
    "tall": ("height", "tall"),
    "high": ("height", "high"),
    "heavy": ("weight", "heavy"),
    "long": ("length", "long"),
    "far": ("distance",),
    "fast": ("speed",),
    "expensive": ("price", "cost"),
    "much": ("price", "cost", "weight", "weigh"),
    "deep": ("depth",),
    "wide": ("width",),
    "owns": ("owner",),
    "whose": ("owner",),
    "took": ("photographer", "creator"),
    "is": ("name", "label"),
    "was": ("name", "label"),
}
#: what is no quantity
_NO_MEASURE = frozenset("whose owns took is was owner name country city brand company person".split())
#: questions that the scene or a comparison answers, whatever measure they name
_NOTHING_DUE = frozenset("count attribute compare test exists where between related read".split())


def note(question: Question) -> Question:
    """Fill the fields that single words decide, once, and return the question.

    Example:
        >>> asked = note(Question("open", text="How old is the cat?", asked="How old is the cat?"))
        >>> asked.due.word, asked.due.relations, asked.denies
        ('old', ('age', 'old'), False)
    """
    asked, text = question.asked.lower(), question.text.lower()
    known = question.noun.known if question.noun else []
    question.cues = frozenset(cued(asked) | set(question.relations) | {r for k in known for r in k.relations})
    question.compares = bool(COMPARES.search(asked))
    question.denies = bool(_DENIES.search(text))
    question.wants_place = text.startswith("where")
    question.wants_kind = bool(_KIND.match(text))
    unseen = bool(ASKS_UNSEEN.search(question.asked))
    question.wants_unseen = unseen if question.asks_seen is None else not question.asks_seen
    question.either_or = " or " in text
    either = _EITHER.search(asked)
    question.offered = either.groups() if either else ()
    if not question.either_or and question.main is None and question.kind in ("select", "open", "other_end"):
        question.given = frozenset(_GIVEN.findall(asked))
    question.due = _due(question)
    if question.kind in ("select", "open") and question.due is None:
        question.demand = demanded(plain(text))
    return question


def _due(question: Question) -> Due | None:
    """Return the measure or identity that a question asks for and only a fact which states it answers, or None."""
    noun = question.noun
    if question.kind in _NOTHING_DUE or (question.kind == "select" and noun and noun.generic and noun.known):
        return None  # "which object is used to celebrate someone's birthday"
    text = " ".join(question.text.lower().split())
    m = _MEASURE.search(text) or _IDENTITY.search(text)
    if m is None:
        named = _OWN_NAME.search(text)
        return Due("name", ("name", "label"), False) if named and normal(named[1]) not in _KINDS else None
    word = next(g for g in m.groups() if g)
    if word in ("is", "was") and noun is not None and (noun.known or noun.scene):
        return None  # "who is wearing a hat"
    return Due(word, _STATED_BY.get(word, (word,)), word not in _NO_MEASURE)
