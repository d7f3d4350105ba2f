"""Graph VQA: a graph over the picture's objects learned for the question (Norcliffe-Brown et al. 2018)."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "graph"


def answer(task: Task) -> Outcome:
    """Answer a question about a picture of coloured shapes; see :func:`kgmm.reason.pixels.answer_with`."""
    return answer_with(task, NAME)
