"""Plain text: one document a file."""

from pathlib import PurePath

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document

ENDINGS = (".txt", ".text", ".log", ".rst")


def read(data: bytes, source: str) -> list[Document]:
    """Return the file as one document, called by the file's name."""
    return [Document(source, text_of(data, source), title=PurePath(source).stem, source=source)]
