"""Formats of documents: one file each, which turns the file's text into documents; named by endings."""

from collections.abc import Callable

from kgmm.documents.formats import docx, epub, html, markdown, pdf, plain, records, subtitles
from kgmm.documents.passage import Document

#: turns a file's bytes into documents; the second argument is the file's name, for ids and errors
Reader = Callable[[bytes, str], list[Document]]

#: ending -> reader; other endings are read as text where a file is named, and left out of folders
READERS: dict[str, Reader] = {
    ending: module.read
    for module in (plain, markdown, html, subtitles, records, pdf, epub, docx)
    for ending in module.ENDINGS
}
