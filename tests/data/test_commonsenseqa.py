"""CommonsenseQA's lines become questions whose parts are the same everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgmm.data.commonsenseqa import ChoiceQuestion, load_questions, split
from kgmm.errors import BadInput

ROW = {
    "id": "a1",
    "question": {
        "stem": "Where do fish live?",
        "question_concept": "fish",
        "choices": [{"label": "A", "text": "sea"}, {"label": "B", "text": "desk"}],
    },
    "answerKey": "B",
}


def _file(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_a_line_becomes_a_question_with_its_right_choice(tmp_path: Path) -> None:
    (q,) = load_questions(_file(tmp_path, ROW))
    assert q == ChoiceQuestion("a1", "Where do fish live?", "fish", ("sea", "desk"), 1) and q.answer == "desk"


@pytest.mark.parametrize("key", [None, ""])
def test_a_test_file_has_no_answers(tmp_path: Path, key: str | None) -> None:
    bare = {k: v for k, v in ROW.items() if k != "answerKey"}
    (q,) = load_questions(_file(tmp_path, bare if key is None else {**bare, "answerKey": key}))
    assert q.label is None and q.answer is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "x"}, "'question'"),
        ({**ROW, "answerKey": "F"}, "answerKey 'F'"),
        ({**ROW, "question": {"stem": "Why?", "choices": []}}, "no choices"),
        ([1], "another kind"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: object, told: str) -> None:
    path = _file(tmp_path, ROW, row)
    with pytest.raises(BadInput, match=f"q.jsonl:2: .*{told}"):
        list(load_questions(path))


def test_what_is_no_json_is_named_by_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(ROW) + "\n{oops\n")
    with pytest.raises(BadInput, match=r"q.jsonl:2: not JSON: .* column 2"):
        list(load_questions(path))


def _asked(number: int, words: str = "") -> ChoiceQuestion:
    return ChoiceQuestion(f"q{number}", words or f"Question {number}?", "", ("a", "b"), 0)


def test_parts_do_not_depend_on_order_or_on_what_else_is_there() -> None:
    questions = [_asked(i) for i in range(1000)]
    train, held = split(questions, 0.2)
    assert 150 < len(held) < 250 and {*train, *held} == {*questions} and not {*train} & {*held}
    assert set(split(questions[::-2], 0.2)[1]) == {*held} & {*questions[::-2]}


def test_the_same_words_are_not_on_both_sides() -> None:
    twins = [_asked(i, f"who is it, number {i % 50}?") for i in range(100)]
    train, held = split(twins, 0.5)
    assert train and held and not {q.question for q in train} & {q.question for q in held}


def test_the_released_training_file_is_read(shared_data: Path) -> None:
    questions = list(load_questions(shared_data / "commonsenseqa" / "train.jsonl"))
    assert len(questions) == 9741 and all(len(q.choices) == 5 and q.label is not None and q.concept for q in questions)
    train, held = split(questions)
    assert 850 < len(held) < 1100 and not {q.question.lower() for q in train} & {q.question.lower() for q in held}
