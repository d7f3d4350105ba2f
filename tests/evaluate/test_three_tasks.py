"""Question answering → story summary → recommendation over one encoder: what is learned from is not judged by; kills change no bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgmm.data.streams import Stream
from kgmm.data.three_tasks import CHOICES, Choice, questions, recommendations, summaries, three_tasks
from kgmm.evaluate.continual import average_accuracy, backward_transfer, run
from kgmm.train.continual import network
from tests.evaluate.killing import killed_at_third


@pytest.fixture(scope="module")
def stream() -> Stream:
    return three_tasks()


def small(stream: Stream, rows: int) -> Stream:
    return stream._replace(tasks=[task._replace(x=task.x[:rows], y=task.y[:rows]) for task in stream.tasks])


def right(choice: Choice) -> str:
    return choice.candidates[choice.right]


@pytest.mark.parametrize("make", [questions, summaries, recommendations])
def test_a_choice_has_one_right_candidate_and_follows_from_the_seed(make) -> None:
    learn, judge = make(0)
    assert len(learn) > len(judge) > 50 and make(0) == (learn, judge) != make(1)
    assert all(len(c.candidates) == CHOICES == len(set(c.candidates)) for c in learn + judge)
    places = np.bincount([c.right for c in learn], minlength=CHOICES) / len(learn)
    assert places.min() > 0.15  # the place tells nothing


def test_subjects_shots_and_items_judged_by_are_not_learned_from() -> None:
    learn, judge = questions()
    assert not {c.given for c in learn} & {c.given for c in judge}
    learn, judge = summaries()
    assert not {right(c) for c in learn} & {text for c in judge for text in c.candidates}
    learn, judge = recommendations()
    seen = {text for c in learn for text in c.given + c.candidates}
    assert not {right(c) for c in judge} & seen and not {x for c in judge for x in c.given} & seen


def test_rows_are_pairs_whose_right_one_has_the_odd_label(stream: Stream) -> None:
    for number, task in enumerate(stream.tasks):
        for y in (task.y, task.test_y):
            assert set(y.tolist()) == {2 * number, 2 * number + 1}
            assert ((y.reshape(-1, CHOICES) % 2).sum(1) == 1).all()
    given = stream.tasks[0].x[:, :384].reshape(-1, CHOICES, 384)
    assert np.array_equal(given[:, 0], given[:, 3])  # a group asks one question
    assert stream.simple is not None
    answers, story, items = stream.simple["nearest"]
    assert answers > 0.7 and story > 0.7 and items < 0.4  # what goes together is not what is alike


def test_one_encoder_serves_three_heads_and_frozen_features_forget_nothing(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "RANDOM", 600)
    matrix, untrained = run(small(stream, 1920), "frozen", epochs=1)
    assert backward_transfer(matrix) == 0.0 and average_accuracy(matrix) > 0.6 > 0.4 > np.mean(untrained)
    plain, _ = run(small(stream, 960), "plain", epochs=2)
    assert (np.diag(plain) > [0.5, 0.7, 0.35]).all()


@pytest.mark.parametrize("method", ["ewc", "frozen", "replay"])
def test_killed_and_resumed_equals_not_killed(
    method: str, stream: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "RANDOM", 100)
    cut = small(stream, 320)
    run(cut, method, epochs=1, keep=tmp_path / "whole")
    killed_at_third(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(cut, method, epochs=1, keep=tmp_path / "cut")
    run(cut, method, epochs=1, keep=tmp_path / "cut")
    a, b = ((tmp_path / name / f"{method}-0.safetensors").read_bytes() for name in ("whole", "cut"))
    assert a == b
