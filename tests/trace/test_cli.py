"""``kgmm trace …`` as a user runs it, over trace files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.knowledge import KnowledgeStore
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Trace
from kgmm.trace.reading import schema

DESK = SceneGraph("desk", (SceneObject("o1", "knife"), SceneObject("o2", "lamp")))


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """A store, and traces of one question before and after its fact went."""
    with KnowledgeStore(tmp_path / "kb") as kb:
        kb.add([Fact("knife", "UsedFor", "cutting"), Fact("lamp", "UsedFor", "light")])
        for name in ("then", "now"):
            kb.ask(DESK, "Which object is used for cutting?").trace.to_json(tmp_path / f"{name}.json")
            kb.remove("knife", "UsedFor", "cutting")
    return str(tmp_path / "kb"), str(tmp_path / "then.json"), str(tmp_path / "now.json")


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["trace", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_show_gives_answer_and_evidence(files: tuple[str, str, str]) -> None:
    said = run("show", files[1])
    assert "knife" in said and "known   knife is used for cutting" in said
    assert json.loads(run("show", files[1], "--json"))["answer"] == "knife"


def test_verify_looks_at_the_traces_own_version(files: tuple[str, str, str]) -> None:
    assert "looked up at version" in run("verify", files[1], files[0])


def test_verify_fails_on_an_invented_citation(files: tuple[str, str, str]) -> None:
    data = json.loads(Path(files[1]).read_text())
    data["citations"][-1]["fact"]["object"] = "/c/en/swimming"
    Path(files[1]).write_text(json.dumps(data))
    checks = json.loads(run("verify", files[1], files[0], "--json", code=1))
    assert next(c["text"] for c in checks if not c["passed"]).startswith("knife is used for swimming: not in")


def test_html_asks_the_store_again_where_there_is_one(files: tuple[str, str, str], tmp_path: Path) -> None:
    run("html", files[1], str(tmp_path / "plain.html"))
    run("html", files[1], str(tmp_path / "asked.html"), "--kb", files[0])
    plain, asked = ((tmp_path / f"{n}.html").read_text() for n in ("plain", "asked"))
    assert (
        "Without this fact" not in plain.split("<script", 1)[0] and "Without this fact" in asked.split("<script", 1)[0]
    )


def test_diff_says_what_changed_and_why(files: tuple[str, str, str]) -> None:
    said = run("diff", files[1], files[2])
    assert said.startswith("the answer changes: knife") and "because" in said
    assert json.loads(run("diff", files[1], files[2], "--json"))["settings"]["store_version"]


def test_schema_is_the_published_one() -> None:
    assert json.loads(run("schema")) == json.loads(run("schema", "--json")) == schema()


def test_a_file_that_is_no_trace_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    result = CliRunner().invoke(cli, ["trace", "show", str(tmp_path / "x.json")])
    assert result.exit_code == 1 and "x.json" in str(result.exception)


def test_a_trace_written_to_a_file_reads_back(files: tuple[str, str, str]) -> None:
    assert Trace.from_json(Path(files[1])).answer == "knife"
