"""The survey's Figure 19: one vector for the picture, one for the question, a classifier over answers."""

from __future__ import annotations

from kgmm.reason.pixels import answer_with
from kgmm.reason.task import Outcome, Task

NAME = "conventional"


def answer(task: Task) -> Outcome:
    """Answer a question about a picture of coloured shapes; see :func:`kgmm.reason.pixels.answer_with`."""
    return answer_with(task, NAME)
