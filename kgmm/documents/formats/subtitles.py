"""Subtitles (SubRip, WebVTT): what is said, as one text; cues' numbers, times and marks are left out."""

import re
from pathlib import PurePath

from kgmm.documents.formats._text import text_of
from kgmm.documents.passage import Document

ENDINGS = (".srt", ".vtt")

_TIME = re.compile(r"^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s*-->")
_MARK = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")


def read(data: bytes, source: str) -> list[Document]:
    """Return what is said as one document; a line that comes twice in a row (rolling captions) is kept once."""
    said: list[str] = []
    inside = False
    for line in text_of(data, source).split("\n"):
        if _TIME.match(line):
            inside = True
        elif not line.strip():
            inside = False
        elif inside and (words := " ".join(_MARK.sub("", line).split())) and words not in said[-1:]:
            said.append(words)
    return [Document(source, " ".join(said), title=PurePath(source).stem, source=source)]
