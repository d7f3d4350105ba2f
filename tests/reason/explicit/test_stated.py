"""Questions without a picture, asked of a small store from either end of its facts."""

import pytest

import kgmm
from kgmm.reason.question.ends import asked
from kgmm.reason.question.grammar import parse
from tests.reason.explicit.telling import told

FACTS = """
cloud Causes rain 2
rain Causes flood 1
rain Causes puddle 2
car HasA wheel 2
bicycle HasA wheel 1
rim PartOf wheel 1
wheel HasA spoke 2
engine PartOf car 1
table MadeOf wood 2
lumber MadeOf wood 1
wood MadeOf cellulose 1
scissors UsedFor cutting_paper 2
knife UsedFor cutting_bread 1
dog IsA animal 2
cat IsA animal 2
hen IsA animal 1
hen CapableOf lay_egg 2
factory CapableOf lay_egg 3
dog CapableOf bark 2
animal Desires food 1
cup AtLocation cupboard 1
snow HasProperty white 2
milk HasProperty white 1
meat UsedFor eating 1
drum CapableOf make_noise 1
teacher IsA person 1
teacher CapableOf teach_students 2
robot CapableOf teach_students 3
carpenter IsA person 2
carpenter HasA hammer 1
doctor IsA person 1
doctor AtLocation hospital 2
bed AtLocation hospital 3
chair UsedFor sitting 2
ladder UsedFor climbing 1
chicken UsedFor meat 2
penguin NotCapableOf fly 2
bird CapableOf fly 2
penguin IsA bird 2
"""


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    with told(tmp_path_factory.mktemp("stated") / "kb", FACTS) as store:
        yield store


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("What causes rain?", ["cloud"]),
        ("What does rain cause?", ["puddle", "flood"]),
        ("What is the effect of rain?", ["puddle", "flood"]),
        ("What has wheels?", ["car", "bicycle"]),
        ("What does a wheel have?", ["spoke", "rim"]),
        ("What is an engine part of?", ["car"]),
        ("What are the parts of a car?", ["wheel", "engine"]),
        ("What is made of wood?", ["table", "lumber"]),
        ("What is wood made of?", ["cellulose"]),
        ("What can cut paper?", ["scissors"]),
        ("What is used for cutting bread?", ["knife"]),
        ("Which animal can lay eggs?", ["hen"]),
        ("What can a dog do?", ["bark"]),
        ("What can dogs do?", ["bark"]),
        ("What does a cat want?", ["food"]),
        ("What is in a cupboard?", ["cup"]),
        ("What is white?", ["snow", "milk"]),
        ("What is a penguin?", ["bird"]),
        ("Name a kind of animal.", ["dog", "cat", "hen"]),
        ("Name three animals.", ["dog", "cat", "hen"]),
        ("What makes noise?", ["drum"]),
        ("Who teaches students?", ["teacher"]),
        ("Who uses a hammer?", ["carpenter"]),
        ("Who works in a hospital?", ["doctor"]),
        ("Which animal lays eggs?", ["hen"]),
        ("Which bird cannot fly?", ["penguin"]),
        ("What do you sit on?", ["chair"]),
        ("What do you need a ladder for?", ["climbing"]),
        ("What is meat used for?", ["eating"]),
    ],
)
def test_either_end_is_asked_for(kb, question, answers):
    found = kb.ask(None, question, top=5)
    assert [found.text, *(text for text, _ in found.alternatives)] == answers
    assert found.trace.citations and all(check.passed for check in found.trace.verify(kb))
    assert found.trace.without(*(c.fact for c in found.trace.citations)).text != found.text


def test_the_surest_fact_answers_and_kinds_hand_down_less_surely(kb):
    assert kb.ask(None, "What causes rain?").score == pytest.approx(0.85)
    assert kb.ask(None, "What does rain cause?").alternatives == [("flood", pytest.approx(0.7))]
    wants = kb.ask(None, "What does a cat want?")
    assert wants.score == pytest.approx(0.7 * 0.97)
    assert [(c.fact.subject, c.fact.predicate) for c in wants.trace.citations] == [
        ("/c/en/cat", "IsA"),
        ("/c/en/animal", "Desires"),
    ]


def test_facts_that_say_it_too_are_cited(kb, tmp_path):
    with kgmm.open(tmp_path / "kb") as store:
        store.add([("car", "HasA", "engine", 2.0), ("engine", "PartOf", "car", 1.0)])
        found = store.ask(None, "What does a car have?")
        assert found.text == "engine" and [c.role for c in found.trace.citations] == ["support", "also"]
        assert found.trace.without(found.trace.citations[0].fact).text == "engine"
        assert found.trace.without(*(c.fact for c in found.trace.citations)).text is None


@pytest.mark.parametrize(
    "question",
    [
        "What causes fog?",
        "What is made of gold?",
        "Which car can lay eggs?",
        "What is snow made of?",
        "What has gills?",
    ],
)
def test_what_no_fact_states_is_not_answered(kb, question):
    found = kb.ask(None, question)
    assert found.text is None and found.trace.abstained


def test_a_denied_fact_does_not_answer(kb):
    assert kb.ask(None, "What can a penguin do?").text != "fly"


def test_wrong_way_round_is_no_answer_about_a_picture_either(kb):
    assert (
        kb.ask({"id": "s", "objects": [{"id": "a", "name": "wood"}]}, "What is the wood made of?").text == "cellulose"
    )


def test_other_questions_are_left_to_others():
    for question in ("How old is a cat?", "When do owls sleep?", "Is a cat white?", "What is the cat doing?"):
        assert not asked(parse(question))


def test_of_choices_the_one_that_a_fact_states(kb):
    for reasoner in ("explicit", "hybrid"):
        found = kb.ask(None, "What is used for cutting?", choices=["Cloud", "Scissors"], reasoner=reasoner)
        assert found.text == "Scissors" or found.text is None  # "cutting paper" is no "cutting"
        found = kb.ask(None, "What causes rain?", choices=["puddle", "Clouds"], reasoner=reasoner)
        assert found.text == "Clouds" and found.score == pytest.approx(0.85)
        assert found.trace.without(*(c.fact for c in found.trace.citations)).text != "Clouds"


def test_choices_that_no_fact_states_are_left_to_the_graph_network(kb):
    question, choices = "Where would you put a clean cup?", ["cupboard", "rain"]
    found = kb.ask(None, question, choices=choices)
    assert found.text == kb.ask(None, question, choices=choices, reasoner="graph-network").text == "cupboard"
    assert found.trace.reasoner == "hybrid" and found.trace.model
