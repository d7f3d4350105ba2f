"""HTML: the text a reader sees, without scripts, styles and navigation; nothing is executed or fetched."""

import re
from html.parser import HTMLParser
from pathlib import PurePath

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document

ENDINGS = (".html", ".htm", ".xhtml")

_HIDDEN = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "nav", "head"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | set(
    "p div section article header footer main aside ul ol dl table blockquote pre figure figcaption form hr".split()
)
_LINES = frozenset("br li dt dd tr caption option".split())
_CELLS = frozenset({"td", "th"})
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*(iso-8859-1|latin1|windows-1252)", re.IGNORECASE)


class _Seen(HTMLParser):
    """Collects what is seen; depth of nesting costs nothing but a counter."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.title: list[str] = []
        self.headings: list[int] = []  # numbers of the parts that begin a heading
        self.hidden: str = ""
        self.depth = 0
        self.in_title = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what begins."""
        if tag == "title" and self.hidden in ("", "head") and not self.title:
            self.in_title = True
        if self.hidden:
            self.depth += tag == self.hidden
            return
        if tag in _HIDDEN:
            self.hidden, self.depth = tag, 1
        elif tag == "body":
            self.parts.append("\n\n")
        self._space(tag)
        if tag in _HEADINGS:
            self.headings.append(len(self.parts))

    def handle_endtag(self, tag: str) -> None:
        """Note what ends."""
        if tag == "title":
            self.in_title = False
        if self.hidden:
            self.depth -= tag == self.hidden
            if not self.depth or tag in ("body", "html"):
                self.hidden = ""
            return
        self._space(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an element without content."""
        if not self.hidden:
            self._space(tag)

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if self.in_title:
            self.title.append(data)
        elif not self.hidden:
            self.parts.append(" ".join(data.split()) if not data.isspace() else "")
            if data[:1].isspace():
                self.parts.insert(-1, " ")
            if data[-1:].isspace():
                self.parts.append(" ")

    def _space(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag in _LINES:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")


def read(data: bytes, source: str) -> list[Document]:
    """Return the page's text as one document, called by its title; passages end at headings."""
    declared = _CHARSET.search(data[:4096])
    seen = _Seen()
    seen.feed(data.decode("windows-1252", "replace") if declared else text_of(data, source))
    seen.close()
    text, breaks = _joined(seen.parts, set(seen.headings))
    title = " ".join("".join(seen.title).split()) or PurePath(source).stem
    return [Document(source, text, title=title, source=source, breaks=breaks)]


def _joined(parts: list[str], headings: set[int]) -> tuple[str, tuple[int, ...]]:
    """Return the parts as one text with single spaces and at most one empty line, and where headings begin."""
    out: list[str] = []
    length, space, breaks = 0, "", []
    heading = False
    for number, part in enumerate(parts):
        heading = heading or number in headings
        if not part.strip():
            space = max(space, part, key=lambda s: (s.count("\n"), len(s)))
            continue
        if not out:
            space = ""
        if heading and length:
            breaks.append(length + len(space))
        heading = False
        out.append(space + part)
        length += len(space) + len(part)
        space = ""
    return "".join(out), tuple(breaks)
