"""The grammar: a question's words → :class:`~kgmm.reason.question.parsed.Question`, by ordered rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from kgmm.language.places import PREPOSITIONS
from kgmm.language.words import lemma
from kgmm.reason.question.cues import note
from kgmm.reason.question.nouns import (
    add_clause,
    constraint,
    names_object,
    parse_noun,
    scene_relation,
    split_subject,
    split_verb,
)
from kgmm.reason.question.parsed import Constraint, Noun, Question
from kgmm.reason.question.phrases import INVERSE, OTHER_END
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


def clean(text: str) -> str:
    """Return a question in lower case without contractions, end mark or words that only name the picture."""
    text = " ".join(text.lower().replace("`", "'").split()).rstrip(" ?.!")
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
    known = sorted({n.lower().replace("_", " ") for n in names}, key=len, reverse=True)
    for rule in _RULES:
        question = rule(bare if rule is not _describe else whole, known)
        if question is not None:
            break
    else:
        question = Question("open", text)
    question.text, question.asked = text, text if asked is None else asked
    return note(question)


# --- the rules, in the order they are tried ---------------------------------------------------


def _describe(s: str, names: list[str]) -> Question | None:
    if re.match(
        r"^(?:what (?:is|are|can|do) (?:you see|be seen|there|shown|visible)?\s*(?:in|on) (?:this|the) image|describe (?:this|the) image|what does (?:this|the) image show|what do you see)$",
        s,
    ):
        return Question("describe", s, asks_seen=True)
    return None


def _count(s: str, names: list[str]) -> Question | None:
    m = re.match(r"^(?:how many|what number of|what is the number of|count) (?:of )?(.+)", s)
    if not m:
        return None
    rest = re.sub(
        r"\b(?:does|do) (?:this|the) image (?:show|contain|have)\b|\b(?:are|is) there\b|\b(?:do|can|could) you see\b|\b(?:are|is|can be) (?:visible|shown|seen|present)\b",
        " ",
        m[1],
    )
    part = re.match(r"^(\w+(?: \w+)?) (?:does|do) (.+?) have", " ".join(rest.split()))
    if part:
        return Question("count", s, parse_noun(part[1], names), parse_noun(part[2], names))
    subject, verb = split_verb(" ".join(rest.split()), names)
    noun = parse_noun(subject, names)
    if verb:
        add_clause(noun, verb, names)
    return Question("count", s, noun)


def _exists(s: str, names: list[str]) -> Question | None:
    m = re.match(r"^(?:is|are) there (?:an?|any|some|no)?\s*(.+)", s) or re.match(
        r"^(?:do|can|could) (?:you|we|i) see (?:an?|any|some)?\s*(.+)|^does (?:this|the) image (?:show|contain|have) (?:an?|any)?\s*(.+)",
        s,
    )
    if not m:
        return None
    subject, verb = split_verb(next(g for g in m.groups() if g), names)
    noun = parse_noun(subject, names)
    if verb:
        add_clause(noun, verb, names)
    return Question("exists", s, noun)


def _compare(s: str, names: list[str]) -> Question | None:
    m = re.match(
        r"^(?:which|what|who)(?: one| object| thing| of (?:these|the two|them))?(?: \w+)? is (?:the )?(more \w+|less \w+|\w+er|\w+est)(?: one)?[:,]?(?: the| an?)? (.+?),? or (?:the |an? )?(.+)$",
        s,
    )
    if m:
        return Question(
            "compare", s, parse_noun(m[2], names), parse_noun(m[3], names), attribute=_degree(m[1]), asks_seen=True
        )
    m = re.match(
        r"^(?:what|which)(?: (?P<n>.+?))? is (?:the )?(?P<d>biggest|largest|smallest|tallest|widest|highest|longest)(?: one| thing| object)?$",
        s,
    )
    if m:
        return Question("compare", s, parse_noun(m["n"] or "thing", names), attribute=_degree(m["d"]), asks_seen=True)
    m = re.match(r"^(?:is|are) (.+?) (more \w+|less \w+|\w+er) than (.+)$", s)
    if m:
        return Question(
            "compare", s, parse_noun(m[1], names), parse_noun(m[3], names), attribute=_degree(m[2]), predicate="test"
        )
    return None


def _degree(word: str) -> str:
    word = word.removesuffix("est") + "er" if word.endswith("est") else word
    return {"larger": "bigger"}.get(word, word)


def _between(s: str, names: list[str]) -> Question | None:
    m = re.match(
        r"^(?:what|which) is (?:the )?(?:\w+ )?(?:relation(?:ship)?|connection) (?:between|of) (.+?) (?:and|to|with) (.+)$",
        s,
    ) or re.match(
        r"^(?:how|where) (?:is|are) (.+?) (?:related|positioned|placed|located|standing|in relation|relative)(?: relative)? (?:to|with respect to) (.+)$",
        s,
    )
    return Question("between", s, parse_noun(m[1], names), parse_noun(m[2], names)) if m else None


def _attribute(s: str, names: list[str]) -> Question | None:
    for pattern in (
        r"^(?:what|which) (?P<a>colou?rs?|size|shape|material|pattern|texture|state|mood|sex|gender|age)(?: of .+)? (?:is|are|does|do|has|have) (?P<n>.+?)(?: have| in)?$",
        r"^what (?:is|are) the (?P<a>colou?rs?|size|shape|material|pattern|texture|state) of (?P<n>.+)$",
        r"^(?:of )?what (?P<a>colou?r) (?P<n>.+?) (?:is|are) (?:there|this|that)$",
    ):
        m = re.match(pattern, s)
        if m:
            kind = "colour" if m["a"].startswith("col") else m["a"]
            return Question("attribute", s, parse_noun(m["n"], names), attribute=kind, relations=("HasProperty",))
    return None


def _other_end(s: str, names: list[str]) -> Question | None:
    for rules, inverse in ((OTHER_END, False), (INVERSE, True)):
        for pattern, relations in rules:
            m = re.match(pattern, s)
            if m:
                noun = parse_noun(m["n"] or m.groupdict().get("m") or "", names)
                return Question(
                    "other_end",
                    s,
                    noun,
                    relations=tuple(relations.split()),
                    predicate="inverse" if inverse else "",
                    asks_seen=False,
                )
    m = re.match(
        r"^what (?:does|do|can|could|might|may|should|would|will) (?P<n>(?:the|an?|this|that|these|those|your)? ?.+?) (?:\w+ly )?(?:(?:like|love|want|prefer|need)s? to )?(?P<v>eat|drink|chase|hunt|catch|play with|play|produce|make|give|carry|cut|hold|contain|lay|use|ride|protect|wear|sound like|fear|hate|sell|store|cover|show|measure|measure out)$",
        s,
    )
    if m:
        return Question(
            "other_end",
            s,
            parse_noun(m["n"], names),
            relations=("CapableOf", "Desires", "UsedFor", "HasA"),
            constraint=Constraint((), m["v"]),
            asks_seen=False,
        )
    return None


def _means(s: str, names: list[str]) -> Question | None:
    """What can you use to stir the coffee?"""
    m = re.match(
        r"^what (?:can|could|do|does|would|should|might) (?:you|we|i|they|people|one|someone) use (?:in order )?(?:to|for|when|while) (.+)$",
        s,
    )
    if not m:
        return None
    return Question("select", s, Noun(known=[Constraint(("UsedFor", "CapableOf"), m[1])], text=m[1]))


def _where(s: str, names: list[str]) -> Question | None:
    m = re.match(r"^where(?: exactly)? (?:is|are) (.+?)(?: (?:sitting|lying|standing|located|placed|now|at))?$", s)
    return Question("where", s, parse_noun(m[1], names), relations=("AtLocation",)) if m else None


def _doing(s: str, names: list[str]) -> Question | None:
    """What is the person holding? / Who is wearing the hat?"""
    verbs = "|".join(ing(v) for v in sorted(SCENE_VERBS))
    m = re.match(rf"^what (?:\w+ )?(?:is|are) (.+?) ({verbs})(?: (at|on|in|with|up|to|against))?$", s)
    if m:
        return Question("related", s, parse_noun(m[1], names), predicate=lemma(m[2]), asks_seen=True)
    m = re.match(
        r"^what (?:is|are) (?P<n>(?:the|this|that|an?) .+?) (?P<p>on top of|in front of|next to|close to|to the left of|to the right of|left of|right of|on|in|under|behind|beside|above|below|inside|near|over|beneath)$",
        s,
    )
    if m:
        return Question("related", s, parse_noun(m["n"], names), predicate=PREPOSITIONS[m["p"]], asks_seen=True)
    m = re.match(r"^what (?:is|are) (.+?) doing$", s)
    return (
        Question(
            "other_end",
            s,
            parse_noun(m[1], names),
            relations=("CapableOf", "UsedFor"),
            predicate="doing",
            asks_seen=False,
        )
        if m
        else None
    )


def _done_with(s: str, names: list[str]) -> Question | None:
    """Can you eat a coin?"""
    m = re.match(
        rf"^(?:can|could|should|may|would|do) (?:you|we|i|they|people|one|someone|a person) (?P<v>\w+(?: (?:with|on|in|from))?) (?P<n>{DETERMINER} .+)$",
        s,
    )
    if m is None or m["v"] in ("see", "find"):
        return None
    does = Constraint(("ReceivesAction", "UsedFor", "CapableOf", "HasProperty"), m["v"])
    return Question("test", s, parse_noun(m["n"], names), constraint=does)


def _test(s: str, names: list[str]) -> Question | None:
    m = re.match(r"^(is|are|was|were|can|could|does|do|has|have|will|would|may|might|should) (?:not )?(.+)$", s)
    if not m:
        return None
    rest = m[2].removesuffix(" too")
    subject, verb = split_subject(rest, names, acts=m[1] not in ("is", "are", "was", "were", "has", "have"))
    if not verb:
        return Question("exists", s, parse_noun(subject, names))
    noun = parse_noun(subject, names)
    negated = m[0].split()[1] == "not"
    verb = re.sub(r"^(?:also|really|usually|often|normally|all) ", "", verb)
    scene = scene_relation(verb, names) if m[1] in ("is", "are", "was", "were") else None
    if scene and (names_object(scene[1].head, names) or scene[1].generic):
        return Question("test", s, noun, scene[1], predicate=scene[0], negated=negated)
    lead = {"does": "", "do": ""}.get(m[1], f"{m[1]} ")
    return Question("test", s, noun, constraint=constraint(lead + verb), negated=negated)


def _select(s: str, names: list[str]) -> Question | None:
    m = re.match(
        r"^(?:can you |could you |please )?(?:(?:tell me|name|show me|identify|find|point out)(?: (?:what|which))?|what|which|who)\b(?: one| ones)?(?: of (?:these|the|them|those))?(?: (?=\S))(.+)$",
        s,
    )
    if not m:
        return None
    rest = m[1]
    definite = re.match(rf"^(?:is|are) ({DETERMINER} .+)$", rest)
    if definite:
        noun = parse_noun(definite[1], names)
        if noun.head in names and not (noun.scene or noun.known or noun.position):
            return Question("other_end", s, noun, relations=("IsA", "DefinedAs"), asks_seen=False)
        return Question("select", s, noun, asks_seen=True)
    subject, verb = split_verb(rest, names) if not VERB_START.match(rest) else ("", rest)
    subject = re.sub(r"^(?:kind|type|sort|category|breed|species|class)s? of\s+", "", subject)
    noun = parse_noun(subject, names) if subject else Noun()
    verb = re.sub(
        r"^(?:is|are|can be) (?:this|that|it|there|these|shown|seen|visible)$|^(?:do|can|could) (?:you|we) see$|^(?:is|are)$",
        "",
        verb,
    )
    verb = re.sub(r"^(?:can|could|do) (?:you|we) (?:see|find) (?=that|which|used|on|in|under)", "", verb)
    if verb:
        add_clause(noun, verb, names)
    return Question("select", s, noun, asks_seen=True)


_RULES: list[Callable[[str, list[str]], Question | None]] = [
    _describe,
    _count,
    _exists,
    _compare,
    _between,
    _attribute,
    _doing,
    _means,
    _other_end,
    _where,
    _done_with,
    _test,
    _select,
]
