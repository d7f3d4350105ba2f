"""Nearest codes by Hamming distance, and what is like a picture or sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kgmm
from kgmm.errors import BadInput, KgmmError
from kgmm.hashing.index import CodeIndex
from kgmm.knowledge import KnowledgeStore

pytest.importorskip("faiss", reason="FAISS is not installed")
ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 256, (2000, 16), dtype=np.uint8)


def literal(query: np.ndarray) -> np.ndarray:
    return np.unpackbits(CODES ^ query, axis=1).sum(1)


def test_the_nearest_are_those_a_comparison_with_every_code_finds() -> None:
    rows, distances = CodeIndex(CODES).search(CODES[:5] ^ 1, k=7)
    for query, row, distance in zip(CODES[:5] ^ 1, rows, distances, strict=True):
        assert distance.tolist() == np.sort(literal(query))[:7].tolist()
        assert (literal(query)[row] == distance).all()


@pytest.mark.parametrize("distance", [0, 40, 60, 128])
def test_a_radius_holds_all_within_it(distance: int) -> None:
    rows, distances = CodeIndex(CODES).radius(CODES[3], distance)
    assert set(rows.tolist()) == set(np.flatnonzero(literal(CODES[3]) <= distance).tolist())
    assert (np.diff(distances) >= 0).all()


def test_the_approximate_index_finds_most_of_the_nearest() -> None:
    exact, _ = CodeIndex(CODES, "flat").search(CODES[:50], 10)
    near, _ = CodeIndex(CODES, "hnsw").search(CODES[:50], 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, near, strict=True)]) >= 0.9


def test_an_index_comes_back_from_its_file(tmp_path: Path) -> None:
    index = CodeIndex(CODES)
    index.save(tmp_path / "codes.index")
    again = CodeIndex.load(tmp_path / "codes.index")
    assert (again.search(CODES[:3])[0] == index.search(CODES[:3])[0]).all() and again.bits == 128
    (tmp_path / "broken").write_bytes(b"no index")
    with pytest.raises(BadInput, match="broken"):
        CodeIndex.load(tmp_path / "broken")


@pytest.mark.parametrize("codes", [np.zeros((3, 4)), np.zeros(4, np.uint8), np.zeros((3, 0), np.uint8)])
def test_what_is_no_packed_codes_is_refused(codes: Any) -> None:
    with pytest.raises(KgmmError, match="packed"):
        CodeIndex(codes)


def test_a_query_of_another_length_is_refused() -> None:
    with pytest.raises(KgmmError, match="128 bits"):
        CodeIndex(CODES).search(np.zeros((1, 8), np.uint8))


def test_a_sentence_finds_the_scene_it_speaks_of(bundled_kb: KnowledgeStore) -> None:
    for text, scene in (
        ("a hot drink", "/s/coffee"),
        ("a cat looks at you", "/s/cat"),
        ("an orange blossom", "/s/flower"),
    ):
        assert bundled_kb.similar(text, modality="scene", k=1)[0].node == scene
    found = bundled_kb.similar("a hot drink", modality="scene", k=1)[0]
    assert {"cup", "coffee"} <= set(found.label.split(", "))


def test_a_sentence_finds_the_story_frame_that_mentions_it(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add(
            [
                ("/t/day/1", "Mentions", "whale"),
                ("/t/day/1", "Mentions", "coast"),
                ("/t/day/2", "Mentions", "tax"),
            ]
        )
        found = kb.similar("whales at the seaside", modality="story", k=2)
        assert [(s.node, s.modality) for s in found] == [("/t/day/1", "story"), ("/t/day/2", "story")]
        assert set(found[0].label.split(", ")) == {"whale", "coast"} and found[1].label == "tax"


def test_a_picture_finds_concepts_and_scenes(bundled_kb: KnowledgeStore) -> None:
    found = bundled_kb.similar(ROOT / "graphs/photos/cat.jpg", k=8)
    assert found[0].label == "cat" and {"kitten", "pet"} & {s.label for s in found}
    assert bundled_kb.similar(ROOT / "graphs/photos/cat.jpg", modality="scene", k=1)[0].node == "/s/cat"


def test_concepts_find_themselves_and_their_like(bundled_kb: KnowledgeStore) -> None:
    found = bundled_kb.similar(["spoon"], modality="concept", k=5)
    assert found[0].node == "/c/en/spoon" and found[0].hamming == 0
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_an_unknown_modality_and_an_empty_query_are_refused(bundled_kb: KnowledgeStore) -> None:
    with pytest.raises(KgmmError, match="concept, scene, story"):
        bundled_kb.similar("cat", modality="smell")
    with pytest.raises(KgmmError, match="empty"):
        bundled_kb.similar(" ")


def test_the_command_prints_one_document(bundled_kb: KnowledgeStore, shell: Any) -> None:
    ran = shell("similar", bundled_kb.path, "a hot drink", "--modality", "scene", "-k", 2, "--json")
    assert ran.code == 0 and json.loads(ran.out)[0]["node"] == "/s/coffee"


def test_the_name_of_a_picture_is_no_sentence(bundled_kb: KnowledgeStore, shell: Any) -> None:
    photo = ROOT / "graphs/photos/cat.jpg"
    assert bundled_kb.similar(str(photo), k=3) == bundled_kb.similar(photo, k=3)
    scene = str(ROOT / "graphs/scenes/coffee.json")
    assert bundled_kb.similar(scene, modality="scene", k=1)[0].node == "/s/coffee"
    for name in ("nowhere.jpg", "photos/Nowhere.PNG", "scene.json"):
        ran = shell("similar", bundled_kb.path, name)
        assert ran.code == 1 and f"{name}: no such file" in ran.err and not ran.out


def test_a_store_without_such_nodes_says_so(bundled_kb: KnowledgeStore, shell: Any) -> None:
    ran = shell("similar", bundled_kb.path, "a chase", "--modality", "story")
    assert ran.code == 0 and not ran.out and "no story frames" in ran.err
