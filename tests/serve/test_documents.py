"""Passages of documents are served: as JSON, on the page, with filters, and refused like everything else."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

import kgmm
from kgmm.serve.app import app


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    kb = kgmm.open(tmp_path / "kb")
    kb.read(
        [
            {"title": "Blood Street", "text": "Blood Street was directed by Leo Fong.", "date": "2020"},
            {"title": "Leo Fong", "text": "Leo Fong was <b>American</b>.", "source": "people/1", "date": "2021"},
        ]
    )
    return TestClient(app(kb), raise_server_exceptions=False)


def test_passages_are_served_with_the_way_to_them(client: TestClient) -> None:
    told = client.get("/api/passages", params={"text": "What nationality is the director of Blood Street?"}).json()
    assert [p["title"] for p in told["passages"]] == ["Blood Street", "Leo Fong"]
    assert [s["name"] for s in told["passages"][1]["path"]] == ["Blood Street", "Blood Street", "Leo Fong"]
    only = client.get("/api/passages", params={"text": "Leo Fong", "source": "people/*", "since": "2021"}).json()
    assert [p["title"] for p in only["passages"]] == ["Leo Fong"]
    assert client.get("/api/passages", params={"text": "Leo", "since": "soon"}).status_code == 400
    assert client.get("/api/passages", params={"text": " "}).status_code == 400
    assert client.get("/api/passages", params={"text": "Leo", "count": 1000}).status_code == 422


def test_the_page_shows_passages_and_runs_nothing_of_them(client: TestClient) -> None:
    page = client.get("/retrieve", params={"text": "Who is Leo Fong?"}).text
    assert "Leo Fong was &lt;b&gt;American&lt;/b&gt;" in page and "people/1" in page
