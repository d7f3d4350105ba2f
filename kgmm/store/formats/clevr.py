"""CLEVR scenes of solids and their places (Johnson et al., CVPR 2017; https://cs.stanford.edu/people/jcjohns/clevr/)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats._base import ReadOptions
from kgmm.store.formats._json import outline
from kgmm.store.formats._scenes import Built, RawScene, each_item, identity, picture_name, readers, snake, words

NAME = "clevr"
SUFFIXES = (".json",)
WIDTH, HEIGHT = 480, 320  #: CLEVR pictures are all this large.
_ATTRIBUTES = ("size", "color", "material")


def sniff(path: Path, head: bytes) -> float:
    """Look for scenes with solids."""
    shape = outline(head)
    if shape is None or "scenes" not in shape.at(1):
        return 0.0
    return 0.95 if {"shape", "3d_coords"} & shape.at(3) or "image_filename" in shape.at(2) else 0.5


def _build(taken: set[str], entry: dict[str, Any]) -> Built:
    objects = tuple(
        SceneObject(
            str(index),
            words(solid["shape"], "shape"),
            attributes=tuple(words(solid[a], a) for a in _ATTRIBUTES if a in solid),
        )
        for index, solid in enumerate(entry["objects"])
    )
    relations = []
    for direction, ends in (entry.get("relationships") or {}).items():
        # ends[i] lists what stands in that direction as seen from solid i
        for index, others in enumerate(ends):
            for other in others:
                if not 0 <= other < len(objects) or index >= len(objects):
                    raise ValueError(f"relation {direction!r} names solid {other}, which is not there")
                relations.append(SceneRelation(str(other), snake(direction), str(index)))
    image = entry.get("image_filename")
    name = _name(entry)
    while name in taken:
        name += f"_{len(taken)}"
    taken.add(name)
    scene = SceneGraph(name, objects, tuple(relations), WIDTH, HEIGHT, image=image, source="clevr")
    return Built(scene, [])


def _name(entry: dict[str, Any]) -> str:
    if entry.get("image_filename"):
        return picture_name(words(entry["image_filename"], "image_filename"), entry.get("split"))
    return picture_name(f"clevr_{identity(entry['image_index'], 'image_index')}", entry.get("split"))


def _raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
    taken: set[str] = set()
    yield from each_item(partial(_build, taken), "scenes")(path, options)


scenes, read = readers(_raw)
