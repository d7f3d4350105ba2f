"""Views of a store, and the commands that walk them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kgmm import graph
from kgmm.cli import main
from kgmm.errors import BadInput, UnknownConcept
from kgmm.store import Fact, LocalStore

FACTS = [
    Fact("dog", "IsA", "animal"),
    Fact("cat", "IsA", "animal", 2.0),
    Fact("dog", "CapableOf", "bark"),
    Fact("dog", "Antonym", "cat", 0.5, graph="opposites"),
    Fact("dog", "label", '"Hund"@de'),
    Fact("rock", "IsA", "mineral"),
]


@pytest.fixture
def store(tmp_path):
    kb = LocalStore(tmp_path / "kb")
    kb.add(FACTS)
    return kb


def test_a_view_leaves_literals_out_unless_asked(store):
    view = graph.view(store)
    assert set(view.concepts) == {f"/c/en/{w}" for w in ("dog", "cat", "animal", "bark", "rock", "mineral")}
    assert '"Hund"@de' in graph.view(store, literals=True).concepts
    assert store.terms.names(view.ids.astype(np.int64)) == list(view.concepts)


def test_graphs_and_relations_can_be_chosen(store):
    assert graph.view(store, graphs="opposites").edge_count == 1
    assert graph.view(store, relations=["IsA"]).edge_count == 3
    assert "bark" not in graph.view(store, relations="/r/IsA")


def test_a_relation_has_its_own_multiplier(store):
    view = graph.view(store, relation_weights={"IsA": 3.0, "Antonym": 0})
    assert {(e.relation, e.weight) for e in view.edges()} == {("IsA", 3.0), ("IsA", 6.0), ("CapableOf", 1.0)}
    assert {e.weight for e in graph.view(store, weighted=False).edges()} == {1.0}
    with pytest.raises(BadInput, match="IsA"):
        graph.view(store, relation_weights={"IsA": -1})


def test_walks_and_paths_run_on_a_store(store):
    view = graph.view(store)
    scores = view.walk("dog")
    assert scores["rock"] == 0 and scores["cat"] > 0
    assert str(view.paths("bark", "animal")[0]) == "bark <-CapableOf- dog -IsA-> animal"
    near = view.neighborhood("rock")
    assert list(near.concepts) == ["/c/en/rock", "/c/en/mineral"] and near.position("mineral") == 1
    assert near.to_pyg().term_id.tolist() == near.ids.tolist()
    with pytest.raises(UnknownConcept, match="/c/en/animal"):
        view.walk("animl")


def test_the_walk_command_prints_scores_and_the_strongest_path(store, capsys):
    main_ok(["walk", str(store.path), "dog", "--top", "3"])
    out = capsys.readouterr().out.splitlines()
    assert "(seed)" in out[1] and "strongest path" in out[0] and len(out) == 4
    main_ok(["walk", str(store.path), "dog", "unicorn", "--json"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["results"][0]["concept"] == "/c/en/dog" and document["missing"] == ["unicorn"]
    assert any(r["path"]["text"] == "dog -CapableOf-> bark" for r in document["results"] if r["path"])


def test_the_path_command_names_relations_and_directions(store, capsys):
    main_ok(["path", str(store.path), "bark", "animal"])
    assert "bark <-CapableOf- dog -IsA-> animal" in capsys.readouterr().out
    main_ok(["path", str(store.path), "bark", "rock", "--json"])
    assert json.loads(capsys.readouterr().out)["paths"] == []


def test_an_unknown_concept_is_one_clear_line(store, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["path", str(store.path), "bakr", "animal"])
    error = capsys.readouterr().err
    assert stop.value.code == 1 and error.count("\n") == 1 and "/c/en/bark" in error


def main_ok(arguments):
    try:
        main(arguments)
    except SystemExit as stop:
        assert not stop.code
