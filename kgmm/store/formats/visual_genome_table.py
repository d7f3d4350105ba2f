"""Visual Genome's relationships (Krishna et al., IJCV 2017), a table of image_id, relationship, subject, object."""

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

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
    places = [columns.index(name) for name in _NEEDED]
    told = (line for line in stream if line.text.strip())
    for _, picture in groupby(told, lambda line: line.text.split("\t")[places[0] : places[0] + 1]):
        yield from _picture(list(picture), places, len(columns))


class _Row(NamedTuple):
    """What one line says, checked."""

    image: str
    relation: SceneRelation
    subject: SceneObject
    object: SceneObject


@lru_cache(maxsize=1 << 16)  # of a vocabulary, most lines are repetitions
def _end(text: str, which: str) -> SceneObject:
    name = words(text, which)
    return SceneObject(snake(name), name)


@lru_cache(maxsize=1 << 16)
def _row(image: str, relationship: str, subject: str, object: str) -> _Row:
    """Return what a line says; ValueError if it cannot be used."""
    scene, predicate = identity(image, "image_id"), snake(words(relationship, "relationship"))
    ends = _end(subject, "subject"), _end(object, "object")
    return _Row(scene, SceneRelation(ends[0].id, predicate, ends[1].id), *ends)


def _picture(picture: list[Line], places: list[int], width: int) -> Iterator[RawScene]:
    """Yield the scene of one picture's lines, and one failing scene for each line that cannot be used."""
    good: list[_Row] = []
    for line in picture:
        fields = line.text.split("\t")
        try:
            if line.problem:
                raise ValueError(line.problem)
            if len(fields) <= max(places):
                raise ValueError(f"expected {width} columns, found {len(fields)}")
            good.append(_row(*[fields[place] for place in places]))
        except ValueError as error:
            yield RawScene(partial(_scenes.refuse, error), line.number, line.text)
    if good:
        yield RawScene(partial(_build, good), picture[0].number, picture[0].text)


def _build(rows: list[_Row]) -> Built:
    """Join rows by the words for their ends: the table names no single objects."""
    objects = {end.id: end for row in reversed(rows) for end in (row.object, row.subject)}  # the first name counts
    relations = dict.fromkeys(row.relation for row in rows)
    scene = SceneGraph(rows[0].image, tuple(reversed(objects.values())), tuple(relations), source="visual-genome")
    return Built(scene, [])


scenes, read = readers(_raw)
