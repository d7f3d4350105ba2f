"""Markdown: one document a file, called by its first heading; passages end at headings."""

import re
from pathlib import PurePath

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document

ENDINGS = (".md", ".markdown")

_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)


def read(data: bytes, source: str) -> list[Document]:
    """Return the file as one document; its text stays as it is written."""
    text = text_of(data, source)
    fences = [fence.span() for fence in _FENCE.finditer(text)]
    headings = [h for h in _HEADING.finditer(text) if not any(a <= h.start() < b for a, b in fences)]
    title = headings[0][1] if headings else PurePath(source).stem
    breaks = tuple(heading.start() for heading in headings if heading.start())
    return [Document(source, text, title=title, source=source, breaks=breaks)]
