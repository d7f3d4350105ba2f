"""What rules conclude, as candidates: right, reasoned, out of sight until it is asked for, gone without a trace when withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import kgmm
from kgmm import KnowledgeStore
from kgmm.errors import KgmmError
from kgmm.patterns import VisualPattern, accept, candidates, conclude, reject
from kgmm.patterns.candidates import Stated, propose
from kgmm.patterns.folder import conclude_visual
from kgmm.store import Fact
from tests.conftest import Ran
from tests.patterns.test_graph_rules import pattern


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    """Dogs, all kinds of which bark but one, of which nothing is said."""
    made = kgmm.open(tmp_path / "kb")
    kinds = ["beagle", "boxer", "collie", "husky", "poodle"]
    made.add(
        [(kind, "IsA", "dog") for kind in [*kinds, "spitz"]]
        + [("dog", "CapableOf", "bark"), ("cat", "CapableOf", "purr")]
    )
    made.add([(kind, "CapableOf", "bark") for kind in kinds], contributor="ann")
    return made


def mined(kb: KnowledgeStore) -> list[Fact]:
    conclude(kb, kb.rules(3, 4, heads=["CapableOf"]))
    return candidates(kb)


@pytest.mark.parametrize("constants", [False, True])
def test_conclusions_are_what_the_body_joins_and_no_fact_says(tmp_path: Path, constants: bool) -> None:
    random, made = Random(5), kgmm.open(tmp_path / "kb")
    made.add(
        sorted({(f"n{random.randrange(12)}", random.choice("RST"), f"n{random.randrange(12)}") for _ in range(160)})
    )
    rules = made.rules(3, 3, min_confidence=0.0, min_head_coverage=0.0, constants=constants)
    named = rules["rule"].str.contains("/c/")
    chosen = rules.filter(named).head(12) if constants else rules.gather_every(max(1, len(rules) // 25))
    assert len(chosen) > 3
    for at, row in enumerate(chosen.to_dicts()):
        body, wanted, relation = " ".join(map(pattern, row["body"])), set(), row["head"].split("(")[0]
        for answer in made.sparql(f"SELECT DISTINCT {'?x' if constants else '?x ?y'} WHERE {{ {body} }}"):
            x, *rest = (str(end).strip("<>").removeprefix("http://conceptnet.io") for end in answer.values())
            y = row["head"].split(", ")[1].rstrip(")") if constants else rest[0]
            if not made.find(x, relation, y):
                wanted.add((x, y))
        conclude(made, chosen.slice(at, 1), f"r{at}")
        found = {(f.subject, f.object) for f in candidates(made, f"r{at}")}
        assert found == wanted, row["rule"]
        if found:
            made.remove(graph=f"mined/r{at}")


def test_a_candidate_says_its_rule_and_rests_on_the_facts_behind_it(kb: KnowledgeStore) -> None:
    best = mined(kb)[0]
    assert (best.subject, best.predicate, best.object) == ("/c/en/spitz", "CapableOf", "/c/en/bark")
    assert best.source == "IsA(x, z) ∧ CapableOf(z, y) ⇒ CapableOf(x, y)" and best.graph == "mined/rules"
    (said,) = kb.assertions(("spitz", "CapableOf", "bark", "mined/rules"))
    assert said.method == "mined" and said.contributor == "kgmm mine" and said.confidence == pytest.approx(best.weight)
    assert set(said.rests_on) == {
        ("/c/en/spitz", "IsA", "/c/en/dog", "facts"),
        ("/c/en/dog", "CapableOf", "/c/en/bark", "facts"),
    }


def test_nothing_uses_candidates_unless_told_and_answers_cite_them_as_mined(
    kb: KnowledgeStore, shell: Callable[..., Ran]
) -> None:
    scene = {"id": "1", "objects": [{"id": "a", "name": "spitz"}], "relations": []}
    place = kb.path / ".." / "scene.json"
    place.write_text(json.dumps(scene))
    kb.remove("dog", "CapableOf", "bark")
    before = kb.ask(place, "What can the spitz do?")
    kb.add(("dog", "CapableOf", "bark"))
    mined(kb)
    kb.remove("spitz", "IsA", "dog")  # so that nothing but the candidate says it
    assert "mined/rules" not in kb.knowledge_graphs() and before.text != "bark"
    assert kb.ask(place, "What can the spitz do?").text != "bark"
    answer = kb.ask(place, "What can the spitz do?", mined=True)
    assert answer.text == "bark"
    assert "mined/rules" in {citation.fact.graph for citation in answer.trace.citations}
    told = shell("ask", kb.path, place, "What can the spitz do?", "--mined")
    assert "mined   spitz can bark" in told.out


def test_accepted_ones_are_general_knowledge_and_rejected_ones_are_not_proposed_again(kb: KnowledgeStore) -> None:
    found = mined(kb)
    assert accept(kb, found[:1], by="ann") == 1
    (fact,) = kb.find("spitz", "CapableOf", "bark")
    (said,) = kb.assertions(fact)
    assert fact.graph == "accepted" and "accepted" in kb.knowledge_graphs()
    assert said.text == "accepted by ann" and said.method == "mined" and said.rests_on
    kb.remove(graph="accepted")
    found = mined(kb)
    assert reject(kb, found, by="bob") == len(found)
    assert candidates(kb) == [] and mined(kb) == []
    assert {f.graph for f in kb.find("spitz", "CapableOf", None)} == {"mined/rejected"}
    kb.withdraw(contributor="bob")
    assert len(mined(kb)) == len(found)


def test_withdrawing_leaves_no_trace(kb: KnowledgeStore) -> None:
    found = mined(kb)
    accept(kb, found[:1])
    conclude(kb, kb.rules(3, 4, min_confidence=0.0), "more")
    before = len(kb.find())
    assert kb.withdraw(contributor="kgmm mine") > 0
    assert len(kb.find()) < before and candidates(kb) == [] and not kb.find("spitz", "CapableOf")
    assert not any(
        "spitz" in str(row) for row in kb.sparql("SELECT ?s ?o WHERE { ?s <http://conceptnet.io/r/CapableOf> ?o }")
    )
    assert "bark" not in {label for label, _ in kb.view().walk("spitz").top(1)}


def test_what_it_rested_on_takes_it_along(kb: KnowledgeStore) -> None:
    kb.add(("dog", "IsA", "animal"), contributor="cy")
    kb.add(
        [(kind, "LivesIn", "home") for kind in ("beagle", "boxer", "collie")] + [("dog", "LivesIn", "home")],
        contributor="dan",
    )
    conclude(kb, kb.rules(3, 3, heads=["LivesIn"]), "homes")
    assert candidates(kb, "homes")
    kb.withdraw(contributor="dan")
    assert candidates(kb, "homes") == []


def test_what_is_no_candidate_is_told_and_nothing_changes(kb: KnowledgeStore) -> None:
    found, version = mined(kb), kb.version
    with pytest.raises(KgmmError, match="no candidate"):
        accept(kb, [found[0], Fact("dog", "IsA", "cat")])
    with pytest.raises(KgmmError, match=r"kb\.rules"):
        conclude(kb, kb.rules().drop("body"))
    assert kb.version == version and candidates(kb) == found


def test_the_commands_mine_show_and_judge(kb: KnowledgeStore, shell: Callable[..., Ran]) -> None:
    run = shell("mine", "rules", kb.path, "--min-support", 4, "--head", "CapableOf", "--write", "rules", "--json")
    assert run.code == 0 and json.loads(run.out)["written"] >= 1
    shown = shell("mine", "candidates", kb.path)
    assert "spitz CapableOf /c/en/bark" in shown.out and "⇒" in shown.out
    assert (
        shell("mine", "candidates", kb.path, "--fact", "spitz", "CapableOf", "bark", "--accept").out
        == "accepted 1 candidates\n"
    )
    assert shell("mine", "candidates", kb.path, "--fact", "spitz", "CapableOf", "bark", "--accept").code == 1
    assert shell("find", kb.path, "spitz", "CapableOf").out.count("bark") == 1
    shell("mine", "candidates", kb.path, "--reject", "--by", "me")
    assert json.loads(shell("mine", "candidates", kb.path, "--json").out) == []


def test_what_goes_with_what_in_scenes(tmp_path: Path, shell: Callable[..., Ran]) -> None:
    made = kgmm.open(tmp_path / "kb")
    for number, things in enumerate((["cup", "saucer", "spoon"], ["cup", "saucer"], ["cup"], ["dog"])):
        made.add([(f"/s/{number}/{t}", "InstanceOf", t) for t in things], graph=f"scene/{number}")
    run = shell("mine", "scenes", made.path, "--min-support", 2, "--write", "scenes", "--json")
    told = json.loads(run.out)
    assert {(*r["antecedents"], *r["consequents"]) for r in told["rules"]} == {
        ("/c/en/saucer", "/c/en/cup"),
        ("/c/en/cup", "/c/en/saucer"),
    }
    assert told["written"] == 2
    best = candidates(kgmm.open(tmp_path / "kb"), "scenes")[0]
    assert (best.subject, best.predicate, best.object) == ("/c/en/saucer", "LocatedNear", "/c/en/cup")
    assert "2 rules" in shell("mine", "scenes", made.path, "--min-support", 2).out
    assert shell("mine", "scenes", made.path, "--kind", "story").out == "0 rules\n"


def test_withdrawn_patterns_are_in_no_view_cache_query_or_answer(kb: KnowledgeStore, tmp_path: Path) -> None:
    scene = tmp_path / "scene.json"
    scene.write_text(json.dumps({"id": "1", "objects": [{"id": "a", "name": "spitz"}], "relations": []}))
    kb.remove("spitz", "IsA", "dog")

    def state() -> dict[str, object]:
        answer = kb.ask(scene, "What can the spitz do?", mined=True)
        query = "SELECT ?g ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } }"
        return {
            "facts": sorted((f.subject, f.predicate, f.object, f.graph) for f in kb.find()),
            "graphs": sorted(kb.graphs()),
            "concepts": sorted(kb.view().concepts),
            "general": sorted(kb.view(graphs=kb.knowledge_graphs()).concepts),
            "walk": kb.view().walk("spitz" if kb.find("spitz") else "beagle").top(20),
            "sparql": sorted(str(sorted(row.items())) for row in kb.sparql(query)),
            "spelt": kb.search("zzq"),
            "answer": (answer.text, sorted(str(c.fact) for c in answer.trace.citations)),
        }

    before = state()
    pattern = VisualPattern("zzqbark", ("zzqbark",), "spitz", (1, 2), 0.4, 0.9, (0, 1), ((1.0, 2.0, 30.0, 40.0),) * 2)
    told = [Stated(("/c/en/spitz", "CapableOf", "/c/en/bark"), 0.9, "a rule")]
    assert conclude_visual(kb, [pattern], ["p1.png", "p2.png"], "pictures") == 3 and propose(kb, told, "rules") == 1
    accept(kb, candidates(kb, "pictures")[:1], by="ann")
    during = state()
    assert all(during[part] != before[part] for part in before), [p for p in before if during[p] == before[p]]
    assert during["answer"][0] == "bark"  # type: ignore[index]
    kb.withdraw(contributor="kgmm mine")
    assert state() == before
    kb.close()
    with kgmm.open(kb.path) as again:
        assert not again.search("zzq") and candidates(again) == []
