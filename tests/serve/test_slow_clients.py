"""Connections of one client: so many at once, and no more."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
import uvicorn

from kgmm.serve import slow_clients


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(slow_clients, "MOST", 4)
    config = uvicorn.Config(hello, port=0, http=slow_clients.Connection, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
        assert thread.is_alive()
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def said(line: socket.socket) -> bytes:
    try:
        line.sendall(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        return line.recv(100)
    except OSError:
        return b""


def test_a_client_holds_so_many_connections_and_no_more(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(4)]
    assert all(said(line).startswith(b"HTTP/1.1 200") for line in held)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as more:
        assert said(more) == b""
    held.pop().close()
    time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as again:
        assert said(again).startswith(b"HTTP/1.1 200")
    for line in held:
        line.close()
