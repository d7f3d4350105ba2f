"""What "it" and "this" mean: the picture's main object, whose name is put into the question before it is parsed."""

import re

from kgmm.language.words import lemma
from kgmm.reason.question.data import Question
from kgmm.reason.question.grammar import parse
from kgmm.scene import SceneGraph, SceneObject

#: what a picture shows behind things rather than as a thing
_BACKGROUND = frozenset(
    "sky cloud ground floor wall table grass water sea ocean road street field background snow sand room tree building"
    " lawn leaf".split()
)
_WHAT_IS_IT = re.compile(r"^\W*what(?: is|'s) (?:it|this|that)(?: thing| object)?\W*$", re.IGNORECASE)
_PREDICATE = re.compile(r"^\s*(?:what|which|who|whose)\b.*\b(?:is|was) (?:it|this)\W*$", re.IGNORECASE)
_IT = re.compile(r"\bit\b(?!')", re.IGNORECASE)
#: a "this" that stands alone: a verb follows, or nothing
_THIS = re.compile(
    r"\bthis(?= (?:(?:used|made|for|do|does|eat|drink|live|lives|grow|go|goes|come|have|has|cost|work|weigh|called|be"
    r"|capable|able|good|an?|fly|move|swim|run|look|taste|smell|feel|sound)\b)|\W*$)",
    re.IGNORECASE,
)
#: what a question leaves out
_EXCEPT = re.compile(
    r",? ?\b(?:apart from|aside from|except(?: for)?|besides|other than|not counting) (?:the |an? |his |her |its )?"
    r"(?P<x>\w+(?: \w+)?)(?=,|\W*$),?",
    re.IGNORECASE,
)
#: a yes-or-no question that offers two words
_OFFERS = re.compile(
    r"^(\W*(?:is|are|was|were|does|do|did|can|could|has|have)\b.*?)\b((?:an? )?\w+) or (?!not\b|no\b)((?:an? )?\w+)(\W*)$",
    re.IGNORECASE,
)
#: a thing of a thing, "the horse's tail"
_OF_ITS = re.compile(
    r"\b(?:(?:the|his|her|its|their|this|that|an?) (?:\w+ )?(?P<whole>\w+)['’]s|its|his|her|their) (?P<part>\w+)\b",
    re.IGNORECASE,
)
#: a box that covers more is the whole picture; and what being in the background, a base or one of many leaves of a claim
WHOLE, BACKGROUND, BASE, MANY = 0.9, 0.1, 0.5, 0.5


def read(text: str, scene: SceneGraph) -> Question:
    """Read a question about a scene.

    Example:
        >>> thing = SceneObject("k", "kite", (10, 10, 50, 50))
        >>> asked = read("Can it fly?", SceneGraph("s", (thing,), (), 100, 100))
        >>> asked.kind, asked.text
        ('test', 'Can the kite fly?')
    """
    said = resolved(text, scene)
    question = parse(said, [n for o in scene.objects for n in (o.name, *o.aliases)], asked=text)
    if _WHAT_IS_IT.match(said):
        question.main = salient(scene)
    return question


def resolved(text: str, scene: SceneGraph) -> str:
    """Put the name of the picture's main object for "it" and a bare "this", where they are no predicate.

    Example:
        >>> resolved("Can it fly?", SceneGraph("s", (SceneObject("k", "kite", (10, 10, 50, 50)),), (), 100, 100))
        'Can the kite fly?'
    """
    seen = _named(scene)
    text = _OF_ITS.sub(lambda m: f"the {m['part']}" if lemma(m["part"]) in seen else m[0], text)
    thing = salient(scene)
    if thing is None or _PREDICATE.match(text):
        return text
    shown = f"the {thing.name}"
    return _THIS.sub(shown, _IT.sub(shown, text))


def _named(scene: SceneGraph) -> dict[str, SceneObject]:
    """Return the seen things by the last word of their names."""
    return {lemma(n.split()[-1]): o for o in scene.objects for n in (o.name, *o.aliases) if n.split()}


def part_not_seen(text: str, scene: SceneGraph) -> tuple[SceneObject, str, str] | None:
    """Return a seen thing, a part of it that is not seen, and the question about that part alone; None if there is none.

    Example:
        >>> cat = SceneObject("c", "cat", (10, 10, 50, 50))
        >>> part_not_seen("What are the cat's eyes for?", SceneGraph("s", (cat,), (), 100, 100))[1:]
        ('eyes', 'What are the eye for?')
    """
    found, seen = _OF_ITS.search(text), _named(scene)
    if found is None or lemma(found["part"]) in seen:
        return None
    whole = seen.get(lemma(found["whole"])) if found["whole"] else salient(scene)
    rest = f"{text[: found.start()]}the {lemma(found['part'])}{text[found.end() :]}"
    return None if whole is None else (whole, found["part"], rest)


def excepted(text: str) -> tuple[str, str]:
    """Return a question without what it leaves out, and the name of that, '' if it leaves nothing out.

    Example:
        >>> excepted("What is blue, apart from the flag?")
        ('What is blue?', 'flag')
    """
    found = _EXCEPT.search(text)
    if found is None:
        return text, ""
    rest = (text[: found.start()] + text[found.end() :]).strip(" ,")
    return rest[:1].upper() + rest[1:], found["x"]


def alternatives(text: str) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Return the two words a yes-or-no question offers, each with the question for it alone; None if it offers none.

    Example:
        >>> alternatives("Are the coins made of plastic or metal?")
        (('plastic', 'Are the coins made of plastic?'), ('metal', 'Are the coins made of metal?'))
    """
    found = _OFFERS.match(text)
    if found is None:
        return None
    start, first, second, end = found.groups()
    return (first, f"{start}{first}{end}"), (second, f"{start}{second}{end}")


def salient(scene: SceneGraph) -> SceneObject | None:
    """Return the object a picture is of: large, sure, central, single, nothing's base; None where nothing has a box."""
    best, most = None, 0.0
    bases = {r.object for r in scene.relations if r.predicate in ("on", "on_top_of")}
    heads = [lemma(o.name.split()[-1]) for o in scene.objects]
    for o, head in zip(scene.objects, heads, strict=True):
        if o.box is None or not scene.width or not scene.height:
            continue
        x, y, w, h = o.box
        share = min(1.0, w * h / (scene.width * scene.height))
        away = abs((x + w / 2) / scene.width - 0.5) + abs((y + h / 2) / scene.height - 0.5)
        claim = o.score * share**0.5 * (1 - away)
        if share > WHOLE or head in _BACKGROUND:
            claim *= BACKGROUND
        if o.id in bases:
            claim *= BASE
        if heads.count(head) > 1:  # "it" is a thing there is one of
            claim *= MANY
        if claim > most:
            best, most = o, claim
    return best
