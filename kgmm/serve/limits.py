"""What one request may cost, and whose turn it is: size, time, and a fair line."""

import asyncio
import contextvars
import ctypes
import difflib
import inspect
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from fastapi import HTTPException, Request

from kgmm.errors import KgmmError

#: what becomes JSON
Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What one request may cost. What is larger is refused with 413, what takes longer is stopped with 408."""

    #: bytes of an upload, pixels of a picture
    upload: int = 20_000_000
    pixels: int = 64_000_000
    #: rows of an answer, seconds of a query
    rows: int = 1_000
    seconds: float = 10.0
    #: characters and words of a text, terms of a list, objects of a scene (and five times as many of their relations)
    characters: int = 2_000
    words: int = 120
    terms: int = 50
    objects: int = 200
    #: bytes of memory a SPARQL query may take
    memory: int = 1_000_000_000
    #: questions of one client that may wait for their turn
    waiting: int = 256

    def holds(self, what: str, size: int, most: int) -> None:
        """Refuse what is larger than it may be; TooLarge naming the sizes."""
        if size > most:
            raise TooLarge(f"{what}: {size:,} are too many, at most {most:,}")

    def within(self, work: Callable[[], T]) -> T:
        """Do some work in a thread of its own; stop it, at its next line of Python, when its seconds are over.

        The thread is no other's: being stopped can hit nothing but the work, and nothing is left to be stopped
        when this returns.

        Raises:
            TooSlow: if it was stopped; else what the work raises.
        """
        ended: list[tuple[T | None, BaseException | None]] = []
        context = contextvars.copy_context()

        def do() -> None:
            try:
                ended.append((context.run(work), None))
            except BaseException as error:
                ended.append((None, error))

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        thread.join(self.seconds)
        late = thread.is_alive()
        while thread.is_alive():  # again and again: a finalizer or callback swallows what is raised in it
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stopped))
            thread.join(0.2)
        if late or not ended:
            raise TooSlow(f"this takes longer than the {self.seconds:g} s a request has; ask for less")
        value, error = ended[0]
        if error is not None:
            raise error
        return cast("T", value)


class TooLarge(KgmmError):
    """A request asks for more, or with more, than one may."""


class TooSlow(KgmmError):
    """A request was stopped because its time was over."""


class _Stopped(SystemExit):
    """Ends a thread whose time is over, without a word; no ``except Exception`` on its way may keep it."""


class Turns:
    """A line for each client; the clients take turns, so that one's many questions delay another's by one."""

    def __init__(self, waiting: int, at_once: int = 1) -> None:
        self.lines: dict[str, deque[asyncio.Future[None]]] = {}
        self.waiting: int = waiting
        self.free: int = at_once

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Wait for the client's turn: what routes depend on, after their bodies are read."""
        async with self.turn(client(request)):
            yield

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Hold a turn of a client; HTTPException 503 if too many wait already."""
        if self.free:
            self.free -= 1
        else:
            line = self.lines.setdefault(client, deque())
            if len(line) >= self.waiting or sum(map(len, self.lines.values())) >= 4 * self.waiting:
                raise HTTPException(503, "too many questions are waiting", {"Retry-After": "5"})
            mine = asyncio.get_running_loop().create_future()
            line.append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give a turn to the client that has waited longest since its last."""
        while self.lines:
            client = next(iter(self.lines))
            line = self.lines.pop(client)
            first = line.popleft()
            if line:
                self.lines[client] = line  # behind all others
            if not first.done():
                first.set_result(None)
                return
        self.free += 1


def client(request: Request) -> str:
    """Return who asks: the address, as far as one can tell people apart."""
    return request.client.host if request.client else ""


class Exact:
    """What routes depend on to refuse parameters they do not have: a mistyped one would be passed over in silence.

    Args:
        also: names that all of the routes take.
    """

    def __init__(self, *also: str) -> None:
        self.also: tuple[str, ...] = also

    async def __call__(self, request: Request) -> None:
        """Refuse a request with 422, naming the parameter and those spelled alike."""
        names = [*inspect.signature(request.scope["route"].endpoint).parameters, *self.also]
        unknown(request.query_params, names)
        if "form" in request.headers.get("content-type", ""):
            unknown(await request.form(), names)


def unknown(given: Any, names: list[str], refuse: Callable[[str], Exception] | None = None) -> None:
    """Refuse names that are none of some names.

    Raises:
        HTTPException: 422 (or what *refuse* makes), naming the first and those spelled alike.
    """
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 3, 0.5)
            meant = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(names) or 'none'}"
            said = f"no parameter {name[:40]!r}; {meant}"
            raise refuse(said) if refuse else HTTPException(422, said)
