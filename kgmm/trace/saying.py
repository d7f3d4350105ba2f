"""A trace's facts in English: scene objects by their names, knowledge as phrases."""

from kgmm.language import names
from kgmm.language.phrase import phrase, sentence
from kgmm.store import Fact
from kgmm.trace.data import Record


def say(trace: Record, fact: Fact) -> str:
    """Return a fact in English.

    >>> say(Record("?"), Fact("knife", "UsedFor", "cutting"))
    'knife is used for cutting'
    >>> from kgmm.scene import SceneGraph, SceneObject
    >>> scene = SceneGraph("desk", (SceneObject("o1", "knife"),))
    >>> say(Record("?", scene), Fact("/s/desk/o1", "InstanceOf", "knife"))
    'knife is seen in the picture'
    >>> say(Record("?", scene), Fact("/s/desk", "NotDepicts", "dog"))
    'the picture does not show dog'
    """
    if not (fact.subject.startswith("/s/") or fact.object.startswith("/s/")):
        return phrase(fact.subject, fact.predicate, fact.object)
    subject, target = name(trace, fact.subject), name(trace, fact.object)
    if fact.predicate == "InstanceOf" and subject == target:
        return f"{subject} is seen in the picture"
    return sentence(subject, fact.predicate, target)


def name(trace: Record, term: str) -> str:
    """Return what a term is called: a scene object by its name, another by its label."""
    object_id = term.rsplit("/", 1)[-1]
    if trace.scene is not None and term.startswith("/s/") and object_id in trace.scene:
        return trace.scene[object_id].name
    if trace.scene is not None and term == trace.scene.node():
        return "the picture"
    return names.label(term).replace("_", " ")
