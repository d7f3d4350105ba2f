"""The graph network trained and measured by its commands, on a few questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from kgmm.encode.bert import fast_precision
from kgmm.graph.joint import JointGraph
from kgmm.reason.graph_network.model import SHIPPED, load_model
from kgmm.retrieve.joint import joint_graph
from kgmm.store import LocalStore
from tests.train.few_facts import store_of_few

PAIRS = [("fish", "sea"), ("book", "library"), ("cow", "farm"), ("car", "garage"), ("bread", "bakery"), ("star", "sky")]


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty questions in CommonsenseQA's layout, the right choice anywhere."""
    path, rows = tmp_path_factory.mktemp("csqa") / "questions.jsonl", []
    for number in range(60):
        thing, place = PAIRS[number % 6]
        offered = [place, PAIRS[(number + 1) % 6][1], PAIRS[(number + 2) % 6][1]]
        turned = offered[number % 3 :] + offered[: number % 3]
        choices = [{"label": label, "text": text} for label, text in zip("ABC", turned, strict=True)]
        stem = f"Where would {number} times a {thing} be?"
        asked = {"stem": stem, "question_concept": thing, "choices": choices}
        rows.append({"id": f"q{number}", "question": asked, "answerKey": "ABC"[turned.index(place)]})
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_of_few(
        tmp_path_factory.mktemp("store") / "kb", [(thing, "AtLocation", where) for thing, where in PAIRS]
    )


@pytest.fixture(scope="module")
def trained(questions: Path, kb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kgmm.cli import main

    out = tmp_path_factory.mktemp("trained") / "model"
    main(["train", "graph-network", str(questions), "--out", str(out), "--kb", str(kb), "--epochs", "2", "--half"])
    return out


def test_a_trained_folder_is_evaluated_and_says_how_it_was_made(
    trained: Path, questions: Path, kb: Path, shell: Callable[..., object]
) -> None:
    card = (trained / "README.md").read_text(encoding="utf-8")
    assert "kgmm train graph-network questions.jsonl --epochs 2 --half" in card and "accuracy" in card
    ran = shell("eval", "commonsenseqa", questions, "--model", trained, "--kb", kb, "--json")
    found = json.loads(ran.out)  # type: ignore[attr-defined]
    assert found["questions"] == 60 and found["accuracy"] > 0.6
    assert sum(found[kind]["questions"] for kind in ("one_fact", "two_facts", "further")) == 60


def test_scores_do_not_depend_on_the_questions_beside(trained: Path, kb: Path) -> None:
    model = load_model(trained)
    with LocalStore(kb) as store:
        graphs: list[JointGraph] = [
            joint_graph(store, f"Where is a {thing}?", choices=["sea", "farm", "a library"]) for thing, _ in PAIRS
        ]
        kept = joint_graph(store, "Where is a fish?", model.encoder, choices=["sea", "farm", "a library"])
    together = model.scores(graphs)
    rounded = (
        2e-2 if fast_precision() == torch.float32 else 1e-1
    )  # vectors in half precision, products perhaps in bfloat16
    assert all(abs(model.scores([g])[0] - s).max() < rounded for g, s in zip(graphs, together, strict=True))
    assert abs(model.scores([kept])[0] - together[0]).max() < rounded
    logits, attention = model.read(graphs[0])
    assert abs(logits - together[0]).max() < rounded
    assert attention.shape == (2, graphs[0].edges.shape[1] + len(graphs[0]))


def test_a_folder_of_another_model_is_refused(shell: Callable[..., object], questions: Path) -> None:
    from kgmm.reason.graph_network.model import WEIGHTS

    ran = shell("eval", "commonsenseqa", questions, "--model", WEIGHTS / "kdmn")
    assert ran.code == 1 and "a trained kdmn, not a graph network" in ran.err  # type: ignore[attr-defined]


def test_the_shipped_network_chooses_with_the_bundled_knowledge(bundled_kb: LocalStore) -> None:
    asked = {
        "Where would you keep milk cold?": (["refrigerator", "library", "oven"], 0),
        "What do you use to cut bread?": (["pillow", "knife", "window"], 1),
        "Where do fish live?": (["desk", "sky", "water"], 2),
    }
    graphs = [joint_graph(bundled_kb, q, choices=choices) for q, (choices, _) in asked.items()]
    best = [int(scores.argmax()) for scores in load_model(SHIPPED).scores(graphs)]
    assert best == [right for _, right in asked.values()]
