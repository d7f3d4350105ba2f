"""The errors kgmm raises on purpose: one small family, each message naming what was wrong and the way out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class KgmmError(Exception):
    """Base of every error kgmm raises on purpose."""


class BadInput(KgmmError):
    """A file or value from outside cannot be used.

    Example:
        >>> str(BadInput("facts.tsv", "expected 3 columns, found 1", line=7))
        'facts.tsv:7: expected 3 columns, found 1'
    """

    def __init__(self, source: str | Path, reason: str, line: int | None = None) -> None:
        self.source: str = str(source)
        reason = " ".join(reason.split("\n")).strip()  # others' words may have several lines
        self.reason: str = reason
        self.line: int | None = line
        super().__init__(f"{source}:{line}: {reason}" if line is not None else f"{source}: {reason}")


class BadRows(BadInput, ValueError):
    """Rows of features or their labels cannot be learned from; a ValueError as well, as scikit-learn has it.

    Example:
        >>> isinstance(BadRows("X", "contains NaN"), ValueError)
        True
    """


class UnknownConcept(KgmmError, KeyError):
    """A concept (or relation, or graph) is not in the store or view; the message lists near spellings."""

    def __init__(
        self, concept: str, near: list[str] | None = None, where: str = "the store", kind: str = "concept"
    ) -> None:
        self.concept: str = concept
        self.kind: str = kind
        self.near: list[str] = near or []
        hint = f"; near spellings: {', '.join(self.near)}" if self.near else ""
        super().__init__(f"no {kind} {concept!r} in {where}{hint}")

    def __str__(self) -> str:
        return str(self.args[0])


class StoreError(KgmmError):
    """The knowledge store cannot do what was asked."""


class StoreBusy(StoreError):
    """Another process is writing to the store."""


class StoreCorrupt(StoreError):
    """The store's truth is damaged and cannot be derived again."""


class DiskFull(KgmmError, OSError):
    """There is no room for a file; what was there before is as it was.

    Example:
        >>> str(DiskFull("answers.html", 28))
        'answers.html: the disk is full; nothing of it was kept: free space and try again'
    """

    def __init__(self, place: str | Path, errno: int | None = None) -> None:
        super().__init__(f"{place}: the disk is full; nothing of it was kept: free space and try again")
        self.errno: int | None = errno


class MissingExtra(KgmmError, ImportError):
    """An optional part of kgmm is needed that is not installed.

    Example:
        >>> str(MissingExtra("faiss", "hashing"))
        "this needs faiss; install it with: pip install 'kgmm[hashing]'"
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}; install it with: pip install 'kgmm[{extra}]'")


def reason_of(error: Exception, what: str = "scene cannot be used") -> str:
    """Return in words what is wrong with a part of a file; *what* says what became of it."""
    if isinstance(error, BadInput):
        return error.reason
    if isinstance(error, KeyError):
        return f"{what}: it has no {error}"
    if unknown := re.search(r"unexpected keyword argument ('\w+')", str(error)):
        return f"{what}: it has no use for {unknown[1]}"
    if isinstance(error, (TypeError, AttributeError, IndexError)):  # Python's own words say nothing about the file
        return f"{what}: one of its parts is of another kind than this format has there"
    if str(error).startswith(("could not convert", "cannot convert", "invalid literal")):
        return f"{what}: one of its numbers is none"
    return f"{what}: {error}"


@contextmanager
def needed(package: str, extra: str) -> Iterator[None]:
    """Let a block import what *extra* installs; MissingExtra names *package* where it is not there."""
    try:
        yield
    except ImportError as error:
        raise MissingExtra(package, extra) from error
