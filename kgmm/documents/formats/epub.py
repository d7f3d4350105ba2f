"""EPUB: its chapters in reading order as one document; passages end at chapters and headings."""

from __future__ import annotations

import posixpath
from pathlib import PurePath
from urllib.parse import unquote

from kgmm.documents.formats import html
from kgmm.documents.formats._packed import About, Packed
from kgmm.documents.formats._text import joined
from kgmm.documents.passage import Document
from kgmm.errors import BadInput

ENDINGS = (".epub",)
_PAGES = frozenset({"application/xhtml+xml", "text/html"})


def read(data: bytes, source: str) -> list[Document]:
    """Return the book as one document, called by its title; chapters count as its pages.

    Raises:
        BadInput: if it is no EPUB, damaged, encrypted, or unpacks to too much.
    """
    packed = Packed(data, source, "EPUB")
    if "META-INF/encryption.xml" in packed.names and _encrypts(packed):
        raise BadInput(source, "the EPUB is encrypted; its text cannot be read")
    roots: list[str] = []
    packed.xml(
        "META-INF/container.xml",
        lambda tag, about: roots.append(about.get("full-path", "")) if tag == "rootfile" else None,
    )
    if not roots:
        raise BadInput(source, "no whole EPUB: it names no package")
    names, about = _package(packed, roots[0])
    read_in_order = (_chapter(packed, name) for name in names)
    chapters = [chapter for chapter in read_in_order if chapter.text.strip()]
    text, pages = joined([chapter.text for chapter in chapters])
    headings = (at + start for start, chapter in zip((0, *pages), chapters, strict=False) for at in chapter.breaks)
    breaks = tuple(sorted({*pages, *headings}))
    title, date = about.get("title") or PurePath(source).stem, about.get("date", "")[:10]
    return [Document(source, text, title=title, source=source, date=date, breaks=breaks, pages=pages)]


def _chapter(packed: Packed, name: str) -> Document:
    try:
        return html.read(packed.part(name), packed.source)[0]
    except BadInput as error:
        where = f"chapter {name!r}" + (f", line {error.line}" if error.line is not None else "")
        raise BadInput(packed.source, f"{where}: {error.reason}") from error


def _package(packed: Packed, root: str) -> tuple[list[str], dict[str, str]]:
    """Return the parts with chapters in reading order, and what is told of the book."""
    items: dict[str, tuple[str, str]] = {}
    order: list[str] = []
    about = About()

    def started(tag: str, given: dict[str, str]) -> None:
        about.started(tag, given)
        if tag == "item":
            items[given.get("id", "")] = given.get("href", ""), given.get("media-type", "")
        elif tag == "itemref":
            order.append(given.get("idref", ""))

    packed.xml(root, started, about.ended, about.said)
    found = []
    for one in order:
        href, kind = items.get(one, ("", ""))
        name = posixpath.normpath(posixpath.join(posixpath.dirname(root), unquote(href.partition("#")[0])))
        if kind in _PAGES and name in packed.names:
            found.append(name)
    return list(dict.fromkeys(found)), about.found


def _encrypts(packed: Packed) -> bool:
    """Tell whether more than fonts is encrypted."""
    hidden: list[str] = []
    packed.xml(
        "META-INF/encryption.xml",
        lambda tag, about: hidden.append(about.get("URI", "")) if tag == "CipherReference" else None,
    )
    return any(not name.lower().endswith((".otf", ".ttf", ".woff", ".woff2")) for name in hidden)
