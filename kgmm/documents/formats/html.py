"""HTML: the text a reader sees, without scripts, styles and navigation; nothing is executed or fetched."""

import re
from html.parser import HTMLParser
from pathlib import PurePath

from kgmm.documents.formats._text import page_of
from kgmm.documents.passage import Document
from kgmm.errors import BadInput

ENDINGS = (".html", ".htm", ".xhtml")

_HIDDEN = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "nav", "head"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | set(
    "p div section article header footer main aside ul ol dl table blockquote pre figure figcaption form hr".split()
)
_LINES = frozenset("br li dt dd tr caption option".split())
_CELLS = frozenset({"td", "th"})
LARGEST = 64 << 20  #: bytes of a page at most: parsing takes some eight times as much memory
_SPACES = re.compile(r"\s{2,}|[^\S ]")  # all that is not one blank already
_NUMBER = re.compile(r"&#([0-9]{8,})(;?)")  # of more digits than any letter has
AGAIN = 20_000_000  #: letters that may be looked at again, and four times the page's, because markup was begun and not ended


class _Seen(HTMLParser):
    """Collects what is seen; depth of nesting costs nothing but a counter.

    Markup that does not end is looked for to the end of the page, and once more for each such beginning. How much is
    looked at so is counted, not timed: the same page is read, or refused, on any machine.
    """

    def __init__(self, source: str, letters: int) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.left = AGAIN + 4 * letters
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
            self.parts.append(_SPACES.sub(" ", data).strip())
            if data[:1].isspace():
                self.parts.insert(-1, " ")
            if data[-1:].isspace():
                self.parts.append(" ")

    def parse_starttag(self, i: int) -> int:
        """Read a tag that begins."""
        return self._tried(i, super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        """Read a tag that ends."""
        return self._tried(i, super().parse_endtag(i))

    def parse_comment(self, i: int, report: bool = True) -> int:
        """Read a comment."""
        return self._tried(i, super().parse_comment(i, report))

    def parse_pi(self, i: int) -> int:
        """Read an instruction, which nobody follows."""
        return self._tried(i, super().parse_pi(i))

    def parse_html_declaration(self, i: int) -> int:
        """Read a declaration; one that nobody knows is a comment, as it is to browsers."""
        try:
            end = super().parse_html_declaration(i)
        except AssertionError:  # what Python's parser raises for ``<![x]>``
            end = self.parse_bogus_comment(i)
        return self._tried(i, end)

    def _tried(self, start: int, end: int) -> int:
        if end < 0:
            self.left -= len(self.rawdata) - start
            if self.left < 0:
                line = self.getpos()[0]
                raise BadInput(self.source, "the page has too much markup that begins and does not end", line=line)
        return end

    def _space(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n")
        elif tag in _LINES:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")


def read(data: bytes, source: str) -> list[Document]:
    """Return the page's text as one document, called by its title; passages end at headings.

    Raises:
        BadInput: if it is no text, has more than 64 MiB, or so much of its markup does not end that reading it would take long.
    """
    if len(data) > LARGEST:
        raise BadInput(source, f"a page of more than {LARGEST >> 20} MiB; split it")
    page = _NUMBER.sub(_number, page_of(data, source))
    seen = _Seen(source, len(page))
    seen.feed(page)
    seen.close()
    text, breaks = _joined(seen.parts, set(seen.headings))
    title = " ".join("".join(seen.title).split()) or PurePath(source).stem
    return [Document(source, text, title=title, source=source, breaks=breaks)]


def _number(m: re.Match[str]) -> str:
    """Return a letter's number without zeros before it; of what is no letter's the sign that stands for none."""
    digits = m[1].lstrip("0") or "0"
    return f"&#{digits}{m[2]}" if len(digits) < 8 else "\ufffd"


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
