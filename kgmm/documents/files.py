"""What there is to read: files, folders, standard input, records; read whole or an error that names file and line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kgmm.documents.formats import READERS, plain, records
from kgmm.documents.passage import Document
from kgmm.errors import BadInput
from kgmm.progress import Progress, silent

LARGEST = 1 << 30  #: bytes of a file at most: it is read whole
#: one place or several, records (mappings with text and, if given, title, id, source, date), or documents already made
Readable = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Iterable[Mapping[str, Any]] | Iterable[Document]


def documents(
    given: Readable, progress: Progress = silent, skipped: list[str] | None = None
) -> Iterator[tuple[str, list[Document]]]:
    """Yield the documents of each file or of the records given, with its name.

    Args:
        given: a file, a folder (files of known endings in it, none that is hidden), ``-``, several of them, or records.
        progress: called with files read.
        skipped: gets the names of a folder's files whose endings say nothing.
    """
    items = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if items and all(isinstance(item, Mapping) for item in items):
        yield "records", records.documents(enumerate(items, 1), "records")
        return
    if items and all(isinstance(item, Document) for item in items):
        yield "documents", [item for item in items if isinstance(item, Document)]
        return
    places: list[str] = []
    for item in items:
        if isinstance(item, Mapping) or not isinstance(item, (str, os.PathLike)):
            raise BadInput("records", f"names of files or mappings, not {type(item).__name__}")
        places += _files(os.fspath(item), [] if skipped is None else skipped)
    for number, place in enumerate(places):
        progress(number, len(places), place)
        yield place, _read(place)
    progress(len(places), len(places), "")


def _files(place: str, skipped: list[str]) -> Iterator[str]:
    """Yield a file, or the files of a folder in the order of their names; links out of it are not followed."""
    if place == "-":
        yield place
        return
    path = Path(place).expanduser()
    if not path.is_dir():
        yield str(path)
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(folder, name)
            if name.startswith(".") or os.path.islink(file) or not os.path.isfile(file):
                continue
            if os.path.splitext(name)[1].lower() in READERS:
                yield file
            else:
                skipped.append(file)


def _read(place: str) -> list[Document]:
    name = "stdin" if place == "-" else Path(os.path.normpath(place)).as_posix()
    data = _bytes(place)
    ending = os.path.splitext(name)[1].lower()
    reader = READERS.get(ending, plain.read)
    if place == "-" and data.lstrip()[:1] in (b"{", b"["):
        reader = records.read
    return reader(data, name)


def _bytes(place: str) -> bytes:
    try:
        if place == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            if not os.path.isfile(place):
                raise BadInput(place, "no such file" if not os.path.exists(place) else "no file that can be read")
            with open(place, "rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(place, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a name with a zero byte
        raise BadInput(place.replace("\0", "\ufffd"), "no such file") from error
    if len(data) > LARGEST:
        raise BadInput(place, f"more than {LARGEST >> 30} GiB; split it")
    return data
