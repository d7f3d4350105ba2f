"""Files that appear whole or not at all, and stay through a power cut."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgmm.errors import BadInput, DiskFull

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  #: what the system says where there is no room


@contextmanager
def room(place: str | Path) -> Iterator[None]:
    """Raise DiskFull, naming the place, where the block finds no room for what it writes."""
    try:
        yield
    except DiskFull:
        raise
    except (OSError, RuntimeError) as error:
        # libraries in C++ and Rust say it in words only
        code = getattr(error, "errno", None)
        if code in FULL or (code is None and any(os.strerror(known) in str(error) for known in FULL)):
            raise DiskFull(place, code or errno.ENOSPC) from error
        raise


@contextmanager
def whole(path: Path, durable: bool = False) -> Iterator[Path]:
    """Give the name of a draft beside *path* to write; it takes the place of *path*, whole, if the block ends well.

    With *durable*, waits until its content is on the disk.

    Raises:
        DiskFull: if there is no room for it.
        BadInput: if the folder it is to lie in does not exist.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with whole(path) as draft:
        ...     _ = draft.write_text("done")
        >>> path.read_text(), [entry.name for entry in path.parent.iterdir()]
        ('done', ['a.txt'])
    """
    if not path.parent.is_dir():
        raise BadInput(path, "its folder does not exist")
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with room(path):
            yield draft
            if durable:
                sync(draft)
            draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def publish(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    with whole(path) as draft:
        draft.write_bytes(data)


def kept(text: str, path: str | Path | None, end: str = "\n") -> str:
    """Return *text*; if *path* is given, it is also written there, whole or not at all, with *end* after it."""
    if path is not None:
        publish(Path(path), (text + end).encode())
    return text


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds; BadInput if it cannot be read, or is no JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise BadInput(path, f"not a JSON file: {error.msg} at column {error.colno}", line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(path, f"not a JSON file: {error}") from error


def read_text(path: str | Path) -> str:
    """Return what a text file holds; BadInput if it cannot be read, or is not UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(path, f"cannot be read as text: {getattr(error, 'strerror', None) or error}") from error


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield a text's lines that are not empty, numbered from 1; BadInput if it or a line cannot be read."""
    return ((number, line) for number, line in all_lines(path) if line.strip())


def all_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield a text's lines, empty ones too, numbered from 1; BadInput if it or a line cannot be read."""
    try:
        with Path(path).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8 at byte {error.start + 1}", line=number) from error


def read_arrays(path: Path, what: str, hint: str = "") -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a safetensors file; BadInput, saying *what* it should be, if it is none or damaged.

    Example:
        >>> read_arrays(Path("nowhere"), "a recommender")
        Traceback (most recent call last):
        kgmm.errors.BadInput: nowhere: cannot be read as a recommender: No such file or directory: nowhere
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, ValueError, TypeError, OSError) as error:  # TypeError: a number that numpy has not
        raise BadInput(path, f"cannot be read as {what}: {error}{hint}") from error


def sync(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_at(place: str | Path, what: str) -> Path:
    """Return the path of a file that is there, ``~`` understood; BadInput says that there is no such *what*.

    Example:
        >>> file_at("x" * 300, "picture file")
        Traceback (most recent call last):
        kgmm.errors.BadInput: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: no such picture file
    """
    with suppress(OSError, ValueError, RuntimeError):  # too long, half a character, nobody's home
        path = Path(place).expanduser()
        if path.is_file():
            return path
    said = str(place).replace("\0", "\ufffd")
    raise BadInput(said if len(said) < 300 else said[:80] + "…", f"no such {what}")
