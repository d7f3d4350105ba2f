"""A plan tells what was done: join orders, estimates beside true rows, seconds; and old copies go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.errors import BadInput
from kgmm.store import Fact, LocalStore
from kgmm.store.sparql.query import query

TEXT = "SELECT ?a ?c { ?a r:RelatedTo ?b . ?b r:IsA c:rare OPTIONAL { ?a r:label ?c } FILTER(?a != c:x) }"


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add([Fact(f"a{i}", "RelatedTo", f"b{i % 50}") for i in range(1000)] + [Fact("b7", "IsA", "rare")])
    return store


def steps(step: dict) -> list[dict]:  # type: ignore[type-arg]
    return [step, *(one for part in step["parts"] for one in steps(part))]


def test_a_plan_shows_the_order_of_the_joins_with_estimates_and_true_rows(kb: LocalStore) -> None:
    plan = query(kb, TEXT, explain=True)
    assert plan.result == query(kb, TEXT)
    found = {step["step"]: step for step in steps(plan.to_dict()["plan"])}
    joins = [name for name in found if name.startswith(("?a <", "?b <"))]
    assert joins[0].startswith("?b <http://conceptnet.io/r/IsA>"), "the rare pattern first"
    rare, related = found[joins[0]], found[joins[1]]
    assert (rare["rows"], rare["estimate"]) == (1, 1.0)
    assert (related["rows"], related["estimate"]) == (20, 20.0)
    assert any(name.startswith("OPTIONAL") for name in found)
    root = plan.to_dict()["plan"]
    assert root["rows"] == 20 and 0 < root["seconds"] <= plan.seconds
    assert all(step["seconds"] >= 0 for step in found.values())


def test_a_plan_keeps_to_the_limits_and_is_of_our_engine(kb: LocalStore) -> None:
    with pytest.raises(BadInput, match="explain"):
        query(kb, TEXT, explain=True, engine="oxigraph")
    assert query(kb, "ASK { c:a1 r:RelatedTo c:b1 }", explain=True).result is True


def test_the_command_prints_the_plan(kb: LocalStore) -> None:
    said = CliRunner().invoke(cli, ["sparql", str(kb.path), TEXT, "--explain"])
    assert said.exit_code == 0 and "estimate" in said.stdout and "r/IsA" in said.stdout
    told = json.loads(CliRunner().invoke(cli, ["sparql", str(kb.path), TEXT, "--explain", "--json"]).stdout)
    assert told["plan"]["rows"] == 20


@pytest.mark.parametrize("command", ["check", "compact"])
def test_copies_for_oxigraph_are_removed_and_told(kb: LocalStore, command: str) -> None:
    assert query(kb, "ASK { c:a1 r:RelatedTo c:b1 }", engine="oxigraph") is True
    root = kb.cache_dir("sparql")
    assert any(path.is_dir() for path in root.iterdir())
    told = json.loads(CliRunner().invoke(cli, [command, str(kb.path), "--json"]).stdout)
    assert told["copies"]["count"] == 1 and told["copies"]["bytes"] > 1000
    assert not any(path.is_dir() for path in root.iterdir())
    assert "copies for" not in CliRunner().invoke(cli, [command, str(kb.path)]).stdout
    assert query(kb, "ASK { c:a1 r:RelatedTo c:b1 }", engine="oxigraph") is True, "made again where it is asked for"
