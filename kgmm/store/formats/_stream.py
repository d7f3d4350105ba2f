"""Reading files of any size: decompression by magic bytes, bounded lines, damage told as BadInput."""

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from isal import igzip
from isal.isal_zlib import error as deflate_error

from kgmm.errors import BadInput
from kgmm.progress import Progress, silent
from kgmm.store.formats._base import RAW, Rejects

#: Longest line a line-based format may have; a longer one is rejected without being held in memory.
LINE_LIMIT = 1 << 20
HEAD = 1 << 16  #: What :func:`head` reads, decompressed.
BLOCK = 1 << 20
_DAMAGE: tuple[Any, ...] = (EOFError, igzip.BadGzipFile, deflate_error, lzma.LZMAError)
_TOO_LONG = f"line is longer than {LINE_LIMIT} bytes"


class Line(NamedTuple):
    """One line without its end; *problem* says why it cannot be used, or is empty."""

    number: int
    text: str
    problem: str


class _Source(io.RawIOBase):
    """A file's decompressed bytes; damage is told as BadInput, and how much of the file was read as progress."""

    def __init__(self, path: Path, opened: Callable[[Any], IO[bytes]], progress: Progress) -> None:
        self._path, self._progress, self._size = path, progress, path.stat().st_size
        self._file = path.open("rb", buffering=0)
        self._stream = opened(io.BufferedReader(self._file, BLOCK))

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes; BadInput if the compressed data is damaged or ends too early."""
        try:
            data = self._stream.read(size)
        except _DAMAGE as error:
            raise BadInput(self._path, f"damaged or cut compressed file: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise BadInput(self._path, f"damaged or cut compressed file: {error}") from error
        self._progress(self._file.tell(), self._size, self._path.name)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def open_stream(path: Path, progress: Progress = silent) -> io.RawIOBase:
    """Open a plain, gzip, bzip2 or xz file to read it decompressed; BadInput if it is missing or damaged."""
    if not path.exists():
        raise BadInput(path, "no such file")
    if path.is_dir():
        raise BadInput(path, "is a folder, a file is expected")
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        opened = next(o for start, o in _OPENED.items() if magic.startswith(start))
        return _Source(path, opened, progress)
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error


#: how a file that begins so is opened; the last fits all
_OPENED: dict[bytes, Any] = {
    b"\x1f\x8b": lambda raw: cast(Any, igzip).IGzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"": lambda raw: raw,
}


def head(path: Path) -> bytes:
    """Return the first :data:`HEAD` decompressed bytes of a file; BadInput if it cannot be read."""
    with open_stream(path) as stream:
        return _taken(stream, HEAD)


def _taken(stream: io.RawIOBase, size: int) -> bytes:
    """Return the next *size* bytes, fewer only at the end."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Block(NamedTuple):
    """Some whole lines of a file and the number of the first."""

    first: int
    data: bytes


def blocks(path: Path, progress: Progress, size: int) -> Iterator[Block | Rejects]:
    """Yield blocks of whole lines, about *size* bytes each, longer lines rejected; BadInput if UTF-16 or damaged."""
    first, rest = 1, b""
    with open_stream(path, progress) as stream:
        while True:
            new = _taken(stream, size)
            ended = len(new) < size
            if first == 1 and not rest:
                if new.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise BadInput(path, "is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8")
                new = new.removeprefix(b"\xef\xbb\xbf")
            cut = len(new) if ended else new.rfind(b"\n") + 1
            if cut == 0 and not ended:
                yield Rejects([first], [_TOO_LONG], [(rest + new)[:RAW].decode("utf-8", "replace")])
                rest = _after_line(stream)
                first += 1
                continue
            block = b"".join((rest, memoryview(new)[:cut]))
            rest = new[cut:]
            if block:
                yield Block(first, block)
            first += block.count(b"\n")
            if ended:
                return


def _after_line(stream: io.RawIOBase) -> bytes:
    """Skip the rest of a line; return what was read beyond it."""
    while part := stream.read(BLOCK):
        at = part.find(b"\n")
        if at >= 0:
            return part[at + 1 :]
    return b""


def lines(path: Path, progress: Progress = silent) -> Iterator[Line]:
    """Yield a UTF-8 file's lines with their numbers from 1, holding at most one block; raises as :func:`blocks`."""
    for block in blocks(path, progress, 2 * LINE_LIMIT):
        if isinstance(block, Rejects):
            yield Line(block.lines[0], block.raw[0], block.reasons[0])
        else:
            yield from lines_of(block)


def lines_of(block: Block) -> Iterator[Line]:
    """Yield the lines of a block."""
    for number, piece in enumerate(block.data.removesuffix(b"\n").split(b"\n"), block.first):
        problem = _TOO_LONG if len(piece) > LINE_LIMIT else "holds a NUL byte" if b"\0" in piece else ""
        try:
            text = piece[: None if len(piece) <= LINE_LIMIT else RAW].decode("utf-8")
        except UnicodeDecodeError as error:
            text, problem = piece[:RAW].decode("utf-8", "replace"), problem or f"not UTF-8 at byte {error.start + 1}"
        yield Line(number, text.removesuffix("\r"), problem)
