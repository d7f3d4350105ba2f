"""Descriptions and conditions: the words of a noun phrase or verb phrase → what they say of objects."""

import re

from kgmm.language.places import PREPOSITIONS
from kgmm.language.words import lemma
from kgmm.reason.question.data import Constraint, Noun
from kgmm.reason.question.patterns import RELATION_PHRASES
from kgmm.reason.question.vocabulary import (
    ADJECTIVES,
    ARTICLE,
    DETERMINER,
    GENERIC,
    POSITIONS,
    PREPOSITION,
    SCENE_VERBS,
    VERB_START,
    ing,
)

_REDUCED = (
    PREPOSITION,
    re.compile(r"\b(?:used|made|capable|able|found|related|not|with|belonging|known|living|good|useful|suitable)\b"),
    re.compile(r"\b(?:" + "|".join(map(ing, sorted(SCENE_VERBS))) + r")\b"),
)
#: how something is somewhere, which says nothing of where
_POSTURE = re.compile(
    r"^(?:sitting|lying|standing|located|placed|resting|hanging|directly|right now|immediately)\s+(?=\w+)"
)
#: words that no subject goes on with
_SUBJECT_ENDS = frozenset(
    "a an the used made able capable good in on at not be part have has live bigger smaller usually often kept".split()
)


def parse_noun(text: str, names: list[str] | None = None) -> Noun:
    """Parse a description of objects: attributes, kind, position, scene relations, knowledge.

    Example:
        >>> n = parse_noun("the small red cup to the left of the plate")
        >>> n.head, n.attributes, n.scene[0][0], n.scene[0][1].head
        ('cup', ['small', 'red'], 'left_of', 'plate')
    """
    noun = Noun(text=text)
    text = re.sub(r"^(?:all (?:of )?)?" + DETERMINER + r"\s+", "", text.strip())
    text = re.sub(r"^(?:one of the|other|only|single|kinds? of|types? of|sorts? of)\s+", "", text)
    if part := re.match(r"^(?:body )?parts? of (.+)$", text):
        whole, clauses = _split_clauses(part[1])
        noun.scene.append(("part_of", parse_noun(whole, names)))
        for clause in clauses:
            add_clause(noun, clause, names or [])
        return noun
    if stands := re.match(rf"^symbols? (?:of|for) (?:{DETERMINER} )?(.+)$", text):
        noun.known.append(Constraint(("SymbolOf",), stands[1]))
        return noun
    for position, pattern in POSITIONS.items():
        shorter = re.sub(r",?\s*\b(?:" + pattern + r")\b", " ", text)
        if shorter != text:
            noun.position, text = position, " ".join(shorter.split())
    text, clauses = _split_clauses(text)
    for clause in clauses:
        add_clause(noun, clause, names or [])
    text, reduced = _split_reduced(text, names or [])
    if reduced:
        add_clause(noun, reduced, names or [])
    words = text.split()
    if text in (names or []):
        noun.head = text
        return noun
    while len(words) > 1 and words[0] in ADJECTIVES:
        noun.attributes.append(words.pop(0))
    noun.head = " ".join(w for w in words if w not in ("and", ",")) or noun.head
    return noun


def _split_clauses(text: str) -> tuple[str, list[str]]:
    parts = re.split(r",?\s*\b(?:and )?(?:that|which|who)\b\s+", text)
    return parts[0].strip(" ,"), [p.strip(" ,") for p in parts[1:] if p.strip(" ,")]


def _split_reduced(text: str, names: list[str]) -> tuple[str, str]:
    """Cut at the first preposition, participle or verb after the head noun."""
    start = max(next((len(name) for name in names if text.startswith(name)), 0), 1)
    cut = min((m.start() for pattern in _REDUCED if (m := pattern.search(text, start))), default=None)
    return (text, "") if cut is None else (text[:cut].strip(), text[cut:].strip())


def add_clause(noun: Noun, clause: str, names: list[str]) -> None:
    """Add what a clause says of a noun: scene relations and knowledge, joined by *and*."""
    joint = r"\s+(?:and|but)\s+(?=(?:is|are|can|could|has|have|not|used|made|does|do|that|on|in|under)\b)"
    for part in re.split(joint, clause):
        if (scene := scene_relation(part, names)) is not None:
            noun.scene.append(scene)
        else:
            noun.known.append(constraint(part))


def scene_relation(text: str, names: list[str]) -> tuple[str, Noun] | None:
    """Read "is on the table", "holding a cup" as (predicate, noun); None if it is not about place or contact."""
    text = re.sub(r"^(?:is|are|was|were|be|being)\s+", "", text)
    if PREPOSITION.search(text):
        text = _POSTURE.sub("", text)
    m = PREPOSITION.match(text)
    if m and (rest := text[m.end() :].strip()) and m[1] not in ("at", "with", "by", "around"):
        return PREPOSITIONS[m[1]], parse_noun(rest, names)
    if m and m[1] in ("by", "around", "with") and (rest := text[m.end() :].strip()) and names_object(rest, names):
        return PREPOSITIONS[m[1]], parse_noun(rest, names)
    verb = re.match(r"^(\w+)(?: (?:at|on|in|by|with|to|up))? (.+)", text)
    if verb and lemma(verb[1]) in SCENE_VERBS and verb[1].endswith("ing"):
        return lemma(verb[1]), parse_noun(verb[2], names)
    return None


def names_object(text: str, names: list[str]) -> bool:
    """Tell whether words name a seen object, or a thing of no kind."""
    bare = re.sub(rf"^{DETERMINER}\s+", "", text)
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
        if m := pattern.match(text):
            return Constraint(relations, next(g for g in m.groups() if g).strip(), negated)
    return Constraint(("CapableOf", "UsedFor", "HasProperty") if VERB_START.match(text) else (), text, negated)


def split_subject(text: str, names: list[str], acts: bool = False) -> tuple[str, str]:
    """Split "the polar bear white" after the subject, by the names of seen objects or the next verb or article.

    Args:
        acts: whether a verb follows the subject ("would a dog *drink* the coffee") rather than a noun.
    """
    bare = re.sub(rf"^{DETERMINER}\s+", "", text)
    for name in names:
        for form in (name, name + "s", name + "es"):
            at = re.search(rf"\b{re.escape(form)}\b", bare)
            before = bare[: at.start()] if at else ""
            if at and at.start() <= 24 and not PREPOSITION.search(before) and not ARTICLE.search(before):
                head, rest = bare[: at.end()], bare[at.end() :].strip()
                inner = PREPOSITION.match(rest)
                if inner:  # a place phrase belongs to the subject if something follows it
                    for other in names:
                        m = re.match(
                            rf"{re.escape(inner[1])} (?:{DETERMINER} )?(?:\w+ )?{re.escape(other)}\b(.+)", rest
                        )
                        if m:
                            return head + " " + rest[: m.start(1)], m[1].strip()
                return head, rest
    place = PREPOSITION.search(bare)
    if place is not None and place.start() and len(bare[: place.start()].split()) <= 2 and not acts:
        return bare[: place.start()].strip(), bare[place.start() :]
    words = bare.split()
    for i in range(1, len(words)):
        if words[i] in _SUBJECT_ENDS:
            i -= acts and i > 1 and words[i] in ("a", "an", "the")
            return " ".join(words[:i]), " ".join(words[i:])
    return (words[0], " ".join(words[1:])) if words else (bare, "")


def split_verb(text: str, names: list[str]) -> tuple[str, str]:
    """Split "fruits can be peeled" into its noun part and its verb phrase ('' if there is none)."""
    m = VERB_START.search(text)
    relative = re.search(r"\b(?:that|which|who)\b", text)
    if not m or m.start() == 0 or (relative and relative.start() < m.start()):
        return text, ""
    return text[: m.start()].strip(), text[m.start() :].strip()
