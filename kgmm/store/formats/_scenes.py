"""What all readers of scene graphs share: checked values, and scenes turned into statements."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from kgmm.errors import BadInput, reason_of
from kgmm.language.places import STORED
from kgmm.scene import Box, SceneGraph
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._json import items
from kgmm.store.formats._rows import Rows


class Built(NamedTuple):
    """A scene, and what was left out of it."""

    scene: SceneGraph
    problems: list[str]


class RawScene(NamedTuple):
    """One scene as a file states it: how to build it, the line it starts on, what to quote of it."""

    build: Callable[[], Built]
    line: int
    quote: str


#: Errors that building a scene from unchecked JSON may raise: the scene is rejected, the rest is read.
WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError, BadInput)


def snake(text: str) -> str:
    """Return a relation name in lower snake case.

    Raises:
        ValueError: if nothing is left of it.

    Example:
        >>> snake("to the left of"), snake("Sitting on"), snake("WEARING a")
        ('left_of', 'sitting_on', 'wearing_a')
    """
    name = "_".join(re.findall(r"\w+", text.lower()))
    if not name:
        raise ValueError(f"relation name {text[:40]!r} holds no letter")
    return STORED.get(name, name)


def words(value: Any, what: str) -> str:
    """Return a non-empty string; ValueError if *value* is no string, empty or holds control characters."""
    if not isinstance(value, str) or not value.replace("/", " ").replace("_", " ").strip():
        raise ValueError(f"{what} is {str(value)[:40]!r}, a word is expected")
    text = " ".join(value.split())
    if not text.isprintable():
        raise ValueError(f"{what} {text[:40]!r} holds control characters")
    return text


def identity(value: Any, what: str) -> str:
    """Return an id that is a whole number or a string without spaces; ValueError if it is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not re.fullmatch(r"\S+", str(value)):
        raise ValueError(f"{what} is {str(value)[:40]!r}, a number or name is expected")
    return str(value)


def picture_name(file_name: str, split: Any = None) -> str:
    """Return the scene of a picture by its file: its folders, its split where neither says it, and its name.

    >>> picture_name("val/a b.png"), picture_name("a.png", "val"), picture_name("CLEVR_val_000.png", "val")
    ('val_a_b', 'val_a', 'CLEVR_val_000')
    """
    parts = [part for part in PurePosixPath(file_name.replace("\\", "/")).with_suffix("").parts if part.strip("./")]
    name = "_".join(" ".join(parts).split())
    said = isinstance(split, str) and "_".join(split.split())
    return f"{said}_{name}" if said and said not in name else name


def number(value: Any, what: str) -> float:
    """Return a finite number; ValueError if *value* is none, or too large for one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
        return float(value)
    raise ValueError(f"{what} is {str(value)[:40]!r}, a number is expected")


def box(values: Any) -> Box:
    """Return a box of four finite numbers; ValueError if it is none."""
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        raise ValueError(f"box {str(values)[:40]!r} is not four numbers")
    x, y, w, h = (number(value, "box") for value in values)
    return x, y, w, h


def size(value: Any) -> int:
    """Return a picture's width or height in pixels; 0 if it is not known."""
    return int(value) if isinstance(value, (int, float)) and 0 <= value < 1 << 31 else 0


def refuse(error: Exception) -> Built:
    """Be the way to build a scene of which the file already showed that it cannot be used."""
    raise error


Read = Callable[[Path, ReadOptions], Iterator[pa.RecordBatch | Rejects]]
Raw = Callable[[Path, ReadOptions], Iterator[RawScene]]  #: Yields the scenes of a file as it states them.


def each_item(build: Callable[[Any], Built], wanted: str | None = None) -> Raw:
    """Return how to take each item of a JSON file, or of its member *wanted*, as a scene."""

    def raw(path: Path, options: ReadOptions) -> Iterator[RawScene]:
        for key, value, line in items(path, options.progress):
            if wanted in (None, key):
                yield RawScene(partial(build, value), line, str(value))

    return raw


def readers(raw: Raw) -> tuple[Callable[[Path], Iterator[SceneGraph]], Read]:
    """Return a format's ``scenes`` and ``read``.

    ``scenes`` yields the scenes of a file, and raises BadInput at the first that cannot be built, naming its line.
    ``read`` yields their statements, each scene in its own graph unless the load names one; a scene that cannot be
    used is rejected alone. A file that is not JSON or is cut raises BadInput.
    """

    def scenes(path: Path) -> Iterator[SceneGraph]:
        for scene in raw(path, ReadOptions()):
            try:
                yield scene.build().scene
            except WRONG as error:
                raise BadInput(path, reason_of(error), scene.line) from error

    return scenes, lambda path, options: _statements(raw(path, options), options)


def _statements(raw: Iterable[RawScene], options: ReadOptions) -> Iterator[pa.RecordBatch | Rejects]:
    rows = Rows()
    for one in raw:
        try:
            scene, problems = one.build()
            facts = list(scene.facts())
        except WRONG as error:
            rows.reject(one.line, reason_of(error), one.quote)
            continue
        graph = scene.graph if options.graph is None else None
        for subject, predicate, obj, weight in facts:
            rows.add(subject, predicate, obj, weight, graph, scene.source)
        for problem in problems:
            rows.reject(one.line, problem, one.quote)
        if rows.full:
            yield from rows.flush()
    yield from rows.flush()
