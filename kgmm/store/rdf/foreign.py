"""RDF from elsewhere, parsed in a process of its own: what takes too much time or memory ends that process and nothing else."""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyoxigraph as ox

_BLOCK = 1 << 20
_PROGRAM = Path(__file__).with_name("parser.py")
_PLACE = re.compile(r"^Parser error at line \d+(?: column \d+| between columns \d+ and \d+)?: ")


class Refused(ValueError):
    """A document that cannot be parsed, or not within the limits; its line, where that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(_PLACE.sub("", reason))
        self.line: int | None = line


class TooMuch(Refused):
    """A document that takes more to be parsed than it may."""


@dataclass(frozen=True)
class Bounds:
    """What parsing a document may take: seconds, and one more for each megabyte of it; bytes of memory."""

    timeout: float = 60.0
    memory: int = 1 << 30


BOUNDS = Bounds()  #: unless told otherwise


class Input(Protocol):
    """Where a document comes from."""

    def read(self, size: int = -1, /) -> bytes | None:
        """Return the next bytes, none at the end."""


def parse(document: Input, syntax: ox.RdfFormat, base: str, bounds: Bounds) -> Iterator[ox.Quad]:
    """Yield a document's statements; Refused at its first syntax error, TooMuch if it takes too long or much memory."""
    rest: list[bytes] = []  # the beginning of a line
    for part in _exchange(document, [str(bounds.memory), syntax.media_type, base], bounds):
        whole, end, more = part.rpartition(b"\n")
        if end:
            yield from ox.parse(b"".join([*rest, whole]), ox.RdfFormat.N_QUADS, lenient=True)
            rest = []
        rest.append(more)


def _exchange(document: Input, arguments: list[str], bounds: Bounds) -> Iterator[bytes]:
    """Hand the program its input and yield its output as it comes; only waiting for it counts as its time."""
    program = subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    assert program.stdin is not None and program.stdout is not None and program.stderr is not None
    try:
        os.set_blocking(program.stdin.fileno(), False)
        pending, left = memoryview(b""), bounds.timeout
        while True:
            waiting = [] if program.stdin.closed else [program.stdin]
            began = time.monotonic()
            readable, writable, _ = select.select([program.stdout], waiting, [], max(left, 0))
            left -= time.monotonic() - began
            if left < 0 or not (readable or writable):
                allowed = f"{bounds.timeout:g} s and one more for each megabyte"
                raise TooMuch(f"parsing it takes longer than {allowed}; raise --timeout or timeout=")
            if writable and not pending:
                pending = memoryview(document.read(_BLOCK) or b"")
                left += len(pending) / 1e6
                if not pending:
                    program.stdin.close()
            if pending and writable:
                try:
                    pending = pending[os.write(program.stdin.fileno(), pending) :]
                except BrokenPipeError:  # it has ended, and says why
                    program.stdin.close()
            if readable:
                if not (data := os.read(program.stdout.fileno(), _BLOCK)):
                    break
                yield data
        said = program.stderr.read()
        if code := program.wait():
            raise _why(code, said.decode("utf-8", "replace"), bounds)
    finally:
        with suppress(OSError), program:
            program.kill()


def _why(code: int, said: str, bounds: Bounds) -> Refused:
    """Return why the program ended without having parsed everything."""
    last = said.strip().rpartition("\n")[2]
    if last.startswith("{"):
        return Refused(**json.loads(last))
    if "stack overflow" in said or "overflowed its stack" in said:
        return TooMuch("its parts lie too deep in each other")
    if code < 0 or last.startswith("MemoryError"):
        return TooMuch(f"parsing it takes more than {bounds.memory >> 20:,} MB of memory; raise --memory or memory=")
    return Refused(f"its parser ended with exit code {code}: {last[:200]}")
