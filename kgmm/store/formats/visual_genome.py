"""Visual Genome's scene_graphs.json: an array of pictures, each with objects and relationships.

Krishna et al., Visual Genome, IJCV 2017; https://homes.cs.washington.edu/~ranjay/visualgenome/api.html
"""

from pathlib import Path
from typing import Any

from kgmm.errors import reason_of
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats._json import outline
from kgmm.store.formats._scenes import WRONG, Built, box, each_item, identity, readers, size, snake, words

NAME = "visual-genome"
SUFFIXES = (".json",)


def sniff(path: Path, head: bytes) -> float:
    """Look for pictures with objects that have ids and names."""
    shape = outline(head)
    if shape is None or shape.opening != "[" or not {"image_id", "objects"} & shape.at(1):
        return 0.0
    if not {"object_id", "names", "subject_id"} & shape.at(2):
        return 0.4 if {"objects", "relationships"} <= shape.at(1) else 0.0
    return 0.95 if "objects" in shape.at(1) or "subject_id" in shape.at(2) else 0.3


def build(picture: dict[str, Any]) -> Built:
    """Return the scene of one picture."""
    objects: dict[str, SceneObject] = {}
    relations, problems = [], []
    for entry in picture["objects"]:
        found = object_of(entry)
        if objects.setdefault(found.id, found) != found:
            problems.append(f"object {found.id} left out: another of this id is there")
    for entry in picture.get("relationships") or ():
        try:
            relation = SceneRelation(
                identity(entry["subject_id"], "subject_id"),
                snake(words(entry["predicate"], "predicate")),
                identity(entry["object_id"], "object_id"),
            )
            missing = {relation.subject, relation.object} - objects.keys()
            if missing:
                raise ValueError(f"relation {relation.predicate!r} names object {min(missing)}, not there")
            relations.append(relation)
        except WRONG as error:
            problems.append(reason_of(error, "relation left out"))
    scene = SceneGraph(
        identity(picture["image_id"], "image_id"),
        tuple(objects.values()),
        tuple(relations),
        size(picture.get("width")),
        size(picture.get("height")),
        source="visual-genome",
    )
    return Built(scene, problems)


def object_of(entry: dict[str, Any]) -> SceneObject:
    """Return one object; later releases name it ``names: [...]``, the first one ``name``."""
    named = entry.get("names") or [entry["name"]]
    first, *more = [words(name, "object name") for name in named]
    has_box = all(key in entry for key in "xywh")
    return SceneObject(
        identity(entry["object_id"], "object_id"),
        first,
        box([entry[key] for key in "xywh"]) if has_box else None,
        attributes=tuple(dict.fromkeys(words(a, "attribute") for a in entry.get("attributes") or ())),
        aliases=tuple(more),
    )


scenes, read = readers(each_item(build))
