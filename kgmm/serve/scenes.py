"""Scenes read back from a store: the bundled ones with their photographs, others from their facts."""

import re
from typing import Any

from kgmm import bundled
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.language import names
from kgmm.language.words import written
from kgmm.scene import SceneGraph, SceneObject, SceneRelation


def stored_scene(kb: KnowledgeStore, name: str) -> Any:
    """Return a scene read back from its graph in the store, with its photograph if it is a bundled one."""
    if (known := bundled_scene(kb, name)) is not None:
        return known

    node, objects, relations = f"/s/{name}", {}, []
    facts = list(kb.find(graph=f"scene/{name}"))
    inside = [f.object for f in facts if f.subject == node and f.predicate == "Contains"]
    for term in inside:
        own = [f for f in facts if f.subject == term]
        kinds = [names.label(f.object) for f in own if f.predicate == "InstanceOf"] or ["thing"]
        boxes = [f.object.strip('"').split(",") for f in own if f.predicate == "box"]
        box = tuple(float(v) for v in boxes[0]) if boxes and len(boxes[0]) == 4 else None
        key = term.rsplit("/", 1)[-1]
        attributes = tuple(names.label(f.object) for f in own if f.predicate == "HasProperty")
        score = next((f.weight for f in own if f.predicate == "InstanceOf"), 1.0)
        said = next((names.label(f.object) for f in own if f.predicate == "reads"), "")
        words = written(said.replace('\\"', '"').replace("\\\\", "\\"))
        objects[term] = SceneObject(key, kinds[0], box, score, attributes, text=words)  # type: ignore[arg-type]
    for f in facts:
        if f.subject in objects and f.object in objects:
            relations.append(SceneRelation(objects[f.subject].id, f.predicate, objects[f.object].id, f.weight))
    return SceneGraph(name, tuple(objects.values()), tuple(relations))


def bundled_scene(kb: KnowledgeStore, name: str) -> SceneGraph | None:
    """Return the bundled scene that a stored one is, statement for statement; None if it only has its name."""
    try:
        known = bundled.folder("graphs") / "scenes" / f"{name}.json"
    except KgmmError:
        return None
    if not re.fullmatch(r"[\w-]+", name) or not known.is_file():
        return None
    scene = SceneGraph.from_json(known)
    own = {(s, p, o) for s, p, o, _ in scene.facts()}
    return scene if own == {(f.subject, f.predicate, f.object) for f in kb.find(graph=scene.graph)} else None
