"""The graph network answers with what joins its answer to the question, and says when nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.errors import KgmmError
from kgmm.knowledge import KnowledgeStore
from kgmm.reason.graph_network.model import SHIPPED
from kgmm.reason.graph_network.open import SHIPPED_OPEN
from kgmm.store import Fact
from kgmm.trace import Answer
from kgmm.trace.checks import necessary, sufficient

HOUSES = ["cupboard", "river", "moon", "shoe"]
PLATES = [Fact("plate", "AtLocation", "cupboard"), Fact("cupboard", "UsedFor", "plate"), Fact("moon", "IsA", "place")]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path_factory.mktemp("graph") / "kb")
    store.add([*PLATES, Fact("knife", "UsedFor", "cutting"), Fact("saw", "UsedFor", "cutting")])
    return store


@pytest.fixture(scope="module")
def plate(kb: KnowledgeStore) -> Answer:
    return kb.ask(None, "Where would you put a plate after washing it?", choices=HOUSES, reasoner="graph-network")


def test_a_choice_cites_every_fact_that_joins_it_to_the_question(kb: KnowledgeStore, plate: Answer) -> None:
    assert plate.text == "cupboard" and {text for text, _ in plate.alternatives} < set(HOUSES)
    assert {(c.fact.subject, c.role) for c in plate.trace.citations} == {
        ("/c/en/plate", "support"),
        ("/c/en/cupboard", "also"),
    }
    assert necessary(plate.trace) and sufficient(plate.trace)
    assert all(check.passed for check in plate.trace.verify(kb))


def test_steps_show_the_graph_each_layer_s_attention_and_the_path(plate: Answer) -> None:
    names = [step.name for step in plate.trace.steps]
    layers = [name for name in names if name.startswith("layer")]
    assert names == ["joint graph", *layers, "choose", "path", "text alone"] and layers
    assert plate.trace.steps[0].data["facts"] == 2, "of the moon the question asks nothing that a fact joins"
    assert plate.trace.steps[-2].text.endswith("you are likely to find plate in cupboard")
    assert set(plate.trace.memory[0].parts) == {*(f"attention {n}" for n in range(1, len(layers) + 1)), "relevance"}


def test_a_choice_that_nothing_joins_is_a_guess_and_withheld_unless_guesses_are_asked_for(kb: KnowledgeStore) -> None:
    question, choices = "What might someone do after getting tired?", ["sleep", "melt", "explode"]
    said = kb.ask(None, question, choices=choices, reasoner="graph-network")
    assert said.text is None and "'sleep', the network's guess" in said.trace.abstained
    asked = kb.ask(None, question, choices=choices, reasoner="graph-network", threshold=0)
    assert asked.text == "sleep" and not asked.trace.citations
    assert [check.passed for check in asked.trace.verify(kb)] == [False]


def test_an_open_question_is_answered_from_the_facts_around_what_it_names(kb: KnowledgeStore) -> None:
    answer = kb.ask(None, "What is a knife used for?", reasoner="graph-network", threshold=0.001)
    assert answer.text == "cutting" and answer.trace.citations[-1].fact == Fact(
        "/c/en/knife", "UsedFor", "/c/en/cutting"
    )
    chosen = kb.ask(None, "What is a knife used for?", choices=["Cutting", "sleep"], reasoner="graph-network-open")
    assert chosen.text == "Cutting"


def test_a_trained_folder_answers_by_its_kind(kb: KnowledgeStore, plate: Answer) -> None:
    with pytest.raises(KgmmError, match="scores choices; give choices"):
        kb.ask(None, "Where is the plate?", reasoner=SHIPPED)
    again = kb.ask(None, plate.trace.question, choices=HOUSES, reasoner=Path(SHIPPED))
    assert (again.text, again.score) == (plate.text, plate.score)
    assert kb.ask(None, "What is a knife used for?", reasoner=SHIPPED_OPEN, threshold=0).text
