"""The grammar: a question's words → :class:`~kgmm.reason.question.parsed.Question`, by ordered rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from kgmm.language.words import lemma
from kgmm.reason.question.parsed import (
    COLOURS,
    GENERIC,
    PREPOSITIONS,
    RELATION_PHRASES,
    SCENE_VERBS,
    Constraint,
    Noun,
    Question,
)

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
_PREPOSITION = re.compile(rf"\b({'|'.join(sorted(map(re.escape, PREPOSITIONS), key=len, reverse=True))})\b")
_ARTICLE = re.compile(r"\b(?:the|an?)\b")
_DET = r"(?:the|an?|this|that|these|those|some|any|your|his|her|its|their|all|each|every)"
_POSITIONS = {
    "left": r"(?:on|at|to|in) (?:the )?(?:far |very )?left(?:[- ]hand)?(?: side| part)?(?! of)|leftmost",
    "right": r"(?:on|at|to|in) (?:the )?(?:far |very )?right(?:[- ]hand)?(?: side| part)?(?! of)|rightmost",
    "middle": r"(?:in|at) (?:the )?(?:middle|cent(?:er|re))(?: part)?(?! of)",
    "top": r"(?:at|on|in) (?:the )?(?:very )?top(?: part)?(?! of)|topmost",
    "bottom": r"(?:at|on|in) (?:the )?(?:very )?bottom(?: part)?(?! of)",
    "front": r"in (?:the )?(?:foreground|front)(?! of)",
    "back": r"in (?:the )?background",
}
_VERB_START = re.compile(
    r"\b(?:is|are|was|were|can|could|may|might|would|will|should|has|have|having|does|do|belongs?|used|wants?|contains?|lives?"
    r"|grows?|made|capable|able|related|often|usually|sometimes|likes?|loves?|needs?|causes?|helps?|makes?|symboli[sz]es?"
    r"|keeps?|gives?|produces?|eats?|runs?|flies|swims?|barks?|requires?|provides?|allows?|protects?|shows?|tends?)\b"
)
_ADJECTIVES = COLOURS | frozenset(
    [
        "small",
        "big",
        "large",
        "little",
        "tiny",
        "huge",
        "tall",
        "short",
        "long",
        "wooden",
        "metal",
        "plastic",
        "glass",
        "striped",
        "round",
        "square",
        "old",
        "young",
        "open",
        "closed",
        "empty",
        "full",
        "bright",
        "dark",
        "shiny",
        "wet",
        "dry",
        "hot",
        "cold",
        "soft",
        "hard",
        "fluffy",
        "furry",
        "ceramic",
        "leather",
    ]
)


def clean(text: str) -> str:
    """Return a question in lower case without contractions, end mark or words that only name the picture."""
    text = " ".join(text.lower().replace("`", "'").split()).rstrip(" ?.!")
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    return " ".join(text.split())


def parse(text: str, names: Iterable[str] = ()) -> Question:
    """Parse a question.

    Args:
        text: the question in English.
        names: names of the seen objects; they tell where a noun ends ("is the *polar bear* white?").

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
            question.text = text
            return question
    return Question("open", text)


def parse_noun(text: str, names: list[str] | None = None) -> Noun:
    """Parse a description of objects: attributes, kind, position, scene relations, knowledge.

    Example:
        >>> n = parse_noun("the small red cup to the left of the plate")
        >>> n.head, n.attributes, n.scene[0][0], n.scene[0][1].head
        ('cup', ['small', 'red'], 'left_of', 'plate')
    """
    noun = Noun(text=text)
    text = re.sub(r"^(?:all (?:of )?)?" + _DET + r"\s+", "", text.strip())
    text = re.sub(r"^(?:one of the|other|only|single|kinds? of|types? of|sorts? of)\s+", "", text)
    part = re.match(r"^(?:body )?parts? of (.+)$", text)
    if part:
        whole, clauses = _split_clauses(part[1])
        noun.scene.append(("part_of", parse_noun(whole, names)))
        for clause in clauses:
            _add_clause(noun, clause, names or [])
        return noun
    for position, pattern in _POSITIONS.items():
        shorter = re.sub(r",?\s*\b(?:" + pattern + r")\b", " ", text)
        if shorter != text:
            noun.position, text = position, " ".join(shorter.split())
    text, clauses = _split_clauses(text)
    for clause in clauses:
        _add_clause(noun, clause, names or [])
    text, reduced = _split_reduced(text, names or [])
    if reduced:
        _add_clause(noun, reduced, names or [])
    words = text.split()
    if text in (names or []):
        noun.head = text
        return noun
    while len(words) > 1 and words[0] in _ADJECTIVES:
        noun.attributes.append(words.pop(0))
    noun.head = " ".join(w for w in words if w not in ("and", ",")) or noun.head
    return noun


def _split_clauses(text: str) -> tuple[str, list[str]]:
    parts = re.split(r",?\s*\b(?:and )?(?:that|which|who)\b\s+", text)
    return parts[0].strip(" ,"), [p.strip(" ,") for p in parts[1:] if p.strip(" ,")]


def _split_reduced(text: str, names: list[str]) -> tuple[str, str]:
    """Cut at the first preposition, participle or verb after the head noun."""
    start = 0
    for name in names:
        if text.startswith(name):
            start = len(name)
            break
    starts = [
        m.start()
        for pattern in (
            _PREPOSITION,
            re.compile(
                r"\b(?:used|made|capable|able|found|related|not|with|belonging|known|living|good|useful|suitable)\b"
            ),
            re.compile(r"\b(?:" + "|".join(f"{_ing(v)}" for v in SCENE_VERBS) + r")\b"),
        )
        if (m := pattern.search(text, max(start, 1)))
    ]
    if not starts:
        return text, ""
    cut = min(starts)
    return text[:cut].strip(), text[cut:].strip()


def _ing(verb: str) -> str:
    stem = verb[:-1] if verb.endswith("e") and verb != "face" else verb
    irregular = {
        "lie": "lying",
        "sit": "sitting",
        "hug": "hugging",
        "grip": "gripping",
        "face": "facing",
        "lean": "leaning",
    }
    return irregular.get(verb, f"{stem}ing")


def _add_clause(noun: Noun, clause: str, names: list[str]) -> None:
    """Add what a clause says of a noun: scene relations and knowledge, joined by *and*."""
    parts = re.split(
        r"\s+(?:and|but)\s+(?=(?:is|are|can|could|has|have|not|used|made|does|do|that|on|in|under)\b)", clause
    )
    for part in parts:
        scene = scene_relation(part, names)
        if scene is not None:
            noun.scene.append(scene)
        else:
            noun.known.append(constraint(part))


def scene_relation(text: str, names: list[str]) -> tuple[str, Noun] | None:
    """Read "is on the table", "holding a cup" as (predicate, noun); None if it is not about place or contact."""
    text = re.sub(r"^(?:is|are|was|were|be|being)\s+", "", text)
    text = (
        re.sub(
            r"^(?:sitting|lying|standing|located|placed|resting|hanging|directly|right now|immediately)\s+(?=\w+)",
            "",
            text,
        )
        if _PREPOSITION.search(text)
        else text
    )
    m = _PREPOSITION.match(text)
    if m and (rest := text[m.end() :].strip()) and m[1] not in ("at", "with", "by", "around"):
        return PREPOSITIONS[m[1]], parse_noun(rest, names)
    if m and m[1] in ("by", "around", "with") and (rest := text[m.end() :].strip()) and _names_object(rest, names):
        return PREPOSITIONS[m[1]], parse_noun(rest, names)
    verb = re.match(r"^(\w+)(?: (?:at|on|in|by|with|to|up))? (.+)", text)
    if verb and lemma(verb[1]) in SCENE_VERBS and verb[1].endswith("ing"):
        return lemma(verb[1]), parse_noun(verb[2], names)
    return None


def _names_object(text: str, names: list[str]) -> bool:
    bare = re.sub(rf"^{_DET}\s+", "", text)
    heads = {lemma(w) for w in bare.split()}
    return any(lemma(n.split()[-1]) in heads for n in names if n) or bool(heads & GENERIC)


def constraint(text: str) -> Constraint:
    """Read a verb phrase as a condition by knowledge.

    Example:
        >>> constraint("can not fly").negated, constraint("is made of wood").relations
        (True, ('MadeOf',))
    """
    negated = bool(re.search(r"\b(?:not|never|no longer)\b", text)) or text.startswith("no ")
    text = " ".join(re.sub(r"\b(?:not|never)\b", " ", text).split())
    text = re.sub(r"^(?:do|does|did) ", "", text) if negated else text
    for pattern, relations in RELATION_PHRASES:
        m = pattern.match(text)
        if m:
            phrase = next(g for g in m.groups() if g)
            return Constraint(relations, phrase.strip(), negated)
    if len(text.split()) >= 1 and _VERB_START.match(text):
        return Constraint(("CapableOf", "UsedFor", "HasProperty"), text, negated)
    return Constraint((), text, negated)


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
        _add_clause(noun, verb, names)
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
        _add_clause(noun, verb, names)
    return Question("exists", s, noun)


def _compare(s: str, names: list[str]) -> Question | None:
    m = re.match(
        r"^(?:which|what|who)(?: one| object| thing| of (?:these|the two|them))?(?: \w+)? is (?:the )?(more \w+|less \w+|\w+er|\w+est)(?: one)?[:,]?(?: the| an?)? (.+?),? or (?:the |an? )?(.+)$",
        s,
    )
    if m:
        return Question(
            "compare",
            s,
            parse_noun(m[2], names),
            parse_noun(m[3], names),
            attribute=_degree(m[1]),
            asks_seen=True,
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
            "compare",
            s,
            parse_noun(m[1], names),
            parse_noun(m[3], names),
            attribute=_degree(m[2]),
            predicate="test",
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


_OTHER_END: list[tuple[str, str]] = [
    (
        r"^what (?:is|are|was) (?P<n>.+?) (?:\w+ly )?(?:used|good|useful|meant|intended|designed|needed|employed) (?:for|to do)$",
        "UsedFor CapableOf",
    ),
    (
        r"^(?:what|how) (?:can|could|do|would|might|may|should) (?:you|we|people|one|someone|i|a person) (?:\w+ly )?(?:use|do with) (?P<n>.+?)(?: for| to do)?$",
        "UsedFor CapableOf ReceivesAction",
    ),
    (
        r"^what (?:can|could|may|might|would) (?P<n>.+?) (?:\w+ly )?be (?:used|good|useful|employed) (?:for|to do)$",
        "UsedFor CapableOf",
    ),
    (r"^what (?:is|are) (?P<n>.+?) (?:there )?for$", "UsedFor"),
    (
        r"^what (?:is|are) the (?:main |usual |common )?(?:use|purpose|function|job|role)s? of (?P<n>.+)$",
        "UsedFor CapableOf",
    ),
    (
        r"^(?:why|what for) (?:do|would|might|could|does) (?:you|we|people|one|someone|anyone|a person) (?:need |want )?(?:to )?(?:use|have|need|keep|want|own) (?P<n>.+)$",
        "UsedFor",
    ),
    (r"^how (?:is|are) (?P<n>.+?) (?:\w+ly )?used$", "UsedFor"),
    (r"^what (?:is|are) (?P<n>.+?) (?:\w+ly )?(?:made|built|composed|constructed) (?:out )?(?:of|from)$", "MadeOf"),
    (r"^what (?:is|are) (?P<n>.+?) (?:a )?(?:part|parts|component) of$", "PartOf"),
    (
        r"^what (?:is|are) (?P<n>.+?) (?:a )?symbols? (?:of|for)$|^what (?:does|do) (?P<m>.+?) (?:symboli[sz]e|represent|stand for)$",
        "SymbolOf",
    ),
    (
        r"^what (?:kind|type|sort|category|class) of (?:thing|object|animal|item|creature|tool|food|vehicle|furniture|device|instrument|plant|fruit|utensil|container)?s? ?(?:is|are) (?P<n>(?:the|an?) .+)$",
        "IsA",
    ),
    (r"^what (?:category|class|kind|type|family) (?:is|are|does) (?P<n>.+?)(?: belong to| in)?$", "IsA"),
    (r"^what (?:does|do) (?P<n>.+?) belong to$", "IsA"),
    (
        r"^what (?:can|could|is|are|might) (?P<n>(?:the|an?|this|that|these|those) .+?) (?:do|capable of(?: doing)?|able to do|known for)$",
        "CapableOf",
    ),
    (r"^what (?:does|do) (?P<n>.+?) (?:\w+ly )?do$", "CapableOf UsedFor"),
    (
        r"^what (?:parts? )?(?:does|do) (?P<n>.+?) (?:\w+ly )?(?:have|contain|possess|own)(?: as (?:an? )?parts?)?$",
        "HasA",
    ),
    (r"^what (?:is|are) (?:the |an? )?parts? of (?P<n>.+)$", "HasA PartOf"),
    (
        r"^what (?:does|do|would) (?P<n>.+?) (?:\w+ly )?(?:want|like|desire|love|enjoy|need|prefer)(?: to do)?$",
        "Desires",
    ),
    (
        r"^what (?:does|do|can|could) (?P<n>.+?) cause$|^what (?:is|are) the (?:effect|result|consequence)s? of (?P<m>.+)$",
        "Causes",
    ),
    (
        r"^(?:who|what) (?:made|makes|make|created?|creates|produced|produces|built|builds|painted) (?P<n>.+)$",
        "CreatedBy",
    ),
    (
        r"^where (?:can|could|would|do|does|might|should|will|did|may) (?:you|we|people|one|someone|i)?\s*(?:\w+ly |often |also )?(?:find|see|buy|keep|put|store|get|meet|place|look for|expect(?: to find)?) (?P<n>.+)$",
        "AtLocation",
    ),
    (
        r"^where (?:is|are|can|could|might|may|would) (?P<n>.+?) (?:\w+ly |often |commonly )?(?:be )?(?:found|kept|located|stored|seen|placed|live|bought|sold|used)$",
        "AtLocation",
    ),
    (r"^where (?:does|do|would|should|might) (?P<n>.+?) (?:\w+ly )?(?:\w+|come from)$", "AtLocation"),
    (
        r"^what (?:is|are) (?:the )?(?:propert(?:y|ies)|characteristics?|features?) of (?P<n>.+)$|^what propert(?:y|ies) (?:does|do) (?P<m>.+?) have$",
        "HasProperty",
    ),
    (
        r"^how (?:does|do|would|is|are) (?P<n>.+?) (?:look|taste|feel|smell|sound|be described)$|^how would you describe (?P<m>.+)$",
        "HasProperty",
    ),
    (
        r"^what (?:do|would|does) (?:you|one|someone|a person) need (?:in order )?to (?P<n>.+)$",
        "HasPrerequisite UsedFor",
    ),
    (r"^what (?:do|would|does) (?P<n>.+?) need (?:in order )?to \w+.*$", "HasPrerequisite Desires"),
    (r"^what (?:is|are) (?:the )?(?:opposite|antonym) of (?P<n>.+)$", "Antonym"),
    (r"^what (?:is|are) (?:a |another )?(?:synonym|word|name) (?:of|for) (?P<n>.+)$", "Synonym"),
]
_INVERSE: list[tuple[str, str]] = [
    (
        r"^what (?:else |other \w+ )?(?:can|could|would|might|will|do|are|is|should) (?:you |we |people )?(?:\w+ly |often |also )?(?:likely )?(?:to )?(?:be )?(?:find|found|see|seen|expect) (?:in|at|on|inside|near) (?P<n>.+)$",
        "AtLocation HasA PartOf LocatedNear",
    ),
    (
        r"^what (?:\w+ )?(?:are|is) (?:you )?(?:likely|usually|often|normally)(?: to find| found)? (?:in|at|on) (?P<n>.+)$",
        "AtLocation HasA PartOf",
    ),
]


def _other_end(s: str, names: list[str]) -> Question | None:
    for rules, inverse in ((_OTHER_END, False), (_INVERSE, True)):
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
    verbs = "|".join(_ing(v) for v in sorted(SCENE_VERBS))
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
        rf"^(?:can|could|should|may|would|do) (?:you|we|i|they|people|one|someone|a person) (?P<v>\w+(?: (?:with|on|in|from))?) (?P<n>{_DET} .+)$",
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
    subject, verb = _subject(rest, names, acts=m[1] not in ("is", "are", "was", "were", "has", "have"))
    if not verb:
        return Question("exists", s, parse_noun(subject, names))
    noun = parse_noun(subject, names)
    negated = m[0].split()[1] == "not"
    verb = re.sub(r"^(?:also|really|usually|often|normally|all) ", "", verb)
    scene = scene_relation(verb, names) if m[1] in ("is", "are", "was", "were") else None
    if scene and (_names_object(scene[1].head, names) or scene[1].generic):
        return Question("test", s, noun, scene[1], predicate=scene[0], negated=negated)
    lead = {"does": "", "do": ""}.get(m[1], f"{m[1]} ")
    return Question("test", s, noun, constraint=constraint(lead + verb), negated=negated)


def _subject(text: str, names: list[str], acts: bool = False) -> tuple[str, str]:
    """Split "the polar bear white" after the subject, by the names of seen objects or the next verb or article.

    Args:
        acts: whether a verb follows the subject ("would a dog *drink* the coffee") rather than a noun.
    """
    bare = re.sub(rf"^{_DET}\s+", "", text)
    for name in names:
        for form in (name, name + "s", name + "es"):
            at = re.search(rf"\b{re.escape(form)}\b", bare)
            before = bare[: at.start()] if at else ""
            if at and at.start() <= 24 and not _PREPOSITION.search(before) and not _ARTICLE.search(before):
                head, rest = bare[: at.end()], bare[at.end() :].strip()
                inner = _PREPOSITION.match(rest)
                if inner:  # a place phrase belongs to the subject if something follows it
                    for other in names:
                        m = re.match(rf"{re.escape(inner[1])} (?:{_DET} )?(?:\w+ )?{re.escape(other)}\b(.+)", rest)
                        if m:
                            return head + " " + rest[: m.start(1)], m[1].strip()
                return head, rest
    place = _PREPOSITION.search(bare)
    if place is not None and place.start() and len(bare[: place.start()].split()) <= 2 and not acts:
        return bare[: place.start()].strip(), bare[place.start() :]
    words = bare.split()
    for i in range(1, len(words)):
        if words[i] in {
            "a",
            "an",
            "the",
            "used",
            "made",
            "able",
            "capable",
            "good",
            "in",
            "on",
            "at",
            "not",
            "be",
            "part",
            "have",
            "has",
            "live",
            "bigger",
            "smaller",
            "usually",
            "often",
            "kept",
        }:
            i -= acts and i > 1 and words[i] in ("a", "an", "the")
            return " ".join(words[:i]), " ".join(words[i:])
    return (words[0], " ".join(words[1:])) if words else (bare, "")


def split_verb(text: str, names: list[str]) -> tuple[str, str]:
    """Split "fruits can be peeled" into its noun part and its verb phrase ('' if there is none)."""
    m = _VERB_START.search(text)
    relative = re.search(r"\b(?:that|which|who)\b", text)
    if not m or m.start() == 0 or (relative and relative.start() < m.start()):
        return text, ""
    return text[: m.start()].strip(), text[m.start() :].strip()


def _select(s: str, names: list[str]) -> Question | None:
    m = re.match(
        r"^(?:can you |could you |please )?(?:(?:tell me|name|show me|identify|find|point out)(?: (?:what|which))?|what|which|who)\b(?: one| ones)?(?: of (?:these|the|them|those))?(?: (?=\S))(.+)$",
        s,
    )
    if not m:
        return None
    rest = m[1]
    definite = re.match(rf"^(?:is|are) ({_DET} .+)$", rest)
    if definite:
        noun = parse_noun(definite[1], names)
        if noun.head in names and not (noun.scene or noun.known or noun.position):
            return Question("other_end", s, noun, relations=("IsA", "DefinedAs"), asks_seen=False)
        return Question("select", s, noun, asks_seen=True)
    subject, verb = split_verb(rest, names) if not _VERB_START.match(rest) else ("", rest)
    subject = re.sub(r"^(?:kind|type|sort|category|breed|species|class)s? of\s+", "", subject)
    noun = parse_noun(subject, names) if subject else Noun()
    verb = re.sub(
        r"^(?:is|are|can be) (?:this|that|it|there|these|shown|seen|visible)$|^(?:do|can|could) (?:you|we) see$|^(?:is|are)$",
        "",
        verb,
    )
    verb = re.sub(r"^(?:can|could|do) (?:you|we) (?:see|find) (?=that|which|used|on|in|under)", "", verb)
    if verb:
        _add_clause(noun, verb, names)
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
