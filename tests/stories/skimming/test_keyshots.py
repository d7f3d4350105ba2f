"""Key shots: what several films show is one cluster, tags count by how near the event they are, one segment stands for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from kgmm.knowledge import KnowledgeStore
from kgmm.stories.footage.footage import Footage
from kgmm.stories.skimming.judging import judge
from kgmm.stories.skimming.methods.clusters import kmeans
from kgmm.stories.skimming.methods.keyshots import nearness, same
from kgmm.stories.skimming.request import Request

FACTS = [
    ("birthday", "HasSubevent", "eat cake"),
    ("cake", "AtLocation", "birthday"),
    ("candle", "UsedFor", "birthday"),
    ("cake", "IsA", "food"),
    ("tractor", "AtLocation", "farm"),
    ("farm", "RelatedTo", "food"),
]


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "kb")
    store.add(FACTS)
    return store


def _films(seed: int = 0) -> tuple[tuple[Footage, ...], list[np.ndarray]]:
    """Four films of ten scenes of four moments: scene 0 comes in all, scene 1 in the first two, the others once."""
    rng = np.random.default_rng(seed)
    scenes = rng.normal(size=(40, 64))
    films, shown = [], []
    for film in range(4):
        own = [0, *([1] if film < 2 else []), *range(2 + 9 * film, 11 + 9 * film)][:10]
        order = rng.permutation(own)
        looks = scenes[order].repeat(4, axis=0) + 0.2 * rng.normal(size=(40, 64))
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        films.append(Footage(looks.astype(np.float32), Path(f"{film}.mp4"), edges=np.arange(0, 41, 4)))
        shown.append(order)
    return tuple(films), shown


def test_what_all_films_show_comes_first_and_once() -> None:
    films, shown = _films()
    judged = judge("keyshots", Request(films))
    common = [(one.segments.max(), np.flatnonzero(order == 0)[0]) for one, order in zip(judged, shown, strict=True)]
    for (best, place), one in zip(common, judged, strict=True):
        assert best == 1 and one.segments.argmax() == place and one.reasons[place].text == "shown in 4 of 4 films"
    on_offer = [place in one.offered for (_, place), one in zip(common, judged, strict=True) if one.offered is not None]
    assert sum(on_offer) == 1, "one segment stands for the cluster"
    assert judged[0].segments[shown[0] == 1] == 0.5 and (np.sort(judged[3].segments)[:-1] == 0.25).all()


def test_a_tag_lifts_the_scene_that_its_films_share() -> None:
    films, shown = _films(1)
    tags = (("parade",), ("parade",), (), ())
    judged = judge("keyshots", Request(films, tags=tags))
    for film in (0, 1):
        place = int(np.flatnonzero(shown[film] == 1)[0])
        assert judged[film].segments.argmax() == place and judged[film].reasons[place].tags == ("parade",)
        assert sum("parade" in reason.tags for reason in judged[film].reasons) == 1
    assert judged[0].details["parade"] == "1.00 near the event; in 2 of 4 films"


def test_a_tag_that_all_films_have_is_located_by_what_is_seen() -> None:
    films, _ = _films()
    scores = np.zeros((40, 1), np.float32)
    scores[12:16] = 0.9
    first = Footage(films[0].looks, concepts=("dog",), scores=scores, edges=films[0].edges)
    (judged,) = judge("keyshots", Request((first,), tags=(("dog",),)))
    assert judged.segments.argmax() == 3 and judged.reasons[3].text.startswith("dog is here")
    assert "all films have it" in judged.details["dog"]


def test_tags_are_near_the_event_as_the_stores_walk_says(kb: KnowledgeStore) -> None:
    tags = ["cake", "candle", "tractor", "unheard of"]
    near, how = nearness("a birthday", tags, kb)
    walk = kb.view().walk("birthday")
    mass = np.array([walk["/c/en/cake"], walk["/c/en/candle"], walk["/c/en/tractor"], 0])
    assert near == pytest.approx(mass / mass.max()) and near[0] == 1 > near[1] > near[2] > 0
    assert how == "by the store's walk from /c/en/birthday"
    by_words, how = nearness("a birthday", tags, None)
    assert by_words[0] > by_words[2] and how.startswith("by words")
    assert nearness("xyzzy", tags, kb)[1].startswith("by words")


def test_clusters_are_those_of_average_linkage() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(9, 12)).repeat(5, axis=0) + 0.4 * rng.normal(size=(45, 12))
    ours = same(rows, 0.2)
    peer = AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=0.2).fit_predict(rows)
    assert len(set(zip(ours.tolist(), peer.tolist(), strict=True))) == len(set(ours.tolist())) == peer.max() + 1
    assert same(rows[:1]).tolist() == [0] and same(np.zeros((3, 4))).tolist() in ([0, 1, 2], [0, 0, 0])


def test_planted_clusters_of_frames_are_found() -> None:
    rng = np.random.default_rng(5)
    truth = np.arange(6).repeat(10)
    rows = 5 * np.eye(6)[truth] + 0.1 * rng.normal(size=(60, 6))
    centres, of = kmeans(rows, 6)
    assert len(set(zip(truth.tolist(), of.tolist(), strict=True))) == 6
    assert centres == pytest.approx(np.stack([rows[of == c].mean(axis=0) for c in range(6)]))
    assert len(kmeans(np.ones((5, 2)), 3)[0]) == 1


def test_clusters_keep_the_segment_in_the_middle_of_the_largest() -> None:
    looks = np.eye(4, dtype=np.float32)[np.repeat([0, 1, 2, 0], 5)]
    film = Footage(looks, edges=np.arange(0, 21, 5))
    (judged,) = judge("clusters", Request((film,), rate=0.75))
    assert judged.segments.tolist() == [0.5, 0.25, 0.25, 0]
    assert judged.reasons[0].text == "the middle of a cluster of 50% of the film"
