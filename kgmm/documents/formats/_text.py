"""Bytes as text: UTF-8, or UTF-16 where a mark says so; anything else is an error that names the line."""

import codecs
import re
from collections.abc import Iterable
from itertools import accumulate

from kgmm.errors import BadInput

_XML = re.compile(rb"\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_META = re.compile(rb"<meta\s[^>]{0,200}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: encodings of which a page may say that it is in; browsers read Latin-1 as windows-1252, and so is it here
_ENCODINGS = {"iso8859-1": "cp1252", "ascii": "cp1252"} | {
    name: name
    for name in (
        *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"cp{n}" for n in (866, 874, *range(1250, 1259))),
        *"koi8-r koi8-u mac-roman shift_jis cp932 euc_jp iso2022_jp gb2312 gbk gb18030 big5 euc_kr cp949".split(),
    )
}


def declared(data: bytes) -> str | None:
    """Return the encoding that a page says it is in, by its XML declaration or a ``meta``; None if UTF-8 or UTF-16 is tried.

    >>> declared(b'<?xml version="1.0" encoding="ISO-8859-1"?>'), declared(b'<meta charset="utf-8">'), declared(b"<p>")
    ('cp1252', None, None)
    """
    said = None if data.startswith(_MARKS) else _XML.match(data[:400]) or _META.search(data[:4096])
    try:
        return _ENCODINGS.get(codecs.lookup(said[1].decode("ascii")).name) if said else None
    except LookupError:  # an encoding that nobody knows
        return None


def page_of(data: bytes, source: str) -> str:
    """Return the text of a page in the encoding it declares; UTF-8, or UTF-16 with its mark, where it declares none that is known.

    Raises:
        BadInput: if the bytes are no text.
    """
    encoding = declared(data)
    return text_of(data, source) if encoding is None else data.decode(encoding, "replace").replace("\r\n", "\n")


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
