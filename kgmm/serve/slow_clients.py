"""Connections that end when their other end is too slow, so that many slow ones hold nothing up."""

import asyncio
from collections import Counter
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: seconds a request's head may take to arrive, and a client may leave an answer unread
SECONDS = 10.0
#: connections of one client (address) at once; a browser holds six
MOST = 256


class Connection(H11Protocol):
    """uvicorn's connection, closed when a head does not arrive or an answer is not read in time, or its client has too many.

    The time of a head runs from its first byte on, however many more trickle in; bodies are the guard's to time.
    """

    _due: asyncio.TimerHandle | None = None
    _from: str = ""
    _held: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head."""
        super().connection_made(transport)
        self._from = self.client[0] if self.client else ""
        self._held[self._from] += 1
        if self._held[self._from] > MOST:
            transport.abort()
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._done()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """Go on writing: the client has read."""
        super().resume_writing()
        self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._done()
        self._held[self._from] -= 1
        if not self._held[self._from]:
            del self._held[self._from]
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(SECONDS, self.transport.abort)

    def _done(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
