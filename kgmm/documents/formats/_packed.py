"""Files that are packed folders (EPUB, DOCX): parts by their names within bounds, and their XML without entities."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from kgmm.errors import BadInput

PARTS = 20_000  #: that a packed file has at most
UNPACKED = 256 << 20  #: bytes that all parts which are read have at most, whatever the file says of them

Started = Callable[[str, dict[str, str]], Any]


class Packed:
    """A packed file's parts; a part's name is looked up in the file and never a path.

    Raises:
        BadInput: if it is no packed file, is encrypted, or has too many parts.
    """

    def __init__(self, data: bytes, source: str, kind: str) -> None:
        self.source, self.kind, self.left = source, kind, UNPACKED
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self.names = set(self._zip.namelist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
            raise BadInput(source, f"no {kind}: it cannot be unpacked ({error})") from error
        if len(self.names) > PARTS:
            raise BadInput(source, f"no {kind} that can be used: it has more than {PARTS:,} parts")

    def part(self, name: str) -> bytes:
        """Return a part.

        Raises:
            BadInput: if it is not there or damaged, or the parts unpack to too much.
        """
        if name not in self.names:
            raise BadInput(self.source, f"no whole {self.kind}: it has no part {name!r}")
        try:
            with self._zip.open(name) as file:
                data = file.read(self.left + 1)
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            RuntimeError,
            NotImplementedError,
            EOFError,
            zlib.error,
        ) as error:
            raise BadInput(self.source, f"part {name!r} of the {self.kind} cannot be read: {error}") from error
        self.left -= len(data)
        if self.left < 0:
            raise BadInput(self.source, f"the {self.kind} unpacks to more than {UNPACKED >> 20} MiB")
        return data

    def xml(
        self, name: str, started: Started, ended: Callable[[str], Any] = bool, said: Callable[[str], Any] = bool
    ) -> None:
        """Read a part as XML: calls for what begins, ends and is said, names without their namespaces.

        Raises:
            BadInput: as :meth:`part` does, and if it is no XML, or declares entities.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse(*given: Any) -> None:
            raise BadInput(self.source, f"part {name!r} of the {self.kind} declares entities, which are not read")

        def local(tag: str) -> str:
            return tag.rpartition(":")[2]

        parser.EntityDeclHandler = refuse
        parser.StartElementHandler = lambda tag, about: started(local(tag), {local(k): v for k, v in about.items()})
        parser.EndElementHandler = lambda tag: ended(local(tag))
        parser.CharacterDataHandler = said
        data = self.part(name)
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise BadInput(self.source, f"part {name!r} of the {self.kind} is no XML: {error}") from error
        except (LookupError, ValueError) as error:  # an encoding that nobody knows
            raise BadInput(self.source, f"part {name!r} of the {self.kind}: {error}") from error


class About:
    """Collects what is told of a document: its elements' text by name, the first of each."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._now: list[str] = []

    def started(self, tag: str, about: dict[str, str]) -> Any:
        """Note what begins."""
        self._now = []

    def ended(self, tag: str) -> Any:
        """Keep what it said."""
        if text := " ".join("".join(self._now).split()):
            self.found.setdefault(tag, text)
        self._now = []

    def said(self, text: str) -> Any:
        """Collect text."""
        self._now.append(text)
