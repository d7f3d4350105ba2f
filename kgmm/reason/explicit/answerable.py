"""What an answer has to be for a question to be answered at all: a place, a measure, a name, one of a kind.

The evidence score ranks facts by meaning and wording; it cannot tell that "how old is the cat" is not answered by
"a cat has a nose". The rules here leave out what cannot be an answer, so that the engine says it does not know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from kgmm.language import names
from kgmm.language.words import lemma, normal
from kgmm.retrieve.ground import ground_name
from kgmm.retrieve.memory import closure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kgmm.reason.question.parsed import Noun, Question
    from kgmm.reason.task import Task
    from kgmm.retrieve import Candidates
    from kgmm.scene import SceneGraph, SceneObject

_MEASURE = re.compile(
    r"^how (old|tall|heavy|long|far|fast|expensive|deep|wide|high|much)\b|\b(age|price|cost|weight|height|speed|size|length"
    r"|year|date|temperature) of\b|\b(?:what|which) (year|date|time|temperature|price|age)\b"
)
_IDENTITY = re.compile(
    r"^(whose)\b|^who (owns|took|is|was)\b|\b(?:'s|his|her|its|their) (?:\w+ )?(owner|name|age|price|address|number|birthday"
    r"|email|brand|surname|nickname)\b|\b(owner|(?:phone |telephone |serial )?number|address|birthday|brand|surname|nickname)"
    r" of\b|\b(?:what|which) (country|city|brand|company|person)\b"
)
_MEASURE_WORDS = {
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
#: heads of "which ..." that what is known fills with words for no kind of thing
_ABSTRACT = frozenset(
    "activity action purpose use function reason way property quality feature characteristic place location time effect"
    " relation relationship name word category class family group colour color material shape size part side"
    " image picture scene photo photograph area region job role behavior behaviour ability difference benefit".split()
)
#: what a picture shows behind things rather than as a thing
_BACKGROUND = frozenset(
    "sky cloud ground floor wall table grass water sea ocean road street field background snow sand room tree building"
    " lawn leaf".split()
)
_PLACES = ("AtLocation", "LocatedNear", "OriginatesFrom")
_THING = (
    r"(?:(?:used|made|for|do|does|eat|drink|live|lives|grow|go|goes|come|have|has|cost|work|weigh|called|be|capable|able|good"
    r"|an?|fly|move|swim|run|look|taste|smell|feel|sound)\b)"
)


def resolved(text: str, scene: SceneGraph) -> str:
    """Put the name of the picture's main object for "it" and a bare "this", where they are no predicate.

    Example:
        >>> from kgmm.scene import SceneGraph, SceneObject
        >>> resolved("Can it fly?", SceneGraph("s", (SceneObject("k", "kite", (10, 10, 50, 50)),), (), 100, 100))
        'Can the kite fly?'
    """
    thing = salient(scene)
    if thing is None or re.match(r"^\s*(?:what|which|who|whose)\b.*\b(?:is|was) (?:it|this)\W*$", text, re.IGNORECASE):
        return text
    shown = f"the {thing.name}"
    text = re.sub(r"\bit\b(?!')", shown, text, flags=re.IGNORECASE)
    return re.sub(rf"\bthis(?= {_THING}|\W*$)", shown, text, flags=re.IGNORECASE)


def salient(scene: SceneGraph) -> SceneObject | None:
    """Return the object a picture is of: large, sure, central, single, nothing's base; None where nothing has a box."""
    best, most = None, 0.0
    bases = {r.object for r in scene.relations if r.predicate in ("on", "on_top_of")}
    heads = [lemma(o.name.split()[-1]) for o in scene.objects]
    for o in scene.objects:
        if o.box is None or not scene.width or not scene.height:
            continue
        x, y, w, h = o.box
        share = min(1.0, w * h / (scene.width * scene.height))
        away = abs((x + w / 2) / scene.width - 0.5) + abs((y + h / 2) / scene.height - 0.5)
        value = o.score * share**0.5 * (1 - away)
        if share > 0.9 or lemma(o.name.split()[-1]) in _BACKGROUND:
            value *= 0.1
        if o.id in bases:
            value *= 0.5
        if heads.count(lemma(o.name.split()[-1])) > 1:  # "it" is a thing there is one of
            value *= 0.5
        if value > most:
            best, most = o, value
    return best


def beyond(question: Question) -> tuple[str, tuple[str, ...]] | None:
    """Return the measure or identity a question asks for and relations that could state it, or None.

    Example:
        >>> from kgmm.reason.question.parsed import Question
        >>> beyond(Question("open", "How old is the cat?"))
        ('old', ('age', 'old'))
    """
    text = " ".join(question.text.lower().split())
    if question.kind == "select" and question.noun and question.noun.generic and question.noun.known:
        return None  # "which object is used to celebrate someone's birthday"
    if question.kind in ("count", "attribute", "compare", "test", "exists", "where", "between", "related"):
        return None
    m = _MEASURE.search(text) or _IDENTITY.search(text)
    if m is None:
        return _own_name(text, question)
    word = next(g for g in m.groups() if g)
    if word in ("is", "was") and question.noun is not None and (question.noun.known or question.noun.scene):
        return None  # "who is wearing a hat"
    return word, _MEASURE_WORDS.get(word, (word,))


def _own_name(text: str, question: Question) -> tuple[str, tuple[str, ...]] | None:
    """Return what "the name of the cat" asks for: its own name; "the name of the animal" asks for its kind."""
    m = re.search(r"\bname of (?:the|this|that|his|her) ([\w' ]+?)\W*$", text)
    if m is None or normal(m[1]) in (
        "animal",
        "object",
        "thing",
        "flower",
        "plant",
        "vehicle",
        "food",
        "fruit",
        "bird",
    ):
        return None
    return "name", ("name", "label")


def stating(task: Task, c: Candidates, words: tuple[str, ...], measure: bool) -> NDArray[np.bool_]:
    """Tell which facts state a measure or identity: by a relation of that name, or with a number where one is due."""
    terms = task.store.terms
    predicates, which = np.unique(c.predicate, return_inverse=True)
    named = [bool(_words(names.label(p)) & set(words)) for p in terms.names(predicates)]
    by_name: NDArray[np.bool_] = np.array(named, bool)[which]
    if not measure:
        return by_name
    objects, at = np.unique(c.object, return_inverse=True)
    counted = np.array([bool(re.search(r"\d", names.label(t))) for t in terms.names(objects)], bool)
    return np.asarray(by_name | counted[at])


def _words(relation: str) -> set[str]:
    return {w.lower() for w in re.findall(r"[A-Z]?[a-z]+", relation.rsplit("/", 1)[-1])}


def is_measure(word: str) -> bool:
    """Tell whether a word :func:`beyond` gave asks for a quantity."""
    return word not in (
        "whose",
        "owns",
        "took",
        "is",
        "was",
        "owner",
        "name",
        "country",
        "city",
        "brand",
        "company",
        "person",
    )


def places(task: Task, c: Candidates) -> NDArray[np.bool_]:
    """Return, for subject and object of every candidate in turn, whether it can say where something is."""
    known = [i for r in _PLACES if (i := task.store.terms.id(r)) is not None]
    held = [i for r in ("HasA", "Contains") if (i := task.store.terms.id(r)) is not None]
    at = np.isin(c.predicate, known) & (c.end == 0)
    within = np.isin(c.predicate, held) & (c.end == 1)
    return np.stack([within, at], axis=1).reshape(-1)


def kind_asked(task: Task, noun: Noun) -> int | None:
    """Return the id of the kind "which insect ..." asks for, None if any answer would do."""
    head = noun.head.split()[-1] if noun.head else ""
    if noun.generic or lemma(head) in _ABSTRACT:
        return None
    linked = ground_name(task.store, noun.head)
    return None if linked is None or linked.rule not in ("exact", "inflected") else task.store.terms.id(linked.concept)


def of_kind(task: Task, ids: NDArray[np.int64], kind: int) -> NDArray[np.bool_]:
    """Tell which of some terms are a kind of another by the store's IsA facts."""
    upward = {i for r in ("IsA", "InstanceOf") if (i := task.store.terms.id(r)) is not None}
    return np.array([i != kind and kind in closure(task.store, int(i), upward, set()) for i in ids], bool)
