"""CLEVR scenes: coloured solids and which of them stand left, right, in front of and behind each.

Johnson et al., CLEVR, CVPR 2017; https://cs.stanford.edu/people/jcjohns/clevr/
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats._json import outline
from kgmm.store.formats._scenes import Built, each_item, identity, readers, snake, words

NAME = "clevr"
SUFFIXES = (".json",)
#: CLEVR pictures are all this large.
WIDTH, HEIGHT = 480, 320
_ATTRIBUTES = ("size", "color", "material")


def sniff(path: Path, head: bytes) -> float:
    """Look for scenes with solids."""
    shape = outline(head)
    if shape is None or "scenes" not in shape.at(1):
        return 0.0
    return 0.95 if {"shape", "3d_coords"} & shape.at(3) or "image_filename" in shape.at(2) else 0.5


def _build(entry: dict[str, Any]) -> Built:
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
    name = (
        Path(words(image, "image_filename")).stem if image else f"clevr_{identity(entry['image_index'], 'image_index')}"
    )
    return Built(
        SceneGraph(name.replace(" ", "_"), objects, tuple(relations), WIDTH, HEIGHT, image=image, source="clevr"), []
    )


scenes, read = readers(each_item(_build, "scenes"))
