"""What a query may take, of time and memory, and how it is told to end: looked at between steps that are short."""

from __future__ import annotations

import threading
import time

MEMORY = 2 << 30  #: bytes one relation of a query may take unless told otherwise
SORTED = 8_000_000  #: rows that are surely put in order in a second
_NEVER = threading.Event()


class OutOfTime(Exception):
    """A query took longer than it may, or would."""


class OutOfMemory(Exception):
    """A query would take more memory than it may."""


class Cancelled(Exception):
    """Whoever asked no longer waits for the answer."""


class TooDeep(Exception):
    """A query is nested more deeply than it may be."""


class Limits:
    """A query's limits from now on.

    Args:
        timeout: seconds the query may take.
        memory: bytes one relation of it may take, and the texts it makes.
        cancel: set by another thread to end the query.
    """

    def __init__(self, timeout: float, memory: int | None = None, cancel: threading.Event | None = None) -> None:
        self._deadline = time.monotonic() + timeout
        self.memory = memory or MEMORY
        self._cancel = cancel or _NEVER

    def check(self, size: int = 0, rows: int = 0) -> None:
        """Raise if the query is at its end.

        Args:
            size: bytes that are to be taken now.
            rows: rows that are to be put in order now, which cannot be broken off.

        Raises:
            Cancelled: if whoever asked has said so.
            OutOfTime: if the time is over, or what is left does not do for *rows*.
            OutOfMemory: if *size* is more than there may be.
        """
        if self._cancel.is_set():
            raise Cancelled
        if time.monotonic() + rows / SORTED > self._deadline:
            raise OutOfTime
        if size > self.memory:
            raise OutOfMemory
