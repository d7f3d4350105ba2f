"""The grammar: a question's words → :class:`~kgmm.reason.question.data.Question`, by ordered rules."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from unicodedata import normalize

from kgmm.language.places import PREPOSITIONS
from kgmm.language.words import lemma, plain
from kgmm.reason.question.cues import note
from kgmm.reason.question.data import Constraint, Noun, Question
from kgmm.reason.question.nouns import (
    add_clause,
    constraint,
    names_object,
    parse_noun,
    scene_relation,
    split_subject,
    split_verb,
)
from kgmm.reason.question.patterns import INVERSE, OTHER_END
from kgmm.reason.question.vocabulary import DETERMINER, SCENE_VERBS, VERB_START, ing

_CONTRACTIONS = (
    (r"\b(what|where|who|which|that|it|there|how)['’]s\b", r"\1 is"),
    (r"\bcan['’]t\b|\bcannot\b", "can not"),
    (r"\bwon['’]t\b", "will not"),
    (r"n['’]t\b", " not"),
    (r"\bphoto(?:graph)?\b|\bpicture\b|\bscene shown\b", "image"),
    (r"^(what|which) in (?:this|the) image\b", r"\1 object"),
)
_IN_IMAGE = re.compile(
    r"\bseen (?=thing|object)|,? ?\b(?:that (?:is|are) )?(?:shown |seen |visible |depicted |pictured |present |displayed |here )?"
    r"(?:in|on|of|from) (?:this|the|that|these) (?:whole |entire )?(?:image|scene)\b"
    r"|\b(?:shown|visible|pictured|depicted) here\b|\bhere\b(?!\s+(?:is|are))"
)
_DESCRIBE = re.compile(
    r"^(?:what (?:is|are|can|do) (?:you see|be seen|there|shown|visible)?\s*(?:in|on) (?:this|the) image|describe (?:this|the) image|what (?:else |more )?(?:is|are) there(?: to see| else)?|what does (?:this|the) image show|what do you see)$"
)
_SHOWN = re.compile(
    r"\b(?:does|do) (?:this|the) image (?:show|contain|have)\b|\b(?:are|is) there\b|\b(?:do|can|could) you see\b|\b(?:are|is|can be) (?:visible|shown|seen|present)\b"
)
WRITTEN = "text"  #: the name of seen words
#: what one can eat and drink
_CONSUMED = {"eat": "food", "drink": "drink"}
_SEEN = re.compile(
    r"^(?:is|are|can be) (?:this|that|it|there|these|shown|seen|visible)$|^(?:do|can|could) (?:you|we) see$|^(?:is|are)$"
)


def clean(text: str) -> str:
    """Return a question in lower case without contractions, end mark or words that only name the picture."""
    text = plain(normalize("NFC", text).replace("`", "'"))
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    return " ".join(text.split())


def parse(text: str, names: Iterable[str] = (), asked: str | None = None) -> Question:
    """Parse a question.

    Args:
        text: the question in English.
        names: names of the seen objects; they tell where a noun ends ("is the *polar bear* white?").
        asked: the words before names were put for "it" and "this"; *text* by default.

    Returns:
        The parse; its kind is ``open`` if no rule applies.

    Example:
        >>> q = parse("What is the thing on the table that is used for cutting?")
        >>> q.kind, q.noun.scene[0][0], q.noun.known[0].relations[0], q.noun.known[0].phrase
        ('select', 'on', 'UsedFor', 'cutting')
        >>> parse("Can the penguin fly?", ["penguin"]).kind
        'test'
    """
    whole = clean(text)
    bare = " ".join(_IN_IMAGE.sub(" ", whole).split())
    known = sorted({normalize("NFC", n).lower().replace("_", " ") for n in names}, key=len, reverse=True)
    read = (rule(m, known) for pattern, rule in _RULES if (m := pattern.match(bare)))
    if _DESCRIBE.match(whole):
        question = Question("describe", asks_seen=True)
    else:
        question = next((q for q in read if q is not None), Question("open"))
    question.text, question.asked = text, text if asked is None else asked
    return note(question)


# --- the rules, in the order they are tried ---------------------------------------------------

_Rule = Callable[[re.Match[str], list[str]], Question | None]
_RULES: list[tuple[re.Pattern[str], _Rule]] = []


def _rule(*patterns: str) -> Callable[[_Rule], _Rule]:
    """Have questions of these patterns read by a function, unless an earlier one reads them or this returns None."""

    def add(read: _Rule) -> _Rule:
        _RULES.extend((re.compile(pattern), read) for pattern in patterns)
        return read

    return add


def _described(text: str, names: list[str]) -> Noun:
    """Read a noun with the verb phrase that follows it: "fruits can be peeled"."""
    subject, verb = split_verb(text, names)
    noun = parse_noun(subject, names)
    if verb:
        add_clause(noun, verb, names)
    return noun


@_rule(
    r"^what (?:does|do|did) (?P<n>.+?) (?:say|read|spell)$",
    r"^(?:what|which words?) (?:is|are|was|were) (?:written|printed|engraved|inscribed|lettered)(?: (?:on|in|onto|above|below|over|under|at) (?P<n>.+))?$",
    r"^(?:what|which) (?:text|words?|writing|lettering|inscription|caption|headline)(?: (?:is|are|can|do|does|stands?|written|printed|you|we|be|see|seen|read|appears?|there|say))*(?: (?:on|in|onto|above|below|over|under|at) (?P<n>.+))?$",
    r"^what (?:is|are) the (?:text|words?|writing|wording|lettering|inscription|caption|headline)(?: (?:written|printed))?(?: (?:on|in|of|above|below) (?P<n>.+))?$",
    r"^(?:please )?read (?P<n>.+)$",
)
def _read(m: re.Match[str], names: list[str]) -> Question | None:
    """What does the sign say? What is written on the bus? Asked of words that are seen, else other rules read it."""
    if WRITTEN not in names:
        return None
    return Question("read", parse_noun(m["n"], names) if m["n"] else None, asks_seen=True)


@_rule(r"^(?:how many|what number of|what is the number of|count) (?:of )?(.+)")
def _count(m: re.Match[str], names: list[str]) -> Question:
    rest = re.sub(r" (?:is|are) on$", "", " ".join(_SHOWN.sub(" ", m[1]).split()))  # "how many lights are on"
    if part := re.match(r"^(\w+(?: \w+)?) (?:does|do) (.+?) have", rest):
        return Question("count", parse_noun(part[1], names), parse_noun(part[2], names))
    return Question("count", _described(rest, names))


@_rule(
    r"^(?:is|are|was|were) there (?P<no>no|not an?|not any)?(?:\b(?:an?|any|some)\b)?\s*(?P<n>.+)",
    r"^(?:do|can|could) (?:you|we|i) see (?:an?|any|some)?\s*(.+)|^does (?:this|the) image (?:show|contain|have) (?:an?|any)?\s*(.+)",
)
def _exists(m: re.Match[str], names: list[str]) -> Question:
    said = m.groupdict()
    noun = _described(said.get("n") or next(g for g in m.groups() if g), names)
    return Question("exists", noun, negated=bool(said.get("no")))


@_rule(r"^(?:is|are) (?P<one>.+?) the only (?P<n>.+)$")
def _only(m: re.Match[str], names: list[str]) -> Question:
    return Question("only", parse_noun(m["n"], names), parse_noun(m["one"], names))


@_rule(
    r"^(?:which|what|who)(?: one| object| thing| of (?:these|the two|them))?(?: \w+)? is (?:the )?(more \w+|less \w+|\w+er|\w+est)(?: one)?[:,]?(?: the| an?)? (.+?),? or (?:the |an? )?(.+)$"
)
def _compare(m: re.Match[str], names: list[str]) -> Question:
    first, second = parse_noun(m[2], names), parse_noun(m[3], names)
    return Question("compare", first, second, attribute=_degree(m[1]), asks_seen=True)


@_rule(
    r"^(?:what|which)(?: (?P<n>.+?))? is (?:the )?(?P<d>biggest|largest|smallest|tallest|widest|highest|longest)(?: one| thing| object)?$"
)
def _most(m: re.Match[str], names: list[str]) -> Question:
    return Question("compare", parse_noun(m["n"] or "thing", names), attribute=_degree(m["d"]), asks_seen=True)


@_rule(r"^(?:is|are) (.+?) (more \w+|less \w+|\w+er) than (.+)$")
def _is_more(m: re.Match[str], names: list[str]) -> Question:
    first, second = parse_noun(m[1], names), parse_noun(m[3], names)
    return Question("compare", first, second, attribute=_degree(m[2]), predicate="test")


def _degree(word: str) -> str:
    word = word.removesuffix("est") + "er" if word.endswith("est") else word
    return {"larger": "bigger"}.get(word, word)


@_rule(
    r"^(?:what|which) is (?:the )?(?:\w+ )?(?:relation(?:ship)?|connection) (?:between|of) (.+?) (?:and|to|with) (.+)$",
    r"^(?:how|where) (?:is|are) (.+?) (?:related|positioned|placed|located|standing|in relation|relative)(?: relative)? (?:to|with respect to) (.+)$",
)
def _between(m: re.Match[str], names: list[str]) -> Question:
    return Question("between", parse_noun(m[1], names), parse_noun(m[2], names))


@_rule(
    r"^(?:what|which) (?P<a>colou?rs?|size|shape|material|pattern|texture|state|mood|sex|gender|age)(?: of .+)? (?:is|are|does|do|has|have) (?P<n>.+?)(?: have| in)?$",
    r"^what (?:is|are) the (?P<a>colou?rs?|size|shape|material|pattern|texture|state) of (?P<n>.+)$",
    r"^(?:of )?what (?P<a>colou?r) (?P<n>.+?) (?:is|are) (?:there|this|that)$",
)
def _attribute(m: re.Match[str], names: list[str]) -> Question:
    kind = "colour" if m["a"].startswith("col") else m["a"]
    return Question("attribute", parse_noun(m["n"], names), attribute=kind, relations=("HasProperty",))


@_rule(
    rf"^what (?:\w+ )?(?:is|are) (?P<n>(?!used for).+?) (?P<v>{'|'.join(map(ing, sorted(SCENE_VERBS)))})(?: (at|on|in|with|up|to|against))?$",
    r"^what (?:is|are) (?P<n>(?:the|this|that|an?) .+?) (?P<p>on top of|in front of|next to|close to|to the left of|to the right of|left of|right of|on|in|under|behind|beside|above|below|inside|near|over|beneath)$",
)
def _related(m: re.Match[str], names: list[str]) -> Question:
    """What is the person holding? / What is the cup on?"""
    predicate = PREPOSITIONS[m["p"]] if "p" in m.groupdict() else lemma(m["v"])
    return Question("related", parse_noun(m["n"], names), predicate=predicate, asks_seen=True)


@_rule(r"^what (?:is|are) (.+?) doing$")
def _doing(m: re.Match[str], names: list[str]) -> Question:
    does = ("CapableOf", "UsedFor")
    return Question("other_end", parse_noun(m[1], names), relations=does, predicate="doing", asks_seen=False)


@_rule(
    r"^what (?:can|could|do|does|would|should|might) (?:you|we|i|they|people|one|someone) use (?:in order )?(?:to|for|when|while) (.+)$"
)
def _means(m: re.Match[str], names: list[str]) -> Question:
    """What can you use to stir the coffee?"""
    return Question("select", Noun(known=[Constraint(("UsedFor", "CapableOf"), m[1])], text=m[1]))


def _other_end(m: re.Match[str], names: list[str], relations: str, predicate: str) -> Question:
    noun = parse_noun(m["n"] or m.groupdict().get("m") or "", names)
    return Question("other_end", noun, relations=tuple(relations.split()), predicate=predicate, asks_seen=False)


for _table, _predicate in ((OTHER_END, ""), (INVERSE, "inverse")):
    for _pattern, _relations in _table:
        _rule(_pattern)(partial(_other_end, relations=_relations, predicate=_predicate))


@_rule(
    r"^what (?:does|do|can|could|might|may|should|would|will) (?P<n>(?:the|an?|this|that|these|those|your)? ?.+?) (?:\w+ly )?(?:(?:like|love|want|prefer|need)s? to )?(?P<v>eat|drink|chase|hunt|catch|play with|play|produce|make|give|carry|cut|hold|contain|lay|use|ride|protect|wear|sound like|fear|hate|sell|store|cover|show|measure|measure out)$"
)
def _done_by(m: re.Match[str], names: list[str]) -> Question:
    does, verb = ("CapableOf", "Desires", "UsedFor", "HasA"), Constraint((), m["v"])
    return Question("other_end", parse_noun(m["n"], names), relations=does, constraint=verb, asks_seen=False)


@_rule(r"^where(?: exactly)? (?:is|are) (.+?)(?: (?:sitting|lying|standing|located|placed|now|at))?$")
def _where(m: re.Match[str], names: list[str]) -> Question:
    return Question("where", parse_noun(m[1], names), relations=("AtLocation",))


@_rule(
    rf"^(?:can|could|should|may|would|do) (?:you|we|i|they|people|one|someone|a person) (?P<v>\w+(?: (?:with|on|in|from))?) (?P<n>{DETERMINER} .+)$"
)
def _done_with(m: re.Match[str], names: list[str]) -> Question | None:
    """Can you eat a coin?"""
    if m["v"] in ("see", "find"):
        return None
    if m["v"] in _CONSUMED:  # a spoon is used for eating, and is no food
        return Question("test", parse_noun(m["n"], names), constraint=Constraint(("IsA",), _CONSUMED[m["v"]]))
    does = Constraint(("ReceivesAction", "UsedFor", "CapableOf", "HasProperty"), m["v"])
    return Question("test", parse_noun(m["n"], names), constraint=does)


@_rule(r"^(is|are|was|were|can|could|does|do|has|have|will|would|may|might|should) (?:not )?(.+)$")
def _test(m: re.Match[str], names: list[str]) -> Question:
    is_a, negated = m[1] in ("is", "are", "was", "were"), m[0].split()[1] == "not"
    acts = not is_a and m[1] not in ("has", "have")
    subject, verb = split_subject(m[2].removesuffix(" too"), names, acts=acts)
    noun = parse_noun(subject, names)
    if not verb:
        return Question("exists", noun)
    verb = re.sub(r"^(?:also|really|usually|often|normally|all) ", "", verb)
    scene = scene_relation(verb, names) if is_a else None
    if scene and (names_object(scene[1].head, names) or scene[1].generic):
        return Question("test", noun, scene[1], predicate=scene[0], negated=negated)
    lead = "" if m[1] in ("does", "do") else f"{m[1]} "
    return Question("test", noun, constraint=constraint(lead + verb), negated=negated)


@_rule(
    r"^(?:can you |could you |please )?(?:(?:tell me|name|show me|identify|find|point out)(?: (?:what|which))?|what|which|who)\b(?: one| ones)?(?: of (?:these|the|them|those))?(?: (?=\S))(.+)$"
)
def _select(m: re.Match[str], names: list[str]) -> Question:
    rest = m[1]
    if definite := re.match(rf"^(?:is|are) ({DETERMINER} .+)$", rest):
        noun = parse_noun(definite[1], names)
        if noun.head in names and not (noun.scene or noun.known or noun.position):
            return Question("other_end", noun, relations=("IsA", "DefinedAs"), asks_seen=False)
        return Question("select", noun, asks_seen=True)
    subject, verb = split_verb(rest, names) if not VERB_START.match(rest) else ("", rest)
    subject = re.sub(r"^(?:kind|type|sort|category|breed|species|class)s? of\s+", "", subject)
    noun = parse_noun(subject, names) if subject else Noun()
    verb = re.sub(r"^(?:can|could|do) (?:you|we) (?:see|find) (?=that|which|used|on|in|under)", "", _SEEN.sub("", verb))
    if verb:
        add_clause(noun, verb, names)
    return Question("select", noun, asks_seen=True)
