"""Reading files of any size: decompression by magic bytes, bounded lines, damage told as BadInput."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from kgmm.errors import BadInput
from kgmm.progress import Progress, silent

#: Longest line a line-based format may have; a longer one is rejected without being held in memory.
LINE_LIMIT = 1 << 20
#: What :func:`head` reads, decompressed.
HEAD = 1 << 16
BLOCK = 1 << 20
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    """One line without its end; *problem* says why it cannot be used, or is empty."""

    number: int
    text: str
    problem: str


class _Counted(io.RawIOBase):
    """A file that reports how many of its bytes were read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("rb", buffering=0)
        self._size, self._progress, self._name = path.stat().st_size, progress, path.name
        self._done = 0

    def readable(self) -> bool:
        """Return true: this is a source."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* and report the bytes."""
        count = self._file.readinto(buffer) or 0
        self._done += count
        self._progress(self._done, self._size, self._name)
        return count

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


class _Checked(io.RawIOBase):
    """A stream whose decompression errors are told as BadInput, naming the file."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path

    def readable(self) -> bool:
        """Return true: this is a source."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes.

        Raises:
            BadInput: if the compressed data is damaged or ends too early.
        """
        try:
            return self._stream.read(size)
        except _DAMAGE as error:
            raise BadInput(self._path, f"damaged or cut compressed file: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise BadInput(self._path, f"damaged or cut compressed file: {error}") from error

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* through :meth:`read`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()
        super().close()


def open_stream(path: Path, progress: Progress = silent) -> io.RawIOBase:
    """Open a plain, gzip, bzip2 or xz file for reading its decompressed bytes.

    Raises:
        BadInput: if the file is missing, a folder or not readable; reading raises it for damaged data.
    """
    if not path.exists():
        raise BadInput(path, "no such file")
    if path.is_dir():
        raise BadInput(path, "is a folder, a file is expected")
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        raw = io.BufferedReader(_Counted(path, progress), BLOCK)
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    for start, opened in _COMPRESSED.items():
        if magic.startswith(start):
            return _Checked(opened(raw), path)
    return _Checked(raw, path)


_COMPRESSED: dict[bytes, Any] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


def head(path: Path, size: int = HEAD) -> bytes:
    """Return the first *size* decompressed bytes of a file.

    Raises:
        BadInput: if the file cannot be read.
    """
    with open_stream(path) as stream:
        parts: list[bytes] = []
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def lines(path: Path, progress: Progress = silent, limit: int = LINE_LIMIT) -> Iterator[Line]:
    """Yield the lines of a UTF-8 file with their numbers from 1, holding at most one block in memory.

    Raises:
        BadInput: if the file is UTF-16 or its compression is damaged.
    """
    number, rest, skipping = 1, b"", False
    with open_stream(path, progress) as stream:
        while block := stream.read(BLOCK):
            if number == 1 and not rest and not skipping:
                block = _without_mark(block, path)
            pieces = (rest + block).split(b"\n")
            rest = pieces.pop()
            for piece in pieces:
                yield _too_long(number, piece, limit) if skipping else _line(number, piece, limit)
                number, skipping = number + 1, False
            if len(rest) > limit:
                rest, skipping = rest[:200], True
    if skipping:
        yield _too_long(number, rest, limit)
    elif rest:
        yield _line(number, rest, limit)


def _without_mark(block: bytes, path: Path) -> bytes:
    if block.startswith(_UTF16):
        raise BadInput(path, "is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8")
    return block.removeprefix(b"\xef\xbb\xbf")


def _too_long(number: int, piece: bytes, limit: int) -> Line:
    return Line(number, piece[:200].decode("utf-8", "replace"), f"line is longer than {limit} bytes")


def _line(number: int, piece: bytes, limit: int) -> Line:
    if len(piece) > limit:
        return _too_long(number, piece, limit)
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError as error:
        return Line(number, piece.decode("utf-8", "replace"), f"not UTF-8 at byte {error.start + 1}")
    if "\0" in text:
        return Line(number, text, "holds a NUL byte")
    return Line(number, text.removesuffix("\r"), "")
