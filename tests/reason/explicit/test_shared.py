"""What two things have in common and what tells them apart, over a small store."""

import pytest

from tests.reason.explicit.telling import told

FACTS = """
cat IsA pet 2
dog IsA pet 2
pet IsA animal 1
animal HasA heart 2
cat CapableOf meow 2
dog NotCapableOf meow 1
dog CapableOf bark 1
cat NotCapableOf bark 2
bird CapableOf fly 2
penguin IsA bird 2
penguin NotCapableOf fly 2
eagle IsA bird 1
stone HasProperty hard 1
"""


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with told(tmp_path_factory.mktemp("shared") / "kb", FACTS) as store:
        yield store


@pytest.mark.parametrize(
    ("question", "text", "others"),
    [
        ("What do cats and dogs have in common?", "pet", ["heart", "animal"]),
        ("How are cats and dogs alike?", "pet", ["heart", "animal"]),
        ("What is the difference between a cat and a dog?", "bark", ["meow"]),
        ("How does a penguin differ from an eagle?", "fly", []),
    ],
)
def test_two_things(kb, question, text, others):
    found = kb.ask(None, question, top=3)
    assert found.text == text and sorted(t for t, _ in found.alternatives) == sorted(others)
    assert all(check.passed for check in found.trace.verify(kb)) and len(found.trace.citations) >= 2
    for citation in found.trace.citations:
        assert found.trace.without(citation.fact).text != text


@pytest.mark.parametrize(
    "question", ["What do a cat and a stone have in common?", "What is the difference between a cat and a stone?"]
)
def test_what_no_facts_say_is_not_answered(kb, question):
    assert kb.ask(None, question).text is None
