"""Our own scene graphs as JSON, one or an array (Johnson et al., Image Retrieval using Scene Graphs, CVPR 2015)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph
from kgmm.store.formats import _scenes
from kgmm.store.formats._base import ReadOptions
from kgmm.store.formats._json import items, outline
from kgmm.store.formats._scenes import Built, RawScene, readers

NAME = "scene"
SUFFIXES = (".json",)


def sniff(path: Path, head: bytes) -> float:
    """Look for our own mark, or for objects beside relations in the outermost object."""
    shape = outline(head)
    if shape is None:
        return 0.0
    if "kgmm" in shape.at(1):
        return 1.0
    return 0.6 if {"id", "objects"} <= shape.at(1) and "name" in shape.at(2) else 0.0


def _raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
    members: dict[str, Any] = {}
    for key, value, line in items(path, options.progress):
        if key is None:
            yield _one(value, path, line)
        elif key in ("objects", "relations", "tags"):
            members.setdefault(key, []).append(value)
        else:
            members[key] = value
    if str(members.get("kgmm", "")).startswith("story/"):
        raise BadInput(path, "a story graph, not a scene; kgmm story FILE --kb KB puts it into a store")
    if members:
        members.setdefault("objects", [])
        yield _one(members, path, 1)


def _one(data: Any, path: Path, line: int) -> RawScene:
    def build() -> Built:
        if not isinstance(data, dict):
            raise BadInput(path, "not a scene graph: a JSON object is expected")
        for end in data.get("objects", ()):
            _scenes.words(end["name"], "object name")
        for relation in data.get("relations", ()):
            _scenes.words(relation["predicate"], "predicate")
        image = data.get("image")
        if isinstance(image, str) and not Path(image).is_absolute():
            data["image"] = str(path.parent / image)
        return Built(SceneGraph.from_dict({**data, "id": _scenes.identity(data["id"], "id")}, str(path)), [])

    return RawScene(build, line, str(data))


scenes, read = readers(_raw)
