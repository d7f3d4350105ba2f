"""Traces to work with: one a kind of reasoning, over the bundled knowledge."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.trace import Answer

SCENES = Path(__file__).parents[2] / "graphs" / "scenes"
QUESTIONS = {
    "seen": ("coffee", "Which object is used for stirring?", "explicit"),
    "inherited": ("cat", "Can the animal in this picture fly?", "explicit"),
    "unknown": ("coffee", "Who owns the cup?", "explicit"),
    "episodes": ("coffee", "What is the spoon used for?", "kdmn"),
    "counted": ("coffee", "How many cups are there?", "explicit"),
}


@pytest.fixture(scope="session")
def answers(bundled_kb: KnowledgeStore) -> dict[str, Answer]:
    return {
        name: bundled_kb.ask(SCENES / f"{scene}.json", question, reasoner=reasoner)
        for name, (scene, question, reasoner) in QUESTIONS.items()
    }
