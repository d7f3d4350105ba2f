"""What "it" and "this" mean: the picture's main object, whose name is put into the question before it is parsed."""

import re

from kgmm.language.words import lemma
from kgmm.reason.question.grammar import parse
from kgmm.reason.question.parsed import Question
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
    thing = salient(scene)
    if thing is None or _PREDICATE.match(text):
        return text
    shown = f"the {thing.name}"
    return _THIS.sub(shown, _IT.sub(shown, text))


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
