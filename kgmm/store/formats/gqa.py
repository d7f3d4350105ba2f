"""GQA's scene graphs (Hudson & Manning, CVPR 2019; https://cs.stanford.edu/people/dorarad/gqa/download.html)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kgmm.errors import reason_of
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats._base import ReadOptions
from kgmm.store.formats._json import items, outline
from kgmm.store.formats._scenes import WRONG, Built, RawScene, box, identity, readers, size, snake, words

NAME = "gqa"
SUFFIXES = (".json",)
_TAGS = ("location", "weather")  #: Members of a picture that say what it shows as a whole.


def sniff(path: Path, head: bytes) -> float:
    """Look for picture ids over objects over named objects."""
    shape = outline(head)
    if shape is None or shape.opening != "{" or "objects" not in shape.at(2):
        return 0.0
    return 0.95 if {"name", "relations"} <= shape.at(4) else 0.5 if "width" in shape.at(2) else 0.0


def _raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
    for key, value, line in items(path, options.progress):
        yield RawScene(partial(_build, key, value), line, str(value))


def _build(picture_id: str | None, picture: dict[str, Any]) -> Built:
    if picture_id is None or not isinstance(picture, dict):
        raise ValueError("a JSON object from picture id to scene is expected")
    entries = {identity(key, "object id"): value for key, value in picture["objects"].items()}
    objects = tuple(
        SceneObject(
            key,
            words(entry["name"], "object name"),
            box([entry[key] for key in "xywh"]) if all(k in entry for k in "xywh") else None,
            attributes=tuple(dict.fromkeys(words(a, "attribute") for a in entry.get("attributes") or ())),
        )
        for key, entry in entries.items()
    )
    relations, problems = [], []
    for key, entry in entries.items():
        for relation in entry.get("relations") or ():
            try:
                end = identity(relation["object"], "object")
                if end not in entries:
                    raise ValueError(f"it names object {end}, which is not there")
                relations.append(SceneRelation(key, snake(words(relation["name"], "name")), end))
            except WRONG as error:
                problems.append(reason_of(error, f"relation of object {key} left out"))
    scene = SceneGraph(
        identity(picture_id, "picture id"),
        objects,
        tuple(relations),
        size(picture.get("width")),
        size(picture.get("height")),
        source="gqa",
        tags=tuple((words(picture[k], k), 1.0) for k in _TAGS if picture.get(k)),
    )
    return Built(scene, problems)


scenes, read = readers(_raw)
