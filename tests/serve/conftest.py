"""A served store, in this process and at a real address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
import uvicorn
from starlette.testclient import TestClient

from kgmm.knowledge import KnowledgeStore
from kgmm.serve.app import app


@pytest.fixture(scope="session")
def client(bundled_kb: KnowledgeStore) -> TestClient:
    return TestClient(app(bundled_kb), raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(scope="session")
def address(bundled_kb: KnowledgeStore) -> Iterator[str]:
    """The address of a real server over the bundled knowledge."""
    server = uvicorn.Server(uvicorn.Config(app(bundled_kb), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
