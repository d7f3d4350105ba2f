"""Scene graphs: what a perceiver saw in one picture, as plain data that the store can hold as facts."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput, reason_of
from kgmm.files import kept, read_json
from kgmm.language.names import concept, quoted
from kgmm.language.words import written
from kgmm.scene.boxes import Box
from kgmm.scene.show import scene_html


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object: its name, its box (x, y, width, height in pixels), score in [0, 1] and attributes."""

    id: str
    name: str
    box: Box | None = None
    score: float = 1.0
    attributes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  #: further names the same object goes by (synset members, coarser kinds), best first
    text: str = ""  #: the words that stand there, as they are written
    source: str = ""  #: which of several perceivers saw it, such as ``default+onnx``


@dataclass(frozen=True, slots=True)
class SceneRelation:
    """One directed relation between two objects, named in lower snake case (``on``, ``left_of``)."""

    subject: str
    predicate: str
    object: str
    score: float = 1.0


@dataclass(frozen=True)
class SceneGraph:
    """The objects of one picture and the relations between them.

    Example:
        >>> scene = SceneGraph("desk", (SceneObject("o1", "knife"), SceneObject("o2", "table")),
        ...                    (SceneRelation("o1", "on", "o2"),))
        >>> scene["o1"].name, [fact[1] for fact in scene.facts()][:3]
        ('knife', ['Contains', 'Depicts', 'InstanceOf'])
    """

    id: str
    objects: tuple[SceneObject, ...] = ()
    relations: tuple[SceneRelation, ...] = ()
    width: int = 0
    height: int = 0
    image: str | None = None
    source: str = ""
    tags: tuple[tuple[str, float], ...] = ()  #: what the picture as a whole shows (place, event), with scores
    #: whether everything worth asking about is listed; what a perceiver finds is never all there is
    complete: bool = True
    #: names that were looked for and are not there, and how sure that is in [0, 1]
    absent: tuple[tuple[str, float], ...] = ()
    _by_id: dict[str, SceneObject] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id.update((o.id, o) for o in self.objects)

    def __getitem__(self, object_id: str) -> SceneObject:
        return self._by_id[object_id]

    def __contains__(self, object_id: object) -> bool:
        return object_id in self._by_id

    def _repr_html_(self) -> str:
        return scene_html(self)

    def without(self, objects: Collection[str]) -> SceneGraph:
        """Return the scene without some objects, by id, and their relations.

        Example:
            >>> cup, pen = SceneObject("c", "cup"), SceneObject("p", "pen")
            >>> left = SceneGraph("s", (cup, pen), (SceneRelation("p", "in", "c"),)).without({"c"})
            >>> [o.id for o in left.objects], left.relations
            (['p'], ())
        """
        if not objects:
            return self
        left = tuple(o for o in self.objects if o.id not in objects)
        relations = tuple(r for r in self.relations if r.subject not in objects and r.object not in objects)
        return replace(self, objects=left, relations=relations)

    @property
    def graph(self) -> str:
        """Name of the graph that holds this scene in a store."""
        return f"scene/{self.id}"

    def node(self, object_id: str | None = None) -> str:
        """Return the store's node of the scene, or of one of its objects."""
        return f"/s/{self.id}" + (f"/{object_id}" if object_id else "")

    def facts(self) -> Iterator[tuple[str, str, str, float]]:
        """Yield the scene as (subject, predicate, object, weight) statements for its graph."""
        whole = self.node()
        for o in self.objects:
            node, kind = self.node(o.id), concept(o.name)
            yield whole, "Contains", node, o.score
            yield whole, "Depicts", kind, o.score
            yield node, "InstanceOf", kind, o.score
            if o.box is not None:
                yield node, "box", f'"{",".join(f"{v:g}" for v in o.box)}"', 1.0
            if o.text:
                yield node, "reads", quoted(o.text), o.score
            for attribute in o.attributes:
                yield node, "HasProperty", concept(attribute), o.score
        for tag, score in self.tags:
            yield whole, "Depicts", concept(tag), score
        for name, score in self.absent:
            yield whole, "NotDepicts", concept(name), score
        for r in self.relations:
            yield self.node(r.subject), r.predicate, self.node(r.object), r.score

    def to_dict(self) -> dict[str, Any]:
        """Return the scene as JSON-ready data; inverse of :meth:`from_dict`."""
        objects = [{k: v for k, v in asdict(o).items() if k not in ("text", "source") or v} for o in self.objects]
        said = {k: v for k, v in asdict(self).items() if k != "_by_id" and (k != "absent" or v)}
        return {"kgmm": "scene/1", **said, "objects": objects}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the scene as a JSON document, and write it to *path* if given."""
        return kept(json.dumps(self.to_dict(), ensure_ascii=False, indent=1), path)

    @classmethod
    def from_dict(cls, data: dict[str, Any], origin: str = "scene") -> SceneGraph:
        """Read a scene from JSON-ready data.

        Raises:
            BadInput: if a field is missing or a relation names an object that is not there.
        """
        try:
            objects = tuple(
                SceneObject(
                    str(o["id"]),
                    str(o["name"]),
                    tuple(float(v) for v in o["box"]) if o.get("box") else None,  # type: ignore[arg-type]
                    float(o.get("score", 1.0)),
                    tuple(map(str, o.get("attributes", ()))),
                    tuple(map(str, o.get("aliases", ()))),
                    written(str(o.get("text", ""))),
                    written(str(o.get("source", ""))),
                )
                for o in data["objects"]
            )
            relations = tuple(
                SceneRelation(str(r["subject"]), str(r["predicate"]), str(r["object"]), float(r.get("score", 1)))
                for r in data.get("relations", ())
            )
            size = int(data.get("width", 0)), int(data.get("height", 0))
            image = None if data.get("image") is None else os.fspath(data["image"])
            tags = tuple((str(t), float(s)) for t, s in data.get("tags", ()))
            source, complete = str(data.get("source", "")), bool(data.get("complete", True))
            absent = tuple((str(name), float(score)) for name, score in data.get("absent", ()))
            scene = cls(str(data["id"]), objects, relations, *size, image, source, tags, complete, absent)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BadInput(origin, reason_of(error, "not a scene graph")) from error
        for o in objects:
            if o.box is not None and len(o.box) != 4:
                raise BadInput(origin, f"box of object {o.id} needs 4 numbers, has {len(o.box)}")
        for name, end in ((r.predicate, end) for r in relations for end in (r.subject, r.object)):
            if end not in scene:
                raise BadInput(origin, f"relation {name!r} names object {end!r}, which is not there")
        return scene

    @classmethod
    def from_json(cls, path: str | Path) -> SceneGraph:
        """Read a scene from a JSON file, its image path taken relative to that file.

        Raises:
            BadInput: if the file cannot be read, is not JSON or not a scene.
        """
        data = read_json(path)
        if not isinstance(data, dict):
            raise BadInput(path, "not a scene graph: a JSON object is expected")
        image = data.get("image")
        if isinstance(image, str) and not Path(image).is_absolute():
            data["image"] = str(Path(path).parent / image)
        return cls.from_dict(data, str(path))


NO_PICTURE = SceneGraph("no-picture", complete=False)  #: the scene of a question that comes without a picture
