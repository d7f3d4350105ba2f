"""Bytes as text: UTF-8, or UTF-16 where a mark says so; anything else is an error that names the line."""

import codecs
from collections.abc import Iterable
from itertools import accumulate

from kgmm.errors import BadInput


def text_of(data: bytes, source: str) -> str:
    """Return the text of a file; lines end in a line feed alone.

    Raises:
        BadInput: if the bytes are no text, with the line where that shows.
    """
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(source, "no text in UTF-8 or UTF-16; convert it first", line=line) from error
    if "\0" in text:
        raise BadInput(source, "no text: it holds zero bytes", line=text.count("\n", 0, text.index("\0")) + 1)
    return text.replace("\r\n", "\n")


def joined(parts: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    r"""Return parts as one text with an empty line between them, and where the second and further ones begin.

    >>> joined(["One.", "", "Two."])
    ('One.\n\n\n\nTwo.', (6, 8))
    """
    several = list(parts)
    return "\n\n".join(several), tuple(accumulate(len(part) + 2 for part in several[:-1]))
