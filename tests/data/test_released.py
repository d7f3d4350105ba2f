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
        pytest.approx(0.6),
        pytest.approx(0.3),
        0.0,
    ]
    people = [a for a, n in record.answers for _ in range(n)]
    for said in ("cat", "dog", "cow"):  # as the official evaluation's loop does it
        left_out = [sum(a == said for j, a in enumerate(people) if j != i) for i in range(len(people))]
        official = sum(min(1, n / 3) for n in left_out) / len(people)
        assert record.accuracy(said) == pytest.approx(official)


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
    row = {"img_file": "a.jpg", "question": "What barks?", "answer": "dog", "kb_source": "conceptnet", "fact": ["e/1"]}
    (fvqa,) = released.fvqa(_write(tmp_path / "f.json", {"12": row}))
    assert (fvqa.id, fvqa.image, fvqa.answer, fvqa.facts) == ("12", "a.jpg", "dog", ("e/1",))


ROW = {"question_id": 7, "image_id": 42, "question": "What is it?"}
BROKEN = {
    "a list": (released.vqa2, [], "expected a JSON object with 'questions'"),
    "questions that are a number": (released.vqa2, {"questions": 3}, "expected a list of questions, found int"),
    "a question without an id": (released.ok_vqa, {"questions": [ROW, {}]}, "question 2 lacks .*question_id"),
    "an image without questions": (
        released.visual7w,
        {"images": [{"filename": "a"}]},
        "image 1 has no list of qa_pairs",
    ),
    "an image that is a word": (released.visual7w, {"images": ["a"]}, "image 1 has no list"),
    "a pair without its answer": (
        released.visual7w,
        {"images": [{"qa_pairs": [{"qa_id": 1, "question": "Who?"}]}]},
        "image 1, question 1 lacks .*answer",
    ),
    "a list of questions": (released.gqa, [1], "expected a JSON object of questions by id"),
    "a question without its image": (released.gqa, {"0201": {"question": "?"}}, "question 0201 lacks .*imageId"),
    "a question that is null": (released.gqa, {"0201": None}, "question 0201 lacks"),
    "a fact that is a number": (
        released.fvqa,
        {"12": {"img_file": "a", "question": "?", "answer": "b", "fact": 5}},
        "question 12 lacks",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_is_wrong(name, tmp_path):
    reader, document, said = BROKEN[name]
    with pytest.raises(BadInput, match=rf"x\.json: {said}"):
        list(reader(_write(tmp_path / "x.json", document)))


@pytest.mark.parametrize("reader", [released.vqa2, released.visual7w, released.gqa, released.fvqa])
def test_what_is_no_json_is_named_with_its_line(reader, tmp_path):
    (tmp_path / "z.json").write_text('{"questions":\n {,')
    with pytest.raises(BadInput, match=r"z\.json:2: not a JSON file"):
        list(reader(tmp_path / "z.json"))
    (tmp_path / "z.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not a JSON file"):
        list(reader(tmp_path / "z.json"))
    for place in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            list(reader(place))


def test_annotations_of_another_split_are_refused(vqa_files, tmp_path):
    other = _write(tmp_path / "other.json", {"annotations": [{"question_id": 8, "answers": []}]})
    with pytest.raises(BadInput, match=r"question 7 of .*q\.json has no annotation; are both of one split"):
        list(released.vqa2(vqa_files[0], other))
    for row in ({}, "x"):
        with pytest.raises(BadInput, match="annotation 1 has no question_id"):
            list(released.vqa2(vqa_files[0], _write(tmp_path / "bad.json", {"annotations": [row]})))
