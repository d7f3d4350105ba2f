"""Markdown: one document a file, called by its first heading; passages end at headings."""

import bisect
import re
from pathlib import PurePath

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document

ENDINGS = (".md", ".markdown")

_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)


def read(data: bytes, source: str) -> list[Document]:
    """Return the file as one document; its text stays as it is written."""
    text = text_of(data, source)
    fences = [fence.span() for fence in _FENCE.finditer(text)]
    starts = [start for start, _ in fences]

    def outside(place: int) -> bool:
        before = bisect.bisect_right(starts, place) - 1
        return before < 0 or place >= fences[before][1]

    headings = [h for h in _HEADING.finditer(text) if outside(h.start())]
    title = _said(headings[0][1]) if headings else PurePath(source).stem
    breaks = tuple(heading.start() for heading in headings if heading.start())
    return [Document(source, text, title=title, source=source, breaks=breaks)]


def _said(heading: str) -> str:
    """Return a heading without the signs that close it, which stand after a space.

    >>> _said("C# in depth ##  "), _said("F#"), _said("#")
    ('C# in depth', 'F#', '#')
    """
    bare = heading.rstrip()
    opened = bare.rstrip("#")
    return opened.rstrip() if opened.strip() and opened[-1] in " \t" else bare
