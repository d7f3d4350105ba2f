"""Rules over a store's facts: every count is SPARQL's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

import kgmm
from benchmarks.graph_rules import Answers, counts_differ, facts
from kgmm import KnowledgeStore
from kgmm.errors import KgmmError
from tests.conftest import Ran


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeStore:
    random, made = Random(3), kgmm.open(tmp_path_factory.mktemp("rules") / "kb")
    names, relations = [f"n{i}" for i in range(14)], ["IsA", "PartOf", "UsedFor", "http://example.org/near"]
    facts = {(random.choice(names), random.choice(relations), random.choice(names)) for _ in range(170)}
    made.add(sorted(facts))
    made.add([(s, "PartOf", o) for s, r, o in sorted(facts) if r == "UsedFor"], graph="again")
    made.add([(s, r, o) for s, r, o in sorted(facts)][:20], graph="again")  # in two graphs, counted once
    return made


ATOM = re.compile(r"(\S+)\((\S+), (\S+)\)")


def pattern(atom: str) -> str:
    relation, a, b = ATOM.fullmatch(atom).groups()  # type: ignore[union-attr]
    iri = relation if relation.startswith("http") else f"http://conceptnet.io/r/{relation}"
    ends = [f"?{e}" if len(e) == 1 else f"<http://conceptnet.io{e}>" for e in (a, b)]
    return f"{ends[0]} <{iri}> {ends[1]} ."


def count(kb: KnowledgeStore, *atoms: str, more: str = "") -> int:
    body = " ".join(map(pattern, atoms))
    several = "?x ?y" if any("y" in atom.split("(")[1] for atom in atoms) else "?x"
    rows = kb.sparql(f"SELECT (COUNT(*) AS ?n) WHERE {{ SELECT DISTINCT {several} WHERE {{ {body} {more} }} }}")
    return int(str(next(iter(rows))["n"]).strip('"').split('"')[0])


@pytest.mark.parametrize("constants", [False, True])
def test_every_figure_is_a_count_of_sparql(kb: KnowledgeStore, constants: bool) -> None:
    found = kb.rules(3, 4, min_confidence=0.0, min_head_coverage=0.0, constants=constants)
    named = found.filter(found["rule"].str.contains("/c/"))
    assert len(found) > 40 and (len(named) > 3) == constants
    rows = [*found.to_dicts()[::7], *named.to_dicts()[::11]]
    for row in rows:
        body, head = row["body"], row["head"]
        relation = pattern(head).split()[1]
        assert row["support"] == count(kb, *body, head), row
        assert row["body_size"] == count(kb, *body), row
        assert row["exceptions"] == count(kb, *body, more=f"?x {relation} ?o .") - row["support"], row
        size = count(kb, f"{head.split('(')[0]}(x, y)")
        assert row["head_coverage"] == pytest.approx(row["support"] / size)
        assert row["confidence"] == pytest.approx(row["support"] / row["body_size"])
        assert bool(row["exception"]) == (row["exceptions"] > 0)
    assert found["rule"].is_unique().all()


def test_on_real_facts_sparql_counts_the_same_and_rules_know_more_of_held_out_ones_than_frequency(
    shared_data: Path, tmp_path: Path
) -> None:
    """UMLS (Kok and Domingos 2007): 5,216 facts of medicine; valid and test are held out."""
    parts = [
        facts(shared_data / "kg_small" / "umls" / f"{part}.txt", head_first=True) for part in ("train", "valid", "test")
    ]
    made = kgmm.open(tmp_path / "kb")
    made.add(parts[0])
    found = made.rules(3, 5, min_confidence=0.02, min_head_coverage=0.0)
    assert len(found) > 10_000
    some = found.partition_by("body", maintain_order=True)[::60]
    assert counts_differ(made, pl.concat(some)) == (0, len(some))
    sure = found.filter(pl.col("pca_confidence") >= 0.8)
    asked, right, frequent = Answers(made, sure, parts[0], parts[1] + parts[2]).right(0.8)
    assert asked > 380 and right >= 0.9 and right > frequent + 0.15


def test_an_exception_is_one(kb: KnowledgeStore) -> None:
    rows = [row for row in kb.rules(2, 3, min_confidence=0.0).to_dicts() if row["exception"]]
    assert rows
    for row in rows:
        x, y = row["exception"].split(", ")
        relation = row["head"].split("(")[0]
        assert not kb.find(x, relation, y) and kb.find(x, relation, None)
        (atom,) = row["body"]
        assert kb.find(*((x, atom.split("(")[0], y) if "(x, y)" in atom else (y, atom.split("(")[0], x)))


def test_bounds_relations_and_heads_are_kept_to(kb: KnowledgeStore) -> None:
    found = kb.rules(3, 6, min_confidence=0.3, min_head_coverage=0.1, heads=["IsA"], relations=["IsA", "PartOf"])
    assert len(found) and (found["support"] >= 6).all() and (found["pca_confidence"] >= 0.3).all()
    assert found["head"].unique().to_list() == ["IsA(x, y)"]
    assert not found["rule"].str.contains("UsedFor|near").any()
    assert kb.rules(2, 4).height == kb.rules(3, 4).filter(kb.rules(3, 4)["body"].list.len() == 1).height


@pytest.mark.parametrize(
    "options",
    [{"max_atoms": 4}, {"min_support": 0}, {"min_confidence": 2}, {"relations": ["Nothing"]}, {"heads": ["Nothing"]}],
)
def test_what_makes_no_sense_is_told(kb: KnowledgeStore, options: dict[str, Any]) -> None:
    with pytest.raises(KgmmError):
        kb.rules(**options)


def test_an_empty_store_has_no_rules(tmp_path: Path) -> None:
    assert kgmm.open(tmp_path / "kb").rules(3, 1, constants=True).is_empty()


def test_the_commands_say_what_the_functions_find(
    kb: KnowledgeStore, tmp_path: Path, shell: Callable[..., Ran]
) -> None:
    run = shell("mine", "rules", kb.path, "--min-support", 6, "--json")
    assert run.code == 0 and json.loads(run.out) == kb.rules(3, 6).to_dicts()
    told = shell("mine", "rules", kb.path, "--min-support", 6, "--top", 2)
    assert told.code == 0 and "2 shown" in told.out and "⇒" in told.out
    files = {
        "rows.txt": "a b\na b c\nc\n",
        "rows.csv": "a,b\na,b,c\nc\n",
        "rows.jsonl": '["a","b"]\n["a","b","c"]\n["c"]\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        run = shell("mine", "itemsets", tmp_path / name, "--min-support", 2, "--json")
        assert [row["itemsets"] for row in json.loads(run.out)] == [["c"], ["a", "b"]]
    run = shell("mine", "itemsets", tmp_path / "rows.csv", "--min-support", 0.3, "--rules", 0.9, "--consequent", "a")
    assert run.code == 0 and "b ⇒ a" in run.out
    (tmp_path / "bad.jsonl").write_text('["a"]\n{"b": 1}\n')
    run = shell("mine", "itemsets", tmp_path / "bad.jsonl")
    assert run.code == 1 and "bad.jsonl:2" in run.err
    assert shell("mine", "itemsets", tmp_path / "rows.csv", "--consequent", "a").code == 2
