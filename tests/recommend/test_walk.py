"""The walk over users, items and knowledge: its graph, cold items, reasons that can be taken away, what it refuses."""

import time

import numpy as np
import pytest

from kgmm.errors import BadInput, KgmmError
from kgmm.graph import GraphView
from kgmm.recommend import create, load
from kgmm.recommend.knowledge import ItemKnowledge

RATED = [("ann", "Alien", 5), ("bob", "Alien", 5), ("bob", "Aliens", 5), ("cy", "Emma", 4), ("cy", "Persuasion", 5)]
KNOWN = [
    ("m.emma", "by", "Austen"),
    ("m.sand", "by", "Austen"),
    ("m.alien", "in", "space"),
    ("m.emma", "in", "England"),
]
LINK = {"Emma": "m.emma", "Sanditon": "m.sand", "Alien": "m.alien"}


def test_scores_are_those_of_two_walks():
    """The formula, over a graph made by hand."""
    model = create("walk", lift=0.4, popularity=0.5, tol=1e-10).fit(RATED)
    users, items = [f"/user/{u}" for u, _, _ in RATED], [f"/item/{i}" for _, i, _ in RATED]
    view = GraphView.from_edges(users, items, "rated", [1.0, 1.0, 1.0, 0.2, 1.0])
    own = view.walk({"/item/Emma": 0.2, "/item/Persuasion": 1.0}, 0.15, 1e-10)
    each = {"/item/Alien": 1.5, "/item/Aliens": 0.5, "/item/Emma": 0.2 / 1.2, "/item/Persuasion": 1 / 1.2}
    all_users = view.walk(each, 0.15, 1e-10)
    for item, raters in (("Emma", 1), ("Persuasion", 1)):
        node = f"/item/{item}"
        wanted = own[node] ** 0.4 * all_users[node] ** 0.6 * (1 + raters) ** 0.5
        assert model.score("cy", item)[0, 0] == pytest.approx(wanted, rel=1e-5)
    assert np.allclose(
        model.score("cy", list(model.items)), model.score({"Emma": 4, "Persuasion": 5}, list(model.items))
    )


def test_items_that_nobody_rated_are_found_by_what_is_known(tmp_path):
    model = create("walk").fit(RATED, KNOWN, LINK, labels={"Austen": "Jane Austen"})
    assert [one.item for one in model.recommend({"Emma": 5}, k=2)] == ["Persuasion", "Sanditon"]
    assert "Sanditon" not in create("walk").fit(RATED).items
    (reason,) = model.explain({"Emma": 5}, "Sanditon")
    assert reason.nodes == ("/item/Emma", "/known/Austen", "/item/Sanditon") and reason.relations == ("by", "by")
    assert str(reason) == "Emma -by-> Jane Austen <-by- Sanditon" and reason.part == 1
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    assert again.recommend({"Emma": 5}, reasons=True) == model.recommend({"Emma": 5}, reasons=True)


def test_what_leads_nowhere_is_left_out():
    model = create("walk").fit(RATED, KNOWN, LINK)
    assert "/known/Austen" in model.view and "/known/space" not in model.view and "/known/England" not in model.view


def test_alike_items_and_users_that_are_one_are_joined():
    vectors = {"Alien": [1, 0], "Moon": [1, 0.1], "Emma": [0, 1], "Clueless": [0.1, 1]}
    model = create("walk", near=1).fit(RATED, likeness=vectors, same=[("ann", "cy")])
    assert [one.item for one in model.similar("Clueless", 1)] == ["Emma"]
    scores = dict(zip(model.items, model.score({"Alien": 5}, list(model.items))[0], strict=True))
    assert scores["Moon"] > scores["Clueless"] > 0
    relations = {(e.subject, e.object): e.relation for e in model.view.edges()}
    assert relations["/user/ann", "/user/cy"] == "SameAs" and relations["/item/Emma", "/item/Clueless"] == "alike"


def test_without_the_path_the_score_falls(tastes):
    """Necessity on small data; benchmarks/recommend.py measures it on MovieLens."""
    facts = [(item, "kind", f"kind {int(item[1:]) % 2} {int(item[1:]) % 5}") for item in tastes.items]
    model = create("walk", lift=1.0).fit(tastes, facts)
    fell = []
    for user in model.users[:25]:
        best = model.recommend(user, k=1)[0]
        reason = model.explain(user, best.item, 1)[0]
        fell.append(model.without(reason).score(user, best.item)[0, 0] < best.score)
    assert np.mean(fell) >= 0.9
    with pytest.raises(KgmmError, match="no edge between"):
        model.without(reason).without(reason)


def test_a_new_user_takes_less_than_ten_milliseconds(tastes):
    model = create("walk").fit(tastes)
    model.recommend({"i1": 5})
    spans = []
    for _ in range(10):
        begun = time.process_time()
        model.recommend({"i1": 5, "i4": 2})
        spans.append(time.process_time() - begun)
    assert min(spans) < 0.01


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([("a", "b")], "1: expected .head, relation, tail"),
        ([("a", "r", "b"), ("a", "r", "b", -1)], "2: the weight -1.0 must be positive"),
        ([("a", "r", "b", "x")], "1: the weight 'x' is no number"),
        (["abc"], "1: expected .head"),
    ],
)
def test_malformed_knowledge_names_the_row(given, said):
    with pytest.raises(BadInput, match=said):
        create("walk").fit(RATED, given)


def test_malformed_likeness_and_sameness_are_told():
    with pytest.raises(BadInput, match="differ in length"):
        create("walk").fit(RATED, likeness={"Alien": [1], "Emma": [1, 2]})
    with pytest.raises(BadInput, match="no finite number"):
        create("walk").fit(RATED, likeness={"Alien": [1], "Emma": [float("nan")]})
    with pytest.raises(BadInput, match="no user 'dee'"):
        create("walk").fit(RATED, same=[("ann", "dee")])


def test_frames_and_stores_are_knowledge(tmp_path):
    import polars as pl

    import kgmm

    frame = pl.DataFrame({"head_id:token": ["a"], "relation_id:token": ["by"], "tail_id:token": ["b"]})
    assert ItemKnowledge.of(frame).concepts == ("a", "b")
    with pytest.raises(BadInput, match="expected columns head"):
        ItemKnowledge.of(pl.DataFrame({"x": [1]}))
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("Emma", "By", "Austen"), ("Sanditon", "By", "Austen"), ("ann", "Rated", "Emma")])
        known = ItemKnowledge.of(kb, leave_out=["Rated"])
        assert len(known) == 2
        rated = [("ann", "/c/en/emma"), ("bob", "/c/en/sanditon")]
        model = create("walk").fit(rated, known)
        assert [one.item for one in model.recommend("ann")] == ["/c/en/sanditon"]
        assert str(model.explain("ann", "/c/en/sanditon")[0]) == "emma -By-> austen <-By- sanditon"


def test_a_damaged_graph_is_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    place = tmp_path / "m.safetensors"
    create("walk").fit(RATED, KNOWN, LINK).save(place)
    from safetensors import safe_open

    with safe_open(place, "numpy") as file:
        told = file.metadata()
    arrays = load_file(place)
    for name, value in (("edge_subject", 99), ("edge_object", -1), ("edge_relation", 50)):
        broken = {**arrays, name: np.full_like(arrays[name], value)}
        save_file(broken, place, metadata=told)
        with pytest.raises(BadInput, match="do not fit its names"):
            load(place)
    save_file({**arrays, "edge_weight": -arrays["edge_weight"]}, place, metadata=told)
    with pytest.raises(BadInput, match="its weight is"):
        load(place)
