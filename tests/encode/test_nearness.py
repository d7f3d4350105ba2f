"""Cosines guessed for all, computed for the best: near the truth, bounded in cost, and blind to what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kgmm
from kgmm.encode import nearness
from kgmm.encode.bert import BertEncoder
from kgmm.encode.text import text_encoder
from kgmm.encode.vectors import query_vector
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve.ahead import encode_all
from kgmm.retrieve.score import phrases
from kgmm.scene import SceneGraph, SceneObject

TOOLS = (
    "hammer nail saw axe knife spoon fork cup plate bowl pan oven lamp chair table bed sofa shelf door window".split()
)
DEEDS = "cut build eat drink cook bake sit sleep read write paint clean open close carry hit dig sew burn break".split()


@pytest.fixture
def kb(tmp_path: Path) -> Iterator[KnowledgeStore]:
    """One thing with 1,600 facts and more things with twenty each."""
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("tool", "RelatedTo", f"{d} {a} {b}") for d in DEEDS for a in TOOLS[:4] for b in TOOLS])
        kb.add([(t, "UsedFor", f"{d} things") for t in TOOLS for d in DEEDS])
        kb.add([(t, "IsA", "tool") for t in TOOLS])
        yield kb


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the model has read."""
    texts: list[str] = []
    encode = BertEncoder.encode
    monkeypatch.setattr(BertEncoder, "encode", lambda self, said: texts.extend(said) or encode(self, said))
    return texts


def test_a_first_question_has_the_model_read_a_few_hundred_texts(kb: KnowledgeStore, read: list[str]) -> None:
    kb.retrieve("What is a tool used for?")
    assert 0 < len(read) <= nearness.READ + 1
    for reasoner in ("explicit", "hybrid"):
        read.clear()
        kb.ask(
            SceneGraph("s", (SceneObject("o1", "tool"), SceneObject("o2", "saw"))), "Which can cut?", reasoner=reasoner
        )
        assert 0 < len(read) <= 1000


def test_a_word_that_nothing_names_is_compared_with_few_concepts(kb: KnowledgeStore, read: list[str]) -> None:
    kb.add([(f"{a} {b} {d}", "IsA", "thing") for a in TOOLS for b in TOOLS for d in DEEDS[:3]])
    links = kb.retrieve("What do hammerings do?").concepts
    assert ("hammerings", "/c/en/hammer") in [(k.text, k.concept) for k in links] and len(read) < 2 * nearness.READ


def test_a_memory_is_the_same_cold_warm_and_after_all_is_encoded(kb: KnowledgeStore) -> None:
    def asked() -> list[tuple[object, float]]:
        return [(m.fact, m.score) for m in kb.retrieve("What is a tool used for?")]

    cold = asked()
    kb.retrieve("Which tool can paint a door?")
    kb.ask(SceneGraph("s", (SceneObject("o1", "tool"),)), "What can break a window?")
    assert asked() == cold
    encode_all(kb)
    assert asked() == cold


def test_guesses_follow_the_models_cosines_and_what_is_read_is_exact(kb: KnowledgeStore) -> None:
    question, model = "What can you use to cook a meal?", text_encoder("minilm")
    columns = kb.columns()
    true = model.encode(phrases(kb, columns)) @ query_vector(model, question)
    ids = tuple(np.asarray(column, np.int64) for column in columns[:3])
    guessed = nearness.guessed_facts(kb, *ids, question)
    assert np.corrcoef(guessed, true)[0, 1] > 0.7
    cosines = nearness.fact_cosines(kb, ids, question, model, np.zeros(len(true)))
    best = np.argsort(-guessed)[: nearness.READ]
    assert np.allclose(cosines[best], true[best], atol=4e-3)
    assert set(np.argsort(-true)[:20]) <= set(np.argsort(-cosines)[:60])


def test_without_words_a_text_is_guessed_to_be_near_nothing(kb: KnowledgeStore) -> None:
    kb.add([("/c/en/!", "IsA", "tool")])
    ids = kb.terms.ids(["/c/en/!", "/c/en/tool"])
    assert np.isfinite(nearness.guessed_terms(kb, ids, "a tool")).all()
