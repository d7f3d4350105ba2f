"""What is like a picture, sentence or concept: by vectors, and by the codes of a fitted hashing method."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kgmm
from kgmm import hashing
from kgmm.encode import image_encoder, text_encoder
from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve import likeness

ROOT = Path(__file__).parents[2]
ANIMALS = (
    "dog cat horse cow sheep goat pig wolf fox bear lion tiger mouse rabbit whale shark eagle owl duck goose".split()
)
THINGS = "car bus train boat plane bicycle truck spoon fork knife plate cup chair table lamp sofa".split()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeStore]:
    """Thirty-six things of two kinds, and a scene."""
    with kgmm.open(tmp_path_factory.mktemp("small") / "kb") as kb:
        kb.add([kgmm.Fact(name, "IsA", "animal") for name in ANIMALS])
        kb.add([kgmm.Fact(name, "IsA", "thing") for name in THINGS])
        kb.add([kgmm.Fact("/s/kitchen", "Depicts", name) for name in ("spoon", "fork", "plate")])
        yield kb


@pytest.fixture(scope="module")
def hasher() -> hashing.Hasher:
    """Two views of a name: all-MiniLM-L6-v2 and GloVe."""
    names = [*ANIMALS, *THINGS]
    return hashing.create("cca-itq", bits=24).fit(
        text_encoder("minilm").encode(names), text_encoder("glove").encode(names)
    )


def test_the_nearest_codes_are_those_a_comparison_with_every_code_finds(small: Any, hasher: hashing.Hasher) -> None:
    pytest.importorskip("faiss")
    encode = text_encoder("minilm").encode
    query = hasher.encode(encode(["pony"]), "image")
    every = {c: int(np.unpackbits(hasher.encode(encode([c]), "image") ^ query).sum()) for c in [*ANIMALS, *THINGS]}
    found = small.similar("pony", modality="concept", k=38, hasher=hasher)
    assert {s.label: s.hamming for s in found if s.label in every} == every
    assert all(s.score == round(1 - 2 * s.hamming / 24, 4) for s in found)
    assert [s.hamming for s in found] == sorted(s.hamming for s in found)
    assert small.similar(["horse"], k=1, hasher=hasher)[0].hamming == 0
    assert small.similar("cutlery", modality="scene", hasher=hasher)[0].node == "/s/kitchen"


def test_a_method_fitted_on_pictures_codes_a_picture_itself(small: Any) -> None:
    pytest.importorskip("faiss")
    photo, names = ROOT / "graphs/photos/cat.jpg", [*ANIMALS, *THINGS]
    random = np.random.default_rng(0)
    pictures = random.normal(size=(len(names), 1280)).astype(np.float32)
    pictures[names.index("cat")] = image_encoder().encode_images([photo])[0]
    fitted = hashing.create("cvh", bits=24).fit(pictures, text_encoder("minilm").encode(names))
    expected = fitted.encode(image_encoder().encode_images([photo]), "image")
    found = small.similar(photo, modality="concept", k=1, hasher=fitted)[0]
    assert found.label == "cat"
    code = fitted.encode(text_encoder("minilm").encode(["cat"]), "text")
    assert found.hamming == int(np.unpackbits(code ^ expected).sum())


def test_a_method_that_was_fitted_on_other_vectors_is_refused(small: Any) -> None:
    random = np.random.default_rng(0)
    other = hashing.create("cvh", bits=4).fit(random.normal(size=(20, 7)), random.normal(size=(20, 9)))
    with pytest.raises(KgmmError, match=r"texts of 9 and images of 7 columns; .* 384 \(minilm\) or 50 \(glove\)"):
        small.similar("dog", hasher=other)
    with pytest.raises(KgmmError, match="fit first"):
        small.similar("dog", hasher=hashing.create("cvh", bits=4))


def test_the_codes_of_a_method_are_features_of_nodes(small: Any, hasher: hashing.Hasher) -> None:
    view = small.view(relations="IsA")
    x = view.to_pyg(features=hasher).x.numpy()
    assert x.shape == (len(view), 24) and set(np.unique(x)) == {-1.0, 1.0}
    row = list(view.concepts).index("/c/en/whale")
    code = hasher.encode(text_encoder("minilm").encode(["whale"]), "image")
    assert ((x[row] > 0) == np.unpackbits(code, axis=1)[0].astype(bool)).all()
    plain = kgmm.GraphView.from_edges(["dog"], ["animal"], "IsA")
    with pytest.raises(KgmmError, match="needs a view of a store"):
        plain.to_pyg(features=hasher)


def test_the_command_searches_the_codes_of_a_saved_method(
    small: Any, hasher: hashing.Hasher, shell: Any, tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    hasher.save(tmp_path / "names")
    ran = shell("similar", small.path, "horse", "-k", 3, "--hasher", tmp_path / "names", "--json")
    assert ran.code == 0 and json.loads(ran.out)[0] == {
        "node": "/c/en/horse",
        "label": "horse",
        "modality": "concept",
        "score": 1.0,
        "hamming": 0,
    }
    assert " 0 bits " in shell("similar", small.path, "horse", "-k", 3, "--hasher", tmp_path / "names").out
    assert " bits " not in shell("similar", small.path, "horse", "-k", 3).out
    ran = shell("similar", small.path, "horse", "--hasher", tmp_path / "nothing")
    assert ran.code == 1 and "no such file" in ran.err


def test_vectors_are_compared_without_faiss(small: Any) -> None:
    code = "import sys, kgmm; kgmm.open(sys.argv[1]).similar('pony', k=1); sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(small.path)], timeout=240).returncode == 0


def test_concepts_with_a_word_of_the_query_are_compared_however_few_their_facts(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "CONCEPTS", 3)
    assert "fox" in [s.label for s in small.similar("a fox", modality="concept")]
    assert "fox" not in [s.label for s in small.similar("vixen", modality="concept")]


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
        kb.add([("/t/day/1", "Mentions", "whale"), ("/t/day/1", "Mentions", "coast"), ("/t/day/2", "Mentions", "tax")])
        found = kb.similar("whales at the seaside", modality="story", k=2)
        assert [(s.node, s.modality) for s in found] == [("/t/day/1", "story"), ("/t/day/2", "story")]
        assert set(found[0].label.split(", ")) == {"whale", "coast"} and found[1].label == "tax"


def test_a_picture_finds_concepts_and_scenes(bundled_kb: KnowledgeStore) -> None:
    found = bundled_kb.similar(ROOT / "graphs/photos/cat.jpg", k=8)
    assert found[0].label == "cat" and {"kitten", "pet"} & {s.label for s in found}
    assert bundled_kb.similar(ROOT / "graphs/photos/cat.jpg", modality="scene", k=1)[0].node == "/s/cat"


def test_concepts_find_themselves_and_their_like(bundled_kb: KnowledgeStore) -> None:
    found = bundled_kb.similar(["spoon"], modality="concept", k=5)
    assert found[0].node == "/c/en/spoon" and found[0].score > 0.999 and found[0].hamming is None
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
