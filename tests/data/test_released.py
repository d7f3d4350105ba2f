"""Released layouts, in small."""

from __future__ import annotations

import json

import pytest

from kgmm.data import released
from kgmm.errors import BadInput


def _write(path, document):
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def vqa_files(tmp_path):
    questions = _write(
        tmp_path / "q.json",
        {"questions": [{"question_id": 7, "image_id": 42, "question": "What is it?"}], "data_type": "mscoco"},
    )
    answers = [{"answer": a, "answer_id": i} for i, a in enumerate(["cat"] * 7 + ["dog"] * 2 + ["cow"])]
    row = {
        "question_id": 7,
        "image_id": 42,
        "question_type": "what is",
        "multiple_choice_answer": "cat",
        "answers": answers,
    }
    return questions, _write(tmp_path / "a.json", {"annotations": [row]})


@pytest.mark.parametrize("reader", [released.vqa2, released.ok_vqa])
def test_vqa_answers_count_annotators(reader, vqa_files):
    (record,) = reader(*vqa_files)
    assert (record.id, record.image, record.answer, record.kind) == ("7", "42", "cat", "what is")
    assert [record.accuracy(a) for a in ("cat", "dog", "cow", "owl")] == [
        1.0,
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
        0.0,
    ]


def test_a_test_split_has_no_answers(vqa_files):
    (record,) = released.vqa2(vqa_files[0])
    assert record.answer is None and record.answers == ()


def test_visual7w_offers_the_answer_among_its_choices(tmp_path):
    pair = {
        "qa_id": 1,
        "question": "Who?",
        "answer": "A man.",
        "multiple_choices": ["A dog.", "Two.", "No one."],
        "type": "who",
    }
    images = [
        {"filename": "v7w_1.jpg", "split": s, "qa_pairs": [{**pair, "qa_id": i}]}
        for i, s in enumerate(("train", "val"))
    ]
    path = _write(tmp_path / "v7w.json", {"dataset": "visual7w-telling", "images": images})
    assert len(list(released.visual7w(path))) == 2
    (record,) = released.visual7w(path, split="val")
    assert (
        record.id == "1"
        and record.image == "v7w_1.jpg"
        and record.answer in record.choices
        and len(record.choices) == 4
    )


def test_gqa_and_fvqa_are_objects_by_id(tmp_path):
    row = {"imageId": "n1", "question": "Is it red?", "answer": "no", "types": {"structural": "verify"}}
    (gqa,) = released.gqa(_write(tmp_path / "g.json", {"0201": row}))
    assert (gqa.id, gqa.image, gqa.answer, gqa.kind) == ("0201", "n1", "no", "verify")
    row = {
        "img_file": "a.jpg",
        "question": "What barks?",
        "answer": "dog",
        "kb_source": "conceptnet",
        "fact": ["e/1"],
    }
    (fvqa,) = released.fvqa(_write(tmp_path / "f.json", {"12": row}))
    assert (fvqa.id, fvqa.image, fvqa.answer, fvqa.facts) == ("12", "a.jpg", "dog", ("e/1",))


def test_a_broken_file_says_what_is_wrong(tmp_path):
    with pytest.raises(BadInput, match="questions"):
        list(released.vqa2(_write(tmp_path / "x.json", [])))
    with pytest.raises(BadInput, match="question 0"):
        list(released.gqa(_write(tmp_path / "y.json", {"1": {"question": "?"}})))
    (tmp_path / "z.json").write_text("{")
    with pytest.raises(BadInput, match="not a JSON file"):
        list(released.fvqa(tmp_path / "z.json"))
