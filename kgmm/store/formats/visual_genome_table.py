"""Visual Genome relationships as a table with a header: image_id, relationship, subject, object and more.

A table made of the relationships of Krishna et al., Visual Genome, IJCV 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store.formats import _scenes
from kgmm.store.formats._base import ReadOptions
from kgmm.store.formats._scenes import Built, RawScene, identity, readers, snake, words
from kgmm.store.formats._stream import Line, lines

NAME = "visual-genome-table"
SUFFIXES = (".tsv",)
_NEEDED = ("image_id", "relationship", "subject", "object")


def sniff(path: Path, head: bytes) -> float:
    """Look for the column names in the first line."""
    columns = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip().split("\t")
    return 1.0 if set(_NEEDED) <= set(columns) else 0.0


def _raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
    stream = lines(path, options.progress)
    first = next(stream, None)
    columns = first.text.rstrip().split("\t") if first else []
    if not set(_NEEDED) <= set(columns):
        raise BadInput(path, f"the first line must name the columns {', '.join(_NEEDED)}", 1)
    place = columns.index("image_id")
    told = (line for line in stream if line.text.strip())
    for _, picture in groupby(told, lambda line: line.text.split("\t")[place : place + 1]):
        yield from _picture(list(picture), columns)


def _picture(picture: list[Line], columns: list[str]) -> Iterator[RawScene]:
    """Yield the scene of one picture's lines, and one failing scene for each line that cannot be used."""
    good: list[dict[str, str]] = []
    for line in picture:
        fields = line.text.split("\t")
        row = dict(zip(columns, fields, strict=False))
        try:
            if line.problem:
                raise ValueError(line.problem)
            if not set(_NEEDED) <= row.keys():
                raise ValueError(f"expected {len(columns)} columns, found {len(fields)}")
            identity(row["image_id"], "image_id")
            snake(words(row["relationship"], "relationship"))
            words(row["subject"], "subject"), words(row["object"], "object")
        except ValueError as error:
            yield RawScene(partial(_scenes.refuse, error), line.number, line.text)
        else:
            good.append(row)
    if good:
        yield RawScene(partial(_build, good), picture[0].number, picture[0].text)


def _build(rows: list[dict[str, str]]) -> Built:
    """Join rows by the words for their ends: the table names no single objects."""
    objects: dict[str, SceneObject] = {}
    relations: dict[SceneRelation, None] = {}
    for row in rows:
        ends = [words(row[end], end) for end in ("subject", "object")]
        ids = [snake(end) for end in ends]
        for key, name in zip(ids, ends, strict=True):
            objects.setdefault(key, SceneObject(key, name))
        relations[SceneRelation(ids[0], snake(row["relationship"]), ids[1])] = None
    scene_id = identity(rows[0]["image_id"], "image_id")
    return Built(SceneGraph(scene_id, tuple(objects.values()), tuple(relations), source="visual-genome"), [])


scenes, read = readers(_raw)
