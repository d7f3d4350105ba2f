"""Passages like a passage, a document or a text, with what they share; documents as a graph for message passing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import kgmm
from kgmm.cli import cli
from kgmm.errors import BadInput, KgmmError

CORPUS = [
    {"id": "a", "title": "Leo Fong", "text": "Leo Fong directed Blood Street, a film about boxers."},
    {"id": "b", "title": "Blood Street", "text": "Blood Street is a film by Leo Fong with many boxers."},
    {"id": "c", "title": "Rain", "text": "Rain fell on the fields of wheat."},
    {"id": "d", "title": "Wheat", "text": "Wheat grows on fields where rain falls."},
]


@pytest.fixture
def kb(tmp_path: Path) -> kgmm.KnowledgeStore:
    store = kgmm.open(tmp_path / "kb")
    store.read(CORPUS, facts=True)
    return store


def test_near_passages_are_told_with_what_they_share(kb: kgmm.KnowledgeStore) -> None:
    (passage,) = kb.retrieve("Blood Street", passages=1).passages
    first = kb.similar(passage)[0]
    assert (first.node, first.label, first.modality) == ("a#0", "Leo Fong", "passage")
    assert set(first.reasons) >= {"Leo Fong", "Blood Street", "boxers"} and 0 < first.score < 1
    assert kb.similar("c", modality="passage")[0].node == "d#0"
    assert kb.similar("boxers in a film", modality="passage", k=2)[0].node in ("a#0", "b#0")
    assert all(found.node != "b#0" for found in kb.similar(passage))


def test_what_passages_are_not_compared_with_is_an_error(kb: kgmm.KnowledgeStore) -> None:
    (passage,) = kb.retrieve("Rain", passages=1).passages
    kb.remove_documents("c")
    with pytest.raises(BadInput, match="not in the store"):
        kb.similar(passage)
    with pytest.raises(KgmmError, match="passages are compared"):
        kb.similar(["rain"], modality="passage")


def test_vectors_find_near_passages_that_share_no_word(tmp_path: Path) -> None:
    kb = kgmm.open(tmp_path / "kb")
    texts = ["Physicians treat illness in hospitals.", "The tram leaves at noon.", "Doctors cure disease."]
    kb.read([{"id": str(at), "text": text} for at, text in enumerate(texts)], vectors=True)
    found = kb.similar("0", modality="passage")
    assert found[0].node == "2#0" and 0.4 < found[0].score < 1


def test_the_shell_shows_near_passages(kb: kgmm.KnowledgeStore) -> None:
    asked = ["similar", str(kb.path), "c", "--modality", "passage", "-k", "1"]
    assert json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)[0]["node"] == "d#0"
    assert "d#0  (" in CliRunner().invoke(cli, asked).stdout


def test_documents_are_a_graph_of_passages_names_and_facts(kb: kgmm.KnowledgeStore) -> None:
    torch = pytest.importorskip("torch")
    kb.add(("leo fong", "IsA", "boxer"))
    data = kb.documents_to_pyg()
    assert data.validate() and data["passage"].num_nodes == data["document"].num_nodes == 4
    named = data["entity"].names
    ends = data["passage", "mentions", "entity"].edge_index
    said = {(data["passage"].names[p], named[e]) for p, e in ends.t().tolist()}
    assert {("a#0", "Blood Street"), ("a#0", "Leo Fong"), ("b#0", "Leo Fong")} <= said
    own = data["passage", "mentions", "entity"].own
    assert {named[e] for e in ends[1][own].tolist()} >= {"Leo Fong", "Blood Street", "Rain", "Wheat"}
    facts = data["fact"].keys_of
    states = {
        (data["passage"].names[p], facts[f][1]) for p, f in data["passage", "states", "fact"].edge_index.t().tolist()
    }
    assert ("b#0", "DirectedBy") in states or states
    subject = dict(data["fact", "subject", "entity"].edge_index.t().tolist())
    assert all(facts[f][0] for f in subject)
    term = dict(zip(named, data["entity"].term_id.tolist(), strict=True))
    assert kb.terms.name(term["Leo Fong"]) == "/c/en/leo_fong" and term["Rain"] == -1
    joined = kb.documents_to_pyg(kb.view().to_pyg(hetero=True))
    entity, concept = joined["entity", "is", "concept"].edge_index
    assert ("Leo Fong", "/c/en/leo_fong") in {
        (named[e], joined.concept_names[c]) for e, c in zip(entity.tolist(), concept.tolist(), strict=True)
    }
    wide = kb.documents_to_pyg(features="minilm")
    assert wide["passage"].x.shape == (4, 384) and wide["entity"].x.shape[1] == 384
    assert torch.allclose(wide["passage"].x.norm(dim=1), torch.ones(4), atol=1e-3)
