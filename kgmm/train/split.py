"""FVQA's training images split once more: what is learned from, and what is kept to tune on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kgmm.data.fvqa import FvqaQuestion, load_questions, split_by_image
from kgmm.train.kdmn import FvqaProblem


@dataclass(frozen=True)
class Split:
    """Which of FVQA's training questions have labels to learn from, and which are kept to tune on."""

    questions: list[FvqaQuestion]  #: the training questions in the order of ``FvqaProblem.train``
    labelled: Tensor  #: rows to learn from
    tune: Tensor  #: rows of other images, for all that is not a weight: epochs, temperatures, the prior's weight


def split_training(problem: FvqaProblem, folder: str | Path, share: float = 1.0, tune: float = 0.15) -> Split:
    """Split a problem's training questions by image.

    Args:
        problem: made from *folder*.
        folder: with ``questions-train.json``.
        share: of the images, used at all: less labels to see what knowledge is worth without them.
        tune: share of these that is kept for tuning.
    """
    known = problem.config
    questions = split_by_image(load_questions(Path(folder) / "questions-train.json"), known["dev"], known["split"])[0]
    used = split_by_image(questions, share, 11)[1] if share < 1 else questions
    rest, kept = split_by_image(used, tune, 12)
    at = {q.question_id: i for i, q in enumerate(questions)}
    rows = [torch.tensor([at[q.question_id] for q in part], dtype=torch.long) for part in (rest, kept)]
    return Split(questions, rows[0], rows[1])
