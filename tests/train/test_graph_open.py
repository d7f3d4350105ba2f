"""The graph network for open questions trained and measured by its commands, on a few questions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kgmm.data.okvqa import SoftQuestion
from kgmm.graph.pointed import ASKED_ITSELF, FACTS, SEEN_ITSELF, pointed
from kgmm.reason.graph_network.open import SHIPPED_OPEN, load_open
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore
from kgmm.train.graph_open import best_answers
from tests.train.few_facts import store_of_few

TRIPLES = [("knife", "UsedFor", "cutting"), ("bed", "UsedFor", "sleeping"), ("cup", "UsedFor", "drinking")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty questions in OK-VQA's layout."""
    place, rows, seen = tmp_path_factory.mktemp("okvqa"), [], {}
    for number in range(60):
        thing, _, use = TRIPLES[number % 3]
        label = {use: 1, "nothing": 0.333}
        rows.append({"question_id": number, "img_id": f"i{number}", "sent": "What is it used for?", "label": label})
        seen[str(number)] = {"detections": [thing, "wall"]}
    (place / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    (place / "detections_train.json").write_text(json.dumps(seen), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_of_few(tmp_path_factory.mktemp("store") / "kb", TRIPLES)


@pytest.fixture
def store(kb: Path) -> Iterator[LocalStore]:
    with LocalStore(kb) as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(folder: Path, kb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kgmm.cli import main

    out = tmp_path_factory.mktemp("trained") / "model"
    main(["train", "graph-network", str(folder), "--out", str(out), "--kb", str(kb), "--epochs", "4", "--half"])
    return out


def test_a_trained_folder_is_evaluated(trained: Path, folder: Path, kb: Path, shell: Callable[..., object]) -> None:
    files = folder / "train.json", folder / "detections_train.json"
    ran = shell("eval", "okvqa", *files, "--model", trained, "--kb", kb, "--json")
    found = json.loads(ran.out)  # type: ignore[attr-defined]
    assert found["questions"] == 60 and found["accuracy"] > 0.6 and found["surest_fifth"] > 0.6
    assert found["cited"]["questions"] + found["guessed"]["questions"] == 60


def test_an_answer_names_the_facts_that_speak_for_it_and_a_guess_has_none(trained: Path, store: LocalStore) -> None:
    model = load_open(trained)
    scene = SoftQuestion("1", "i", "What is it used for?", detections=("knife",)).scene()
    graph = joint_graph(store, "What is it used for?", scene=scene, limit=model.nodes)
    said = {answer.answer: answer for answer in model.answers([graph], 20)[0]}
    assert [graph.words(e) for e in said["cutting"].edges] == ["knife is used for cutting"]
    assert not said["cutting"].guess and said["sleeping"].guess and not said["sleeping"].edges
    assert sum(answer.probability for answer in said.values()) == pytest.approx(1, abs=1e-3)


def test_what_speaks_for_an_answer_is_its_fact_from_what_is_seen_or_that_it_is_seen(store: LocalStore) -> None:
    scene = SoftQuestion("1", "i", "?", detections=("knife", "cup")).scene()
    graph = joint_graph(store, "Is the bed for sleeping?", scene=scene)
    said = pointed(graph)
    kinds = {word: set(said.kind[said.answer == i].tolist()) for i, word in enumerate(said.answers)}
    assert {SEEN_ITSELF} < kinds["knife"] | {FACTS} and SEEN_ITSELF in kinds["cup"] and ASKED_ITSELF in kinds["bed"]
    assert any(FACTS <= kind < 2 * FACTS for kind in kinds["cutting"])
    assert any(kind < FACTS for kind in kinds["sleeping"])
    assert (said.weight > 0).all() and set(np.unique(said.edge[said.kind >= 2 * FACTS])) == {-1}


def test_the_vocabulary_is_the_best_scored_answers() -> None:
    asked = [
        SoftQuestion("1", "i", "?", (("Sea", 1.0), ("lake", 0.667))),
        SoftQuestion("2", "i", "?", (("lake ", 0.667), ("air", 0.333))),
    ]
    assert best_answers(asked, 2) == ["lake", "sea"]


def test_a_folder_of_another_model_is_refused(shell: Callable[..., object], folder: Path) -> None:
    from kgmm.reason.graph_network.model import WEIGHTS

    files = folder / "train.json", folder / "detections_train.json"
    ran = shell("eval", "okvqa", *files, "--model", WEIGHTS / "kdmn")
    assert ran.code == 1 and "a trained kdmn, not a graph network" in ran.err  # type: ignore[attr-defined]


def test_the_shipped_network_answers_with_the_bundled_knowledge(bundled_kb: LocalStore) -> None:
    model = load_open(SHIPPED_OPEN)
    asked = SoftQuestion("1", "i", "What sport is this?", detections=("surfboard", "wave", "man", "ocean"))
    graph = joint_graph(bundled_kb, asked.question, scene=asked.scene(), limit=model.nodes)
    said = model.answers([graph])[0]
    assert {"surf", "surfing"} & {answer.answer for answer in said}
    assert all(0 < answer.probability <= 1 for answer in said)
