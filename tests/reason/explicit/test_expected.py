"""Questions about what happens and why, answered by what is expected of the event; over the bundled knowledge."""

import dataclasses

import pytest

import kgmm
from kgmm.reason.explicit.expected import asked


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with kgmm.open(tmp_path_factory.mktemp("expected") / "kb") as store:
        store.add([("grandmother", "IsA", "person", 1.0), ("tickle a cat", "Causes", "cat purr", 3.0)])
        store.add([("pet cat", "Causes", "cat purr", 1.0), ("tickle a cat", "MotivatedByGoal", "hear it purr", 2.0)])
        yield store


@pytest.mark.parametrize(
    ("question", "kind", "among"),
    [
        ("What happens if you drop a glass?", "effect", "glass break"),
        ("What would happen if I forgot my keys?", "effect", "be locked out"),
        ("Why do people sleep?", "motive", "rest"),
        ("Why would someone open an umbrella?", "motive", "stay dry"),
        ("What do you do before you sleep?", "precondition", "close eyes"),
    ],
)
def test_steps_of_the_kind_asked_for(kb, question, kind, among):
    found = kb.ask(None, question, top=8)
    step = next(s for s in found.trace.steps if s.name == "expect")
    assert asked(question).kind == kind == step.data["asked"]
    assert among in [found.text, *(text for text, _ in found.alternatives)]
    assert found.trace.citations and all(check.passed for check in found.trace.verify(kb))
    assert found.trace.without(*(c.fact for c in found.trace.citations)).text != found.text


def test_facts_of_the_store_answer_and_can_be_taken_away(kb):
    found = kb.ask(None, "What happens when grandmother tickles a cat?")
    assert found.text == "cat purr"
    cited = {(c.fact.subject, c.fact.predicate, c.fact.object) for c in found.trace.citations}
    assert ("/c/en/tickle_a_cat", "Causes", "/c/en/cat_purr") in cited
    assert found.trace.without(*(c.fact for c in found.trace.citations)).text != "cat purr"
    # without vectors: petting a cat, which is like it, has the cat purr too
    left = kb.expect("She tickles a cat.", exclude=cited, vectors=False)
    assert not any(e.text == "cat purr" for e in left)
    assert kb.ask(None, "Why does grandmother tickle a cat?").text == "hear it purr"


def test_a_citation_at_another_line_is_not_borne_out(kb):
    trace = kb.ask(None, "What happens if you drop a glass?").trace
    cited = next(c for c in trace.citations if c.fact.source.startswith("knowledge/events.tsv:"))
    for source in ("knowledge/events.tsv:999999999", "knowledge/../events.tsv:1", "knowledge/none.tsv:1"):
        wrong = dataclasses.replace(cited, fact=dataclasses.replace(cited.fact, source=source))
        checks = dataclasses.replace(trace, citations=[wrong]).verify(kb)
        assert not next(check for check in checks if check.name == "fact").passed


@pytest.mark.parametrize(
    "question", ["What happens if the moon turns purple?", "Why do gizmos frobnicate?", "What happens when blorp?"]
)
def test_what_is_unheard_of_is_not_answered(kb, question):
    assert kb.ask(None, question).text is None


def test_a_watched_question_is_told_of_an_edit(tmp_path):
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("rain", "IsA", "weather", 1.0)])
        watch = kb.watch(None, "What happens if you juggle torches?")
        kb.add([("juggle torches", "Causes", "crowd cheer", 9.0)])
        assert watch.check() is not None and watch.answer.text == "crowd cheer"
        kb.remove("juggle torches", "Causes", "crowd cheer")
        assert watch.check() is not None and watch.answer.text != "crowd cheer"


def test_a_seen_thing_is_cited_beside_the_facts(kb):
    scene = {"id": "s", "objects": [{"id": "a", "name": "glass", "box": [0, 0, 9, 9]}], "width": 9, "height": 9}
    found = kb.ask(scene, "What happens if somebody drops the glass?", top=8)
    assert "glass break" in [found.text, *(text for text, _ in found.alternatives)]
    assert [c.kind for c in found.trace.citations][:2] == ["scene", "knowledge"]
    assert all(check.passed for check in found.trace.verify(kb))
