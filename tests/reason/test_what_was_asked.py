"""What was asked is what is answered: each question word, denial, exception and alternative is understood or refused by name."""

from pathlib import Path

import pytest

import kgmm
from kgmm.knowledge import KnowledgeStore
from kgmm.reason.question.demands import demanded
from kgmm.reason.question.grammar import parse
from kgmm.scene import NO_PICTURE

SCENES = Path(__file__).parents[2] / "graphs" / "scenes"


@pytest.mark.parametrize(
    ("scene", "question", "answer", "why_not"),
    [
        ("coffee", "Why is the spoon there?", "stirring", ""),
        ("flower", "When do flowers bloom?", None, "says when"),
        ("rocket", "Who is standing next to the rocket?", None, ""),
        ("astronaut", "Who is smiling?", "astronaut", ""),
        ("pagoda", "How would you get across the lake?", None, ""),
        ("coffee", "Is there no spoon?", "no", ""),
        ("cat", "Is there no dog here?", "yes", ""),
        ("coffee", "Is the cup the only thing on the saucer?", "no", ""),
        ("coffee", "Is the unicorn the only thing on the saucer?", None, "nothing seen fits"),
        ("coffee", "Is the cup made of glass or porcelain?", "porcelain", ""),
        ("coffee", "Is the cup made of chocolate or velvet?", None, "which of chocolate and velvet"),
        ("coffee", "Can you eat the spoon?", "no", ""),
        ("coffee", "Can you drink the coffee?", "yes", ""),
        ("coffee", "What is the spoon not made of?", None, "denies is not understood"),
        ("astronaut", "What is the astronaut not wearing?", None, "denies is not understood"),
        ("coffee", "Which thing is not on the saucer, the cup or the table?", None, "denies is not understood"),
        ("astronaut", "Which of these can not fly?", "astronaut", ""),
        ("coffee", "What else is there except the cup?", "coffee, saucer, spoon, table", ""),
        ("rocket", "How many lights are on?", "4", ""),
        ("cat", "What colour are the cat's eyes?", "green", ""),
        ("cat", "What are its ears used for?", "hearing", ""),
        ("cat", "What are its wings for?", None, "says that the cat has wings"),
    ],
)
def test_a_question_is_answered_as_it_is_meant_or_refused_with_the_reason(
    scene: str, question: str, answer: str | None, why_not: str, bundled_kb: KnowledgeStore
) -> None:
    found = bundled_kb.ask(SCENES / f"{scene}.json", question)
    assert found.text == answer and why_not in found.trace.abstained
    assert found.text is None or found.trace.citations or answer in ("yes", "no")


def test_an_unseen_part_is_answered_by_a_fact_that_the_seen_thing_has_it(bundled_kb: KnowledgeStore) -> None:
    found = bundled_kb.ask(SCENES / "cat.json", "What is the cat's tail used for?")
    assert found.text == "keeping balance"
    implied = [c.fact for c in found.trace.citations if c.role == "implied"]
    assert [(f.subject, f.predicate, f.object) for f in implied] == [("/c/en/cat", "HasA", "/c/en/tail")]
    assert not found.trace.without(implied[0]), "without the fact that it has one, nothing is said of it"


@pytest.mark.parametrize(
    ("question", "answer", "why_not"),
    [
        ("What is a knife used for?", "cutting", ""),
        ("Can a penguin fly?", "no", ""),
        ("How many legs does a spider have?", "8", ""),
        ("How many cups are there?", None, "no picture"),
        ("What is in this picture?", None, "no picture"),
    ],
)
def test_questions_without_a_picture(
    question: str, answer: str | None, why_not: str, bundled_kb: KnowledgeStore, tmp_path: Path
) -> None:
    found = bundled_kb.ask(None, question)
    assert found.text == answer and why_not in found.trace.abstained and found.trace.scene == NO_PICTURE
    page = kgmm.Trace.from_json(found.trace.to_json()).to_html(tmp_path / "trace.html")
    assert question in Path(page).read_text(encoding="utf-8")


def test_the_command_asks_with_or_without_a_picture_and_store(bundled_kb, shell, monkeypatch) -> None:
    asked = shell("ask", bundled_kb.path, "Can a penguin fly?")
    assert asked.code == 0 and asked.out.startswith("no ")
    assert shell("ask", bundled_kb.path, SCENES / "coffee.json", "Is there no spoon?").out.startswith("no ")
    monkeypatch.setattr(kgmm, "open_bundled", lambda **_: kgmm.open(bundled_kb.path))
    assert shell("ask", "--bundled", "Can a penguin fly?").out == asked.out
    for words in (("Can a penguin fly?",), ("--bundled", "a", "b", "c"), (bundled_kb.path, "none.jpg", "What?")):
        ran = shell("ask", *words)
        assert ran.code == 2 and "Error:" in ran.err


def test_what_is_given_is_no_answer() -> None:
    asked = parse("What holds the coffee in a big blue cup?")
    assert {"coffee", "big blue cup"} <= asked.given
    assert not parse("Which is bigger, the cup or the spoon?").given
    assert demanded("why does it rain").said == "why" and demanded("how many legs does it have") is None


def test_silence_says_what_was_seen_and_what_might_see_more(bundled_kb: KnowledgeStore, shell) -> None:
    ran = shell("ask", bundled_kb.path, SCENES / "coffee.json", "What colour is the cake?")
    assert ran.code == 0 and "seen: cup, coffee, saucer, spoon, table" in ran.out and "--perceiver" not in ran.out
    photo = SCENES.parent / "photos" / "coffee.jpg"
    assert "--perceiver onnx" in shell("ask", bundled_kb.path, photo, "What colour is the cake?").out
    french = shell("ask", bundled_kb.path, SCENES / "coffee.json", "De quelle couleur est la soucoupe ?").out
    assert "seems to be French" in french
    assert "MadeOf" not in shell("ask", bundled_kb.path, SCENES / "rocket.json", "What is the rocket made of?").out
