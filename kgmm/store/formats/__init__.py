"""File formats a store reads, one module each, found by looking at the file.

A format module holds ``NAME``, ``SUFFIXES``, ``sniff(path, head) -> confidence in [0, 1]`` and
``read(path, options) -> batches (or spans) and rejects``; formats of scene graphs also ``scenes(path)``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pyarrow as pa

from kgmm.errors import BadInput
from kgmm.store.formats._base import ReadOptions, Rejects
from kgmm.store.formats._stream import head

if TYPE_CHECKING:
    from kgmm.scene import SceneGraph
    from kgmm.store.index.spans import Spans

__all__ = ["Format", "ReadOptions", "Rejects", "detect", "formats", "read_scenes"]

KNOWN = 0.2  #: Confidence below which a file counts as unknown.


class Format(Protocol):
    """What a format module offers."""

    NAME: str
    SUFFIXES: tuple[str, ...]

    def sniff(self, path: Path, head: bytes) -> float:
        """Return how surely a file is of this format, by its decompressed head."""

    def read(self, path: Path, options: ReadOptions) -> Iterable[pa.RecordBatch | Spans | Rejects]:
        """Yield the file's statements and the parts that were left out; a reader may choose a compiled path."""


@cache
def formats() -> dict[str, Format]:
    """Return the formats by name: every public module of this package.

    Example:
        >>> "turtle" in formats() and "gqa" in formats()
        True
    """
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    modules = [cast(Format, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return {module.NAME: module for module in modules}


def detect(path: str | Path, format: str | None = None) -> Format:
    """Return the format of a file: the one named, or the one its content looks most like.

    Raises:
        BadInput: if no format of that name exists, the file cannot be read, or nothing recognizes it.
    """
    path, known = Path(path), formats()
    if format is not None:
        if format.replace("_", "-") not in known:
            raise BadInput(path, f"no format {format!r}; known: {', '.join(known)}")
        return known[format.replace("_", "-")]
    start = head(path)
    if not start.strip():
        raise BadInput(path, "the file is empty")
    plain = path.name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz").lower()

    def confidence(module: Format) -> tuple[float, bool]:
        return module.sniff(path, start), plain.endswith(module.SUFFIXES)

    best = max(known.values(), key=confidence)
    if confidence(best)[0] < KNOWN:
        raise BadInput(path, f"format not recognized; name one with --format: {', '.join(known)}")
    return best


def read_scenes(path: str | Path, format: str | None = None) -> Iterator[SceneGraph]:
    """Yield the scene graphs of a file of any scene format.

    Raises:
        BadInput: if the file is of no scene format or cannot be used.
    """
    found = detect(path, format)
    scenes = getattr(found, "scenes", None)
    if scenes is None:
        raise BadInput(path, f"a scene graph is expected, this is a {found.NAME} file")
    yield from scenes(Path(path))
