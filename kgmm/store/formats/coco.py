"""COCO instances: pictures, boxes, categories (Lin et al., ECCV 2014; https://cocodataset.org/#format-data)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput, reason_of
from kgmm.scene import Box, SceneGraph, SceneObject
from kgmm.store.formats import _scenes
from kgmm.store.formats._base import ReadOptions
from kgmm.store.formats._json import items, outline
from kgmm.store.formats._scenes import WRONG, Built, RawScene, box, identity, number, picture_name, readers, size, words

NAME = "coco"
SUFFIXES = (".json",)


def sniff(path: Path, head: bytes) -> float:
    """Look for images beside annotations, with COCO's own keys."""
    shape = outline(head)
    if shape is None or shape.opening != "{" or not {"images", "annotations"} & shape.at(1):
        return 0.0
    own = {"coco_url", "file_name", "bbox", "category_id", "supercategory", "date_captured"}
    return 0.95 if own & (shape.at(2) | shape.at(3)) else 0.3


@dataclass
class _Tables:
    """What a COCO file says, its parts joined only at the end since their order is free."""

    pictures: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    categories: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: picture -> (annotation, category, box, score, line); outlines are dropped as they are read
    boxes: dict[str, list[tuple[str, str, Box, float, int]]] = field(default_factory=lambda: defaultdict(list))
    problems: list[tuple[int, str, str]] = field(default_factory=list)

    def take(self, key: str | None, value: Any, line: int) -> None:
        """Keep one item of the file."""
        if key not in ("images", "categories", "annotations"):
            return
        try:
            if key == "images":
                kept = {k: value.get(k) for k in ("file_name", "width", "height")}
                self.pictures[identity(value["id"], "id")] = (kept, line)
            elif key == "categories":
                names = words(value["name"], "name"), str(value.get("supercategory") or "")
                self.categories[identity(value["id"], "id")] = names
            else:
                entry = (
                    identity(value["id"], "id"),
                    identity(value["category_id"], "category_id"),
                    box(value["bbox"]),
                    number(value.get("score", 1.0), "score"),
                    line,
                )
                self.boxes[identity(value["image_id"], "image_id")].append(entry)
        except WRONG as error:
            what = "category" if key == "categories" else key[:-1]
            self.problems.append((line, reason_of(error, f"{what} left out"), str(value)))

    def names(self) -> dict[str, str]:
        """Return the scene of each picture: its file's folders and name, and its id where that is taken."""
        found: dict[str, str] = {}
        for picture in dict.fromkeys([*self.pictures, *self.boxes]):
            file_name = self.pictures.get(picture, ({}, 0))[0].get("file_name")
            stem = picture_name(file_name) if isinstance(file_name, str) and file_name.strip("./ ") else picture
            while stem in found:
                stem += f"_{picture}"
            found[stem] = picture
        return {picture: name for name, picture in found.items()}


def _raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
    tables = _Tables()
    for key, value, line in items(path, options.progress):
        tables.take(key, value, line)
    if not tables.boxes and not tables.problems:
        raise BadInput(path, "holds no COCO annotations with boxes (captions or keypoints only?)")
    names = tables.names()
    for picture in tables.boxes:
        _, line = tables.pictures.get(picture, ({}, tables.boxes[picture][0][4]))
        yield RawScene(partial(_build, picture, names[picture], tables), line, f"image {picture}")
    for line, reason, raw in tables.problems:
        yield RawScene(partial(_scenes.refuse, BadInput(path, reason)), line, raw)


def _build(picture: str, name: str, tables: _Tables) -> Built:
    about, _ = tables.pictures.get(picture, ({}, 0))
    objects: dict[str, SceneObject] = {}
    problems = []
    for annotation, category, where, score, line in tables.boxes[picture]:
        if category not in tables.categories:
            problems.append(f"annotation {annotation} (line {line}) has unknown category {category}")
            continue
        word, kind = tables.categories[category]
        if annotation in objects:
            problems.append(f"annotation {annotation} (line {line}) left out: another of this id is there")
            continue
        aliases = (kind,) if kind and kind != word else ()
        objects[annotation] = SceneObject(annotation, word, where, score, aliases=aliases)
    scene = SceneGraph(
        name,
        tuple(objects.values()),
        (),
        size(about.get("width")),
        size(about.get("height")),
        image=about.get("file_name"),
        source="coco",
    )
    return Built(scene, problems)


scenes, read = readers(_raw)
