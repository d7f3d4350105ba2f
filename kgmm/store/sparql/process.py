"""The process that asks Oxigraph, where it is chosen: it can be killed, so that limits hold."""

import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from kgmm.store.handle import Handle
from kgmm.store.rdf.terms import PREFIXES
from kgmm.store.sparql.oxigraph import index, merged
from kgmm.store.sparql.results import Result, Solutions, Triples, stored, stored_relation
from kgmm.store.sparql.text import (
    ANSWER,
    BadQuery,
    QueryCancelled,
    QueryFailed,
    bare,
    chooses_graphs,
    large,
    late,
    long_answer,
)

LOOK = 0.05  #: seconds between two looks at a query's memory


class Engine:
    """Runs a store's queries; its worker process starts with the first and is replaced when it is killed."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._read = 0

    def run(self, request: dict[str, Any], timeout: float, raw: bool = False, cancel: Event | None = None) -> Result:
        """Send a request and return its answer, its terms as in N-Triples if *raw*.

        Raises:
            BadQuery: if the query cannot be parsed.
            QueryTimeout: if the answer is not complete after *timeout* seconds.
            QueryTooLarge: if it needs more memory than ``request["memory"]`` bytes.
            QueryCancelled: if *cancel* was set.
            QueryFailed: if evaluation fails or the worker dies.
        """
        deadline = time.monotonic() + timeout
        try:
            self._send(request)
            self._read, memory = 0, request.get("memory")
            answer = self._answer(deadline, timeout, raw, memory, cancel)
            if memory and self._worker is not None and _own_memory(self._worker.pid) > memory // 4:
                self.close()  # what it was given it would keep
            return answer
        except BaseException as error:
            if not isinstance(error, BadQuery):
                self.close()  # whatever it still writes belongs to this query
            raise

    def _send(self, request: dict[str, Any]) -> None:
        if self._worker is None or self._worker.poll() is not None:
            self._start()
        assert self._worker is not None and self._worker.stdin is not None
        try:
            self._worker.stdin.write(json.dumps(request).encode() + b"\n")
            self._worker.stdin.flush()
        except OSError as error:
            raise QueryFailed(f"the query process has ended: {error}") from error

    def _start(self) -> None:
        self._buffer = b""
        command = [sys.executable, "-m", "kgmm.store.sparql.worker"]
        place = str(Path(__file__).parents[3])
        path = os.pathsep.join(p for p in (place, os.environ.get("PYTHONPATH", "")) if p)
        how: Any = {"env": {**os.environ, "PYTHONPATH": path}, "start_new_session": True}
        self._worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
        weakref.finalize(self, _end, self._worker)

    def _line(self, deadline: float, timeout: float, memory: int | None, cancel: Event | None) -> dict[str, Any]:
        assert self._worker is not None and self._worker.stdout is not None
        handle = self._worker.stdout.fileno()
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            left = deadline - time.monotonic()
            if left <= 0:
                raise late(timeout)
            if cancel is not None and cancel.is_set():
                raise QueryCancelled
            if memory and _own_memory(self._worker.pid) > memory:
                raise large(memory)
            looking = memory or cancel is not None
            if not select.select([handle], [], [], min(left, LOOK) if looking else left)[0]:
                continue
            data = os.read(handle, 1 << 20)
            if not data:
                raise QueryFailed("the query process ended before its answer (out of memory, or nested too deeply)")
            parts.append(data)
            self._read += len(data)
            if memory and self._read > memory // ANSWER:
                raise long_answer(memory)
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return dict(json.loads(line))

    def _answer(self, deadline: float, timeout: float, raw: bool, memory: int | None, cancel: Event | None) -> Result:
        head = self._line(deadline, timeout, memory, cancel)
        if head.get("error") == "syntax":
            raise BadQuery("query", head["reason"], head["line"])
        if "error" in head:
            raise QueryFailed(f"the query could not be evaluated: {head['reason']}")
        if head["kind"] == "ask":
            return bool(head["value"])
        rows: list[tuple[Any, ...]] = []
        while True:
            part = self._line(deadline, timeout, memory, cancel)
            if "error" in part:
                raise QueryFailed(f"the query could not be evaluated: {part['reason']}")
            if "end" in part:
                break
            if raw:
                rows += map(tuple, part["rows"])
            elif head["kind"] == "select":
                rows += [tuple(map(stored, row)) for row in part["rows"]]
            else:
                rows += [(stored(s), stored_relation(p), stored(o)) for s, p, o in part["rows"]]
        if head["kind"] == "select":
            return Solutions(tuple(head["variables"]), tuple(rows), part["truncated"])
        return Triples(tuple(rows), part["truncated"])

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            _end(self._worker)
        self._worker = None


def _own_memory(process: int) -> int:
    """Return the bytes a process holds for itself, files it has mapped left out; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


def _end(worker: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError), worker:  # closes its pipes and waits for its end
        worker.kill()


#: engines that wait for the next query, so that threads need not wait for each other
_IDLE: weakref.WeakKeyDictionary[Handle, list[Engine]] = weakref.WeakKeyDictionary()


def ask(
    store: Handle,
    text: str,
    annotated: bool,
    *,
    timeout: float,
    limit: int | None,
    memory: int | None,
    default_graphs: Sequence[str],
    named_graphs: Sequence[str],
    raw: bool,
    cancel: Event | None = None,
) -> Result:
    """Answer a checked query by Oxigraph, on a copy of the store that is made or brought up to date first."""
    if (idle := _IDLE.get(store)) is None:
        idle = _IDLE[store] = []
        store.at_close(partial(_end_all, idle))
    process = idle.pop() if idle else Engine()
    union = not (merged(store) or default_graphs or named_graphs or chooses_graphs(bare(text)))
    graphs = {"default_graphs": list(default_graphs), "named_graphs": list(named_graphs)}
    request = {"query": text, "prefixes": PREFIXES, "limit": limit, "memory": memory, "union": union, **graphs}
    try:
        while True:
            folder = index(store, annotated)
            try:
                return process.run({"index": str(folder), **request}, timeout, raw, cancel)
            except QueryFailed:
                if folder.is_dir():
                    raise
                # a process with a newer version deleted it while the worker opened it
    finally:
        idle.append(process)


def _end_all(idle: list[Engine]) -> None:
    while idle:
        idle.pop().close()
