"""Questions without a picture are answered from documents, with the sentences quoted, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import kgmm
from kgmm.reason.documents.asked import Hop, wanted
from kgmm.trace.checks import necessary

DOCUMENTS = [
    {"title": "Lothair II", "text": "Lothair II was a king. He was the son of Lothair I and Ermengarde of Tours."},
    {
        "title": "Ermengarde of Tours",
        "text": "Ermengarde of Tours (d. 20 March 851) was the daughter of Hugh of Tours.",
    },
    {"title": "The Iron Gate", "text": "The Iron Gate is a 1954 Italian drama film directed by Carla Neri."},
    {"title": "Carla Neri", "text": "Carla Neri (born 3 May 1911 in Turin) was an Italian film director."},
    {"title": "Jon Holm", "text": "Jon Holm was a Danish baker. He was married to Ada Holm."},
    {"title": "Grey Field", "text": "Grey Field is a 1960 film directed by Paolo Serra. It was not shot in Rome."},
    {
        "title": "Otto Brandt",
        "text": "Otto Brandt was a baron. He made little mark in Parliament at his father's wish.",
    },
    {"title": "Ole Dahl", "text": "Ole Dahl was a poet. Ole Dahl kept an old inn and died early in Malmo."},
    {"title": "Tartu Bridge", "text": "Tartu Bridge is a bridge. In 1933 the bridge was opened by 4,000 workers."},
]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kgmm.KnowledgeStore]:
    with kgmm.open(tmp_path_factory.mktemp("documents") / "kb") as store:
        store.read(DOCUMENTS)
        yield store


@pytest.mark.parametrize(
    "question, answer",
    [
        ("Who directed The Iron Gate?", "Carla Neri"),
        ("When was Carla Neri born?", "3 May 1911"),
        ("When did Lothair II's mother die?", "20 March 851"),
        ("Where was the director of the film The Iron Gate born?", "Turin"),
        ("Who is Lothair II's maternal grandfather?", "Hugh of Tours"),
        ("Which film was released first, Grey Field or The Iron Gate?", "The Iron Gate"),
        ("Who was the husband of Ada Holm?", "Jon Holm"),
        ("Who was Jon Holm's wife?", "Ada Holm"),
        ("Who is Carla Neri?", "film director"),
        ("Is Carla Neri a film director?", "yes"),
        ("Was Carla Neri an Italian director?", "yes"),
        ("How many workers opened Tartu Bridge?", "4,000"),
        ("When was Tartu Bridge opened?", "1933"),
    ],
)
def test_answers(kb: kgmm.KnowledgeStore, question: str, answer: str) -> None:
    found = kb.ask(None, question)
    assert found.text == answer
    checks = found.trace.verify(kb)
    assert checks and all(check.passed for check in checks)
    assert necessary(found.trace)


@pytest.mark.parametrize(
    "question",
    [
        "When did Carla Neri die?",
        "Where was the director of Grey Field born?",
        "When did Lothair II's father die?",
        "Where was Grey Field shot?",
        "Who directed The Golden Gate?",
        "Why is the sky blue?",
        "Is Carla Neri a baker?",
        "Was Jon Holm a Norwegian baker?",
        "Who is Nobody Known?",
        "Where did Otto Brandt's father study?",  # of the father nothing is said
        "Where did Otto Brandt study?",  # the sentence has his name and no word of studying
        "Where did Otto Brandt make a mark?",  # Parliament is no place
        "Where did Ole Dahl keep an inn?",  # Malmo stands in another clause
    ],
)
def test_it_is_silent_where_nothing_says_it(kb: kgmm.KnowledgeStore, question: str) -> None:
    found = kb.ask(None, question)
    assert found.text is None and found.trace.abstained and not found.trace.citations


def test_the_quoted_sentence_carries_the_answer(kb: kgmm.KnowledgeStore) -> None:
    trace = kb.ask(None, "Who directed The Iron Gate?").trace
    (cited,) = trace.citations
    assert cited.fact.predicate == "Says" and "directed by Carla Neri" in cited.fact.object
    assert trace.without(cited).text is None
    again = kb.attach(kgmm.Trace.from_json(trace.to_json()))
    assert again.without(cited).text is None


def test_a_quotation_that_no_document_says_any_more_fails_its_check(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.read([{**document, "id": str(n)} for n, document in enumerate(DOCUMENTS)])
        trace = kb.ask(None, "Who directed The Iron Gate?").trace
        kb.remove_documents("2")
        assert not all(check.passed for check in trace.verify(kb))
        assert kb.ask(None, "Who directed The Iron Gate?").text is None


def test_facts_beside_documents_still_answer(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([kgmm.Fact("knife", "UsedFor", "cutting")])
        kb.read(DOCUMENTS)
        assert kb.ask(None, "What is a knife used for?").text == "cutting"


def test_what_is_asked_is_read_as_hops() -> None:
    found = wanted("What nationality is the director of film Un giorno speciale?")
    assert found is not None
    assert (found.names, found.hops) == (("Un giorno speciale",), (Hop("DirectedBy"), Hop("Nationality")))
    assert wanted("What do cats eat?") is None
