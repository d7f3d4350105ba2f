"""DOCX (Word): the text of paragraphs and tables, what was deleted left out; passages end at headings and pages."""

from __future__ import annotations

from pathlib import PurePath

from kgmm.documents.formats._packed import About, Packed
from kgmm.documents.passage import Document

ENDINGS = (".docx",)
_GONE = frozenset({"del", "moveFrom", "instrText", "fldSimple"})  # what is struck out, and a field's formula


class _Body:
    """Collects a document's text while its XML goes by."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.breaks: list[int] = []
        self.pages: list[int] = []
        self.cell = self.gone = 0
        self.inside = self.heading = False

    def put(self, text: str) -> None:
        """Add text."""
        self.parts.append(text)
        self.length += len(text)

    def started(self, tag: str, about: dict[str, str]) -> None:
        """Note what begins."""
        if tag in _GONE:
            self.gone += 1
        elif tag == "t":
            self.inside = True
        elif tag == "tab":
            self.put("\t")
        elif tag in ("br", "cr"):
            if about.get("type") == "page":
                self.page()
            else:
                self.put("\n")
        elif tag == "lastRenderedPageBreak":
            self.page()
        elif tag == "tc":
            self.cell += 1
        elif tag == "pStyle" and about.get("val", "").lower().startswith(("heading", "title")) and not self.cell:
            self.breaks.append(self.length)

    def page(self) -> None:
        """Note that a page begins."""
        if self.length and (not self.pages or self.pages[-1] < self.length):
            self.pages.append(self.length)

    def ended(self, tag: str) -> None:
        """Note what ends."""
        if tag in _GONE:
            self.gone -= 1
        elif tag == "t":
            self.inside = False
        elif tag == "p":
            self.put(" " if self.cell else "\n\n")
        elif tag == "tc":
            self.cell -= 1
            self.put("\t")
        elif tag == "tr":
            self.put("\n")

    def said(self, text: str) -> None:
        """Keep what is seen."""
        if self.inside and not self.gone:
            self.put(text)


def read(data: bytes, source: str) -> list[Document]:
    """Return the file as one document, called by its title.

    Raises:
        BadInput: if it is no DOCX, damaged, encrypted, or unpacks to too much.
    """
    packed, body, about = Packed(data, source, "DOCX"), _Body(), About()
    packed.xml("word/document.xml", body.started, body.ended, body.said)
    if "docProps/core.xml" in packed.names:
        packed.xml("docProps/core.xml", about.started, about.ended, about.said)
    breaks = tuple(sorted({at for at in body.breaks if 0 < at < body.length}))
    pages = tuple(at for at in body.pages if at < body.length)
    title = about.found.get("title") or PurePath(source).stem
    date = about.found.get("created", "")[:10]
    return [Document(source, "".join(body.parts), title=title, source=source, date=date, breaks=breaks, pages=pages)]
