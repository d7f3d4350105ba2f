"""The reasoner over paths: chains of statements from what is seen, at a time, that can be taken away."""

import numpy as np
import pytest
import torch

import kgmm
from kgmm.errors import BadInput, UnknownConcept
from kgmm.nn.path_policy import HOPS
from kgmm.reason.paths.roads import STOP, Names, Roads
from kgmm.reason.paths.search import SHIPPED, load_model, searched
from kgmm.reason.paths.walking import Asked, Walker, spoken
from kgmm.scene import SceneGraph, SceneObject

FACTS = [
    ("kitten", "IsA", "cat"),
    ("cat", "IsA", "mammal"),
    ("mammal", "HasA", "fur"),
    ("cat", "CapableOf", "purr"),
    ("cat", "NotCapableOf", "fly"),
    ("knife", "UsedFor", "cutting_bread"),
    ("whisker", "PartOf", "cat"),
]
SCENE = SceneGraph(
    "room", (SceneObject("k", "kitten", (10, 20, 30, 40)), SceneObject("n", "knife", (60, 60, 9, 9))), (), 99, 99
)


@pytest.fixture
def kb(tmp_path):
    with kgmm.open(tmp_path / "kb") as made:
        made.add(FACTS)
        yield made


def keys(path):
    return [(f.subject.rpartition("/")[2], f.predicate, f.object.rpartition("/")[2]) for f in path]


def test_the_answer_comes_with_the_statements_that_lead_there(kb):
    best = kb.follow("kitten", "CapableOf")[0]
    assert best.answer == "/c/en/purr" and not best.stated
    assert keys(best.path) == [("kitten", "IsA", "cat"), ("cat", "CapableOf", "purr")]
    assert 0 < best.share <= 1 and 0 < best.probability < 1
    assert str(best).startswith("purr ") and "kitten is a kind of cat" in str(best)


def test_what_is_stated_comes_first_and_can_be_left_out(kb):
    first = kb.follow("cat", "IsA")[0]
    assert first.answer == "/c/en/mammal" and first.stated
    assert "/c/en/mammal" not in {one.answer for one in kb.follow("cat", "IsA", stated=False)}
    assert kb.follow("cutting bread", "UsedFor", turned=True)[0].answer == "/c/en/knife"


def test_statements_taken_away_lead_nowhere(kb):
    assert "/c/en/purr" in {one.answer for one in kb.follow("kitten", "CapableOf", k=20)}
    gone = [("/c/en/cat", "CapableOf", "/c/en/purr")]
    assert "/c/en/purr" not in {one.answer for one in kb.follow("kitten", "CapableOf", k=20, exclude=gone)}
    assert all("fly" not in one.answer for one in kb.follow("kitten", "CapableOf", k=50))  # a denial is no way


def test_only_what_held_at_the_time_is_walked(kb):
    kb.add(("bonn", "CapitalOf", "west_germany"), valid=("1949", "1990"))
    kb.add(("west_germany", "PartOf", "europe"))
    then, now = kb.follow("bonn", "PartOf", at="1960"), kb.follow("bonn", "PartOf", at="2000", k=20)
    assert "/c/en/europe" in {one.answer for one in then}
    assert "/c/en/europe" not in {one.answer for one in now}
    before = kb.version
    kb.remove("cat", "CapableOf", "purr")
    assert "/c/en/purr" not in {one.answer for one in kb.follow("kitten", "CapableOf", k=20)}
    assert kb.follow("kitten", "CapableOf", version=before)[0].answer == "/c/en/purr"


def test_a_question_about_what_is_seen_cites_its_region_and_the_chain(kb):
    answer = kb.ask(SCENE, "What can the kitten do?", reasoner="paths", threshold=0.05)
    cited = answer.trace.citations
    assert answer.text == "purr" and cited[0].kind == "scene"
    assert cited[0].fact.subject == SCENE.node("k") and SCENE["k"].box == (10, 20, 30, 40)
    assert keys(c.fact for c in cited if c.kind == "knowledge") == [
        ("kitten", "IsA", "cat"),
        ("cat", "CapableOf", "purr"),
    ]
    assert all(check.passed for check in answer.trace.verify(kb))
    for fact in (c.fact for c in cited if c.kind == "knowledge"):
        assert answer.trace.without(fact).text != "purr"
    steps = {step.name: step.data for step in answer.trace.steps}
    assert steps["walk"]["paths"][0][0] == "purr" and steps["start"]["starts"][0][0] == "/c/en/kitten"


def test_what_is_not_sure_enough_or_asks_no_relation_is_left_unanswered(kb):
    unsure = kb.ask(SCENE, "What can the kitten do?", reasoner="paths", threshold=1.0)
    assert unsure.text is None and "below 1.0" in unsure.trace.abstained and not unsure.trace.citations
    assert "no relation" in kb.ask(SCENE, "Is the kitten on the table?", reasoner="paths").trace.abstained
    assert "no path" in kb.ask(None, "What is fur made of?", reasoner="paths").trace.abstained


def test_the_thing_that_does_something_is_looked_for_among_what_is_seen(kb):
    kb.add(("bread_knife", "UsedFor", "cutting_bread"))
    answer = kb.ask(SCENE, "Which object is used for cutting bread?", reasoner="paths", threshold=0.05)
    assert answer.text == "knife" and answer.trace.citations[0].fact.subject == SCENE.node("n")
    chosen = kb.ask(None, "What is a kitten capable of?", reasoner="paths", choices=["purr", "sing"], threshold=0.05)
    assert chosen.text in ("purr", None) and chosen.text != "sing"


def test_ways_are_the_strongest_of_each_relation_in_turn_read_either_way(kb):
    kb.add([("cat", "IsA", f"kind{i}") for i in range(60)])
    kb.add([kgmm.Fact("cat", "IsA", "pet", 9.0)])
    roads = Roads(kb, fan=6)
    ways = roads.ways(kb.terms.id("/c/en/cat"))
    said = [
        (kb.terms.name(c >> 1), c & 1, kb.terms.name(t))
        for c, t in zip(ways.code.tolist(), ways.target.tolist(), strict=True)
    ]
    assert len(said) == 6 and said[0] == ("IsA", 0, "/c/en/pet")
    assert {("IsA", 1, "/c/en/kitten"), ("CapableOf", 0, "/c/en/purr"), ("PartOf", 1, "/c/en/whisker")} <= set(said)


def test_shares_are_the_policy_s_own_probabilities(kb):
    model = load_model(SHIPPED)
    walker = Walker(model.policy, model.relations, Roads(kb), Names(kb))
    asked = Asked(
        *(np.array([kb.terms.id("/c/en/kitten")]), np.array([walker.roads.code("CapableOf")])), np.array([False])
    )
    found = searched(walker, asked, width=10_000)[0]
    assert sum(one.share for one in found) <= 1 + 1e-5
    ended = {one.answer: 0.0 for one in found}

    def walk(walks, chance, hops):
        with torch.no_grad():
            logp, options = walker.choose(asked, walks)
        for choice in np.flatnonzero(options.there[0]).tolist():
            p = chance * float(logp[0, choice].exp())
            if choice == 0 or hops == HOPS - 1:
                node = int(options.target[0, choice])
                ended[node] = ended.get(node, 0.0) + p
            else:
                walk(walker.move(walks, options, np.array([choice])), p, hops + 1)

    walk(walker.begin(asked), 1.0, 0)
    assert found and all(abs(ended[one.answer] - one.share) < 1e-5 for one in found)
    assert abs(sum(ended.values()) - 1) < 1e-4 and STOP < 0


def test_what_there_is_not_is_told(kb, tmp_path):
    with pytest.raises(UnknownConcept, match="unicorn"):
        kb.follow("unicorn", "IsA")
    with pytest.raises(UnknownConcept, match="Devours"):
        kb.follow("cat", "Devours")
    with pytest.raises(BadInput, match="k is a number"):
        kb.follow("cat", "IsA", k=0)
    with pytest.raises(BadInput, match="kgmm train paths"):
        kb.follow("cat", "IsA", model=tmp_path)
    assert spoken("HasSubevent") == "has subevent"
