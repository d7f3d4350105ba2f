"""OK-VQA's questions, their soft scores and what was seen; parts share no picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgmm.data.okvqa import SoftQuestion, load_questions, split
from kgmm.errors import BadInput

ROW = {"question_id": 7, "img_id": "COCO_1", "sent": "What sport?", "label": {"golf": 0.667, "tennis": 1}, "class": 4}


def _files(tmp_path: Path, rows: object, seen: object) -> tuple[Path, Path]:
    questions, detections = tmp_path / "q.json", tmp_path / "d.json"
    questions.write_text(json.dumps(rows))
    detections.write_text(json.dumps(seen))
    return questions, detections


def test_a_question_comes_with_scores_and_what_was_seen(tmp_path: Path) -> None:
    (q,) = load_questions(*_files(tmp_path, [ROW], {"7": {"question": "what sport?", "detections": ["racket", "net"]}}))
    assert q == SoftQuestion("7", "COCO_1", "What sport?", (("tennis", 1.0), ("golf", 0.667)), ("racket", "net"), 4)
    assert [q.score(a) for a in ("Tennis ", "golf", "chess")] == [1.0, 0.667, 0.0]
    scene = q.scene()
    assert [o.name for o in scene.objects] == ["racket", "net"] and not scene.complete


def test_without_labels_and_detections_it_is_a_question_still(tmp_path: Path) -> None:
    questions, _ = _files(tmp_path, [{k: ROW[k] for k in ("question_id", "img_id", "sent")}], {})
    (q,) = load_questions(questions)
    assert (q.answers, q.detections, q.kind, q.score("tennis")) == ((), (), None, 0.0)


@pytest.mark.parametrize(
    ("rows", "seen", "told"),
    [
        ({}, {}, "q.json: expected a list"),
        (
            [ROW, {"question_id": 8}],
            {"7": {"detections": []}, "8": {"detections": []}},
            "q.json: question 2 .*'img_id'",
        ),
        ([ROW], {}, "d.json: question 7 .*one split"),
        ([ROW], [], "d.json: expected a JSON object"),
        ([ROW], {"7": {"detections": "racket"}}, "d.json: detections of question 7"),
        ([{**ROW, "label": {"tennis": "much"}}], {"7": {"detections": []}}, "q.json: question 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, rows: object, seen: object, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        list(load_questions(*_files(tmp_path, rows, seen)))


def test_parts_share_no_picture_and_do_not_depend_on_order() -> None:
    questions = [SoftQuestion(str(i), f"image {i % 200}", "?") for i in range(600)]
    train, held = split(questions, 0.25)
    assert 90 < len(held) < 210 and not {q.image for q in train} & {q.image for q in held}
    assert {*split(questions[::-1], 0.25)[1]} == {*held}


def test_the_training_file_here_is_read(shared_data: Path) -> None:
    folder = shared_data / "okvqa"
    questions = list(load_questions(folder / "train.json", folder / "detections_train.json"))
    assert len(questions) == 9009 and all(q.answers and q.detections is not None for q in questions)
    assert {q.score(q.answers[0][0].upper()) for q in questions} == {1.0, 0.667}
    train, held = split(questions)
    assert 750 < len(held) < 1050 and not {q.image for q in train} & {q.image for q in held}
