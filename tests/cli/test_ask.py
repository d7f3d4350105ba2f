"""``kgmm ask``, ``retrieve``, ``demo`` and ``eval fvqa`` as a user at a shell meets them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgmm.knowledge import KnowledgeStore

Shell = Callable[..., Any]
ROOT = Path(__file__).parents[2]
COFFEE = str(ROOT / "graphs/scenes/coffee.json")


@pytest.fixture(scope="module")
def kb(bundled_kb: KnowledgeStore) -> str:
    return str(bundled_kb.path)


def test_an_answer_comes_with_its_evidence(shell: Shell, kb: str) -> None:
    result = shell("ask", kb, COFFEE, "Which object is used for stirring?")
    assert result.code == 0
    assert result.out.startswith("spoon") and "/c/en/spoon UsedFor /c/en/stirring" in result.out


def test_json_is_one_document_with_the_trace(shell: Shell, kb: str) -> None:
    document = json.loads(shell("ask", kb, COFFEE, "What colour is the saucer?", "--json").out)
    assert document["answer"] == "red" and document["trace"]["citations"]


def test_an_abstention_says_what_is_missing_and_is_no_error(shell: Shell, kb: str) -> None:
    result = shell("ask", kb, COFFEE, "How old is the cup?")
    assert result.code == 0 and result.out.startswith("I don't know: no fact about what is seen answers 'old'")


def test_the_trace_is_written_as_page_or_json(shell: Shell, kb: str, tmp_path: Path) -> None:
    for name in ("t.html", "t.json"):
        assert shell("ask", kb, COFFEE, "What is the cup used for?", "--trace", str(tmp_path / name)).code == 0
    assert "<html" in (tmp_path / "t.html").read_text() and json.loads((tmp_path / "t.json").read_text())["answer"]


def test_a_broken_picture_gives_one_clear_line(shell: Shell, kb: str, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    result = shell("ask", kb, str(tmp_path / "p.jpg"), "What is this?")
    assert result.code == 1 and "p.jpg" in result.err and "Traceback" not in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_missing_store_is_not_made_by_asking(shell: Shell, tmp_path: Path) -> None:
    result = shell("ask", str(tmp_path / "none"), COFFEE, "What is this?")
    assert result.code == 1 and not (tmp_path / "none").exists()


def test_retrieve_shows_facts_by_score(shell: Shell, kb: str) -> None:
    document = json.loads(shell("retrieve", kb, "what is a knife used for", "--limit", "5", "--json").out)
    assert len(document["facts"]) == 5
    assert any(f["fact"]["predicate"] == "UsedFor" and f["fact"]["subject"] == "/c/en/knife" for f in document["facts"])


def test_the_demo_is_right_and_every_cited_fact_is_found(shell: Shell, tmp_path: Path) -> None:
    expected = json.loads((ROOT / "knowledge/demo.json").read_text())
    result = shell("demo", "--folder", str(tmp_path / "demo"), "--json")
    assert result.code == 0
    answers = json.loads(result.out)
    assert [a["answer"] for a in answers] == [e["expected"] for e in expected]
    for answer in answers:
        assert answer["citations"]
        for citation in answer["citations"]:
            fact = citation["fact"]
            found = shell("find", str(tmp_path / "demo/kb"), fact["subject"], fact["predicate"], fact["object"])
            assert found.code == 0 and found.out.strip(), fact
    assert (tmp_path / "demo/trace.html").stat().st_size > 10_000


def test_fvqa_in_its_own_layout_is_answered_and_scored(shell: Shell, tmp_path: Path, shared_data: Path) -> None:
    out = tmp_path / "predictions.jsonl"
    result = shell("eval", "fvqa", str(shared_data / "fvqa"), "--limit", "20", "--predictions", str(out), "--json")
    assert result.code == 0
    figures, rows = json.loads(result.out), [json.loads(line) for line in out.read_text().splitlines()]
    assert figures["questions"] == len(rows) == 20 and figures["top1"] >= 0.5
    assert all(len(row["facts"]) <= 3 and len(row["answers"]) <= 3 for row in rows)
    assert all(bool(row["facts"]) == bool(row["answers"]) for row in rows)


def test_a_user_is_told_on_a_terminal_what_is_awaited(monkeypatch, capsys):
    from kgmm.cli.output import awaited

    for terminal, said in ((False, ""), (True, "reading models …\n")):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal, raising=False)
        with awaited("reading models", after=60.0):
            pass
        with awaited("reading models", after=0.01):
            time.sleep(0.3)
        assert capsys.readouterr() == ("", said)
